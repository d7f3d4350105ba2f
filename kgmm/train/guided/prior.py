r"""Knowledge as a Bayesian prior over answers: :math:`p(a \mid x, c) ∝ p_{net}(a \mid x)^{τ}\, p_{KB}(a \mid c)^{β}`.

The prior looks, in the whole store, for facts that join an answer to what the question says; a network's memory holds
48 facts, the store all. τ and β are fitted on questions the network was not trained on. The prior goes with any
network that gives answers probabilities: with KDMN, which reads facts itself, or with one that reads none.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from kgmm.language import names
from kgmm.language.words import content, lemmas, normal
from kgmm.nn.posterior import fit_posterior, posterior, smoothed
from kgmm.train.fit import write_json
from kgmm.train.guided.base import Answers, Plain, Split, group_answers
from kgmm.train.kdmn import predict

if TYPE_CHECKING:
    from kgmm.nn.kdmn import FactBatch
    from kgmm.reason.task import Task
    from kgmm.train.kdmn import Example, FactBase, FvqaProblem
    from kgmm.train.twins import TwinProblem

#: tried for the Dirichlet's α; the likeliest on the tuning questions is kept
ALPHAS = (0.01, 0.1, 1.0, 3.0, 10.0, 30.0, 100.0)
#: facts looked at of each answer at question time
MOST = 2_000


@dataclass(frozen=True)
class Prior:
    """A fitted prior: how much the network's word counts, how much the store's, and how smooth that is."""

    power: float = 1.0
    beta: float = 0.0
    alpha: float = 1.0


class Support:
    r"""How far a store's facts support an answer to a question, in pseudo-counts.

    :math:`n_{c,a} = \max_{(a, r, o)} \frac{|o ∩ c|}{|o|} \sum_{w ∈ o ∩ c} \log\frac{N}{1 + d_w}`: of the facts one of
    whose ends is *a*, the one whose other end *o* the question's content *c* says best, by the words' rarity (word *w*
    is in :math:`d_w` of the N facts). The best counts and not the sum, for a person is in more facts than a pen.

    Example:
        >>> from kgmm.train.kdmn import FactBase
        >>> facts = [("knife", "UsedFor", "cut bread"), ("cup", "UsedFor", "drink"), ("knife", "HasA", "blade")]
        >>> store = Support(FactBase(facts, [""] * 3, None, None))
        >>> knife, cup = store("What cuts bread?", ["knife", "cup"])
        >>> knife > cup == 0
        True
    """

    def __init__(self, base: FactBase) -> None:
        texts = (base.subjects, base.objects)
        #: (row, side) of the ends that hold a word
        self._holding: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._texts, self._words = texts, tuple([tuple(content(end)) for end in side] for side in texts)
        for side, ends in enumerate(self._words):
            for row, words in enumerate(ends):
                for w in set(words):
                    self._holding[w].append((row, side))
        found = {w: len({row for row, _ in at}) for w, at in self._holding.items()}
        self.rarity = {w: max(log(len(base.subjects) / (1 + n)), 0.0) for w, n in found.items()}

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


def fits(end: Sequence[str], said: frozenset[str], rarity: Mapping[str, float]) -> float:
    """Return how well a question says a fact's end: the share of its words that are said, times their rarity.

    A word the rarities lack is as rare as the rarest.
    """
    shared = [w for w in end if w in said]
    if not shared:
        return 0.0
    if not all(w in rarity for w in shared):
        rarest = max(rarity.values(), default=1.0)
        return sum(rarity.get(w, rarest) for w in shared) * len(shared) / len(end)
    return sum(rarity[w] for w in shared) * len(shared) / len(end)


def fit_prior(logits: Tensor, counts: Tensor, mask: Tensor, right: Tensor) -> Prior:
    """Fit α (of :data:`ALPHAS`), τ and β on questions that taught the network nothing.

    Args:
        logits: (Q, A) of the network's answers.
        counts: (Q, A) pseudo-counts.
        mask: (Q, A) bool, the answers there are.
        right: (Q,) place of the right answer, -1 if it is not among them.
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


def reweigh(ends: Tensor, answers: Answers, counts: Tensor, prior: Prior) -> Tensor:
    """Return the log probabilities of KDMN's ends and null after the prior.

    The null keeps its probability, and ends that give the same answer keep their shares of it.

    Args:
        ends: (Q, 2 N + 1) logits, the null's last.
        answers: the questions' answers.
        counts: (Q, A) pseudo-counts.
        prior: fitted.
    """
    log_p = ends.log_softmax(1)
    before, mask = answers.logits(log_p[:, :-1]), answers.mask()
    after = posterior(before, smoothed(counts, mask, prior.alpha), mask, prior.power, prior.beta)
    given = torch.log1p(-log_p[:, -1:].exp().clamp(max=1 - 1e-6))
    gain = (after + given - before).masked_fill(~mask, 0.0)
    each = gain.gather(1, answers.group.clamp(min=0)).masked_fill(answers.group < 0, 0.0)
    return torch.cat([log_p[:, :-1] + each, log_p[:, -1:]], 1)


class PriorProblem(Plain):
    """KDMN trained as ever, and its answers weighed by the store's facts.

    Args:
        base: FVQA with its memories.
        split: of its training questions.
        support: of the store's facts.
        seed: of the weights.
    """

    name = "kdmn-prior"
    about = "KDMN whose answers are weighed by a prior of the store's facts (the survey's III-A)."

    def __init__(self, base: FvqaProblem, split: Split, support: Support, *, seed: int = 0) -> None:
        super().__init__(base, split, seed=seed)
        self._support = support
        self.prior: Prior | None = None
        parts = ([base.train[i] for i in split.tune.tolist()], base.held)
        self._known: dict[int, tuple[Answers, Tensor]] = {}
        for part, batch in zip(parts, (self._tune, base._held), strict=True):
            answers = group_answers(part, batch.mask.shape[1])
            self._known[id(batch)] = answers, support.table(part, answers.texts)

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
        answers, counts = self._known[id(self._tune)]
        logits = answers.logits(torch.from_numpy(predict(self.model, self._tune))[:, :-1])
        self.prior = fit_prior(logits, counts, answers.mask(), answers.right)
        return {
            **super().evaluate(),
            **asdict(self.prior),
            "plain_top1": plain["top1"],
            "plain_held_top1": plain["held_top1"],
        }

    def write(self, folder: Path) -> None:
        """Write the words, the prior fitted to the weights that were kept, and how rare words are."""
        super().write(folder)
        self.evaluate()
        rarity = {w: round(r, 2) for w, r in self._support.rarity.items()}
        write_json(folder / "prior.json", {**asdict(self.prior or Prior()), "rarity": rarity})


@dataclass(frozen=True)
class StorePrior:
    """A fitted prior that reads any store at question time.

    Attributes:
        prior: fitted.
        rarity: of words, as in training.
    """

    prior: Prior
    rarity: Mapping[str, float]

    @classmethod
    def read(cls, path: Path) -> StorePrior:
        """Read the ``prior.json`` that :class:`PriorProblem` writes."""
        known = json.loads(path.read_text(encoding="utf-8"))
        return cls(Prior(known["power"], known["beta"], known["alpha"]), known["rarity"])

    def __call__(self, task: Task, texts: list[str], ends: Tensor) -> Tensor:
        """Weigh the ends of one memory by the facts of the task's store.

        Args:
            task: the question; statements it excludes do not count.
            texts: the answer each end gives, 2 N normalized ones.
            ends: (2 N + 1,) logits, the null's last.

        Returns:
            (2 N + 1,) log probabilities.
        """
        if not texts:
            return ends.log_softmax(0)
        at = {t: i for i, t in enumerate(dict.fromkeys(texts))}
        answers = Answers([list(at)], torch.tensor([[at[t] for t in texts]]), torch.tensor([-1]))
        said = frozenset(lemmas(task.question))
        counts = torch.tensor([[self._best(task, text, said) for text in at]])
        return reweigh(ends.unsqueeze(0), answers, counts, self.prior)[0]

    def _best(self, task: Task, text: str, said: frozenset[str]) -> float:
        node, best = names.concept(text), 0.0
        for facts in (
            task.store.find(node, None, None, limit=MOST),
            task.store.find(None, None, node, limit=MOST),
        ):
            for f in facts:
                if (f.subject, f.predicate, f.object) not in task.exclude:
                    other = f.object if f.subject == node else f.subject
                    best = max(best, fits(content(normal(names.label(other))), said, self.rarity))
        return best


def weigh(twin: TwinProblem, support: Support) -> dict[str, float]:
    """Weigh the answers of a network that reads no fact by the store's facts: figures on the held-out images.

    The prior is fitted on the tuning questions; ``held_top1`` and ``held_top3`` are those after it.
    """
    known = []
    for part, batch in (twin.tune, twin.held):
        logits, right = twin.log_probabilities(part, batch)
        texts = [twin.texts(e) for e in part]
        mask = torch.arange(logits.shape[1]).unsqueeze(0) < torch.tensor([*map(len, texts)]).unsqueeze(1)
        known.append((logits, support.table(part, texts), mask, right))
    prior = fit_prior(*known[0])
    logits, counts, mask, right = known[1]
    log_p = posterior(logits, smoothed(counts, mask, prior.alpha), mask, prior.power, prior.beta)
    best = log_p.topk(3, dim=1).indices == right.unsqueeze(1)
    top1, top3 = best[:, 0].float().mean(), best.any(1).float().mean()
    return {"held_top1": float(top1), "held_top3": float(top3), **asdict(prior)}
