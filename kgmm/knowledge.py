"""The knowledge store with all one does with it: look-up, views, retrieval, questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import BadInput
from kgmm.store import LocalStore

if TYPE_CHECKING:
    from kgmm.graph import GraphView
    from kgmm.retrieve import Memory
    from kgmm.retrieve.likeness import Similar
    from kgmm.stories import StoryGraph, Summary
    from kgmm.trace import Answer, Trace


class KnowledgeStore(LocalStore):
    """A folder of facts, scene graphs and story graphs that questions are asked of; open it with :func:`kgmm.open`."""

    def view(
        self,
        graphs: str | Iterable[str] | None = None,
        relations: str | Iterable[str] | None = None,
        directed: bool = False,
        **more: Any,
    ) -> GraphView:
        """Return the graph of some facts (all by default); see :func:`kgmm.graph.view`."""
        from kgmm.graph import view

        made = view(self, graphs=graphs, relations=relations, directed=directed, **more)
        made.node_features = self._node_features
        return made

    def _node_features(self, ids: Any, encoder: str) -> Any:
        """What ``view.to_pyg(features="minilm")`` asks for."""
        from kgmm.encode import features

        return features(self, ids, encoder)

    def retrieve(self, text_or_scene: Any, question: str | None = None, limit: int = 60, **more: Any) -> Memory:
        """Return the facts that bear on a sentence or scene; see :func:`kgmm.retrieve.retrieve`."""
        from kgmm.retrieve import retrieve

        return retrieve(self, text_or_scene, question=question, limit=limit, **more)

    def ask(
        self,
        image_or_scene: Any,
        question: str,
        *,
        reasoner: str | Path = "default",
        choices: Sequence[str] | None = None,
        top: int = 3,
        **more: Any,
    ) -> Answer:
        """Answer a question about a picture or scene, with evidence; see :func:`kgmm.reason.ask`."""
        from kgmm.reason import ask

        return ask(self, image_or_scene, question, reasoner=reasoner, choices=choices, top=top, **more)

    def attach(self, trace: Trace) -> Trace:
        """Attach a trace read from a file to this store, so that ``trace.without(fact)`` works; return it."""
        from kgmm.reason import attach

        return attach(self, trace)

    def summarize(
        self,
        story: str | StoryGraph,
        logo: Any,
        frames: int = 5,
        terms: int = 10,
        method: str = "mmss",
        *,
        restart: float | None = None,
        lift: bool = False,
    ) -> Summary:
        """Summarize a story, given or stored here, its terms linked to what the store knows of them.

        See :func:`kgmm.stories.summaries.summary.summarize`.
        """
        from kgmm.stories import from_store, summarize

        known = from_store(self, story) if isinstance(story, str) else story
        return summarize(known, logo, frames, terms, method, restart=restart, lift=lift).linked(self)

    def similar(self, image_or_text: Any, modality: str | None = None, k: int = 10) -> list[Similar]:
        """Return what is like a picture, a scene, a sentence or concepts; see :func:`kgmm.retrieve.likeness.similar`.

        A picture (path, bytes, image, array) is perceived first, a scene's JSON file read; text is taken as it is.

        Raises:
            BadInput: if the name of a picture or scene is given and there is no such file.
        """
        from kgmm.retrieve.likeness import similar
        from kgmm.scene import SceneGraph
        from kgmm.scene.images import SUFFIXES

        query = image_or_text
        kind = Path(query).suffix.lower() if isinstance(query, str | Path) else ""
        if kind in (*SUFFIXES, ".json") and not Path(query).expanduser().is_file():
            raise BadInput(query, f"no such file; a sentence to look for may not end with {kind}")
        if kind == ".json":
            query = SceneGraph.from_json(query)
        elif kind in SUFFIXES or not isinstance(query, str | SceneGraph | list | tuple):
            from kgmm.perceivers import perceive

            query = perceive(query)
        return similar(self, query, modality=modality, k=k)
