"""The hybrid's committee of rankers on FVQA as a training problem, see :class:`HybridProblem`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save
from scipy.optimize import minimize
from scipy.special import expit
from torch import Tensor

from kgmm.data.fvqa import FvqaQuestion, StatedFacts, spellings, split_by_image
from kgmm.data.knowledge_questions import knowledge_questions
from kgmm.encode import text_encoder
from kgmm.encode.cache import VectorCache
from kgmm.encode.vectors import prime, vector_cache
from kgmm.errors import KgmmError
from kgmm.nn.pair_ranker import Committee, Pairs
from kgmm.progress import Progress, silent
from kgmm.reason.ranking import committee, network
from kgmm.reason.ranking.features import FEATURES, Evidence, evidence
from kgmm.reason.ranking.weights import WEIGHTS
from kgmm.reason.task import Task
from kgmm.store import LocalStore
from kgmm.train.measures import answered_at, by_kind, hit_rates

#: candidates kept of a question, best by the linear score and best by cosine: to measure, and to train on
KEPT, TRAINED = (400, 300), (200, 100)
UNSEEN = 0.3  #: how much the loss counts whether the answer is seen
ABOUT = (
    "Ranks (fact, answering end) pairs: low-rank corrections of all-MiniLM-L6-v2 read the question, its looks are compared"
    " with vectors of facts and their ends, beside readable features."
)
DEV, SPLIT = 0.2, 1  #: share of images held out, and the seed of the choice
COMMITTEE = {"members": 3, "rank": 16}  #: how many rankers, and the rank of their corrections to the text encoder
OWN = 600  #: questions made of the store's facts to train on beside FVQA's
TOGETHER = 32  #: questions measured at a time
Asked = Sequence[FvqaQuestion]
#: for each question the best facts and their logits (m, 2)
Ranked = list[tuple[NDArray[np.int64], NDArray[np.float32]]]


@dataclass
class Example:
    """One question's n candidates; *facts* and *ends* as :func:`kgmm.reason.ranking.network.text_keys` gives them."""

    question: FvqaQuestion
    facts: NDArray[np.uint64]  #: (n,) keys of texts
    ends: NDArray[np.uint64]  #: (n, 3) keys of texts
    relation: NDArray[np.int64]  #: (n,) numbers of relations
    features: NDArray[np.float16]  #: (n, 2, F)
    seen: NDArray[np.bool_]  #: (n, 2) ends that are seen
    answers: list[tuple[str, str]]  #: what each end says as an answer
    gold: NDArray[np.bool_]  #: (n, 2) the gold fact's answering end
    right: NDArray[np.bool_]  #: (n, 2) ends that say the gold answer
    cited: NDArray[np.bool_]  #: (n,) facts that are gold
    trained: NDArray[np.bool_]  #: (n,) candidates that training looks at

    @property
    def found(self) -> bool:
        """Whether a gold fact with an answering end is among the candidates."""
        return bool(self.gold.any())


class Vectors:
    """Vectors of texts by key, for many questions at once; (n, D) in half precision."""

    def __init__(self, keys: NDArray[np.uint64], cache: VectorCache) -> None:
        self.keys: NDArray[np.uint64] = np.unique(keys)
        self.rows: NDArray[np.float16] = cache.get(self.keys)[1].astype(np.float16)

    def __call__(self, keys: NDArray[np.uint64]) -> NDArray[np.float32]:
        """Return the vectors of keys that were given before."""
        return self.rows[np.searchsorted(self.keys, keys)].astype(np.float32)


class HybridProblem:
    """The hybrid's committee on FVQA; KgmmError if too few questions are left to learn from or to test on.

    The loss is the mean of two negative log likelihoods under a softmax over all ends: of the gold fact's answering
    end, and of all ends that say the gold answer; beside them, whether the answer is seen; summed over the members,
    which do not see each other. The labels take no part in what is read. Beside FVQA's questions there are some made of
    the store's facts about what training images show, which name the seen thing more often than FVQA's annotators do.
    """

    metric = "top1"

    def __init__(
        self, store: LocalStore, stated: StatedFacts, questions: Asked, *, seed: int = 0, progress: Progress = silent
    ) -> None:
        train, held = split_by_image(questions, DEV, SPLIT)
        asked = [*train, *own_questions(store, train, seed), *held]
        made = [e for e in collect(store, stated, asked, progress) if len(e.facts)]
        dev_ids = {q.question_id for q in held}
        self.train: list[Example] = [e for e in made if e.question.question_id not in dev_ids and e.found]
        self.held: list[Example] = [e for e in made if e.question.question_id in dev_ids]
        self.size: int = len(self.train)
        if not self.train or not self.held:
            raise KgmmError(
                f"{self.size} questions whose gold facts are found to learn from and {len(self.held)} about other "
                f"images to test on, of {len(questions)}; both are needed"
            )
        cache = vector_cache(store, text_encoder("minilm"))
        self.facts: Vectors = Vectors(np.concatenate([e.facts for e in made]), cache)
        self.ends: Vectors = Vectors(np.concatenate([e.ends.reshape(-1) for e in made]), cache)
        options = {"features": made[0].features.shape[2], "relations": len(network.RELATIONS) + 1, **COMMITTEE}
        torch.manual_seed(seed)
        self.model: Committee = network.committee(**options)
        self._scale()
        self.tokenizer: Any = network.question_tokenizer()
        self.vocabulary: dict[str, Any] = {"relations": list(network.RELATIONS)}
        own = {"name": "hybrid", "data": "fvqa", "network": options, "split": SPLIT, "dev": DEV, "seed": seed}
        self.config: dict[str, Any] = {**own, **self.vocabulary, "about": ABOUT}

    def _scale(self) -> None:
        """Set what features are standardized by: mean and deviation over the training candidates."""
        part = [e.features[e.trained].reshape(-1, e.features.shape[2]).astype(np.float32) for e in self.train]
        stacked = np.concatenate(part)
        for member in self.model.members:
            member.mean.copy_(torch.from_numpy(stacked.mean(axis=0)))  # type: ignore[operator]
            member.deviation.copy_(torch.from_numpy(stacked.std(axis=0) + 1e-3))  # type: ignore[operator]

    def _pairs(self, e: Example, rows: NDArray[np.bool_] | slice) -> Pairs:
        facts, ends = self.facts(e.facts[rows]), self.ends(e.ends[rows].reshape(-1))
        return network.as_pairs(facts, ends, e.relation[rows], e.features[rows].astype(np.float32), e.seen[rows])

    def _tokens(self, part: list[Example]) -> tuple[Tensor, Tensor]:
        return network.tokens(self.tokenizer, [e.question.question for e in part])

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of training samples *rows*, summed over the members."""
        chosen = [self.train[i] for i in rows.tolist()]
        candidates = [self._pairs(e, e.trained) for e in chosen]
        asks_unseen = torch.tensor([float(e.question.answer_source == "kb") for e in chosen])
        total = torch.zeros(())
        for member, unseen in self.model(*self._tokens(chosen), candidates):
            total = total + UNSEEN * F.binary_cross_entropy_with_logits(unseen, asks_unseen, reduction="sum")
            for e, logits in zip(chosen, member, strict=True):
                scores = logits.reshape(-1).log_softmax(0)
                for mask in (e.gold, e.gold | e.right):
                    wanted = torch.from_numpy(mask[e.trained].reshape(-1))
                    total = total - 0.5 * torch.logsumexp(scores[wanted], 0)
        return total / max(len(chosen), 1)

    def evaluate(self) -> dict[str, float]:
        """Return top1, top3, fact1 and the share answered at precision 0.95, on the held-out images."""
        ranked = self.rank(self.held)
        figures = measure(self.held, ranked)
        self.model.confidence.copy_(torch.tensor(calibrate(self.held, ranked)))
        return figures

    def rank(self, examples: list[Example]) -> Ranked:
        """Return for each question the best facts and their logits (m, 2)."""
        out = []
        with torch.inference_mode():
            for start in range(0, len(examples), TOGETHER):
                part = examples[start : start + TOGETHER]
                candidates = [self._pairs(e, slice(None)) for e in part]
                for ranked in self.model.rank(*self._tokens(part), candidates):
                    logits = ranked.float().numpy()
                    best = np.argsort(-logits.max(axis=1), kind="stable")[: committee.BEST]
                    out.append((best, logits[best]))
        return out

    def write(self, folder: Path) -> None:
        """Turn all but what features are standardized by into half precision."""
        path = folder / "model.safetensors"
        exact = ("mean", "deviation", "confidence")
        path.write_bytes(save({k: v if k.endswith(exact) else v.half() for k, v in load_file(path).items()}))


def own_questions(store: LocalStore, questions: Asked, seed: int) -> list[FvqaQuestion]:
    """Return at most :data:`OWN` questions made of facts about what images show, one an image."""
    images = {q.image: q for q in questions}
    chosen = Random(seed).sample(sorted(images), min(OWN, len(images)))
    made = knowledge_questions(store, (images[i].scene() for i in chosen), per_scene=1, seed=seed)
    return [question.labelled(f"own-{n}") for n, question in enumerate(made)]


def collect(store: LocalStore, stated: StatedFacts, questions: Asked, progress: Progress) -> list[Example]:
    """Return each question's candidates with features, words and labels."""
    out = []
    for n, q in enumerate(questions):
        if n % 256 == 0:
            prime(text_encoder("minilm"), [a.question for a in questions[n : n + 256]])
        task = Task(store, q.scene(), q.question)
        out.append(_example(task, evidence(task, committee.POOL), q, stated))
        progress(n + 1, len(questions), "candidates")
    return out


def _example(task: Task, found: Evidence, q: FvqaQuestion, stated: StatedFacts) -> Example:
    c, terms, gold = found.candidates, task.store.terms, set(q.facts)
    triples = zip(terms.names(c.subject), terms.names(c.predicate), terms.names(c.object), strict=True)
    cited = np.array([not gold.isdisjoint(("/".join(t), *stated(t))) for t in triples], bool)
    if not len(c):
        none, keys, features = np.zeros((0, 2), bool), np.zeros((0, 3), np.uint64), np.zeros((0, 2, 1), np.float16)
        return Example(q, keys[:, 0], keys, np.zeros(0, np.int64), features, none, [], none, none, cited, none[:, 0])
    linear = (found.features @ WEIGHTS).reshape(-1, 2).max(axis=1)
    rows = np.flatnonzero(_among_best(linear, found.parts["similarity"], *KEPT))
    says, wanted = committee.end_answers(task, found, rows), spellings(q.answer)
    right = np.array([[end in wanted for end in pair] for pair in says], bool).reshape(-1, 2)
    answering = right & cited[rows, None]
    if q.answer_source == "kb":  # the answer's wording may differ from the fact's
        far = np.stack([c.end[rows] == 1, c.end[rows] == 0], axis=1)
        answering |= far & (cited[rows] & ~answering.any(axis=1))[:, None]
    facts, ends = network.text_keys(task, found)
    trained = _among_best(linear[rows], found.parts["similarity"][rows], *TRAINED) | answering.any(axis=1)
    relation, seen = network.relation_numbers(task, found)[rows], found.seen.reshape(-1, 2)[rows]
    features = network.end_features(task, found)[rows].astype(np.float16)
    return Example(q, facts[rows], ends[rows], relation, features, seen, says, answering, right, cited[rows], trained)


def _among_best(linear: NDArray[Any], cosine: NDArray[Any], by_linear: int, by_cosine: int) -> NDArray[np.bool_]:
    keep = np.zeros(len(linear), bool)
    keep[np.argsort(-linear, kind="stable")[:by_linear]] = True
    keep[np.argsort(-cosine, kind="stable")[:by_cosine]] = True
    return keep


def _best(e: Example, rows: NDArray[np.int64], logits: NDArray[np.float32]) -> tuple[list[str], dict[str, int], float]:
    """Return the answers best first, the fact behind each, and the best answer's log-probability."""
    joint = committee.summed_by_answer(logits, [e.answers[i] for i in rows]).reshape(-1)
    behind: dict[str, int] = {}
    for at in np.argsort(-joint, kind="stable").tolist():
        behind.setdefault(e.answers[rows[at // 2]][at % 2], int(rows[at // 2]))
    return list(behind), behind, float(joint.max())


def measure(examples: list[Example], ranked: Ranked) -> dict[str, float]:
    """Return top1, top3 and fact1 as FVQA's scorer counts them, top1 by source, and coverage at precision 0.95."""
    answers, facts, sure = [], [], []
    for e, (rows, logits) in zip(examples, ranked, strict=True):
        said, behind, logit = _best(e, rows, logits)
        wanted = spellings(e.question.answer)
        answers.append([a in wanted for a in said[:3]])
        facts.append([bool(e.cited[behind[said[0]]])])
        sure.append((logit, answers[-1][0]))
    rates = hit_rates(answers, facts)
    of = by_kind([e.question.answer_source for e in examples], [right for _, right in sure])
    first = {name: rates[name] for name in ("top1", "top3", "fact1")}
    by_source = {f"top1_{source}": of.get(source, 0.0) for source in ("image", "kb")}
    return {**first, **by_source, "answered_at_95": answered_at(0.95, sure) / max(len(examples), 1)}


def calibrate(examples: list[Example], ranked: Ranked) -> tuple[float, float, float]:
    """Return the logistic from log-probability and explicit score to an answer's truth, with gold facts and without."""
    inputs, right = [], []
    for e, (rows, logits) in zip(examples, ranked, strict=True):
        for kept in (np.ones(len(rows), bool), ~e.cited[rows]):
            if not kept.any():
                continue
            joint = committee.summed_by_answer(logits[kept], [e.answers[i] for i in rows[kept]]).reshape(-1)
            at, end = divmod(int(joint.argmax()), 2)
            row = rows[kept][at]
            inputs.append((joint.max(), e.features[row, end, : len(FEATURES)] @ WEIGHTS))
            right.append(e.answers[row][end] in spellings(e.question.answer))
    if len(set(right)) < 2:
        return 1.0, 0.0, 0.0
    share, support, bias = logistic(np.array(inputs, np.float64), np.array(right))
    return share, support, bias


def logistic(x: NDArray[np.float64], right: NDArray[np.bool_], ridge: float = 1e-6) -> list[float]:
    """Return the weights, and last the bias, of a logistic regression of *right* (n,) on *x* (n, d).

    *ridge* keeps the weights finite where inputs tell outcomes apart.

    >>> weight, bias = logistic(np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([True, False, True, True]), 1.0)
    >>> weight > 0
    True
    """
    sign = np.where(right, 1.0, -1.0)
    wide = np.column_stack([x, np.ones(len(x))])
    kept = np.append(np.full(x.shape[1], ridge), 0.0)

    def cost(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (wide @ point)
        slope = wide.T @ (-sign * expit(-margin)) + kept * point
        return float(np.logaddexp(0, -margin).sum() + 0.5 * (kept * point**2).sum()), slope

    found: list[float] = minimize(cost, np.zeros(wide.shape[1]), jac=True, method="L-BFGS-B").x.tolist()
    return found
