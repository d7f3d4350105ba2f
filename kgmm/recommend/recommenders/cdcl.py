"""CDCL: dictionaries of every modality whose atoms are used alike in both domains (in the spirit of Qian et al., ACM MM 2015)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from kgmm.recommend.base import Rows
from kgmm.recommend.contents import TopicRecommender

#: pseudo-counts of the Gamma priors of precisions
VAGUE = 1e-2


class Atoms(NamedTuple):
    """What items are made of: x^m ~ N((z ∘ s) D^m, 1 / noise_m), z_k ~ Bern(usual_k), s ~ N(0, 1 / spread), D^m rows ~ N(0, I / p_m).

    ``dictionaries`` are (k, p_m), one per modality; ``noise`` (modalities,) and ``spread`` are precisions.
    """

    dictionaries: list[Rows]
    usual: Rows
    noise: Rows
    spread: float

    def pull(self, k: int, left: list[Rows], known: list[Rows]) -> tuple[Rows, Rows]:
        """Return the precision and b of each item's s_k by its modalities, *left* being what the other atoms do not say."""
        a, b = np.zeros(len(left[0])), np.zeros(len(left[0]))
        for D, noise, rest, there in zip(self.dictionaries, self.noise, left, known, strict=True):
            a += noise * there * float(D[k] @ D[k])
            b += noise * there * (rest @ D[k])
        return a, b

    def odds(self, k: int, a: Rows, b: Rows) -> Rows:
        """Return ln p(z_k = 1 | x) / p(z_k = 0 | x), s_k being integrated out."""
        prior = np.log(self.usual[k]) - np.log1p(-self.usual[k])
        found: Rows = prior + (np.log(self.spread / (self.spread + a)) + b**2 / (self.spread + a)) / 2
        return found


def drawn(
    xs: list[Rows], known: list[Rows], count: int, alpha: float, beta: float, turns: int, seed: int
) -> tuple[Atoms, Rows]:
    """Return atoms and the items' codes z ∘ s (n, count), the last of Gibbs' draws.

    Args:
        xs: of every modality (n, p).
        known: of every modality (n,): 1 where an item has it.
        count: of atoms, of which few are used: the truncation of the beta process.
        alpha: π_k ~ Beta(alpha / count, beta (count - 1) / count).
        beta: see *alpha*.
        turns: over all.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    n, usual = len(xs[0]), np.full(count, 0.5)
    made = [rng.normal(size=(count, x.shape[1])) / np.sqrt(x.shape[1]) for x in xs]
    W, atoms = np.zeros((n, count)), Atoms(made, usual, np.ones(len(xs)), 1.0)
    left = [x.copy() for x in xs]
    for _ in range(turns):
        used = np.zeros((n, count), bool)
        for k in range(count):
            for D, noise, rest, there in zip(atoms.dictionaries, atoms.noise, left, known, strict=True):
                rest += np.outer(W[:, k], D[k])
                width, mine = D.shape[1], there * W[:, k]
                precision = width + noise * float(mine @ W[:, k])
                D[k] = noise * (mine @ rest) / precision + rng.normal(size=width) / np.sqrt(precision)
            a, b = atoms.pull(k, left, known)
            used[:, k] = rng.random(n) < expit(atoms.odds(k, a, b))
            at = b / (atoms.spread + a) + rng.normal(size=n) / np.sqrt(atoms.spread + a)
            W[:, k] = np.where(used[:, k], at, 0)
            for D, rest in zip(atoms.dictionaries, left, strict=True):
                rest -= np.outer(W[:, k], D[k])
        often = used.sum(0)
        usual = rng.beta(alpha / count + often, beta * (count - 1) / count + n - often)
        noise = np.array(
            [
                rng.gamma(VAGUE + x.shape[1] * there.sum() / 2) / (VAGUE + float(there @ (rest**2).sum(1)) / 2)
                for x, there, rest in zip(xs, known, left, strict=True)
            ]
        )
        spread = float(rng.gamma(VAGUE + often.sum() / 2) / (VAGUE + float((W**2).sum()) / 2))
        atoms = atoms._replace(usual=np.clip(usual, 1e-6, 1 - 1e-6), noise=noise, spread=spread)
    return atoms, W


def coded(atoms: Atoms, xs: list[Rows], known: list[Rows], turns: int = 50) -> Rows:
    """Return E[z ∘ s] (n, k) of items by the atoms as they are, each apart from the others: coordinate ascent of a mean field."""
    W = np.zeros((len(xs[0]), len(atoms.usual)))
    left = [x.copy() for x in xs]
    for _ in range(turns):
        before = W.copy()
        for k in range(W.shape[1]):
            for D, rest in zip(atoms.dictionaries, left, strict=True):
                rest += np.outer(W[:, k], D[k])
            a, b = atoms.pull(k, left, known)
            W[:, k] = expit(atoms.odds(k, a, b)) * b / (atoms.spread + a)
            for D, rest in zip(atoms.dictionaries, left, strict=True):
                rest -= np.outer(W[:, k], D[k])
        if np.abs(W - before).max() < 1e-8:
            break
    return W


class CollaborativeDictionaries(TopicRecommender):
    """An item's terms of every modality are drawn from atoms that few items use; which, and how often, is common to both domains.

    The model is :class:`Atoms`; π_k is common to the domains, D^m to a modality. x^m is a row of the square roots of shares of terms,
    brought to *wide* numbers by singular vectors, less its domain's mean. In the spirit of the paper, which leaves open how items are
    coded across modalities (here they have one code) and how users are made of it (here by ridge regression on their items' codes).

    Args:
        atoms: at most.
        alpha: of the beta process: how many atoms are used.
        beta: likewise.
        wide: numbers of a modality, at most.
        share: of the source's ratings.
        weight: of the squares of a user's vector.
        turns: of Gibbs' draws.
        seed: of the draws.
    """

    def __init__(
        self, atoms: int = 10, alpha: float = 1.0, beta: float = 1.0, wide: int = 30, share: float = 1.0,
        weight: float = 0.3, turns: int = 100, seed: int = 0,
    ) -> None:  # fmt: skip
        self.atoms, self.alpha, self.beta, self.wide = atoms, alpha, beta, wide
        self.share, self.weight, self.turns, self.seed = share, weight, turns, seed

    learned = (*TopicRecommender.learned, "dictionaries", "axes", "centres", "priors")

    def _features(self, counts: list[Any], target: NDArray[np.bool_], source: NDArray[np.bool_]) -> Rows:
        from sklearn.utils.extmath import randomized_svd

        xs, known, axes, centres = [], [], [], []
        for one in counts:
            roots, there = _roots(one)
            turned = randomized_svd(roots, min(self.wide, *roots.shape), random_state=self.seed)[2].T
            x = roots @ turned
            for own in (source, target):
                has = own & (there > 0)
                centre = x[has].mean(0) if has.any() else np.zeros(x.shape[1])
                x[has] -= centre
            scale = max(float(np.sqrt((x[there > 0] ** 2).mean())), 1e-9)
            xs.append(x / scale * there[:, None])
            known.append(there)
            axes.append(turned / scale)
            centres.append(centre / scale)
        found, _ = drawn(xs, known, self.atoms, self.alpha, self.beta, self.turns, self.seed)
        W = coded(found, xs, known)
        size = max(float(np.sqrt((W**2).sum(1).mean())), 1e-9)
        wide = [self._wide(part) for part in (list(found.dictionaries), axes, [c[None] for c in centres])]
        self.dictionaries, self.axes, self.centres = wide
        self.priors = np.array([*found.usual, *found.noise, found.spread, size])
        W /= size
        return W

    def _wide(self, parts: list[Rows]) -> Rows:
        """Parts of all modalities under each other, filled up with 0, which say nothing."""
        most = max(part.shape[1] for part in parts)
        return np.concatenate([np.pad(part, ((0, 0), (0, most - part.shape[1]))) for part in parts]).astype(np.float32)

    def _mapped(self, counts: list[Any]) -> Rows:
        m, ends = len(counts), np.cumsum([one.shape[1] for one in counts])[:-1]
        *rest, spread, size = self.priors.tolist()
        usual, noise = np.array(rest[:-m]), np.array(rest[-m:])
        dictionaries = np.split(self.dictionaries.astype(np.float64), m)
        atoms = Atoms(dictionaries, usual, noise, spread)
        xs, known = [], []
        for one, axes, centre in zip(counts, np.split(self.axes, ends), self.centres, strict=True):
            roots, there = _roots(one)
            xs.append((roots @ axes.astype(np.float64) - centre) * there[:, None])
            known.append(there)
        found: Rows = coded(atoms, xs, known) / size
        return found


def _roots(counts: Any) -> tuple[Any, Rows]:
    """The square roots of terms' shares in each item, sparse, and which items have any."""
    from scipy.sparse import diags

    sums = np.asarray(counts.sum(1)).ravel()
    return (diags(1 / np.maximum(sums, 1e-12)) @ counts).sqrt().tocsr(), (sums > 0).astype(np.float64)


METHOD = CollaborativeDictionaries
