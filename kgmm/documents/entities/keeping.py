"""Links between names, kept as ``owl:sameAs`` that documents stand for: accepted, said not to be so, undone like any other.

Once asked for they follow every change of the documents: an assertion a document, with the place of the sentence, so that what a
removed document said of names goes with it, and what is left is what a fresh store of these documents would say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pyarrow.compute as pc

from kgmm.documents import spans
from kgmm.documents.entities.linking import Node, Pair, concept
from kgmm.documents.entities.links import CITED, RESOLVER, Links, called
from kgmm.documents.entities.profiles import Profile, profile
from kgmm.documents.entities.things import Things
from kgmm.documents.facts.keeping import GRAPH, texts
from kgmm.documents.kept import Kept
from kgmm.errors import BadInput, StoreCorrupt
from kgmm.files import whole
from kgmm.language.names import label
from kgmm.store.assertions.looking import files
from kgmm.store.assertions.withdrawing import withdraw
from kgmm.store.changes import add
from kgmm.store.facts import Fact
from kgmm.store.sameness import SAME
from kgmm.store.table import delta as table

if TYPE_CHECKING:
    from kgmm.store import LocalStore

_FILE = "entities.json"


@dataclass(frozen=True)
class Alike:
    """Why two names are taken for one, and the sentence of a document that tells it."""

    name: str
    other: str
    kind: str  #: ``title``, ``introduced``, ``called``, ``last name``, ``address``, ``company``, ``known`` or ``same name``
    document: str
    words: str  #: the sentence


@dataclass(frozen=True)
class Entity:
    """What several names of several documents mean, and what these documents state of it."""

    name: str
    names: tuple[str, ...]
    documents: tuple[str, ...]
    evidence: tuple[Alike, ...] = ()
    facts: tuple[Fact, ...] = ()

    def __str__(self) -> str:
        others = ", ".join(name for name in self.names if name != self.name)
        return f"{self.name}{f' = {others}' if others else ''}  ({len(self.documents)} documents)"

    def to_dict(self) -> dict[str, Any]:
        """Return the entity as JSON-ready data."""
        return asdict(self)


class Known:
    """What is known of a store's documents while it is open: what each says of names, the things, the links between names."""

    def __init__(self) -> None:
        self.profiles: dict[str, tuple[str, Profile]] = {}  # of each document with what tells its text
        self.decided: tuple[list[Pair], list[Pair]] | None = None
        self.things: Things = Things()
        self.links: Links = Links()

    def follow(self, store: LocalStore) -> None:
        """Bring it up to the documents and to what people said of names; only what changed is looked at."""
        kept = Kept(store.places.documents)
        digests = kept.digests()
        gone = [name for name, (digest, _) in self.profiles.items() if digests.get(name) != digest]
        for name in gone:
            del self.profiles[name]
        missing = sorted(digests.keys() - self.profiles.keys())
        for about, text in texts(kept, missing) if missing else ():
            name = about["id"]
            self.profiles[name] = digests[name], profile(name, about["title"], text)
        now = decided(store)
        if now != self.decided:
            self.decided, self.things, self.links, gone = now, Things(*now), Links(), []
            missing = sorted(digests)
        if gone or missing:
            self.links.follow(self.things.update(gone, [self.profiles[name][1] for name in missing]))


_KNOWN: WeakKeyDictionary[LocalStore, Known] = WeakKeyDictionary()
_ALSO: WeakKeyDictionary[LocalStore, tuple[int, dict[str, tuple[str, ...]]]] = WeakKeyDictionary()


def decided(store: LocalStore) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs of concepts that somebody said are one, and those said not to be."""
    if store.terms.id(SAME) is None:
        return [], []
    same: set[Pair] = set()
    apart: set[Pair] = set()
    wanted = ["subject", "predicate", "object", "contributor", "polarity", "role"]
    for file in files(store):
        part = table.read(store.places.table, file["path"], wanted)
        for row in part.filter(pc.equal(part["predicate"], SAME)).to_pylist():
            if row.get("role") != "withdrawn" and row.get("contributor") != RESOLVER:
                (apart if (row.get("polarity") or 1) < 0 else same).add((row["subject"], row["object"]))
    return sorted(same - apart), sorted(apart)


def known(store: LocalStore) -> Known:
    """Return what is known of the names in a store's documents as they are now."""
    held = _KNOWN.pop(store, None) or Known()  # one that is cut off half-way is not used again
    held.follow(store)
    _KNOWN[store] = held
    return held


def _kept_state(store: LocalStore) -> dict[str, str] | None:
    """Return what of each document was said last, as checksums; None if links were never asked for."""
    path = store.places.documents / _FILE
    try:
        return {str(name): str(sum_) for name, sum_ in json.loads(path.read_text(encoding="utf-8"))["said"].items()}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreCorrupt(f"{path}: what is known of linked names is damaged: {error}") from error


def _keep_state(store: LocalStore, said: Mapping[str, str]) -> None:
    path = store.places.documents / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path, durable=True) as draft:
        draft.write_text(json.dumps({"said": dict(sorted(said.items()))}))


def follow(store: LocalStore, wanted: bool = False) -> int:
    """Bring links between names up to the documents, once they were asked for; return how many documents' links changed."""
    said = _kept_state(store)
    if said is None and not wanted:
        return 0
    said = said or {}
    links = known(store).links
    now = links.sums
    changed = sorted(name for name in {*said, *now} if said.get(name) != now.get(name))
    if changed:
        _keep_state(store, said | dict.fromkeys(changed, ""))  # a writer that dies in between says them anew
        if going := [name for name in changed if name in said]:
            withdraw(store, contributor=[RESOLVER], source=going)
        if coming := [one for name in changed for one in links.of(name)]:
            add(store, coming)
    if changed or wanted:
        _keep_state(store, now)
    return len(changed)


def entities(store: LocalStore, name: str | None = None, limit: int = 100) -> list[Entity]:
    """Return what documents name by several names or in several documents, most spoken of first; with a name, what it may mean.

    Args:
        store: whose documents.
        name: of one thing or several: then each comes with its evidence and with the facts that its documents state.
        limit: at most so many.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> told = "The British Broadcasting Corporation (BBC) is a broadcaster.", "She works for the BBC in Leeds."
        >>> report = kb.read([{"id": str(n), "text": text} for n, text in enumerate(told)], entities=True)
        >>> found = kb.entities("BBC")[0]
        >>> found.names, found.documents, found.evidence[0].kind
        (('BBC', 'British Broadcasting Corporation'), ('0', '1'), 'introduced')
        >>> kb.remove_documents("0"), [len(one.names) for one in kb.entities("BBC")]
        (1, [1])
    """
    if limit < 0:
        raise BadInput("entities", f"limit is not negative, it is {limit}")
    follow(store)
    groups = known(store).things.all()
    if name is None:
        many = [nodes for nodes in groups if len({node.profile.document for node in nodes}) > 1]
        many.sort(key=lambda nodes: (-len({node.profile.document for node in nodes}), called(nodes)))
        return [_entity(nodes) for nodes in many[:limit]]
    key, whole_name = spans.key(name), concept(name)
    fit = [nodes for nodes in groups if any(key in node.unit.keys for node in nodes)]
    exact = [nodes for nodes in fit if concept(called(nodes)) == whole_name != concept(spans.bare(name))]
    return [_told(store, nodes) for nodes in (exact or fit)[:limit]]


def _entity(nodes: list[Node]) -> Entity:
    names = sorted({said for node in nodes for said in node.unit.said} | {called(nodes)})
    documents = sorted({node.profile.document for node in nodes})
    return Entity(called(nodes), tuple(names), tuple(documents))


def _told(store: LocalStore, nodes: list[Node]) -> Entity:
    """Return an entity with the sentences that tell its names and the facts that its documents state of it."""
    plain = _entity(nodes)
    kept = Kept(store.places.documents)
    read = {about["id"]: text for about, text in texts(kept, plain.documents)}
    evidence: dict[Alike, None] = {}
    for node in nodes:
        document = node.profile.document
        for (one, other), why in sorted(node.unit.why.items()):
            words = " ".join(read[document][why.start : why.end].split())
            evidence[Alike(one, other, why.kind, document, words)] = None
    main = spans.key(plain.name)
    for node in nodes:
        for said, (start, end) in sorted(node.unit.said.items()):
            if not node.unit.why and len(evidence) < CITED:
                kind = "same name" if spans.key(said) == main else "form of the name"
                words = " ".join(read[node.profile.document][start:end].split())
                evidence[Alike(said, plain.name, kind, node.profile.document, words)] = None
    found: dict[Fact, None] = {}
    for said in sorted({concept(said) for said in plain.names}):
        for fact in [*store.find(said, graph=GRAPH), *store.find(object=said, graph=GRAPH)]:
            if fact.source in plain.documents:
                found[fact] = None
    return Entity(plain.name, plain.names, plain.documents, tuple(evidence), tuple(found))


def also(store: LocalStore) -> dict[str, tuple[str, ...]]:
    """Return the other names, as keys, of what is said to be the same in a store: found passages name any of them."""
    held = _ALSO.get(store)
    if held is not None and held[0] == store.version:
        return held[1]
    joined: dict[str, set[str]] = {}
    for fact in store.find(predicate=SAME) if store.terms.id(SAME) is not None else ():
        both = joined.get(key_of(fact.subject), {key_of(fact.subject)}) | joined.get(
            key_of(fact.object), {key_of(fact.object)}
        )
        for name in both:
            joined[name] = both
    made = {name: tuple(sorted(others - {name})) for name, others in joined.items()}
    _ALSO[store] = store.version, made
    return made


def key_of(term: str) -> str:
    """Return the key of a concept's name."""
    return spans.key(label(term))
