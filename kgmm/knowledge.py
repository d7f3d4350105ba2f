"""The knowledge store with all one does with it: look-up, views, retrieval, questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import BadInput
from kgmm.progress import Progress, silent
from kgmm.store import LocalStore

if TYPE_CHECKING:
    from kgmm.encode.likeness import Similar
    from kgmm.graph import GraphView
    from kgmm.retrieve import Memory
    from kgmm.summarize import StoryGraph, Summary
    from kgmm.trace import Answer, Trace

#: a query of likeness that ends like this is the name of a picture
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm")


class KnowledgeStore(LocalStore):
    """A folder of facts, scene graphs and story graphs that questions are asked of; open it with :func:`open`."""

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

    def retrieve(
        self, text_or_scene: Any, question: str | None = None, limit: int = 60, **more: Any
    ) -> Memory:
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
        **more: Any,
    ) -> Summary:
        """Summarize a story, given or stored here, its terms linked to what the store knows of them.

        See :func:`kgmm.summarize.summary.summarize`.
        """
        from kgmm.summarize import StoryGraph, summarize

        known = StoryGraph.from_store(self, story) if isinstance(story, str) else story
        return summarize(known, logo, frames, terms, method, **more).linked(self)

    def similar(self, image_or_text: Any, modality: str | None = None, k: int = 10) -> list[Similar]:
        """Return what is like a picture, a scene, a sentence or concepts; see :func:`kgmm.encode.likeness.similar`.

        A picture (path, bytes, image, array) is perceived first, a scene's JSON file read; text is taken as it is.

        Raises:
            BadInput: if the name of a picture or scene is given and there is no such file.
        """
        from kgmm.encode.likeness import similar
        from kgmm.scene import SceneGraph

        query = image_or_text
        kind = Path(query).suffix.lower() if isinstance(query, str | Path) else ""
        if kind in (*PICTURES, ".json") and not Path(query).expanduser().is_file():
            raise BadInput(query, f"no such file; a sentence to look for may not end with {kind}")
        if kind == ".json":
            query = SceneGraph.from_json(query)
        elif kind in PICTURES or not isinstance(query, str | SceneGraph | list | tuple):
            from kgmm.perceive import perceive

            query = perceive(query)
        return similar(self, query, modality=modality, k=k)


def open(
    path: str | Path = "~/.local/share/kgmm/default", create: bool = True, version: int | None = None
) -> Any:
    """Open a knowledge store: a folder, or the address of a SPARQL 1.1 endpoint.

    Args:
        path: the store's folder, or an ``http://`` or ``https://`` address.
        create: make an empty store if there is none.
        version: show this version instead of the newest.

    Raises:
        StoreError: if there is no store, no such version, or the folder holds something else.

    Example:
        >>> import tempfile
        >>> with open(tempfile.mkdtemp() + "/kb") as kb:
        ...     len(kb)
        0
    """
    if str(path).startswith(("http://", "https://")):
        from kgmm.remote_knowledge import RemoteKnowledge

        return RemoteKnowledge(str(path))
    return KnowledgeStore(path, create, version)


def open_bundled(path: str | Path, *, progress: Progress = silent) -> KnowledgeStore:
    """Open a store of the bundled knowledge, loading what of it is not there yet.

    The graphs are ``commonsense`` (our own facts), ``wordnet`` and one scene graph a photograph.

    Raises:
        KgmmError: if the installation lacks the bundled knowledge.

    Example:
        >>> import tempfile
        >>> kb = open_bundled(tempfile.mkdtemp() + "/kb")
        >>> len(kb.find("spoon", "UsedFor")) > 0, "scene/coffee" in kb.graphs()
        (True, True)
    """
    from kgmm import bundled

    kb = KnowledgeStore(path)
    there = kb.graphs()
    knowledge = bundled.folder("knowledge")
    if "commonsense" not in there:
        for file in sorted((knowledge / "commonsense").glob("*.tsv")):
            kb.load(file, graph="commonsense", progress=progress)
    wordnet = knowledge / "wordnet.tsv.gz"
    if "wordnet" not in there and wordnet.is_file():
        kb.load(wordnet, graph="wordnet", progress=progress)
    for scene in sorted((bundled.folder("graphs") / "scenes").glob("*.json")):
        if f"scene/{scene.stem}" not in there:
            kb.load(scene, progress=progress)
    return kb
