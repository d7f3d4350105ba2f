"""FVQA's questions with the facts retrieved for each and what of them is right: what memory networks learn from."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
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
from kgmm.language.words import lemmas, normal
from kgmm.reason.kdmn.memory import given_share, spread
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


def examples(questions: list[FvqaQuestion], base: FactBase, limit: int = MEMORY) -> list[Example]:
    """Retrieve each question's memory and label it; the labels take no part in the retrieval."""
    asked = base.encode([q.question for q in questions])
    touched = [base.touching(q.concepts) for q in questions]
    if not any(map(len, touched)):
        raise KgmmError("no fact has an end that any of the pictures shows; concepts and facts share no name")
    rows = np.unique(np.concatenate([t for t in touched if len(t)]))
    vectors = base.encode(base.phrases(rows))
    ends = sorted({end for i in rows for end in (base.triples[i][0], base.triples[i][2])})
    end_vectors = dict(zip(ends, base.encode(ends), strict=True))
    out = []
    for q, vector, touching in zip(questions, asked, touched, strict=True):
        found = vectors[np.searchsorted(rows, touching)]
        kept = _kept(q, base, touching, found @ vector, limit)
        triples = [base.triples[i] for i in touching[kept]]
        pairs = [[end_vectors[s] @ vector, end_vectors[o] @ vector] for s, _, o in triples]
        cosines = np.array(pairs, np.float32).reshape(-1, 2)
        memory = MemoryInput(q.question, list(q.concepts), triples, vector, found[kept], cosines)
        out.append(_label(q, memory, [base.ids[i] for i in touching[kept]]))
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
    return Example(memory, right, found, texts, answer, ids, choices)


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
    gold = np.zeros(len(kept), np.float32)
    return replace(e, memory=memory, answers=right, gold=gold, texts=texts, facts=other.facts[:facts])


def labels(part: list[Example], n: int) -> tuple[Tensor, Tensor]:
    """Return which ends say the right answer (Q, n, 2), and which facts are gold (Q, n), 0 at padding."""
    answers, gold = torch.zeros(len(part), n, 2), torch.zeros(len(part), n)
    for i, e in enumerate(part):
        answers[i, : len(e.answers)] = torch.from_numpy(e.answers)
        gold[i, : len(e.gold)] = torch.from_numpy(e.gold)
    return answers, gold


def word_table(size: int) -> WordTable:
    """Return the *size* most frequent GloVe words, 50-d."""
    glove = words.glove()
    known = sorted(glove._row, key=glove._row.__getitem__)[:size]
    return WordTable(known, np.asarray(glove._vectors[[glove._row[w] for w in known]], np.float32))
