"""TPCF: one factorization of a target and several sources that share its users, its items, or only its patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.recommend.base import FactorRecommender, Rows
from kgmm.recommend.cross import CrossRecommender
from kgmm.recommend.factors import placed
from kgmm.recommend.joint import minimized, misfit
from kgmm.recommend.ratings import Ratings

#: the share of the weight that memberships and patterns have: they must be free to leave the middle
LOOSE = 0.2
#: how sure memberships are of their clusters at first
SURE = 3.0


class Domain(NamedTuple):
    """A domain, its share, the parts that hold its users' and items' vectors, and the row of each rating in them.

    ``groups`` are the parts with the users' and the items' memberships, where the domain takes part in the common patterns.
    """

    rated: Ratings
    share: float
    left: str
    right: str
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    groups: tuple[str, str] | None


class CollectiveFactors(CrossRecommender):
    """Σ_m share_m Σ (r - μ_m - b_u - b_i - u·v - p B qᵀ)² + weight Σ ‖·‖²; p and q are soft memberships in clusters.

    After Jing et al. (ICDM 2014), in the spirit of it where details are not at hand. A source with users of the target shares
    their u, one with items of it shares their v, and one with neither shares B (clusters × clusters) alone, which is there only
    if there is such a source; patterns and memberships begin at those of :mod:`cbt <kgmm.recommend.recommenders.cbt>`. All noise is Gaussian: shares are precisions by the target's. ``fit`` takes one source or a
    list of :class:`Ratings`.

    Args:
        factors: length of u and v.
        clusters: of users, and of items.
        share: of the sources' errors: one number, or one for each source.
        weight: of all squares.
        turns: of L-BFGS, at most.
        seed: of the first vectors.
    """

    def __init__(
        self, factors: int = 10, clusters: int = 8, share: float | list[float] = 1.0, weight: float = 1.0,
        turns: int = 150, seed: int = 0,
    ) -> None:  # fmt: skip
        self.factors, self.clusters, self.share = factors, clusters, share
        self.weight, self.turns, self.seed = weight, turns, seed

    def fit(self, ratings: Any, source: Any = None) -> Self:
        """Learn from the *ratings* of the domain to recommend in and those of one source or a list of several.

        Raises:
            BadInput: if there are no ratings, or one is no finite number.
            KgmmError: if there is no source, or not as many shares as sources.
        """
        if not isinstance(source, list | tuple) or not source or not all(isinstance(one, Ratings) for one in source):
            return super().fit(ratings, source)
        self._sources: Sequence[Ratings] = source
        FactorRecommender.fit(self, ratings)
        del self._sources
        return self

    def _fit(self, ratings: Ratings) -> None:
        sources = getattr(self, "_sources", None) or [self._source]
        shares = self.share if isinstance(self.share, list) else [self.share] * len(sources)
        if len(shares) != len(sources):
            raise KgmmError(f"{len(shares)} shares for {len(sources)} sources: one number, or one for each source")
        plan, sizes, users = self._plan(ratings, sources, shares)
        rng = np.random.default_rng(self.seed)
        first = {name: 0.1 * rng.normal(size=size) for name, size in sizes.items()}
        for domain in plan[1:]:
            if domain.groups:
                self._begun(first, domain, ratings)
        names, start = list(first), list(first.values())
        found, self.losses = minimized(lambda parts: self._objective(parts, names, plan), start, self.turns)
        wide = _widened(dict(zip(names, found, strict=True)), plan[0])
        U, V = (part.astype(np.float32) for part in wide)
        self._also(users[len(ratings.users) :])
        self.user_factors, self.user_bias = U[:, :-1].copy(), U[:, -1].copy()
        V = V[: len(ratings.items)]
        self.item_factors, self.item_bias = V[:, :-1].copy(), V[:, -1].copy()
        self.mean = np.array([ratings.value.mean(dtype=np.float64)], np.float32)

    def _plan(
        self, target: Ratings, sources: Sequence[Ratings], shares: Sequence[float]
    ) -> tuple[list[Domain], dict[str, tuple[int, int]], tuple[str, ...]]:
        """Which domain's vectors lie where, the sizes of the parts, and the names of the users with a row in the target's."""
        users = {name: row for row, name in enumerate(target.users)}
        items = {name: row for row, name in enumerate(target.items)}
        kinds = [
            (any(name in users for name in one.users), any(name in items for name in one.items)) for one in sources
        ]
        core = ("A", "C") if (False, False) in kinds else None
        plan = [Domain(target, 1.0, "U", "V", target.user.astype(np.int64), target.item.astype(np.int64), core)]
        sizes: dict[str, tuple[int, int]] = {"U": (0, 0), "V": (0, 0)}
        wide = self.factors + 1
        for n, (one, share, (same_users, same_items)) in enumerate(zip(sources, shares, kinds, strict=True)):
            left, right, groups = "U", "V", None
            rows: list[NDArray[np.int64]] = [one.user.astype(np.int64), one.item.astype(np.int64)]
            if same_users:
                rows[0] = np.array([users.setdefault(name, len(users)) for name in one.users])[one.user]
            else:
                left = f"U{n}"
                sizes[left] = len(one.users), wide if same_items else 1
            if same_items:
                rows[1] = np.array([items.setdefault(name, len(items)) for name in one.items])[one.item]
            else:
                right = f"V{n}"
                sizes[right] = len(one.items), wide if same_users else 1
            if not same_users and not same_items:
                groups = f"A{n}", f"C{n}"
                sizes[groups[0]], sizes[groups[1]] = ((len(one.users), self.clusters), (len(one.items), self.clusters))
            plan.append(Domain(one, share, left, right, rows[0], rows[1], groups))
        sizes |= {"U": (len(users), wide), "V": (len(items), wide)}
        if core:
            sizes |= {
                "A": (len(users), self.clusters),
                "C": (len(items), self.clusters),
                "B": (self.clusters, self.clusters),
            }
        return plan, sizes, tuple(users)

    def _begun(self, first: dict[str, Rows], domain: Domain, target: Ratings) -> None:
        """Begin the patterns at the codebook of a source, the target's memberships at those which it finds there."""
        from kgmm.recommend.recommenders.cbt import CodebookTransfer

        for rated, groups in ((domain.rated, domain.groups or ()), (target, ("A", "C"))):
            found = CodebookTransfer(self.clusters, self.clusters, seed=self.seed).fit(rated, source=domain.rated)
            whose = (found.user_factors[:, None] == found.codebook).all(2), found.item_factors
            for name, near in zip(groups, whose, strict=True):
                first[name][: len(near), : near.shape[1]] += SURE * near
            B = found.codebook.astype(np.float64)
            first["B"][: B.shape[0], : B.shape[1]] = B - B.mean(0) - B.mean(1, keepdims=True) + B.mean()

    def _objective(self, parts: list[Rows], names: list[str], plan: list[Domain]) -> tuple[float, list[Rows]]:
        state = dict(zip(names, parts, strict=True))
        weight = {name: self.weight * (LOOSE if name[0] in "ABC" else 1) for name in names}
        slope = {name: 2 * weight[name] * part for name, part in state.items()}
        loss = sum(weight[name] * float((part**2).sum()) for name, part in state.items())
        for domain in plan:
            U, V = _widened(state, domain)
            off, dU, dV = misfit(domain.rated, U, V, domain.users, domain.items)
            loss += domain.share * off
            for name, change in ((domain.left, dU), (domain.right, dV)):
                k = state[name].shape[1] - 1
                slope[name] += domain.share * np.column_stack([change[:, :k], change[:, -1]])
            if domain.groups:
                A, C = domain.groups
                P, Q, B = _softmax(state[A]), _softmax(state[C]), state["B"]
                dPB, dQ = (domain.share * change[:, -1 - self.clusters : -1] for change in (dU, dV))
                slope["B"] += P.T @ dPB
                for name, member, pull in ((A, P, dPB @ B.T), (C, Q, dQ)):
                    slope[name] += member * (pull - (pull * member).sum(1, keepdims=True))
        return loss, [slope[name] for name in names]

    per_rating = False

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        return placed(self, items, values, self.weight / max(len(items), 1))


def _widened(state: dict[str, Rows], domain: Domain) -> tuple[Rows, Rows]:
    """Vectors of users and items whose products are u·v + p B qᵀ, with the biases last."""
    U, V = state[domain.left], state[domain.right]
    if not domain.groups:
        return U, V
    P, Q = (_softmax(state[name]) for name in domain.groups)
    return np.column_stack([U[:, :-1], P @ state["B"], U[:, -1]]), np.column_stack([V[:, :-1], Q, V[:, -1]])


def _softmax(x: Rows) -> Rows:
    grown = np.exp(x - x.max(1, keepdims=True))
    shares: Rows = grown / grown.sum(1, keepdims=True)
    return shares


METHOD = CollectiveFactors
