"""Documents into a store and out of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from kgmm.documents import files, index, tagging
from kgmm.documents.entities import keeping as linking
from kgmm.documents.facts import keeping
from kgmm.documents.facts.keeping import Extractor
from kgmm.documents.kept import Kept
from kgmm.documents.passage import Document
from kgmm.errors import BadInput, StoreError
from kgmm.progress import Progress, silent

if TYPE_CHECKING:
    from kgmm.store import LocalStore


@dataclass(frozen=True)
class ReadReport:
    """What became of what was read."""

    documents: int  #: of those given
    added: int
    changed: int  #: known by id, with another text, title, source or date
    unchanged: int
    removed: int
    passages: int  #: in the store now
    seconds: float
    facts: int = 0  #: that are new, or of which something new is said
    skipped: list[str] = field(default_factory=list)  #: files of a folder that are no documents by their endings
    empty: list[str] = field(default_factory=list)  #: documents without a word, which are not kept

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data."""
        return asdict(self)


def kept(store: LocalStore) -> Kept:
    """Return the passages of a store as they are now."""
    return Kept(store.places.documents)


def read(
    store: LocalStore,
    given: files.Readable,
    *,
    facts: bool = False,
    entities: bool = False,
    extractor: Extractor | None = None,
    tagger: str | None = None,
    progress: Progress | None = None,
) -> ReadReport:
    """Take documents in: files, folders, ``-`` (standard input) or records, all of them or none.

    A document known by its id takes the place of what it was; one that says the same changes nothing. A file's id is its
    name as given; a record's the one it has, else a checksum of what it says.

    Args:
        store: where to keep them.
        given: a place or several, or records: mappings with ``text`` and, if given, ``title``, ``id``, ``source``, ``date``.
        facts: take facts out of all documents by patterns, now and whenever documents change.
        entities: link names that mean one thing across documents, now and whenever documents change.
        extractor: somebody's own function that takes facts out of the documents given; see :mod:`kgmm.documents.facts.keeping`.
        tagger: ``spacy`` or ``spacy:MODEL``: names that it finds are looked for too, in all documents from now on; ``none`` ends that.
        progress: called with files read.

    Raises:
        BadInput: if something cannot be read; the message names file and line, and nothing is kept.
        StoreError: if the store cannot be changed.
        MissingExtra: if the tagger of these documents is not installed; then nothing is kept.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> report = kb.read([{"title": "Otto", "text": "Otto was a cat."}, {"text": "It rains."}])
        >>> report.added, report.passages
        (2, 2)
    """
    began = time.perf_counter()
    store.require_newest()
    tags = tagging.kept(store.places.documents)
    if tagger is not None:
        tags = "" if tagger == tagging.NONE else tagging.named(tagger)
    if tags:
        tagging.tagger(tags)
    skipped: list[str] = []
    found: dict[str, Document] = {}
    for place, documents in files.documents(given, progress or silent, skipped):
        for document in documents:
            if found.setdefault(document.id, document) != document:
                raise BadInput(place, f"two different documents have the id {document.id!r}")
    own = [
        fact
        for d in found.values()
        if extractor is not None and d.text.strip()
        for fact in keeping.checked(d, extractor)
    ]
    empty = [document.id for document in found.values() if not document.text.strip()]
    with store.writing():
        before = kept(store)
        if tags != tagging.kept(store.places.documents):
            tagging.keep(store.places.documents, tags)
            index.tag_again(store, before)
        known = before.digests()
        new = [d for d in found.values() if d.text.strip() and known.get(d.id) != d.digest]
        emptied = {name for name in empty if name in known}
        changed = {document.id for document in new if document.id in known}
        keeping.before(store, changed | emptied, [document.id for document in new])
        now = before.changed(changed | emptied, new) if new or emptied else before
        index.follow(store, before, now, changed | emptied, new)
    stated = keeping.follow(store, own, keeping.contributor(extractor) if extractor else "", facts)
    linking.follow(store, entities)
    told = {"facts": stated, "added": len(new) - len(changed), "changed": len(changed), "removed": len(emptied)}
    same = len(found) - len(new) - len(empty)
    seconds = time.perf_counter() - began
    return ReadReport(
        len(found), unchanged=same, passages=len(now), seconds=seconds, skipped=skipped, empty=empty, **told
    )


def documents(store: LocalStore) -> list[str]:
    """Return the ids of the documents a store keeps, in order."""
    return sorted(kept(store).digests())


def remove(store: LocalStore, ids: str | Iterable[str]) -> int:
    """Remove documents; nothing that they said remains in the store's files. Return how many there were.

    Raises:
        StoreError: if there is no document of one of these ids; then none is removed.
    """
    store.require_newest()
    wanted = {ids} if isinstance(ids, str) else set(ids)
    with store.writing():
        before = kept(store)
        if missing := wanted - before.digests().keys():
            raise StoreError(f"{store.path}: no document {sorted(missing)[0]!r}; kb.documents() lists them")
        if wanted:
            keeping.before(store, wanted, ())
            index.follow(store, before, before.changed(wanted, ()), wanted, [])
    keeping.follow(store)
    linking.follow(store)
    return len(wanted)
