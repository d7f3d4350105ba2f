"""Questions to a SPARQL endpoint: the part of it that bears on a question is copied, and asked here."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.knowledge import KnowledgeStore
from kgmm.language.names import concept
from kgmm.scene import SceneGraph
from kgmm.store.remote.endpoint import RemoteStore

if TYPE_CHECKING:
    from kgmm.graph import GraphView
    from kgmm.retrieve import Memory
    from kgmm.trace import Answer

#: longest phrase of a question looked up as one concept, statements copied for one question
PHRASE, STATEMENTS = 3, 5000


class RemoteKnowledge(RemoteStore):
    """A knowledge store behind a SPARQL endpoint; what :func:`kgmm.open` returns for an address.

    ``ask`` and ``retrieve`` copy the statements within two hops of the words and things in question into a temporary
    store, the weightiest first, and answer from that.
    """

    def about(self, texts: Iterable[str], hops: int = 2, limit: int = STATEMENTS) -> KnowledgeStore:
        """Return a temporary local store of what the endpoint holds around the words of some texts."""
        folder = tempfile.TemporaryDirectory(prefix="kgmm-")
        local = KnowledgeStore(Path(folder.name) / "kb")
        weakref.finalize(local, folder.cleanup)
        if seeds := phrases(texts):
            local.add(self.neighborhood(seeds, hops, limit))
        return local

    def ask(self, image_or_scene: Any, question: str, *, choices: Sequence[str] | None = None, **more: Any) -> Answer:
        """Answer a question about a picture or scene from the endpoint's knowledge; see :func:`kgmm.reason.ask`."""
        from kgmm.reason.ask import _scene

        scene = _scene(image_or_scene, "default")
        return self.about([question, *_said(scene), *(choices or ())]).ask(scene, question, choices=choices, **more)

    def retrieve(self, text_or_scene: Any, question: str | None = None, limit: int = 60, **more: Any) -> Memory:
        """Return the facts that bear on a sentence or scene; see :func:`kgmm.retrieve.retrieve`."""
        said = _said(text_or_scene) if isinstance(text_or_scene, SceneGraph) else [text_or_scene]
        texts = [text for one in said for text in ([one] if isinstance(one, str) else one)]
        local = self.about([*texts, question or ""])
        return local.retrieve(text_or_scene, question=question, limit=limit, **more)

    def view(self, *choice: Any, **more: Any) -> GraphView:
        """Return the graph of some facts, fetched from the endpoint; see :func:`kgmm.graph.view`."""
        from kgmm.graph import view

        return view(self, *choice, **more)  # type: ignore[arg-type]


def _said(scene: SceneGraph) -> list[str]:
    names = [word for o in scene.objects for word in (o.name, *o.aliases, *o.attributes)]
    return [*names, *(tag for tag, _ in scene.tags)]


def phrases(texts: Iterable[str]) -> list[str]:
    """Return the concepts that the words and short phrases of some texts may name, as said and as lemmas.

    Example:
        >>> phrases(["two knives"])
        ['/c/en/two', '/c/en/two_knives', '/c/en/two_knife', '/c/en/knives', '/c/en/knife']
    """
    from kgmm.language.words import STOP, lemma, tokens

    found: dict[str, None] = {}
    for text in texts:
        words = tokens(text)
        for start in range(len(words)):
            for stop in range(start + 1, min(start + PHRASE, len(words)) + 1):
                part = words[start:stop]
                if part[0].lower() not in STOP and part[-1].lower() not in STOP:
                    found[concept(" ".join(part))] = None
                    found[concept(" ".join(map(lemma, part)))] = None
    return list(found)
