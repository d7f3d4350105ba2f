"""Questions to a SPARQL endpoint: the part of it that bears on a question is copied, and asked here."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kgmm.asking import Asking
from kgmm.knowledge import KnowledgeStore
from kgmm.language.names import concept
from kgmm.scene import SceneGraph
from kgmm.store.remote.endpoint import RemoteStore

if TYPE_CHECKING:
    from kgmm.scene.images import ImageLike

#: longest phrase of a question looked up as one concept, statements copied for one question
PHRASE, STATEMENTS = 3, 5000


class RemoteKnowledge(RemoteStore, Asking):
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

    def _known_of(self, text_or_scene: str | list[str] | SceneGraph, *texts: str) -> KnowledgeStore:
        given = text_or_scene
        said = _said(given) if isinstance(given, SceneGraph) else [given] if isinstance(given, str) else given
        return self.about([*said, *texts])

    def _known_of_picture(
        self, source: ImageLike | SceneGraph | None, perceiver: str, texts: Sequence[str]
    ) -> tuple[KnowledgeStore, ImageLike | SceneGraph | None]:
        from kgmm.perceivers import looks_again
        from kgmm.reason.ask import picture_of, scene_of

        scene = scene_of(source, perceiver)
        picture = picture_of(source) if looks_again(perceiver) else None
        return self._known_of(scene, *texts), scene if picture is None else picture


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
