"""What KDMN's accuracy on FVQA is worth: by kind of question, beside its twins and the most frequent answer.

The twins show what the knowledge does: the same network with an empty memory or another question's, and networks
trained without any fact, from question and picture or from the question alone (Goyal et al. 2017 on language priors).
"""

from __future__ import annotations

import copy
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from kgmm.language.words import normal
from kgmm.reason.kdmn.memory import pack
from kgmm.train.fit import Recipe, fit
from kgmm.train.guided.base import Split
from kgmm.train.kdmn import Example, _forget, _shuffle, predict, ranked
from kgmm.train.twins import TwinProblem

if TYPE_CHECKING:
    from kgmm.data.fvqa import FvqaQuestion
    from kgmm.train.kdmn import FvqaProblem

#: how the twins without facts are trained
TWIN = Recipe(epochs=20, batch=64, rate=2e-3, patience=20)


def kind(q: FvqaQuestion) -> str:
    """Return a question's type: whether its answer is seen or the fact's other end, and where its fact comes from."""
    return f"{q.answer_source or '?'}, {q.kb_source or '?'}"


def by_kind(kinds: Sequence[str], hits: Sequence[bool]) -> dict[str, float]:
    """Return the share of hits: of all, and of each kind.

    Example:
        >>> by_kind(["a", "b", "b"], [True, True, False])
        {'all': 0.6666666666666666, 'a': 1.0, 'b': 0.5}
    """
    found: dict[str, list[bool]] = defaultdict(list)
    for k, hit in zip(kinds, hits, strict=True):
        found["all"].append(hit)
        found[k].append(hit)
    return {k: sum(v) / len(v) for k, v in found.items()}


def spoiled(part: list[Example], knowledge: str, seed: int = 0) -> list[Example]:
    """Return copies of questions whose memories are ``empty`` or ``shuffled``: another question's."""
    part = [copy.copy(e) for e in part]
    if knowledge == "empty":
        for e in part:
            _forget(e)
    elif knowledge == "shuffled":
        _shuffle(part, seed)
    return part


def answered_right(problem: FvqaProblem, part: list[Example]) -> list[bool]:
    """Tell for each question whether the network's first answer is right; with an empty memory it can only name one."""
    logits = predict(problem.model, pack([e.memory for e in part], problem.words))
    return [
        [text for text, _ in ranked(e.texts, row, problem.answers)[:1]] == [e.answer]
        for e, row in zip(part, logits, strict=True)
    ]


def report(
    problem: FvqaProblem, train: list[FvqaQuestion], held: list[FvqaQuestion], seed: int = 0
) -> dict[str, dict[str, float]]:
    """Return top1 by kind of question on the held-out images, of the network and of all it is compared with.

    Args:
        problem: with a trained network.
        train: questions in the order of ``problem.train``.
        held: questions in the order of ``problem.held``.
        seed: of the twins, which are trained here in seconds, and of the shuffle.
    """
    kinds = [kind(q) for q in held]
    rows = {"kdmn": by_kind(kinds, answered_right(problem, problem.held))}
    for knowledge in ("empty", "shuffled"):
        spoilt = spoiled(problem.held, knowledge, seed)
        rows[f"kdmn, {knowledge}"] = by_kind(kinds, answered_right(problem, spoilt))
    every = torch.arange(len(problem.train))
    split = Split(train, every[every % 7 != 0], every[every % 7 == 0])
    for name, blind in (("no facts", False), ("blind", True)):
        twin = TwinProblem(problem, split, seed=seed, blind=blind)
        with tempfile.TemporaryDirectory() as out:
            fit(twin, out, TWIN)
        log_p, right = twin.log_probabilities(*twin.held)
        rows[name] = by_kind(kinds, (log_p.argmax(1) == right).tolist())
    return {**rows, "majority": majority(train, held)}


def majority(train: list[FvqaQuestion], held: list[FvqaQuestion]) -> dict[str, float]:
    """Return the accuracy of the most frequent training answer of each kind of question."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for q in train:
        counts[kind(q)][normal(q.answer)] += 1
    best = {k: c.most_common(1)[0][0] for k, c in counts.items()}
    return by_kind([kind(q) for q in held], [best.get(kind(q)) == normal(q.answer) for q in held])
