"""DCA: what two platforms share of a user, and what each has alone (Yu et al., IJCAI 2019; survey Eqs. 40-41, corrected)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kgmm.errors import KgmmError
from kgmm.recommend.base import Rows
from kgmm.recommend.cross import MappedRecommender, Mapping
from kgmm.recommend.joint import minimized

Sizes = tuple[int, int, int]


class Association(NamedTuple):
    """Weights of the coder: h = σ(W₁¹ x¹ + W₁² x² + b₁), x̂ⁱ = σ(W₂ⁱ h + b₂ⁱ); h = [own of 1, common, own of 2].

    ``encode`` are (h, dᵢ), ``decode`` (dᵢ, h); where platform i has nothing to do with a part of h they are 0.
    """

    encode: tuple[Rows, Rows]
    decode: tuple[Rows, Rows]
    start: Rows
    level: tuple[Rows, Rows]
    sizes: Sizes

    def codes(self, first: Rows | None, second: Rows | None) -> Rows:
        """Return h (n, codes) of users by their profiles (n, d₁) and (n, d₂); None where a platform does not know them."""
        known = [(x, W) for x, W in zip((first, second), self.encode, strict=True) if x is not None]
        if not known:
            raise KgmmError("users are coded by a profile on at least one platform")
        h: Rows = _sigmoid(sum(x @ W.T for x, W in known) + self.start)
        return h

    def parts(self, h: Rows) -> tuple[Rows, Rows, Rows]:
        """Split codes into the first platform's own, the common ones, the second's own."""
        a, b = self.sizes[0], self.sizes[0] + self.sizes[1]
        return h[:, :a], h[:, a:b], h[:, b:]

    def profiles(self, h: Rows) -> tuple[Rows, Rows]:
        """Return what both platforms' profiles of users with these codes would be."""
        first, second = (_sigmoid(h @ W.T + b) for W, b in zip(self.decode, self.level, strict=True))
        return first, second


def associated(
    first: Rows, second: Rows, sizes: Sizes, shrink: float, sparsity: float, turns: int, seed: int = 0
) -> tuple[Association, list[float]]:
    """Learn from users' profiles on two platforms, rows alike; return the coder and its loss after every turn.

    Σ ‖x̂¹ - x¹‖² + ‖x̂² - x²‖² + sparsity ‖h‖₁ over users, once from both profiles and once from each alone, + shrink Σ ‖W‖²_F.

    Raises:
        KgmmError: if a profile leaves [0, 1] or the rows differ in number.
    """
    xs = [np.asarray(x, np.float64) for x in (first, second)]
    if len(xs[0]) != len(xs[1]) or not all(((x >= 0) & (x <= 1)).all() for x in xs):
        raise KgmmError("profiles of both platforms have the same rows and values in [0, 1]")
    rng = np.random.default_rng(seed)
    h = sum(sizes)
    masks = _masks(sizes)
    start: list[Rows] = []
    for x, mask in zip(xs, masks, strict=True):
        level = np.sqrt(6 / (x.shape[1] + h))
        start.append(rng.uniform(-level, level, (h, x.shape[1])) * mask[:, None])
        start.append(rng.uniform(-level, level, (x.shape[1], h)) * mask[None, :])
    start += [np.zeros(h), *(_logit(x.mean(0)) for x in xs)]
    found, losses = minimized(lambda state: loss(state, xs, sizes, shrink, sparsity), start, turns)
    return Association((found[0], found[2]), (found[1], found[3]), found[4], (found[5], found[6]), sizes), losses


def loss(state: list[Rows], xs: list[Rows], sizes: Sizes, shrink: float, sparsity: float) -> tuple[float, list[Rows]]:
    """Return the loss and its gradient by [encode₁, decode₁, encode₂, decode₂, start, level₁, level₂], 0 where masked."""
    total = shrink * sum(float((W**2).sum()) for W in state[:4])
    slopes = [2 * shrink * W for W in state[:4]] + [np.zeros_like(b) for b in state[4:]]
    masks = _masks(sizes)
    for known in ((0, 1), (0,), (1,)):
        h = _sigmoid(sum(xs[i] @ state[2 * i].T for i in known) + state[4])
        total += sparsity * float(h.sum())
        back = np.full_like(h, sparsity)
        for i, x in enumerate(xs):
            made = _sigmoid(h @ state[2 * i + 1].T + state[5 + i])
            total += float(((made - x) ** 2).sum())
            pull = 2 * (made - x) * made * (1 - made)
            slopes[2 * i + 1] += pull.T @ h * masks[i]
            slopes[5 + i] += pull.sum(0)
            back += pull @ state[2 * i + 1]
        back *= h * (1 - h)
        for i in known:
            slopes[2 * i] += back.T @ xs[i] * masks[i][:, None]
        slopes[4] += back.sum(0)
    return total, slopes


class PlatformAssociation(MappedRecommender):
    """A user's vectors in both domains, brought into [0, 1], are two profiles of one coder; its common codes cross over.

    x = σ of a standardized vector of a factorization, where the paper has topics of tweets and videos, which
    :func:`associated` takes as they are. A user of the source only is coded from it alone; the target's profile
    that is decoded is their vector. Sizes and weights are not in the paper.

    Args:
        own: codes of each platform alone; more than it has of its own, and they hold what is common too.
        common: codes of both.
        shrink: of the weights' squares.
        sparsity: of the codes.
        turns: of L-BFGS, at most.
    """

    def __init__(
        self, factors: int = 20, epochs: int = 50, rate: float = 0.01, weight: float = 0.05, own: int = 10,
        common: int = 20, shrink: float = 0.01, sparsity: float = 0.01, turns: int = 300, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(factors, epochs, rate, weight, seed)
        self.own, self.common, self.shrink, self.sparsity, self.turns = own, common, shrink, sparsity, turns

    def _mapping(self, source: Rows, target: Rows) -> Mapping:
        levels = [(x.mean(0), np.maximum(x.std(0), 1e-9)) for x in (source, target)]
        xs = [_sigmoid((x - mean) / scale) for x, (mean, scale) in zip((source, target), levels, strict=True)]
        sizes = self.own, self.common, self.own
        net, self.losses = associated(xs[0], xs[1], sizes, self.shrink, self.sparsity, self.turns, self.seed)
        (mean, scale), (there, wide) = levels

        def mapped(vectors: Rows) -> Rows:
            codes = net.codes(_sigmoid((vectors - mean) / scale), None)
            found: Rows = _logit(net.profiles(codes)[1]) * wide + there
            return found

        return mapped


def _masks(sizes: Sizes) -> list[Rows]:
    """Which codes each platform has to do with: 1 or 0, (h,)."""
    own, common, other = (np.ones(size) for size in sizes)
    return [np.concatenate([own, common, 0 * other]), np.concatenate([0 * own, common, other])]


def _sigmoid(x: Rows) -> Rows:
    from scipy.special import expit

    found: Rows = expit(x)
    return found


def _logit(x: Rows) -> Rows:
    x = np.clip(x, 1e-4, 1 - 1e-4)
    found: Rows = np.log(x / (1 - x))
    return found


METHOD = PlatformAssociation
