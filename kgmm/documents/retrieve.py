"""Passages that bear on a question: words and names start a walk over passages and the entities that they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.documents import scoring, spans
from kgmm.documents.entities import keeping
from kgmm.documents.index import current
from kgmm.documents.kept import Kept
from kgmm.documents.passage import Passage, Step
from kgmm.documents.question import Asked, asked
from kgmm.documents.shots import shot_of
from kgmm.documents.stated import Stated, stated
from kgmm.documents.vectors import checksum, cosines
from kgmm.errors import BadInput
from kgmm.language.names import label
from kgmm.language.phrase import phrase
from kgmm.language.words import whole_characters

if TYPE_CHECKING:
    from kgmm.documents.index import Index
    from kgmm.progress import Progress
    from kgmm.store import LocalStore
    from kgmm.store.times import Moment


Word = tuple[int, int, str]  #: where it begins and ends, and its folded form


@dataclass(frozen=True)
class Tuning:
    """What weighs how much; found on 2WikiMultihopQA's public questions and checked on other texts (docs/documents.md)."""

    k1: float = 1.2  #: Robertson & Zaragoza, 2009
    b: float = 0.4
    exact: float = 0.8  #: of a word's score, what its form counts; the rest its root
    width: int = 20  #: words that count as close together
    close: float = 0.6  #: what words close together weigh beside BM25
    looked: int = 100  #: passages looked at for that, and that vectors tell apart
    likened: float = 0.6  #: what the likeness of vectors weighs beside the words' scores, the best of each being 1
    restart: float = 0.4
    named: float = 0.95  #: of the walk's start, what entities get that are passages' own names
    mentioned: float = 0.7  #: and others
    few: float = 3.0  #: passages that may share a name before it counts less
    sharp: float = 4.0  #: power of scores by words
    first: int = 10  #: passages that the walk starts from
    owning: float = 10.0  #: an entity leads to passages called by it so much more than to all others
    unknown: float = 0.05  #: weight of names that no passage has, beside those that one has
    cued: float = 20.0  #: how much more a name weighs near a word that says what is asked
    near: int = 10  #: words that are near
    back: float = 0.5  #: weight of a passage's own name, from it
    beside: float = 0.1  #: of what a passage gives, what those before and after it in its document get
    widest: int = 256  #: an entity that more passages name does not lead to these
    telling: float = 1.0  #: what a name's facts get, beside what all passages get that it is not the own name of
    around: int = 5  #: passages whose names' facts are looked at
    steps: int = 8
    floor: float = 1e-4


def by_words(index: Index, question: Asked, tuning: Tuning) -> NDArray[np.float64]:
    """Return all passages' BM25 scores, (P,), by the forms of words and by their roots, more where they stand together."""
    scores = np.zeros(len(index))
    links = index.links
    of = (links.posting, links.passage, links.often, links.length, tuning.k1, tuning.b, scores)
    words = [links.form[links.forms[t] : links.forms[t + 1]] for t in question.terms.tolist()]
    groups = np.cumsum([0, *map(len, words)])
    every = np.concatenate([*words, np.empty(0, np.int32)])
    counts = scoring.bm25(groups, every, question.weights * (1 - tuning.exact), *of)
    alone = np.arange(len(question.exact) + 1)
    scoring.bm25(alone, question.exact.astype(np.int32), question.exact_weights * tuning.exact, *of)
    near = best(scores, tuning.looked)
    idf = np.log(1 + (len(index) - counts + 0.5) / (counts + 0.5))
    slot = np.full(len(links.term), -1, np.int32)
    slot[question.terms] = np.arange(len(question.terms))
    texts = index.texts
    scores[near] += tuning.close * scoring.together(
        texts.start, texts.token, slot, links.term_of, idf, near, tuning.width
    )
    return scores


def scored(index: Index, text: str, question: Asked, tuning: Tuning) -> NDArray[np.float64]:
    """Return all passages' scores by words and, if the index has vectors, by what their vectors are like, (P,)."""
    scores = by_words(index, question, tuning)
    if index.vectors is None:
        return scores
    if index.encoder != checksum():
        return scores
    like = cosines(index.vectors, text) + 1.0  # above 0
    return _spread(scores, tuning.looked) + tuning.likened * _spread(like, tuning.looked)


def _spread(scores: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return scores from 0, for all but the best so many, to 1 for the best."""
    top = best(scores, count)
    if not len(top):
        return scores
    low = float(scores[top[-1]]) if len(top) == count else 0.0
    spread: NDArray[np.float64] = np.maximum(scores - low, 0.0) / max(float(scores[top[0]]) - low, 1e-9)
    return spread


def best(scores: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return the places of the largest positive scores, best first, the earlier first where they are equal."""
    places = np.flatnonzero(scores > 0)
    if count < len(places):
        edge = np.partition(scores[places], -count)[-count]
        places = places[scores[places] >= edge]
    return places[np.argsort(-scores[places], kind="stable")][:count]


def walked(
    index: Index, question: Asked, scores: NDArray[np.float64], tuning: Tuning, facts: Stated | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Walk from a question's names and the passages that score best; return the nodes' mass, and whence it came, plus one.

    Nodes are the passages, the entities, names that only facts have, and two for each fact, one for each way.
    """
    links, texts = index.links, index.texts
    facts = facts or Stated()
    nodes = len(index) + len(texts.entity) + len(facts.outside) + 2 * len(facts.facts)
    top = best(scores, tuning.first)
    named = [(entity, _strength(index, entity, own, tuning)) for entity, _, own in question.entities]
    named += [(entity, tuning.mentioned) for entity, _ in facts.asked]
    strength = [s for _, s in named]
    share = max(strength, default=0.0)
    if not len(top):
        share = 1.0
    seeds: dict[int, float] = {}
    weight = (scores[top] / scores[top[0]]) ** tuning.sharp if len(top) else np.empty(0)
    for p, w in zip(top.tolist(), (weight / weight.sum()).tolist(), strict=True):
        seeds[p] = (1 - share) * w
    for entity, s in named:
        node = len(index) + entity
        seeds[node] = seeds.get(node, 0.0) + share * s / sum(strength)
    mass, led = np.zeros(nodes), np.zeros(nodes, np.int32)
    at = np.array(sorted(seeds), np.int64)
    scoring.walk(
        (texts.start, texts.token, texts.opens),
        question.cues,
        (links.edge, links.edge_entity, links.edge_at, links.edge_length, links.edge_own),
        (links.back, links.back_passage, links.back_own),
        (*facts.arrays(), facts.targets()),
        at,
        np.array([seeds[n] for n in at.tolist()]),
        (
            tuning.restart,
            tuning.owning,
            tuning.unknown,
            tuning.cued,
            tuning.near,
            tuning.back,
            tuning.widest,
            tuning.beside,
            tuning.telling,
        ),
        tuning.steps,
        tuning.floor,
        (np.zeros(nodes), np.zeros(nodes)),
        mass,
        led,
    )
    return mass, led


def _strength(index: Index, entity: int, own: bool, tuning: Tuning) -> float:
    """Return how much a name of the question starts: less if many passages are called so, or speak of it."""
    links = index.links
    count = int(links.back_own[entity]) if own else int(links.back[entity + 1] - links.back[entity])
    return (tuning.named if own else tuning.mentioned) * min(1.0, tuning.few / max(count, 1))


def found(
    index: Index,
    text: str,
    count: int,
    allowed: NDArray[np.bool_] | None = None,
    tuning: Tuning | None = None,
    store: LocalStore | None = None,
) -> tuple[list[tuple[int, float]], Asked, Walked]:
    """Return the best passages by number with their scores, what was asked, and the walk, over a store's facts if one is given."""
    tuning = tuning or Tuning()
    question = asked(index, text, keeping.also(store) if store is not None else None)
    scores = scored(index, text, question, tuning)
    if allowed is not None:
        scores[~allowed] = 0.0
    facts = Stated()
    names = Names(index)
    if store is not None and len(store):
        spoken = [(entity, said) for entity, said, _ in question.entities]
        near = (pair for p in best(scores, tuning.around).tolist() for pair in names.named(p))
        facts = stated(store, index, text, spoken, near, question.relations)
    mass, led = walked(index, question, scores, tuning, facts)
    total = mass[: len(index)] + 1e-9 * scores
    if allowed is not None:
        total[~allowed] = 0.0
    return [(p, float(total[p])) for p in best(total, count).tolist()], question, Walked(names, mass, led, facts)


def passages(
    store: LocalStore,
    text: str,
    count: int = 5,
    *,
    source: str | None = None,
    since: Moment = None,
    until: Moment = None,
    progress: Progress | None = None,
) -> list[Passage]:
    """Return the passages that bear most on a question or text, best first, each with the way that led to it.

    Args:
        store: whose documents.
        text: the question.
        count: at most so many.
        source: only of this source, or of those that a pattern with ``*`` fits.
        since: only what is dated then or later; passages without a date are left out.
        until: only what is dated then or earlier.
        progress: called with passages analyzed, where the index has to be made first.

    Raises:
        BadInput: if the text is empty or a time is none.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.read([
        ...     {"title": "Lothair II", "text": "Lothair II was a king. His mother was Ermengarde of Tours."},
        ...     {"title": "Ermengarde of Tours", "text": "Ermengarde of Tours died on 20 March 851."},
        ...     {"title": "Otto", "text": "Otto was a king."},
        ... ])
        >>> for passage in passages(kb, "When did Lothair II's mother die?", 2):
        ...     print(passage.title, "by", " → ".join(step.name for step in passage.path))
        Lothair II by Lothair II
        Ermengarde of Tours by Lothair II → Lothair II → Ermengarde of Tours
    """
    whole_characters(text)
    if not text.strip():
        raise BadInput("text", "nothing is asked: the text is empty")
    kept = Kept(store.places.documents)
    if not len(kept) or count < 1:
        return []
    index = current(store, kept, progress)
    best_of, question, walk = found(index, text, count, index.allowed(source, since, until), store=store)
    made = []
    for p, score in best_of:
        row = index.rows.slice(p, 1).to_pylist()[0]
        row.pop("digest")
        path = way(index, question, walk, p)
        if shot := shot_of(store, row["document"], row["page"], row["text"]):
            row |= {"shot": shot.node, "begins": shot.begins, "ends": shot.ends}
        made.append(Passage(score=score, path=path, entities=walk.names.entities(p), **row))
    return made


@dataclass
class Walked:
    """A walk: how much came to each node, from which, plus one, most came at once, and what the nodes are called."""

    names: Names
    mass: NDArray[np.float64]
    led: NDArray[np.int32]
    facts: Stated


class Names:
    """How passages write their entities."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._words: dict[int, tuple[list[Word], list[Word], str, str]] = {}

    def _read(self, passage: int) -> tuple[list[Word], list[Word], str, str]:
        if passage not in self._words:
            title, text = (self.index.rows[name][passage].as_py() for name in ("title", "text"))
            self._words[passage] = spans.words(title), spans.words(text), title, text
        return self._words[passage]

    def spelled(self, passage: int) -> list[str]:
        """Return a passage's words as it writes them, the title's first."""
        told, words, title, text = self._read(passage)
        return [title[a:b] for a, b, _ in told] + [text[a:b] for a, b, _ in words]

    def of(self, passage: int, at: int, length: int) -> str:
        """Return what a passage's text says at some of its tokens, on one line."""
        told, words, title, text = self._read(passage)
        said, source = (told, title) if at < len(told) else (words, text)
        at -= 0 if at < len(told) else len(told)
        part = said[at : at + length]
        return " ".join(source[part[0][0] : part[-1][1]].split()) if part else ""

    def entity(self, entity: int, near: int) -> str:
        """Return an entity's name: the title of what is called by it, else as a passage writes it."""
        links = self.index.links
        if links.back_own[entity]:
            title: str = self.index.rows["title"][int(links.back_passage[links.back[entity]])].as_py()
            if title:
                return spans.bare(title)
        low, high = int(links.edge[near]), int(links.edge[near + 1])
        for k in range(low, high):
            if links.edge_entity[k] == entity and links.edge_length[k]:
                return self.of(near, int(links.edge_at[k]), int(links.edge_length[k]))
        return self._own(near)

    def _own(self, passage: int) -> str:
        title: str = self.index.rows["title"][passage].as_py()
        text: str = self.index.rows["text"][passage].as_py()
        return spans.bare(title) if title else text[: spans.lead_end(text)].strip() or text[:40]

    def named(self, passage: int) -> list[tuple[int, str]]:
        """Return the entities that a passage names, by number, and how it writes them, each once."""
        links = self.index.links
        told: dict[int, str] = {}
        for k in range(int(links.edge[passage]), int(links.edge[passage + 1])):
            entity = int(links.edge_entity[k])
            if entity not in told:
                length = int(links.edge_length[k])
                told[entity] = self.of(passage, int(links.edge_at[k]), length) if length else self._own(passage)
        return list(told.items())

    def entities(self, passage: int) -> tuple[str, ...]:
        """Return the names of what a passage speaks of: its own first, then those that passages have, then others."""
        links = self.index.links
        low, high = int(links.edge[passage]), int(links.edge[passage + 1])
        rows = []
        for k in range(low, high):
            entity, own = int(links.edge_entity[k]), int(links.edge_own[k])
            rows.append((not own, not links.back_own[entity], int(links.edge_at[k]), entity, k, own))
        names: dict[str, None] = {}
        for *_, k, own in sorted(rows):
            said = self._own(passage) if own else self.of(passage, int(links.edge_at[k]), int(links.edge_length[k]))
            names[said] = None
        return tuple(name for name in names if name)


def way(index: Index, question: Asked, walk: Walked, passage: int) -> tuple[Step, ...]:
    """Return the way that most led to a passage, from a word or name of the question."""
    names, mass, led, facts = walk.names, walk.mass, walk.led, walk.facts
    outside = len(index) + len(index.texts.entity)
    first_fact = outside + len(facts.outside)
    nodes = [passage]
    while led[nodes[-1]] and len(nodes) < 16 and (before := int(led[nodes[-1]]) - 1) not in nodes:
        nodes.append(before)
    steps: list[Step] = []
    spoken = {entity: said for entity, said, _ in question.entities} | dict(facts.asked)
    first = nodes[-1]
    if first < len(index):
        steps += [Step("word", word, float(mass[first])) for word in _shared(index, question, first)]
    for at in range(len(nodes) - 1, 0, -1):
        node, follows = nodes[at], nodes[at - 1]
        if node < len(index):
            steps.append(Step("passage", names._own(node), float(mass[node])))
        elif node >= first_fact:
            fact = facts.facts[(node - first_fact) // 2]
            steps.append(Step("fact", phrase(*fact[:3]), float(mass[node]), fact))
        elif node >= outside:
            steps.append(Step("entity", facts.outside[node - outside], float(mass[node])))
        else:
            entity = node - len(index)
            near = next((n for n in (*nodes[at + 1 : at + 2], follows) if n < len(index)), -1)
            if at == len(nodes) - 1 and entity in spoken:
                said = spoken[entity]
            elif near < 0:  # between two facts
                here = (follows - first_fact) // 2
                said = label(facts.facts[here][0 if facts.ends[here][0] == entity else 2])
            else:
                said = names.entity(entity, near)
            steps.append(Step("entity", said, float(mass[node])))
    return tuple(steps)


def _shared(index: Index, question: Asked, passage: int) -> list[str]:
    """Return the words that a question shares with a passage, the rarest first, at most three."""
    links = index.links
    rare = []
    for term, word in zip(question.terms.tolist(), question.words, strict=True):
        held = links.term_of[index.texts.token[index.texts.start[passage] : index.texts.start[passage + 1]]]
        if (held == term).any():
            words = links.form[links.forms[term] : links.forms[term + 1]]
            rare.append((int((links.posting[words + 1] - links.posting[words]).sum()), word))
    return [word for _, word in sorted(rare)[:3]]
