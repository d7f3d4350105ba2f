"""FVQA's questions with the facts retrieved for each and what of them is right: what memory networks learn from."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import xxhash
from numpy.typing import NDArray
from torch import Tensor

from kgmm.data.fvqa import FvqaQuestion, check_folder, load_facts, load_questions, spellings, split_by_image
from kgmm.data.surfaces import singular
from kgmm.encode import words
from kgmm.encode.cache import VectorCache, encode_cached
from kgmm.encode.text import Encoder, text_encoder
from kgmm.errors import BadInput, KgmmError
from kgmm.files import read_lines
from kgmm.language import names
from kgmm.language.phrase import Triple, phrase, sense
from kgmm.language.relations import cued, most_telling
from kgmm.language.words import lemmas, normal
from kgmm.reason.kdmn.memory import FIRST, HUB, given_share, spread, spread_further
from kgmm.reason.kdmn.tensors import Floats, MemoryInput, WordTable

MEMORY = 60  #: facts a memory holds
POOL = 400  #: facts ranked by cosine before shared words count


@dataclass
class Example:
    """One question with its memory and labels."""

    memory: MemoryInput  #: what the network reads
    answers: Floats  #: (N, 2) 1 where an end says the gold answer
    gold: Floats  #: (N,) 1 for gold facts
    texts: list[str]  #: normalized answer of each end, 2 N of them
    answer: str  #: normalized gold answer
    facts: list[str]  #: ids of the facts, "" for those without
    choices: tuple[str, ...] = ()  #: normalized answers to choose from, empty if the question came without
    #: (N, 2) 1 for the far ends of facts that lead to the gold ones, all 0 where one fact is enough
    bridge: Floats = field(default_factory=lambda: np.zeros((0, 2), np.float32))

    def blind(self) -> Example:
        """Return the question without the seen names."""
        return replace(self, memory=replace(self.memory, seen=[]))


class FactBase:
    """Facts by seen concept, with vectors of their phrases and ends from a cache on disk."""

    def __init__(self, triples: list[Triple], ids: list[str], encoder: Encoder, cache: Path) -> None:
        self.triples: list[Triple] = triples
        self.ids: list[str] = ids
        self.encoder: Encoder = encoder
        self.cache: Path = cache
        self.subjects: list[str] = [normal(s) for s, _, _ in triples]
        self.objects: list[str] = [normal(o) for _, _, o in triples]
        self._rows: dict[str, list[int]] = defaultdict(list)
        for i, pair in enumerate(zip(self.subjects, self.objects, strict=True)):
            for end in set(pair):
                self._rows[end].append(i)

    def touching(self, seen: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of facts with a seen end."""
        return np.array(sorted({i for name in seen for i in self._rows.get(normal(name), ())}), np.int64)

    def about(self, name: str) -> list[int]:
        """Return the rows of facts with a normalized *name* as an end."""
        return self._rows.get(name, [])

    def encode(self, texts: list[str]) -> Floats:
        """Return the texts' vectors, computed once and kept on disk."""
        keys = np.array([xxhash.xxh3_64_intdigest(t.encode()) for t in texts], np.uint64)
        store = VectorCache(self.cache, self.encoder.dim, self.encoder.checksum)
        return encode_cached(self.encoder, store, keys, lambda rows: [texts[r] for r in rows])

    def phrases(self, rows: Iterable[int]) -> list[str]:
        """Return facts in English, as retrieval says them."""
        return [phrase(names.concept(s), r, names.concept(o)) for s, r, o in (self.triples[i] for i in rows)]


#: facts, questions to learn from, questions about other images
Data = tuple[FactBase, list[FvqaQuestion], list[FvqaQuestion]]


def load_fact_base(folder: Path, encoder: Encoder, cache: Path, distractors: Path | None = None) -> FactBase:
    """Read FVQA's facts and, as distractors, triples ``relation<TAB>head<TAB>tail`` that state none of them."""
    facts = load_facts(folder / "facts.jsonl")
    triples: list[Triple] = [(singular(f.subject), f.relation, singular(f.object)) for f in facts]
    ids = [f.id for f in facts]
    known = {sense(t) for t in triples}
    if distractors is not None:
        for number, line in read_lines(distractors):
            columns = line.split("\t")
            if len(columns) < 3:
                raise BadInput(distractors, f"expected relation, head, tail, found {len(columns)} columns", line=number)
            relation, head, tail = columns[:3]
            key = sense((head, relation, tail))
            if key not in known:
                known.add(key)
                triples.append((head, relation, tail))
                ids.append("")
    return FactBase(triples, ids, encoder, cache)


def cache_folder() -> Path:
    """Return where vectors computed for training are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kgmm" / "training-vectors"


@dataclass(frozen=True)
class _Vectors:
    """Vectors of some of a base's facts."""

    rows: NDArray[np.int64]
    values: Floats

    @classmethod
    def of(cls, base: FactBase, needed: list[NDArray[np.int64]]) -> _Vectors:
        rows = np.unique(np.concatenate([np.empty(0, np.int64), *needed]))
        return cls(rows, base.encode(base.phrases(rows)))

    def __call__(self, rows: NDArray[np.int64]) -> Floats:
        return self.values[np.searchsorted(self.rows, rows)]


def examples(questions: list[FvqaQuestion], base: FactBase, limit: int = MEMORY, hops: int = 1) -> list[Example]:
    """Retrieve each question's memory and label it; the labels take no part in the retrieval.

    Args:
        questions: with what is seen.
        base: the facts.
        limit: facts a memory holds.
        hops: 2 to give all but the first facts' share (:data:`kgmm.reason.kdmn.memory.FIRST`) to facts of bridges, the
            other ends of first facts.

    Raises:
        KgmmError: if no fact is about anything seen.
    """
    asked = base.encode([q.question for q in questions])
    touched = [base.touching(q.concepts) for q in questions]
    if not any(map(len, touched)):
        raise KgmmError("no fact has an end that any of the pictures shows; concepts and facts share no name")
    vectors = _Vectors.of(base, touched)
    first = limit if hops == 1 else round(FIRST * limit)
    each = list(zip(questions, asked, touched, strict=True))
    kept = [rows[_kept(q, base, rows, vectors(rows) @ v, first)] for q, v, rows in each]
    if hops == 2:
        kept = _with_second(each, kept, base, vectors, limit)
    vectors = _Vectors.of(base, kept)
    ends = sorted({end for i in np.unique(np.concatenate(kept)) for end in (base.triples[i][0], base.triples[i][2])})
    end_vectors = dict(zip(ends, base.encode(ends), strict=True))
    out = []
    for (q, vector, _), rows in zip(each, kept, strict=True):
        triples = [base.triples[i] for i in rows]
        pairs = [[end_vectors[s] @ vector, end_vectors[o] @ vector] for s, _, o in triples]
        cosines = np.array(pairs, np.float32).reshape(-1, 2)
        memory = MemoryInput(q.question, list(q.concepts), triples, vector, vectors(rows), cosines)
        out.append(_label(q, memory, [base.ids[i] for i in rows]))
    return out


def _with_second(
    each: list[tuple[FvqaQuestion, Floats, NDArray[np.int64]]],
    first: list[NDArray[np.int64]],
    base: FactBase,
    vectors: _Vectors,
    limit: int,
) -> list[NDArray[np.int64]]:
    """Return the memories' rows: first facts, then facts of their bridges, as far as there is room."""
    ways, reached = [], []
    for (q, vector, touching), rows in zip(each, first, strict=True):
        way: dict[str, float] = {}
        seen = {normal(name) for name in q.concepts}
        for i, cosine in zip(rows, vectors(rows) @ vector, strict=True):
            bridge = base.objects[i] if base.subjects[i] in seen else base.subjects[i]
            if bridge not in seen and len(base.about(bridge)) <= HUB:
                way[bridge] = max(way.get(bridge, -1.0), float(cosine))
        found = {i for bridge in way for i in base.about(bridge)}
        ways.append(way)
        reached.append(np.array(sorted(found.difference(touching.tolist())), np.int64))
    more, out = _Vectors.of(base, reached), []
    for (q, vector, _), rows, way, second in zip(each, first, ways, reached, strict=True):
        asked = most_telling(cued(q.question))
        by = np.array([base.triples[i][1] in asked for i in second], np.float32)
        bridges = [base.subjects[i] if base.subjects[i] in way else base.objects[i] for i in second]
        best = np.array([way[b] for b in bridges], np.float32)
        chosen = spread_further(more(second) @ vector, by, best, bridges, limit - len(rows))
        out.append(np.concatenate([rows, second[chosen]]))
    return out


def _kept(q: FvqaQuestion, base: FactBase, rows: NDArray[np.int64], cosine: Floats, limit: int) -> NDArray[np.int64]:
    """Return which of the facts with a seen end a memory keeps."""
    best = np.argsort(-cosine, kind="stable")[:POOL]
    said, seen = frozenset(lemmas(q.question)), {normal(name) for name in q.concepts}
    near = [base.subjects[i] if base.subjects[i] in seen else base.objects[i] for i in rows[best]]
    far = [base.triples[i][2] if base.subjects[i] in seen else base.triples[i][0] for i in rows[best]]
    return best[spread(cosine[best], given_share(far, said), near, limit)]


def _label(q: FvqaQuestion, memory: MemoryInput, ids: list[str]) -> Example:
    texts = [normal(end) for s, _, o in memory.triples for end in (s, o)]
    spelled, gold = spellings(q.answer), set(q.facts)
    answer = next((t for t in texts if t in spelled), normal(q.answer))
    right = np.array([t == answer for t in texts], np.float32).reshape(-1, 2)
    choices = tuple(answer if choice in spelled else normal(choice) for choice in q.choices)
    found = np.array([i in gold and bool(i) for i in ids], np.float32)
    seen = {normal(name) for name in q.concepts} if q.bridges else set()
    leads = [i in q.bridges and bool(i) for i in ids]
    far = [[lead and t not in seen for t in texts[2 * row : 2 * row + 2]] for row, lead in enumerate(leads)]
    ways = np.array(far, np.float32).reshape(-1, 2)
    return Example(memory, right, found, texts, answer, ids, choices, ways)


def load_fvqa(folder: Path, distractors: str | Path | None, dev: float, split: int) -> Data:
    """Read FVQA's facts, training and held-out questions; BadInput names what is missing or wrong."""
    check_folder(folder)
    more = Path(distractors) if distractors else None
    base = load_fact_base(folder, text_encoder("minilm"), cache_folder(), more)
    return base, *split_by_image(load_questions(folder / "questions-train.json"), dev, split)


def spoiled(part: list[Example], knowledge: str, seed: int = 0) -> list[Example]:
    """Return the questions with their ``full`` memories, with ``empty`` ones, or ``shuffled``: each another question's."""
    if knowledge == "empty":
        return [_reading(e, e, 0) for e in part]
    if knowledge == "shuffled":
        order = np.random.default_rng(seed).permutation(len(part))
        return [_reading(e, part[at]) for e, at in zip(part, order, strict=True)]
    return list(part)


def _reading(e: Example, other: Example, facts: int | None = None) -> Example:
    """Return a question that reads the first *facts* of another one's memory (all by default); none of them is gold."""
    m, texts = other.memory, other.texts[: None if facts is None else 2 * facts]
    kept, vectors, cosines = m.triples[:facts], m.fact_vectors[:facts], m.end_cosines[:facts]
    memory = replace(e.memory, triples=kept, fact_vectors=vectors, end_cosines=cosines)
    right = np.array([t == e.answer for t in texts], np.float32).reshape(-1, 2)
    none = np.zeros((len(kept), 2), np.float32)
    return replace(
        e, memory=memory, answers=right, gold=none[:, 0], bridge=none, texts=texts, facts=other.facts[:facts]
    )


def labels(part: list[Example], n: int) -> tuple[Tensor, Tensor]:
    """Return which ends say the right answer (Q, n, 2), and which facts are gold (Q, n), 0 at padding."""
    answers, gold = torch.zeros(len(part), n, 2), torch.zeros(len(part), n)
    for i, e in enumerate(part):
        answers[i, : len(e.answers)] = torch.from_numpy(e.answers)
        gold[i, : len(e.gold)] = torch.from_numpy(e.gold)
    return answers, gold


def bridge_labels(part: list[Example], n: int) -> Tensor:
    """Return which ends facts that lead to the gold ones lead to, (Q, n, 2), all 0 where one fact is enough."""
    ways = torch.zeros(len(part), n, 2)
    for i, e in enumerate(part):
        ways[i, : len(e.bridge)] = torch.from_numpy(e.bridge)
    return ways


def word_table(size: int) -> WordTable:
    """Return the *size* most frequent GloVe words, 50-d."""
    glove = words.glove()
    known = sorted(glove._row, key=glove._row.__getitem__)[:size]
    return WordTable(known, np.asarray(glove._vectors[[glove._row[w] for w in known]], np.float32))
