"""Words and seen objects → concept nodes of a store; every link keeps its rule and score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kgmm.encode.nearness import NEAREST, term_cosines
from kgmm.encode.vectors import term_vectors
from kgmm.language import names
from kgmm.language.words import STOP, lemma, name_words
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store.senses import senses
from kgmm.trace import Link

if TYPE_CHECKING:
    from kgmm.encode.text import Encoder
    from kgmm.store import LocalStore

#: score of a link by the rule that made it
RULES = {"exact": 1.0, "inflected": 0.95, "alias": 0.9, "synonym": 0.85, "head": 0.7}
EMBEDDING_THRESHOLD = 0.62  #: cosine of all-MiniLM-L6-v2 below which two words are not taken for the same thing
MAX_WORDS, MAX_SYNONYMS = 5, 4  #: words of a concept's name at most, and synonyms of a concept that are followed
COMMON = "common concepts"  #: under which name a version keeps them
MAX_CANDIDATES = 5_000  #: concepts an unknown word is compared with: those with the most facts


def link(
    store: LocalStore,
    source: str | list[str] | SceneGraph,
    question: str | None = None,
    *,
    encoder: Encoder | None = None,
) -> list[Link]:
    """Link what was seen and what was asked to concepts, seen things first.

    Example:
        >>> [k.concept for k in link(kb, ["cat", "unheard of"], "Does it sleep?")]         # doctest: +SKIP
        ['/c/en/cat', '/c/en/sleep']
    """
    if isinstance(source, SceneGraph):
        links = ground_scene(store, source)
    elif isinstance(source, str):
        links = ground_text(store, source, encoder=encoder)
    else:
        links = [k for name in source if (k := ground_name(store, name)) is not None]
    if question and question != source:
        links += ground_text(store, question, encoder=encoder)
    return links


def ground_name(store: LocalStore, name: str, *, object_id: str | None = None, lang: str = "en") -> Link | None:
    """Link one name (an object's, a candidate answer's) to a concept node by the first rule that holds.

    The rules: the exact name, its inflections, its last words ("striped cat" → cat).

    >>> ground_name(kb, "Ice creams").concept                       # doctest: +SKIP
    '/c/en/ice_cream'
    """
    exact = names.concept(name, lang) if name.strip() else ""
    if not exact:
        return None
    node, rule = _known(store, exact), "exact"
    if node is None and exact.startswith(f"/c/{lang}/"):
        words = name_words(name)
        node, rule = _first_known(store, _inflections(words), lang), "inflected"
        if node is None:
            tails = (words[start:] for start in range(1, len(words)) if len(words) - start > 1 or len(words[-1]) > 1)
            forms = (form for tail in tails for form in (tail, *_inflections(tail)))
            node, rule = _first_known(store, forms, lang), "head"
    return None if node is None else Link(name, node, rule, RULES[rule], object_id)


def _first_known(store: LocalStore, forms: Iterable[list[str]], lang: str) -> str | None:
    """Return the first of the concepts so named that the store knows."""
    nodes = (_known(store, f"/c/{lang}/{'_'.join(words)}") for words in forms)
    return next((node for node in nodes if node is not None), None)


def _known(store: LocalStore, node: str) -> str | None:
    """Return a concept that the store tells of, or the sense that stands for it where only senses are known.

    A term that every fact has left is none, as it is none of a store that never had one.
    """
    found = senses(store).id(node)
    name = None if found is None else store.terms.name(found)
    return name if name is not None and (store.count(name) or store.count(object=name)) else None


def _inflections(words: list[str]) -> Iterator[list[str]]:
    if not words:
        return
    if any("." in w for w in words):  # U.S.A., as a store may have it: usa
        words = [w.replace(".", "") for w in words]
        yield words
    last = [*words[:-1], lemma(words[-1])]
    if last != words:
        yield last
    every = [lemma(w) for w in words]
    if every not in (words, last):
        yield every
    if words[-1].endswith("s") and words[-1][:-1] != last[-1] and len(words[-1]) > 3:
        yield [*words[:-1], words[-1][:-1]]
    bare = [w for w in words if w not in ("a", "an", "the")]
    if bare != words and bare:  # ConceptNet names what is done without articles: write_letter
        yield bare
        yield from _inflections(bare)


def ground_text(store: LocalStore, text: str, *, encoder: Encoder | None = None, lang: str = "en") -> list[Link]:
    """Link the words of a text to concept nodes, the longest name first, each word used once, in the text's order.

    An *encoder* compares words that no other rule knows with the store's best-connected concepts.

    >>> [link.concept for link in ground_text(kb, "Who eats ice cream?")]         # doctest: +SKIP
    ['/c/en/eat', '/c/en/ice_cream']
    """
    words = name_words(text)
    links: list[Link] = []
    unknown: list[str] = []
    at = 0
    while at < len(words):
        for size in range(min(MAX_WORDS, len(words) - at), 0, -1):
            window = words[at : at + size]
            if len(words) > 1 and window[0] == window[-1] and len(window[0]) == 1:
                continue  # a letter is not a word of a sentence
            found = _window(store, window, lang)
            if found is not None:
                links += [found, *_singular(store, window, found, lang)]
                at += size
                break
        else:
            if words[at] not in STOP and len(words[at]) > 2:
                unknown.append(words[at])
            at += 1
    if unknown and encoder is not None:
        links += nearest_concepts(store, unknown, encoder)
    return links + [s for k in links for s in synonyms(store, k)]


def _window(store: LocalStore, window: list[str], lang: str) -> Link | None:
    """Link words that neither begin nor end with a stop word, as they are or inflected."""
    if window[0] in STOP or window[-1] in STOP:
        return None
    for rule, forms in (("exact", [window]), ("inflected", _inflections(window))):
        node = _first_known(store, forms, lang)
        if node is not None:
            return Link(" ".join(window), node, rule, RULES[rule])
    return None


def _singular(store: LocalStore, window: list[str], found: Link, lang: str) -> list[Link]:
    """Link words to the concept of their singular too, where a store knows both: flowers, and flower."""
    node = _first_known(store, [[*window[:-1], lemma(window[-1])]], lang)
    if node is None or node == found.concept:
        return []
    return [Link(found.text, node, "inflected", RULES["inflected"])]


def synonyms(store: LocalStore, link: Link) -> list[Link]:
    """Return links to the concepts that the store calls synonyms of a link's concept."""
    nodes = [f.object for f in store.find(link.concept, "Synonym", None, limit=MAX_SYNONYMS)]
    nodes += [f.subject for f in store.find(None, "Synonym", link.concept, limit=MAX_SYNONYMS)]
    others = [node for node in dict.fromkeys(nodes) if node != link.concept and node.startswith("/c/")]
    score = round(link.score * RULES["synonym"], 4)
    return [replace(link, concept=node, rule="synonym", score=score) for node in others[:MAX_SYNONYMS]]


def ground_object(store: LocalStore, seen: SceneObject) -> list[Link]:
    """Link one seen object: its name, then its aliases, then synonyms; best first, empty if nothing is known."""
    first = ground_name(store, seen.name, object_id=seen.id)
    links = [first] if first is not None else []
    for alias in seen.aliases:
        link = ground_name(store, alias, object_id=seen.id)
        if link is not None and link.rule != "head" and all(link.concept != known.concept for known in links):
            links.append(Link(alias, link.concept, "alias", RULES["alias"], seen.id))
    taken = {link.concept for link in links}
    links += [s for link in list(links[:1]) for s in synonyms(store, link) if s.concept not in taken]
    return links


def ground_scene(store: LocalStore, scene: SceneGraph) -> list[Link]:
    """Link every object and tag of a scene; objects of the same name share their links' look-ups."""
    links: list[Link] = []
    known: dict[tuple[str, tuple[str, ...]], list[Link]] = {}
    for seen in scene.objects:
        key = (seen.name, seen.aliases)
        if key not in known:
            known[key] = ground_object(store, seen)
        links += [replace(k, object=seen.id) for k in known[key]]
    for tag, score in scene.tags:
        link = ground_name(store, tag, object_id="")
        if link is not None:
            links.append(replace(link, score=round(link.score * min(1.0, score), 4)))
    return links


def nearest_concepts(store: LocalStore, words: list[str], encoder: Encoder) -> list[Link]:
    """Link words no rule knows to the store's nearest concept by sentence embedding, if it is near enough.

    What was found is kept while the store's version stays: a question is asked again without each of its facts.
    """
    known: dict[str, Link | None] = store.derived(("nearest concepts", encoder.checksum), dict)
    if len(known) > MAX_CANDIDATES:
        known.clear()
    new = [word for word in dict.fromkeys(words) if word not in known]
    if new:
        ids = common_ids(store)
        for word in new:
            near = term_cosines(store, ids, word, encoder, read=NEAREST) if len(ids) else np.zeros(1)
            b = int(near.argmax())
            found = near[b] >= EMBEDDING_THRESHOLD
            name = store.terms.name(int(ids[b])) if found else ""
            known[word] = Link(word, name, "embedding", round(float(near[b]), 4)) if found else None
    return [link for word in words if (link := known[word]) is not None]


def common_ids(store: LocalStore) -> np.ndarray:
    """Return the ids of the concepts with the most facts, in order, kept while the store's version stays."""
    return common(store).ids


@dataclass(frozen=True)
class Common:
    """The concepts with the most facts: their ids in order, and how many facts the last that got in has."""

    ids: np.ndarray
    fewest: int


def common(store: LocalStore) -> Common:
    """Return which concepts have the most facts as their subject, words of WordNet's graph left out."""

    def make() -> Common:
        columns = store.columns(graphs=counted_graphs(store))
        ids, counts = np.unique(columns.subject, return_counts=True)
        order = np.argsort(-counts, kind="stable")[: 2 * MAX_CANDIDATES]
        names = store.terms.names(ids[order])
        rows = [row for row, name in zip(order.tolist(), names, strict=True) if name.startswith("/c/")][:MAX_CANDIDATES]
        full = len(order) == 2 * MAX_CANDIDATES or len(rows) == MAX_CANDIDATES
        return Common(np.array(sorted(ids[rows]), np.int64), int(counts[rows[-1]]) if full and rows else 0)

    return store.derived(COMMON, make)


def counted_graphs(store: LocalStore) -> list[str]:
    """Return the graphs whose facts make a concept a common one."""
    return [graph for graph in store.knowledge_graphs() if graph != "wordnet"]


def common_concepts(store: LocalStore, encoder: Encoder) -> tuple[np.ndarray, np.ndarray]:
    """Return :func:`common_ids` and the concepts' vectors, kept while the store's version stays."""
    ids = common_ids(store)
    return ids, store.derived(("common concepts", encoder.checksum), lambda: term_vectors(store, ids, encoder))
