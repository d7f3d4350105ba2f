"""Knowledge as a Bayesian prior over answers, :mod:`kgmm.reason.kdmn.prior`, fitted on questions that taught nothing.

It looks in the whole store, where a network's memory holds 60 facts, and goes with any network that gives answers
probabilities: with KDMN, which reads facts itself, or with one that reads none.
"""

from collections import defaultdict
from dataclasses import asdict
from math import log
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kgmm.language.words import content, lemmas
from kgmm.nn.answers import Answers, group_answers
from kgmm.nn.kdmn import FactBatch
from kgmm.nn.posterior import fit_posterior, posterior, smoothed
from kgmm.reason.kdmn.prior import Prior, fits, reweigh
from kgmm.train.fit import write_json
from kgmm.train.guided.base import Plain
from kgmm.train.kdmn import FvqaProblem, Split, predict
from kgmm.train.memories import Example, FactBase
from kgmm.train.twins import TwinProblem

#: tried for the Dirichlet's α; the likeliest on the tuning questions is kept
ALPHAS = (0.01, 0.1, 1.0, 3.0, 10.0, 30.0, 100.0)


class Support:
    r"""How far a store's facts support an answer to a question, in pseudo-counts.

    :math:`n_{c,a} = \max_{(a, r, o)} \frac{|o ∩ c|}{|o|} \sum_{w ∈ o ∩ c} \log\frac{N}{1 + d_w}`: of the facts one of
    whose ends is *a*, the one whose other end *o* the question's content *c* says best, by the words' rarity (word *w*
    is in :math:`d_w` of the N facts). The best counts and not the sum, for a person is in more facts than a pen.

    >>> from kgmm.train.memories import FactBase
    >>> facts = [("knife", "UsedFor", "cut bread"), ("cup", "UsedFor", "drink"), ("knife", "HasA", "blade")]
    >>> store = Support(FactBase(facts, [""] * 3, None, None))
    >>> knife, cup = store("What cuts bread?", ["knife", "cup"])
    >>> knife > cup == 0
    True
    """

    def __init__(self, base: FactBase) -> None:
        texts = (base.subjects, base.objects)
        self._holding: dict[str, list[tuple[int, int]]] = defaultdict(list)  #: (row, side) of the ends that hold a word
        self._texts, self._words = texts, tuple([tuple(content(end)) for end in side] for side in texts)
        for side, ends in enumerate(self._words):
            for row, words in enumerate(ends):
                for w in set(words):
                    self._holding[w].append((row, side))
        found = {w: len({row for row, _ in at}) for w, at in self._holding.items()}
        self.rarity: dict[str, float] = {w: max(log(len(base.subjects) / (1 + n)), 0.0) for w, n in found.items()}

    def __call__(self, question: str, answers: list[str]) -> list[float]:
        """Return the pseudo-counts of normalized answers."""
        said = frozenset(lemmas(question))
        best: dict[str, float] = {}
        for row, side in {at for w in said for at in self._holding.get(w, ())}:
            answer = self._texts[1 - side][row]
            best[answer] = max(best.get(answer, 0.0), fits(self._words[side][row], said, self.rarity))
        return [best.get(a, 0.0) for a in answers]

    def table(self, part: list[Example], texts: list[list[str]]) -> Tensor:
        """Return the pseudo-counts of every question's answers, (Q, A), zero at padding."""
        counts = torch.zeros(len(part), max(1, *map(len, texts)))
        for i, (e, answers) in enumerate(zip(part, texts, strict=True)):
            counts[i, : len(answers)] = torch.tensor(self(e.memory.question, answers))
        return counts


def fit_prior(logits: Tensor, counts: Tensor, mask: Tensor, right: Tensor) -> Prior:
    """Fit α (of :data:`ALPHAS`), τ and β on questions that taught the network nothing.

    *logits*, pseudo-*counts* and *mask* are (Q, A); *right* (Q,) is the right answer's place, -1 if it is not among
    them.
    """
    best, found, known = float("inf"), Prior(), right >= 0
    for alpha in ALPHAS if known.any() else ():
        prior = smoothed(counts, mask, alpha)
        power, beta = fit_posterior(logits, prior, mask, right)
        log_p = posterior(logits, prior, mask, power, beta)[known]
        cost = float(-log_p.gather(1, right[known].unsqueeze(1)).mean())
        if cost < best:
            best, found = cost, Prior(power, beta, alpha)
    return found


class PriorProblem(Plain):
    """KDMN trained as ever, and its answers weighed by the *support* of the store's facts."""

    name = "kdmn-prior"
    about = "KDMN whose answers are weighed by a prior of the store's facts (the survey's III-A)."

    def __init__(self, base: FvqaProblem, split: Split, support: Support, *, seed: int = 0) -> None:
        super().__init__(base, split, seed=seed)
        self._support = support
        self.prior: Prior | None = None
        self._known: dict[int, tuple[Answers, Tensor]] = {}
        for part, batch in ((self.tune, self.tune_batch), (base.held, base.held_batch)):
            answers = group_answers([e.texts for e in part], 2 * batch.mask.shape[1])
            self._known[id(batch)] = answers, support.table(part, answers.texts)
        self._right = self._known[id(self.tune_batch)][0].places([e.answer for e in self.tune])

    def ends(self, batch: FactBatch) -> Any:
        """Return log probabilities of ends and null, after the prior if one is fitted."""
        logits = predict(self.model, batch)
        if self.prior is None:
            return logits
        answers, counts = self._known[id(batch)]
        return reweigh(torch.from_numpy(logits), answers, counts, self.prior).numpy()

    def evaluate(self) -> dict[str, float]:
        """Fit the prior to the network as it is now, and return figures as :class:`Plain`, its own beside them."""
        self.prior = None
        plain = super().evaluate()
        answers, counts = self._known[id(self.tune_batch)]
        logits = answers.logits(torch.from_numpy(predict(self.model, self.tune_batch))[:, :-1])
        self.prior = fit_prior(logits, counts, answers.mask(), self._right)
        without = {f"plain_{name}": plain[name] for name in ("top1", "held_top1")}
        return {**super().evaluate(), **asdict(self.prior), **without}

    def write(self, folder: Path) -> None:
        """Write the words, the prior fitted to the weights that were kept, and how rare words are."""
        super().write(folder)
        self.evaluate()
        rarity = {w: round(r, 2) for w, r in self._support.rarity.items()}
        write_json(folder / "prior.json", {**asdict(self.prior or Prior()), "rarity": rarity})


def weigh(twin: TwinProblem, support: Support) -> dict[str, float]:
    """Weigh the answers of a network that reads no fact by the store's facts; ``held_…`` are the figures after it."""
    known = []
    for part, batch in (twin.tune, twin.held):
        logits, right, answers = twin.log_probabilities(part, batch)
        known.append((logits, support.table(part, answers.texts), answers.mask(), right))
    prior = fit_prior(*known[0])
    logits, counts, mask, right = known[1]
    log_p = posterior(logits, smoothed(counts, mask, prior.alpha), mask, prior.power, prior.beta)
    best = log_p.topk(3, dim=1).indices == right.unsqueeze(1)
    top1, top3 = best[:, 0].float().mean(), best.any(1).float().mean()
    return {"held_top1": float(top1), "held_top3": float(top3), **asdict(prior)}
