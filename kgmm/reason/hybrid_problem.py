"""The hybrid's two rankers on FVQA as a training problem, see :class:`HybridProblem`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kgmm.data.fvqa import FvqaQuestion, split_by_image
from kgmm.nn.pair_ranker import FeatureRanker, WordRanker
from kgmm.progress import Progress, silent
from kgmm.reason import evidence as ev
from kgmm.reason import hybrid
from kgmm.reason.parse import parse
from kgmm.reason.task import Task
from kgmm.reason.weights import WEIGHTS
from kgmm.retrieve import prime
from kgmm.words import normal

if TYPE_CHECKING:
    from kgmm.store import LocalStore

#: candidates kept of a question: best by the linear score, and best by cosine
KEPT, NEAREST = 200, 150
#: facts of a training question that are read, and from how many of the best those not best are drawn
READ, DRAWN = 16, 48
#: parts of the training images, for first logits of questions their ranker has not seen
FOLDS = 4


class PairRanker(nn.Module):
    """Both rankers, and how much the first one's logits count beside the second's."""

    confidence: Tensor

    def __init__(self, features: int, hidden: int = 64, rank: int = 16) -> None:
        from kgmm.encode.precision import fast_precision

        super().__init__()
        self.features = FeatureRanker(features, hidden)
        self.words = WordRanker(hybrid.base_folder(), rank, fast_precision())
        self.share = nn.Parameter(torch.tensor(1.0))
        #: logistic from an answer's log-probability and its explicit score to how likely it is right
        self.register_buffer("confidence", torch.tensor([1.0, 0.0, 0.0]))


@dataclass
class Example:
    """One question's candidates: features (n, 2, F), words (n), which ends are the gold fact's and the gold answer's."""

    question: FvqaQuestion
    features: NDArray[np.float32]
    said: list[str]
    answers: list[tuple[str, str]]
    gold: NDArray[np.bool_]
    right: NDArray[np.bool_]
    #: (n,) facts that are gold
    cited: NDArray[np.bool_]

    @property
    def found(self) -> bool:
        """Whether a gold fact with an answering end is among the candidates."""
        return bool(self.gold.any())


class HybridProblem:
    """The hybrid's rankers on FVQA, for :func:`kgmm.train.fit`.

    The ranker of features is fitted first, over all candidates, and chooses the facts whose words are read. The loss
    is the mean of two negative log likelihoods under a softmax over all ends: of the gold fact's answering end, and of
    all ends that say the gold answer. The labels take no part in what is read.

    Args:
        store: FVQA's facts and distractors.
        ids: statement → ids of the facts that state it.
        questions: with labels.
        dev: share of images held out, and *split* the seed of the choice.
        rank: of the corrections to the text encoder.
        progress: called while candidates are collected.
    """

    metric = "top1"

    def __init__(
        self, store: LocalStore, ids: Mapping[tuple[str, str, str], Any], questions: Sequence[FvqaQuestion], *,
        seed: int = 0, split: int = 1, dev: float = 0.2, rank: int = 16, progress: Progress = silent,
    ) -> None:  # fmt: skip
        made = [e for e in collect(store, ids, questions, progress) if len(e.said)]
        train, held = split_by_image([e.question for e in made], dev, split)
        by_id = {e.question.question_id: e for e in made}
        self.train = [e for q in train if (e := by_id[q.question_id]).found]
        self.held = [by_id[q.question_id] for q in held]
        self.missed = len(questions) - len(made)
        self.size = len(self.train)
        width = made[0].features.shape[2]
        network = {"features": width, "rank": rank}
        torch.manual_seed(seed)
        self.model = PairRanker(**network)
        self.first = self._fit_first(seed)
        self.tokenizer = hybrid.pair_tokenizer()
        self.random = np.random.default_rng(seed)
        self.config: dict[str, Any] = {
            "name": "hybrid", "data": "fvqa", "network": network, "relations": list(hybrid.RELATIONS),
            "split": split, "dev": dev, "seed": seed,
            "about": "Ranks (fact, answering end) pairs: a two-layer network over readable features, then a cross-encoder "
            "that corrects all-MiniLM-L6-v2 by low-rank matrices.",
        }  # fmt: skip
        self.vocabulary: dict[str, Any] = {"relations": list(hybrid.RELATIONS)}

    def _fit_first(self, seed: int) -> dict[str, NDArray[np.float32]]:
        """Fit the ranker of features; return its logits, those of training questions by rankers that saw none of them."""
        first: dict[str, NDArray[np.float32]] = {}
        images = sorted({e.question.image for e in self.train})
        fold = dict(zip(images, np.random.default_rng(seed).integers(0, FOLDS, len(images)), strict=True))
        for k in range(FOLDS):
            other = FeatureRanker(self.train[0].features.shape[2])
            fit_features(other, [e for e in self.train if fold[e.question.image] != k], seed)
            for e in self.train:
                if fold[e.question.image] == k:
                    first[e.question.question_id] = first_logits(other, e)
        fit_features(self.model.features, self.train, seed)
        return first | {e.question.question_id: first_logits(self.model.features, e) for e in self.held}

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of training samples *rows*."""
        chosen = [(self.train[i], self._drawn(self.train[i])) for i in rows.tolist()]
        logits = self._read(chosen)
        total = torch.zeros(())
        for (e, at), read in zip(chosen, logits, strict=True):
            first = torch.from_numpy(self.first[e.question.question_id][at])
            scores = (read + self.model.share * first).reshape(-1).log_softmax(0)
            for mask in (e.gold[at], e.gold[at] | e.right[at]):
                total = total - 0.5 * torch.logsumexp(scores[torch.from_numpy(mask.reshape(-1))], 0)
        return total / len(chosen)

    def _drawn(self, e: Example) -> NDArray[np.int64]:
        """Return the facts of a training question that are read: gold, the best, and some of the next."""
        order = np.argsort(-self.first[e.question.question_id].max(axis=1), kind="stable")[:DRAWN]
        gold = np.flatnonzero(e.gold.any(axis=1))[:2]
        rest = self.random.permutation(order[READ // 2 :])
        return np.array(list(dict.fromkeys([*gold, *order[: READ // 2], *rest]))[:READ], np.int64)

    def _read(self, chosen: list[tuple[Example, NDArray[np.int64]]]) -> list[Tensor]:
        """Return the words' logits of each question's chosen facts; sequences of like length run together."""
        pairs = [(e.question.question, e.said[i]) for e, at in chosen for i in at]
        order = np.argsort([len(q) + len(f) for q, f in pairs], kind="stable")
        parts = []
        for start in range(0, len(order), 128):
            part = [pairs[i] for i in order[start : start + 128]]
            parts.append(self.model.words(*hybrid.tokens(self.tokenizer, part)).float())
        out = torch.cat(parts)[torch.from_numpy(np.argsort(order))]
        return list(torch.split(out, [len(at) for _, at in chosen]))

    def evaluate(self) -> dict[str, float]:
        """Return top1, top3, fact1 and the share answered at precision 0.95, on the held-out images."""
        ranked = self.rank(self.held)
        figures = measure(self.held, ranked)
        self.model.confidence.copy_(torch.tensor(calibrate(self.held, ranked)))
        return figures

    @property
    def share(self) -> float:
        """How much the first ranker's logits count."""
        return float(self.model.share.detach())

    def rank(self, examples: list[Example]) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Return for each question the facts read and their logits (m, 2)."""
        out = []
        with torch.inference_mode():
            for e in examples:
                first = self.first[e.question.question_id]
                best = np.argsort(-first.max(axis=1), kind="stable")[: hybrid.READ]
                (read,) = self._read([(e, best)])
                out.append((best, self.share * first[best] + read.numpy()))
        return out

    def write(self, folder: Path) -> None:
        """Turn the corrections into half precision."""
        from safetensors.torch import load_file, save_file

        path = folder / "model.safetensors"
        save_file({k: v.half() if k.startswith("words.") else v for k, v in load_file(path).items()}, path)


def collect(
    store: LocalStore,
    ids: Mapping[tuple[str, str, str], Any],
    questions: Sequence[FvqaQuestion],
    progress: Progress,
) -> list[Example]:
    """Return each question's candidates with features, words and labels."""
    from kgmm.encode import text_encoder

    out = []
    for n, q in enumerate(questions):
        if n % 256 == 0:
            prime(text_encoder("minilm"), [a.question for a in questions[n : n + 256]])
        task = Task(store, q.scene(), q.question)
        found = ev.evidence(task, parse(q.question, [o.name for o in task.scene.objects]), hybrid.POOL)
        out.append(_example(task, found, q, ids))
        progress(n + 1, len(questions), "candidates")
    return out


def _example(
    task: Task, found: ev.Evidence, q: FvqaQuestion, ids: Mapping[tuple[str, str, str], Any]
) -> Example:
    c, terms, gold = found.candidates, task.store.terms, set(q.facts)
    triples = zip(terms.names(c.subject), terms.names(c.predicate), terms.names(c.object), strict=True)
    cited = np.array([bool(gold & ids.get(t, {}).keys()) for t in triples], bool)
    if not len(c):
        none = np.zeros((0, 2), bool)
        return Example(q, np.zeros((0, 2, 1), np.float32), [], [], none, none, cited)
    linear = (found.features @ WEIGHTS).reshape(-1, 2).max(axis=1)
    keep = np.zeros(len(c), bool)
    keep[np.argsort(-linear, kind="stable")[:KEPT]] = True
    keep[np.argsort(-found.parts["similarity"], kind="stable")[:NEAREST]] = True
    rows = np.flatnonzero(keep)
    says = hybrid.answers(task, found, rows)
    wanted = normal(q.answer)
    right = np.array([[end == wanted for end in pair] for pair in says], bool).reshape(-1, 2)
    answering = right & cited[rows, None]
    if q.answer_source == "kb":  # the answer's wording may differ from the fact's
        far = np.stack([c.end[rows] == 1, c.end[rows] == 0], axis=1)
        bare = cited[rows] & ~answering.any(axis=1)
        answering |= far & bare[:, None]
    features = hybrid.described(task, found).reshape(len(c), 2, -1)[rows]
    return Example(q, features, hybrid.said(task, found, rows), says, answering, right, cited[rows])


def fit_features(ranker: FeatureRanker, examples: list[Example], seed: int, epochs: int = 25) -> None:
    """Fit the ranker of features to gold pairs and right answers, over all candidates of a question."""
    stacked = np.concatenate([e.features.reshape(-1, e.features.shape[2]) for e in examples])
    ranker.mean.copy_(torch.from_numpy(stacked.mean(axis=0)))
    ranker.deviation.copy_(torch.from_numpy(stacked.std(axis=0) + 1e-6))
    del stacked
    optimizer = torch.optim.AdamW(ranker.parameters(), lr=3e-3, weight_decay=1e-2)
    batches = max(len(examples) // 32, 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
    random = np.random.default_rng(seed)
    ranker.train()
    for _ in range(epochs):
        for batch in np.array_split(random.permutation(len(examples)), batches):
            loss = torch.zeros(())
            for e in (examples[i] for i in batch):
                scores = ranker(torch.from_numpy(e.features)).reshape(-1).log_softmax(0)
                for mask in (e.gold, e.gold | e.right):
                    loss = loss - 0.5 * torch.logsumexp(scores[torch.from_numpy(mask.reshape(-1))], 0)
            optimizer.zero_grad()
            (loss / len(batch)).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    ranker.requires_grad_(False).eval()


def first_logits(ranker: FeatureRanker, e: Example) -> NDArray[np.float32]:
    """Return the logits of a question's candidates, (n, 2)."""
    with torch.inference_mode():
        return np.asarray(ranker(torch.from_numpy(e.features)).numpy().copy())


def _best(
    e: Example, rows: NDArray[np.int64], logits: NDArray[np.float32]
) -> tuple[list[str], dict[str, int], float]:
    """Return the answers best first, the fact behind each, and the best answer's log-probability."""
    joint = hybrid.together(logits, [e.answers[i] for i in rows]).reshape(-1)
    behind: dict[str, int] = {}
    for at in np.argsort(-joint, kind="stable").tolist():
        behind.setdefault(e.answers[rows[at // 2]][at % 2], int(rows[at // 2]))
    return list(behind), behind, float(joint.max())


def measure(
    examples: list[Example], ranked: list[tuple[NDArray[np.int64], NDArray[np.float32]]]
) -> dict[str, float]:
    """Return top1, top3 and fact1 as FVQA's scorer counts them, top1 by source, and coverage at precision 0.95."""
    hits: dict[str, float] = defaultdict(float)
    sure: list[tuple[float, bool]] = []
    for e, (rows, logits) in zip(examples, ranked, strict=True):
        answers, behind, logit = _best(e, rows, logits)
        right = [a == normal(e.question.answer) for a in answers[:3]]
        hits["top1"] += right[0]
        hits["top3"] += any(right)
        hits["fact1"] += bool(e.cited[behind[answers[0]]])
        hits[f"top1_{e.question.answer_source}"] += right[0]
        hits[f"n_{e.question.answer_source}"] += 1
        sure.append((logit, right[0]))
    n = max(len(examples), 1)
    sure.sort(key=lambda item: -item[0])
    precision = np.cumsum([r for _, r in sure]) / np.arange(1, len(sure) + 1)
    figures = {name: hits[name] / n for name in ("top1", "top3", "fact1")}
    for source in ("image", "kb"):
        figures[f"top1_{source}"] = hits[f"top1_{source}"] / max(hits[f"n_{source}"], 1)
    figures["answered_at_95"] = float((np.flatnonzero(precision >= 0.95).max(initial=-1) + 1) / n)
    return figures


def calibrate(
    examples: list[Example], ranked: list[tuple[NDArray[np.int64], NDArray[np.float32]]]
) -> tuple[float, float, float]:
    """Return weights and bias of a logistic from an answer's log-probability and explicit score to whether it is right.

    Each question counts twice: as it is, and with its gold facts taken away, so that a best answer among poor ones
    is not taken for a good one.
    """
    from sklearn.linear_model import LogisticRegression

    inputs, right = [], []
    for e, (rows, logits) in zip(examples, ranked, strict=True):
        for kept in (np.ones(len(rows), bool), ~e.cited[rows]):
            if not kept.any():
                continue
            joint = hybrid.together(logits[kept], [e.answers[i] for i in rows[kept]]).reshape(-1)
            at, end = divmod(int(joint.argmax()), 2)
            row = rows[kept][at]
            inputs.append((joint.max(), e.features[row, end, : len(ev.FEATURES)] @ WEIGHTS))
            right.append(e.answers[row][end] == normal(e.question.answer))
    if len(set(right)) < 2:
        return 1.0, 0.0, 0.0
    line = LogisticRegression(C=1e6).fit(np.array(inputs), np.array(right))
    return float(line.coef_[0, 0]), float(line.coef_[0, 1]), float(line.intercept_[0])
