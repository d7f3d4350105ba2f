"""The knowledge store with all one does with it: look-up, views, retrieval, questions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kgmm.asking import Asking
from kgmm.store import LocalStore
from kgmm.store.times import Moment

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from kgmm.complete.completing import Completion
    from kgmm.complete.expect import Expectation
    from kgmm.documents import Passage, ReadReport
    from kgmm.documents.entities.keeping import Entity
    from kgmm.documents.facts.keeping import Extractor
    from kgmm.documents.files import Readable
    from kgmm.documents.overview import Topic
    from kgmm.encode import Encoder
    from kgmm.encode.image import ImageEncoder
    from kgmm.fusion.alignment import Alignment, Method
    from kgmm.hashing import Hasher
    from kgmm.progress import Progress
    from kgmm.reason.paths.search import Followed
    from kgmm.reason.watch import Watch
    from kgmm.retrieve import Memory
    from kgmm.retrieve.likeness import Similar
    from kgmm.scene import SceneGraph
    from kgmm.scene.images import ImageLike
    from kgmm.stories import StoryGraph, Summary
    from kgmm.trace import Trace


class KnowledgeStore(LocalStore, Asking):
    """A folder of facts, scene graphs and story graphs that questions are asked of; open it with :func:`kgmm.open`."""

    def _as_of(self, at: Moment, version: int | None) -> Self:
        return self.as_of(at, version)

    def _known_of(self, text_or_scene: str | list[str] | SceneGraph, *texts: str) -> LocalStore:
        return self

    def _passages(self, text: str | list[str] | SceneGraph, question: str | None, count: int, **filters: Any) -> Memory:
        from kgmm.documents.retrieve import passages
        from kgmm.retrieve import Memory
        from kgmm.scene import SceneGraph

        if isinstance(text, SceneGraph):
            text = [seen.name for seen in text.objects]
        asked = " ".join([*([text] if isinstance(text, str) else text), question or ""]).strip()
        began = time.perf_counter()
        found = passages(self, asked, count, **filters)
        return Memory([], [], asked, {"retrieve": time.perf_counter() - began}, passages=found)

    def _known_of_picture(
        self, source: ImageLike | SceneGraph | None, perceiver: str, texts: Sequence[str]
    ) -> tuple[LocalStore, ImageLike | SceneGraph | None]:
        return self, source

    def _node_features(
        self, ids: NDArray[np.uint32], encoder: str | Encoder | Hasher | Alignment
    ) -> NDArray[np.float32]:
        from kgmm.encode import features
        from kgmm.fusion.alignment import Alignment
        from kgmm.hashing import Hasher
        from kgmm.hashing.nodes import code_features

        if isinstance(encoder, Alignment):
            return encoder.features(self, ids)
        return code_features(self, ids, encoder) if isinstance(encoder, Hasher) else features(self, ids, encoder)

    def attach(self, trace: Trace, reasoner: str | Path | None = None) -> Trace:
        """Attach a trace read from a file to this store, so that ``trace.without(fact)`` works; return it.

        Args:
            trace: of an answer from this store.
            reasoner: who answers again; the trace's own by default.
        """
        from kgmm.reason import attach

        return attach(self, trace, reasoner)

    def read(
        self,
        path_or_records: Readable,
        *,
        vectors: bool = False,
        facts: bool = False,
        entities: bool = False,
        extractor: Extractor | None = None,
        tagger: str | None = None,
        progress: Progress | None = None,
    ) -> ReadReport:
        """Take documents in: a file, a folder, several, ``-`` or records; see :func:`kgmm.documents.taking.read`.

        With *vectors* all passages get vectors (all-MiniLM-L6-v2), which questions are compared with from then on; later
        calls keep them up to date. With *facts* what sentences surely state becomes facts of the graph ``documents``, and stays
        up to date too; with *entities* names that mean one thing across documents are linked, likewise; *extractor* is a function of one's own that finds facts in the documents given;
        *tagger* (``spacy``, ``spacy:MODEL``) names things beside the rules.
        """
        from kgmm.documents.taking import read

        report = read(
            self, path_or_records, facts=facts, entities=entities, extractor=extractor, tagger=tagger, progress=progress
        )
        if vectors and report.passages:
            from kgmm.documents.index import make_vectors

            make_vectors(self, progress)
        return report

    def read_story(self, story: str | StoryGraph, *, progress: Progress | None = None) -> ReadReport:
        """Take what is said in a news story into the documents; see :func:`kgmm.stories.transcript.read_story`."""
        from kgmm.stories.transcript import read_story

        return read_story(self, story, progress=progress)

    def documents_to_pyg(self, data: Any = None, features: str | None = None) -> Any:
        """Return documents, passages, names and facts as PyG ``HeteroData``; see :func:`kgmm.documents.export.to_pyg`.

        *data* of ``kb.view().to_pyg(hetero=True)`` gets them beside its concepts, joined with the names written like these.
        """
        from kgmm.documents.export import to_pyg

        return to_pyg(self, data, features)

    def overview(self, count: int = 8) -> list[Topic]:
        """Return what the documents that were read are about; see :func:`kgmm.documents.overview.overview`."""
        from kgmm.documents.overview import overview

        return overview(self, count)

    def entities(self, name: str | None = None, limit: int = 100) -> list[Entity]:
        """Return what documents name by several names; see :func:`kgmm.documents.entities.keeping.entities`."""
        from kgmm.documents.entities.keeping import entities

        return entities(self, name, limit)

    def documents(self) -> list[str]:
        """Return the ids of the documents that were read, in order."""
        from kgmm.documents.taking import documents

        return documents(self)

    def says(self, document: str, words: str) -> bool:
        """Tell whether a document that was read says some words, however its lines are broken.

        Example:
            >>> import tempfile, kgmm
            >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
            >>> _ = kb.read([{"id": "otto", "text": "Otto was a cat."}])
            >>> kb.says("otto", "was a cat"), kb.says("otto", "was a dog")
            (True, False)
        """
        from kgmm.documents.facts.keeping import texts
        from kgmm.documents.kept import Kept

        wanted = " ".join(words.split())
        return any(wanted in " ".join(text.split()) for _, text in texts(Kept(self.places.documents), [document]))

    def remove_documents(self, ids: str | Iterable[str]) -> int:
        """Remove documents by their ids, so that nothing they said remains; return how many.

        Raises:
            StoreError: if there is no document of one of these ids; then none is removed.
        """
        from kgmm.documents.taking import remove

        return remove(self, ids)

    def rules(self, max_atoms: int = 3, min_support: int = 10, **options: Any) -> pl.DataFrame:
        """Return the rules that the facts keep to, the surest first; see :func:`kgmm.patterns.graph_rules.graph_rules`."""
        from kgmm.patterns.graph_rules import graph_rules

        return graph_rules(self, max_atoms, min_support, **options)

    def complete(self, subject: str, relation: str, k: int = 10, **options: Any) -> list[Completion]:
        """Return what a subject's relation may be that no fact states; see :func:`kgmm.complete.completing.complete`."""
        from kgmm.complete.completing import complete

        return complete(self, subject, relation, k, **options)

    def follow(
        self, subject: str, relation: str, k: int = 5, *, at: Moment = None, version: int | None = None, **options: Any
    ) -> list[Followed]:
        """Return where a relation leads by paths of statements, with each path; see :func:`kgmm.reason.paths.search.follow`.

        With *at* over what held at a time alone, with *version* over what the store held then.
        """
        from kgmm.reason.paths.search import follow

        store = self if at is None and version is None else self.as_of(at, version)
        return follow(store, subject, relation, k, **options)

    def expect(self, text: str, **options: Any) -> list[Expectation]:
        """Return what is to be expected of what a text tells, the likeliest first; see :func:`kgmm.complete.expect.expect`.

        Example:
            >>> import tempfile, kgmm
            >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
            >>> [(e.text, e.kind) for e in kb.expect("Tom drops a glass.", limit=1)]
            [('glass break', 'effect')]
        """
        from kgmm.complete.expect import expect

        return expect(self, text, **options)

    def watch(
        self, image_or_scene: ImageLike | SceneGraph | None, question: str, *, at: Moment = None, **options: Any
    ) -> Watch:
        """Keep an eye on a question: ``watch.check()`` tells how its answer changed, and why; see :class:`kgmm.reason.watch.Watch`.

        Example:
            >>> import tempfile, kgmm
            >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
            >>> _ = kb.add([("knife", "UsedFor", "cutting"), ("lamp", "UsedFor", "reading")])
            >>> watch = kb.watch(None, "What is a knife used for?")
            >>> watch.answer.text, kb.remove("knife", "UsedFor", "cutting"), kb.add(("knife", "UsedFor", "spreading"))
            ('cutting', 1, 1)
            >>> change = watch.check()
            >>> change.before.text, change.after.text
            ('cutting', 'spreading')
        """
        from kgmm.reason.watch import Watch

        return Watch(self, image_or_scene, question, at=at, **options)

    def summarize(
        self,
        story: str | StoryGraph,
        logo: ImageLike | Sequence[str],
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

    def similar(
        self,
        image_or_text: ImageLike | SceneGraph | Sequence[str] | Passage,
        modality: str | None = None,
        k: int = 10,
        hasher: Hasher | str | Path | None = None,
        aligned: Alignment | None = None,
    ) -> list[Similar]:
        """Return what is like a picture, a scene, a sentence, concepts or a passage; see :func:`kgmm.retrieve.likeness.similar`.

        A picture (path, bytes, image, array) is perceived first, or compared in the space that :meth:`align` made; a scene's
        JSON file is read; text is taken as it is.

        Raises:
            BadInput: if the name of a picture or scene is given and there is no such file.
        """
        from kgmm.retrieve.likeness import similar

        return similar(self, image_or_text, modality=modality, k=k, hasher=hasher, aligned=aligned)

    def align(
        self,
        image: Mapping[str, ImageLike],
        text: Mapping[str, str] | None = None,
        *,
        images: str | ImageEncoder = "efficientnet",
        texts: str | Encoder = "minilm",
        method: Method = "ridge",
        components: int = 64,
        ridge: float = 0.1,
        progress: Progress | None = None,
    ) -> Alignment:
        """Fit a map between pictures' and texts' vectors from entities that have both; see :func:`kgmm.fusion.alignment.align`.

        It is kept in the store: ``kb.similar`` compares pictures in its space from then on, and
        ``view.to_pyg(features=alignment)`` has nodes there by their picture or their label.
        """
        from kgmm.fusion.alignment import align

        how: dict[str, Any] = {"method": method, "components": components, "ridge": ridge}
        if progress is not None:
            how["progress"] = progress
        return align(self, image, text, images=images, texts=texts, **how)

    def alignment(
        self, images: str | ImageEncoder = "efficientnet", texts: str | Encoder = "minilm"
    ) -> Alignment | None:
        """Return what :meth:`align` kept for two encoders, None if nothing."""
        from kgmm.fusion.alignment import kept

        return kept(self, images, texts)
