"""XPTrans: users of two platforms whose likeness is the same on both (Jiang et al., 2016; survey Eq. 39, corrected)."""

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.adding import item_placed
from kgmm.recommend.base import Rows
from kgmm.recommend.cross import Both, CrossRecommender
from kgmm.recommend.factors import placed
from kgmm.recommend.joint import summed
from kgmm.recommend.ratings import Ratings


class LikenessTransfer(CrossRecommender):
    """min over U, V ≥ 0 of Σ_m share_m ‖W_m ∘ (R_m - U_m V_m)‖² + tie Σ_{ij} [(U₁U₁ᵀ)_ij - (U₂U₂ᵀ)_ij]², ij users of both.

    Likenesses between users are held alike, not their vectors: both domains may have other numbers of factors. The printed
    equation's sum over all pairs is this one wherever an overlap is certain. Users of the source only are placed in the target by
    their likenesses. Gradients are projected on what is not negative,
    with steps that halve until the objective falls.

    Args:
        factors: of the target.
        source_factors: of the source.
        share: of the source's errors; the target's have 1.
        tie: of the likenesses, over the number of pairs.
        weight: of the squares of all vectors.
        turns: steps.
        seed: of the first vectors.
    """

    def __init__(
        self, factors: int = 10, source_factors: int = 10, share: float = 1.0, tie: float = 1.0, weight: float = 0.02,
        turns: int = 200, seed: int = 0,
    ) -> None:  # fmt: skip
        self.factors, self.source_factors, self.share, self.tie = factors, source_factors, share, tie
        self.weight, self.turns, self.seed = weight, turns, seed

    def _fit(self, ratings: Ratings) -> None:
        both = self._all_of_source(ratings, 2)  # those of the source only are placed by their likenesses alone
        users = len(self.users)
        rng = np.random.default_rng(self.seed)
        domains = [(ratings, self.factors, 1.0), (self._source, self.source_factors, self.share)]
        state: list[Rows] = []
        for rated, factors, _ in domains:
            level = np.sqrt(max(float(rated.value.mean()), 1e-3) / factors)
            for count in (len(rated.users) if state else users, len(rated.items)):
                state.append(level * rng.uniform(0.8, 1.2, (count, factors)))
        self.losses = [self._objective(state, domains, both)[0]]
        step = 1e-3
        for _ in range(self.turns):
            loss, slopes = self._objective(state, domains, both)
            while step > 1e-12:
                new = [np.maximum(part - step * slope, 0) for part, slope in zip(state, slopes, strict=True)]
                reached = self._objective(new, domains, both)[0]
                if reached < loss:
                    break
                step /= 2
            if step <= 1e-12 or loss - reached < 1e-9 * loss:
                break
            state, step = new, step * 1.5
            self.losses.append(reached)
        self.user_factors, self.item_factors = state[0].astype(np.float32), state[1].astype(np.float32)
        self.user_bias, self.item_bias = (np.zeros(users, np.float32), np.zeros(len(ratings.items), np.float32))
        self.mean = np.zeros(1, np.float32)

    def _objective(
        self, state: list[Rows], domains: list[tuple[Ratings, int, float]], both: Both
    ) -> tuple[float, list[Rows]]:
        loss, slopes = 0.0, []
        for n, (rated, _, share) in enumerate(domains):
            U, V = state[2 * n], state[2 * n + 1]
            off = np.einsum("rk,rk->r", U[rated.user], V[rated.item]) - rated.value
            loss += share * float(off @ off) + self.weight * float((U**2).sum() + (V**2).sum())
            slopes.append(2 * share * summed(rated.user, off[:, None] * V[rated.item], len(U)) + 2 * self.weight * U)
            slopes.append(2 * share * summed(rated.item, off[:, None] * U[rated.user], len(V)) + 2 * self.weight * V)
        U1, U2 = state[0][both.target], state[2][both.source]
        tie = self.tie / len(U1)
        # ‖AAᵀ - BBᵀ‖² = ‖AᵀA‖² + ‖BᵀB‖² - 2 ‖AᵀB‖²: of the size of the factors, not of the pairs
        a, b, ab = U1.T @ U1, U2.T @ U2, U1.T @ U2
        loss += tie * float((a**2).sum() + (b**2).sum() - 2 * (ab**2).sum())
        slopes[0][both.target] += 4 * tie * (U1 @ a - U2 @ ab.T)
        slopes[2][both.source] += 4 * tie * (U2 @ b - U1 @ ab)
        return loss, slopes

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        vector, _ = placed(self, items, values, self.weight)
        return vector, 0.0

    def _item_placed(self, users: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        return item_placed(self, users, values, self.weight, biased=False)


METHOD = LikenessTransfer
