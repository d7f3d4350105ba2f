"""The widget: a drawn part of the graph that grows as one expands nodes, follows relations and walks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from kgmm.errors import KgmmError
from kgmm.graph import GraphView, view
from kgmm.language import names
from kgmm.notebook import neighbours
from kgmm.store import LocalStore

HERE = Path(__file__).parent
LIBRARY = HERE.parent / "trace" / "page" / "assets" / "cytoscape.min.js"


def _module() -> str:
    """Return the widget's script with the drawing library in it, so that nothing is fetched."""
    library = LIBRARY.read_text(encoding="utf-8")
    # inside a function nothing else's module loader (require.js in a classic notebook) catches the library
    wrapped = f"const cytoscape = (function () {{ const module = {{exports: {{}}}}, exports = module.exports;\n{library}\nreturn module.exports; }}).call(globalThis);"
    return wrapped + "\n" + (HERE / "explorer.js").read_text(encoding="utf-8")


class Explorer(anywidget.AnyWidget):
    """A knowledge store to look around in.

    All that the buttons do can be called, too: ``explorer.expand("knife")``, ``explorer.follow("knife", "UsedFor")``,
    ``explorer.walk("knife")``, ``explorer.remove("knife")``.

    Args:
        kb: the store.
        concepts: where to start; each is expanded.
        graphs: graphs that walks run on; all but scenes and stories by default.
        limit: facts that one expansion adds at most.

    Raises:
        UnknownConcept: if a concept is not in the store; the message lists near spellings.

    Example:
        >>> Explorer(kb, "knife").follow("knife", "UsedFor").nodes[0]["label"]            # doctest: +SKIP
        'knife'
    """

    _esm = _module()
    _css = HERE / "explorer.css"

    nodes = traitlets.List(traitlets.Dict()).tag(sync=True)
    edges = traitlets.List(traitlets.Dict()).tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    relations = traitlets.List(traitlets.Dict()).tag(sync=True)  #: relations of the selected concept
    scores = traitlets.List(traitlets.Dict()).tag(sync=True)  #: the last walk: concept, label, score
    message = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, kb: LocalStore, *concepts: str, graphs: Sequence[str] | None = None, limit: int = 30, **more: Any
    ) -> None:
        super().__init__(**more)
        self._kb, self._graphs, self._limit = kb, graphs, limit
        self._view: GraphView | None = None
        self.observe(self._on_selected, "selected")
        self.on_msg(self._on_message)
        for text in concepts:
            self.expand(text)

    def expand(self, text: str) -> Explorer:
        """Add the strongest facts of a concept that are not drawn yet, and select it; return the explorer."""
        concept = neighbours.resolve(self._kb, text)
        return self._add(concept, neighbours.around(self._kb, concept, limit=self._limit, but=self._drawn()))

    def follow(self, text: str, relation: str, outgoing: bool | None = None) -> Explorer:
        """Add a concept's facts of one relation: those it is the subject of (True), the object of (False), or both."""
        concept, wanted = neighbours.resolve(self._kb, text), names.relation(relation)
        return self._add(concept, neighbours.around(self._kb, concept, wanted, outgoing, self._limit, self._drawn()))

    def walk(self, text: str, k: int = 20) -> Explorer:
        """Walk with restart from a concept: list the *k* best and draw the facts among them and to them."""
        concept = neighbours.resolve(self._kb, text)
        best = [(c, s) for c, s in self._graph().walk(concept).top(k + 1) if c != concept][:k]
        self.scores = [
            {"concept": c, "label": names.label(c)[: neighbours.SHOWN], "score": round(s, 5)} for c, s in best
        ]
        reached = {concept, *(c for c, _ in best)}
        return self._add(concept, [f for c in reached for f in self._kb.find(c) if f.object in reached])

    def remove(self, text: str) -> Explorer:
        """Take a concept and its facts off the drawing (nothing is removed from the store)."""
        concept = neighbours.resolve(self._kb, text)
        self.nodes = [n for n in self.nodes if n["id"] != concept]
        self.edges = [e for e in self.edges if concept not in (e["source"], e["target"])]
        if self.selected == concept:
            self.selected = ""
        return self

    def _drawn(self) -> set[tuple[str, str, str]]:
        return {(e["source"], e["relation"], e["target"]) for e in self.edges}

    def _graph(self) -> GraphView:
        if self._view is None:
            self._view = view(self._kb, graphs=self._graphs or self._kb.knowledge_graphs())
        return self._view

    def _add(self, concept: str, facts: Sequence[Any]) -> Explorer:
        drawn = {n["id"] for n in self.nodes}
        ends = dict.fromkeys([concept, *(end for f in facts for end in (f.subject, f.object))])
        there = {e["id"] for e in self.edges}
        fresh = {e["id"]: e for f in facts if (e := neighbours.edge(f))["id"] not in there}
        added = [neighbours.node(self._kb, term) for term in ends if term not in drawn]
        self.nodes = [*self.nodes, *added]
        self.edges = [*self.edges, *fresh.values()]
        self.selected = concept
        self.message = f"{names.label(concept)}: {len(fresh)} facts and {len(added)} concepts added"
        return self

    def _on_selected(self, change: Any) -> None:
        self.relations = neighbours.relations(self._kb, change["new"]) if change["new"] else []

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Do what a button asks; what cannot be done is said in the widget."""
        try:
            match content:
                case {"do": "expand", "concept": str(concept)}:
                    self.expand(concept)
                case {"do": "follow", "concept": str(concept), "relation": str(relation), "outgoing": bool(way)}:
                    self.follow(concept, relation, way)
                case {"do": "walk", "concept": str(concept)}:
                    self.walk(concept)
                case {"do": "remove", "concept": str(concept)}:
                    self.remove(concept)
        except KgmmError as error:
            self.message = str(error)[:300]
