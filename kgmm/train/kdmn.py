"""KDMN on FVQA as a training problem: questions, the facts retrieved for each, which ends answer it."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgmm.data.fvqa import (
    FvqaQuestion,
    load_facts,
    load_questions,
    singular,
    spellings,
    split_by_image,
)
from kgmm.errors import BadInput, KgmmError
from kgmm.language import names
from kgmm.language.phrase import phrase, sense
from kgmm.language.words import lemmas, normal
from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.reason.kdmn.choices import Choices, choice_accuracy, choice_loss, frequent, places
from kgmm.reason.kdmn.memory import (
    END_FEATURES,
    FEATURES,
    Floats,
    MemoryInput,
    Triple,
    WordTable,
    given_share,
    pack,
    spread,
)

if TYPE_CHECKING:
    from kgmm.encode.text import Encoder

#: facts a memory holds
MEMORY = 60
#: sizes of the network unless told otherwise
NETWORK: dict[str, Any] = {"dim": 112, "product": 48, "dropout": 0.4}
#: facts ranked by cosine before shared words count
POOL = 400
#: share of the questions whose memory is hidden in training, if there is a vocabulary
FORGOTTEN = 0.15
#: a log probability that stands for none
NEVER = -1e9


@dataclass
class Example:
    """One question with its memory and labels.

    Attributes:
        memory: what the network reads.
        answers: (N, 2) 1 where an end says the gold answer.
        gold: (N,) 1 for gold facts.
        texts: normalized answer of each end, 2 N of them.
        answer: normalized gold answer.
        facts: ids of the facts, "" for those without.
        choices: normalized answers to choose from, empty if the question came without.
    """

    memory: MemoryInput
    answers: Floats
    gold: Floats
    texts: list[str]
    answer: str
    facts: list[str]
    choices: tuple[str, ...] = ()


class FactBase:
    """Facts by seen concept, with vectors of their phrases and ends from a cache on disk."""

    def __init__(self, triples: list[Triple], ids: list[str], encoder: Encoder, cache: Path) -> None:
        self.triples, self.ids, self.encoder, self.cache = triples, ids, encoder, cache
        self.subjects = [normal(s) for s, _, _ in triples]
        self.objects = [normal(o) for _, _, o in triples]
        self._rows: dict[str, list[int]] = defaultdict(list)
        for i, pair in enumerate(zip(self.subjects, self.objects, strict=True)):
            for end in set(pair):
                self._rows[end].append(i)

    def touching(self, seen: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of facts with a seen end."""
        return np.array(sorted({i for name in seen for i in self._rows.get(normal(name), ())}), np.int64)

    def encode(self, texts: list[str]) -> Floats:
        """Return the texts' vectors, computed once and kept on disk."""
        import xxhash

        from kgmm.encode.cache import VectorCache, encode_cached

        keys = np.array([xxhash.xxh3_64_intdigest(t.encode()) for t in texts], np.uint64)
        store = VectorCache(self.cache, self.encoder.dim, self.encoder.checksum)
        return encode_cached(self.encoder, store, keys, lambda rows: [texts[r] for r in rows])

    def phrases(self, rows: Iterable[int]) -> list[str]:
        """Return facts in English, as retrieval says them."""
        concept = names.concept
        return [phrase(concept(s), r, concept(o)) for s, r, o in (self.triples[i] for i in rows)]


def load_fact_base(folder: Path, encoder: Encoder, cache: Path, distractors: Path | None = None) -> FactBase:
    """Read FVQA's facts and, as distractors, triples ``relation<TAB>head<TAB>tail`` that state none of them."""
    facts = load_facts(folder / "facts.jsonl")
    triples: list[Triple] = [(singular(f.subject), f.relation, singular(f.object)) for f in facts]
    ids = [f.id for f in facts]
    known = {sense(t) for t in triples}
    if distractors is not None:
        for number, line in enumerate(distractors.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
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
        kept, found = _retrieve(q, vector, touching, base, rows, vectors, limit)
        triples = [base.triples[i] for i in kept]
        cosines = [[end_vectors[s] @ vector, end_vectors[o] @ vector] for s, _, o in triples]
        memory = MemoryInput(
            q.question, list(q.concepts), triples, vector, found, np.array(cosines, np.float32).reshape(-1, 2)
        )
        out.append(_label(q, memory, [base.ids[i] for i in kept]))
    return out


def _retrieve(
    q: FvqaQuestion,
    vector: Floats,
    touching: NDArray[np.int64],
    base: FactBase,
    rows: NDArray[np.int64],
    vectors: Floats,
    limit: int,
) -> tuple[NDArray[np.int64], Floats]:
    if not len(touching):
        return touching, np.zeros((0, len(vector)), np.float32)
    found = vectors[np.searchsorted(rows, touching)]
    cosine = found @ vector
    best = np.argsort(-cosine, kind="stable")[:POOL]
    said, seen = frozenset(lemmas(q.question)), {normal(name) for name in q.concepts}
    near = [base.subjects[i] if base.subjects[i] in seen else base.objects[i] for i in touching[best]]
    far = [base.triples[i][2] if base.subjects[i] in seen else base.triples[i][0] for i in touching[best]]
    keep = best[spread(cosine[best], given_share(far, said), near, limit)]
    return touching[keep], found[keep]


def _label(q: FvqaQuestion, memory: MemoryInput, ids: list[str]) -> Example:
    texts = [normal(end) for s, _, o in memory.triples for end in (s, o)]
    spelled, gold = spellings(q.answer), set(q.facts)
    answer = next((t for t in texts if t in spelled), normal(q.answer))
    right = np.array([t == answer for t in texts], np.float32).reshape(-1, 2)
    choices = tuple(answer if choice in spelled else normal(choice) for choice in q.choices)
    found = np.array([i in gold and bool(i) for i in ids], np.float32)
    return Example(memory, right, found, texts, answer, ids, choices)


def load_fvqa(
    folder: Path, distractors: str | Path | None, dev: float, split: int
) -> tuple[FactBase, list[FvqaQuestion], list[FvqaQuestion]]:
    """Read FVQA: its facts, and its questions about training and held-out images.

    Raises:
        BadInput: if a file is missing or not of FVQA's layout, with the line that is not.
    """
    from kgmm.encode import text_encoder

    missing = [n for n in ("questions-train.json", "facts.jsonl") if not (folder / n).is_file()]
    if missing:
        raise BadInput(folder, f"no folder of FVQA: {' and '.join(missing)} not found there")

    more = Path(distractors) if distractors else None
    base = load_fact_base(folder, text_encoder("minilm"), cache_folder(), more)
    return base, *split_by_image(load_questions(folder / "questions-train.json"), dev, split)


class FvqaProblem:
    """KDMN on FVQA for :func:`kgmm.train.fit.fit`.

    The loss is the mean of two negative log likelihoods under the pointer's softmax (all ends and the null): of the
    ends that say the gold answer, and of the gold fact's answering end; plus the last attention's on the gold fact.
    With a vocabulary, the softmax and the gold answer's likelihood take its words in, and the memories of
    :data:`FORGOTTEN` of the questions are hidden; with choices, the cross-entropy
    of the right one is added.

    Args:
        folder: with ``questions-train.json`` and ``facts.jsonl``.
        distractors: further triples, or None.
        knowledge: ``full``, ``empty`` (no fact: the model can only abstain) or ``shuffled`` (each question reads
            another question's memory): the twins that show what the knowledge does.
        blind: hide the seen names from the network; its memory is still retrieved from them, so this is no
            question-only model.
        dev: share of images held out; ``split`` seeds the choice.
        network: settings of :class:`~kgmm.nn.kdmn.KDMN`.
        data: (facts, training questions, held-out questions) in the place of the folder's.
        vocabulary: answers that may be named without a fact: the most frequent right ones of the training, this many,
            or a list of normalized ones.
        choices: answers to choose from that the network also learns to score, the right one among them; 0 for none.

    Raises:
        BadInput: if a file is missing or not of FVQA's layout.
        KgmmError: if there are too few questions, or no fact is about anything seen.
    """

    metric = "top1"

    def __init__(
        self,
        folder: str | Path,
        distractors: str | Path | None = None,
        *,
        seed: int = 0,
        split: int = 1,
        dev: float = 0.2,
        knowledge: str = "full",
        blind: bool = False,
        limit: int = MEMORY,
        network: dict[str, Any] | None = None,
        data: tuple[FactBase, list[FvqaQuestion], list[FvqaQuestion]] | None = None,
        vocabulary: int | list[str] = 0,
        choices: int = 0,
    ) -> None:
        base, train, held = data or load_fvqa(Path(folder), distractors, dev, split)
        if not train or not held:
            raise KgmmError(
                f"{folder}: {len(train)} questions to learn from and {len(held)} about other images to test on; both are needed"
            )
        self.words = word_table(30_000)
        made = examples(train + held, base, limit)
        self.train, self.held = made[: len(train)], made[len(train) :]
        self.size = len(self.train)
        rights = [e.answer for e in self.train]
        self.answers = frequent(rights, vocabulary) if isinstance(vocabulary, int) else vocabulary
        settings = {
            "words": self.words.dim,
            "features": len(FEATURES),
            "end_features": len(END_FEATURES),
            **NETWORK,
            **(network or {}),
            **({"answers": len(self.answers)} if self.answers else {}),
            **({"choices": True} if choices else {}),
        }
        torch.manual_seed(seed)
        self.model: torch.nn.Module = KDMN(**settings)
        self.config: dict[str, Any] = {
            "name": "kdmn",
            "data": "fvqa",
            "network": settings,
            "encoder": base.encoder.checksum,
            "memory": limit,
            "knowledge": knowledge,
            "blind": blind,
            "split": split,
            "dev": dev,
            "about": "A dynamic memory network over facts retrieved for a question (arXiv:1712.00733).",
        }
        self.vocabulary: dict[str, Any] = {"words": self.words.words}
        if self.answers:
            self.vocabulary["answers"] = self.answers
        self._spoil(knowledge, blind, seed)
        self._train, self._held = (pack([e.memory for e in part], self.words) for part in (self.train, self.held))
        self._answers, self._gold = _labels(self.train, self._train.mask.shape[1])
        self._said = places(self.train, self.answers)
        self._choices = [
            Choices(part, self.words, choices, 2 * batch.mask.shape[1], rights) if choices else None
            for part, batch in ((self.train, self._train), (self.held, self._held))
        ]

    def _spoil(self, knowledge: str, blind: bool, seed: int) -> None:
        for part in (self.train, self.held):
            if blind:
                for e in part:
                    e.memory.seen = []
                    e.memory._features = None
            if knowledge == "empty":
                for e in part:
                    _forget(e)
            elif knowledge == "shuffled":
                _shuffle(part, seed)

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of training samples *rows*."""
        return self.loss_of(self.model, rows)

    def loss_of(self, model: torch.nn.Module, rows: Tensor) -> Tensor:
        """Return the mean loss of training samples under a network of the same settings."""
        device = next(model.parameters()).device
        batch = FactBatch(*(v[rows] for v in self._train.__dict__.values())).to(device)
        answers, gold, said = (x[rows].to(device) for x in (self._answers, self._gold, self._said))
        if self.answers and FORGOTTEN:  # else the vocabulary learns nothing that facts do not say already
            kept = torch.rand(len(rows)).to(device) >= FORGOTTEN
            batch = replace(batch, mask=batch.mask & kept[:, None])
            answers, gold = answers * kept[:, None, None], gold * kept[:, None]
        loss = pointer_loss(model, batch, answers, gold, said)
        if self._choices[0] is None or not isinstance(model, KDMN):
            return loss
        return loss + choice_loss(model, batch, self._choices[0].draw(rows).to(device))

    def evaluate(self) -> dict[str, float]:
        """Return top1, top3, fact1 and fact3 on the held-out images, and how many choices are right."""
        figures = score(self.held, predict(self.model, self._held), self.answers)
        if self._choices[1] is not None and isinstance(self.model, KDMN):
            figures["choice"] = choice_accuracy(self.model, self._held, self._choices[1])
        return figures

    def write(self, folder: Path) -> None:
        """Write the word vectors, in half precision."""
        write_words(self.words, folder)


def write_words(words: WordTable, folder: Path) -> None:
    """Write a word table's vectors beside the model that reads them."""
    from safetensors.numpy import save

    vectors = np.ascontiguousarray(words.vectors[:-1].astype(np.float16))
    (folder / "words.safetensors").write_bytes(save({"vectors": vectors}))


def _labels(part: list[Example], n: int) -> tuple[Tensor, Tensor]:
    answers, gold = torch.zeros(len(part), n, 2), torch.zeros(len(part), n)
    for i, e in enumerate(part):
        answers[i, : len(e.answers)] = torch.from_numpy(e.answers)
        gold[i, : len(e.gold)] = torch.from_numpy(e.gold)
    return answers, gold


def _forget(e: Example) -> None:
    width = len(e.memory.question_vector)
    e.memory = MemoryInput(
        e.memory.question,
        e.memory.seen,
        [],
        e.memory.question_vector,
        np.zeros((0, width), np.float32),
        np.zeros((0, 2), np.float32),
    )
    e.answers, e.gold, e.texts, e.facts = np.zeros((0, 2), np.float32), np.zeros(0, np.float32), [], []


def _shuffle(part: list[Example], seed: int) -> None:
    others = [(e.memory.triples, e.memory.fact_vectors, e.memory.end_cosines, e.texts, e.facts) for e in part]
    for e, at in zip(part, np.random.default_rng(seed).permutation(len(part)), strict=True):
        triples, vectors, cosines, texts, facts = others[at]
        e.memory = MemoryInput(e.memory.question, e.memory.seen, triples, e.memory.question_vector, vectors, cosines)
        e.answers = np.array([t == e.answer for t in texts], np.float32).reshape(-1, 2)
        e.gold, e.texts, e.facts = np.zeros(len(triples), np.float32), texts, facts


def word_table(size: int) -> WordTable:
    """Return the *size* most frequent GloVe words, 50-d."""
    from kgmm.encode.words import glove as load_glove

    glove = load_glove()
    words = sorted(glove._row, key=glove._row.__getitem__)[:size]
    rows = [glove._row[w] for w in words]
    return WordTable(words, np.asarray(glove._vectors[rows], np.float32))


def pointer_loss(
    model: torch.nn.Module,
    batch: FactBatch,
    answers: Tensor,
    gold: Tensor,
    said: Tensor | None = None,
    attend: float = 0.3,
) -> Tensor:
    """Return the loss described at :class:`FvqaProblem`; answers (B, N, 2), gold (B, N), said (B,)."""
    pointer, null, attention, state = model(batch)
    ends = [pointer.flatten(1), null[:, None]]
    vocabulary = model.named(batch, state) if isinstance(model, KDMN) else state.new_zeros(len(state), 0)
    logits = torch.cat([*ends, vocabulary], 1).float().log_softmax(1)
    word = None
    if said is not None and vocabulary.shape[1]:
        of = logits[:, -vocabulary.shape[1] :].gather(1, said.clamp(min=0).unsqueeze(1)).squeeze(1)
        word = of.masked_fill(said < 0, NEVER)
    return end_loss(logits[:, : -vocabulary.shape[1] or None], attention, answers, gold, attend, word).mean()


def end_loss(
    logits: Tensor,
    attention: Tensor,
    answers: Tensor,
    gold: Tensor,
    attend: float = 0.3,
    word: Tensor | None = None,
) -> Tensor:
    """Return each question's loss, (B,).

    Args:
        logits: (B, 2 N + 1) log probabilities of all ends and the null.
        attention: (B, T, N).
        answers: (B, N, 2) 1 where an end says the gold answer.
        gold: (B, N) 1 for gold facts.
        attend: weight of the attention's part.
        word: (B,) log probability of the gold answer in the vocabulary, :data:`NEVER` where it is not in it.
    """
    right, cited = answers.flatten(1) > 0, (answers * gold.unsqueeze(-1)).flatten(1) > 0
    none = logits[:, -1] if word is None else torch.where(word > NEVER, word, logits[:, -1])

    def likelihood(mask: Tensor) -> Tensor:
        return torch.logsumexp(logits[:, :-1].masked_fill(~mask, NEVER), 1)

    answered, pointed = right.any(1), cited.any(1)
    by_end = torch.where(answered, likelihood(right), none)
    if word is not None:
        by_end = torch.where(answered & (word > NEVER), torch.logaddexp(by_end, word), by_end)
    by_gold = torch.where(pointed, likelihood(cited), none)
    on_gold = torch.log((attention[:, -1] * gold).sum(1) + 1e-6) * (gold.sum(1) > 0)
    return -(0.5 * by_end + 0.5 * by_gold + attend * on_gold)


@torch.no_grad()
def predict(model: torch.nn.Module, batch: FactBatch, size: int = 128) -> NDArray[np.float32]:
    """Return pointer logits, the null's, and those of the vocabulary if there is one: (Q, 2 N + 1 + V)."""
    device = next(model.parameters()).device
    out = []
    for start in range(0, len(batch.mask), size):
        part = FactBatch(*(v[start : start + size] for v in batch.__dict__.values())).to(device)
        pointer, null, _, state = model(part)
        logits = [pointer.flatten(1), null[:, None]]
        if isinstance(model, KDMN):
            logits.append(model.named(part, state))
        out.append(torch.cat(logits, 1).float().cpu().numpy())
    return np.concatenate(out)


def ranked(texts: list[str], logits: Floats, vocabulary: Sequence[str] = ()) -> list[tuple[str, float]]:
    """Add up the probability of all ends, and of the vocabulary's answer, that say the same; best first.

    Example:
        >>> ranked(["cat", "dog", "cat"], np.log(np.array([0.3, 0.4, 0.3])))[0][0]
        'cat'
    """
    total: dict[str, float] = defaultdict(float)
    answers = [*texts, *vocabulary]
    if answers:
        given = np.concatenate([logits[: len(texts)], logits[len(logits) - len(vocabulary) :]])
        for text, w in zip(answers, np.exp(given - given.max()), strict=True):
            total[text] += float(w)
    return sorted(total.items(), key=lambda item: -item[1])


def score(part: list[Example], logits: NDArray[np.float32], vocabulary: Sequence[str] = ()) -> dict[str, float]:
    """Return top1, top3 (answers), fact1, fact3 (gold among the first cited) as FVQA's scorer counts them."""
    hits: Counter[str] = Counter(top1=0, top3=0, fact1=0, fact3=0)
    for e, row in zip(part, logits, strict=True):
        answers = [t for t, _ in ranked(e.texts, row, vocabulary)[:3]]
        best = list(dict.fromkeys(np.argsort(-row[: len(e.texts)], kind="stable") // 2))[:3]
        hits["top1"] += answers[:1] == [e.answer]
        hits["top3"] += e.answer in answers
        hits["fact1"] += bool(len(best) and e.gold[best[0]])
        hits["fact3"] += bool(len(best) and e.gold[best].any())
    return {k: v / max(len(part), 1) for k, v in hits.items()}
