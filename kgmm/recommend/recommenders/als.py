"""Alternating least squares, of ratings or of choices with confidence (Hu, Koren, Volinsky, ICDM 2008; Zhou et al., AAIM 2008)."""

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.recommend.base import FactorRecommender, Rows
from kgmm.recommend.kernels import solve_rows, step_rows
from kgmm.recommend.ratings import Ratings


class AlternatingLeastSquares(FactorRecommender):
    """Minimizes Σ c (p - u·v)² + weight (|U|² + |V|²), each side in turn by its closed form.

    With *implicit*, p = 1 where there is a rating and 0 elsewhere, c = 1 + alpha r; else the sum is over the ratings, p = r, c = 1.

    Args:
        factors: length of the vectors.
        epochs: turns of both sides.
        weight: of the squares; with *by_count* times the number of a row's ratings, as Spark's MLlib has it.
        alpha: what a rating's value adds to the confidence.
        implicit: choices, not ratings.
        by_count: see *weight*.
        seed: of the first vectors, normal with deviation .1.
        gradients: conjugate gradient steps of a row in each turn, from where it was; 0 solves it.
        backend: ``local``, or ``spark`` for MLlib's (:mod:`kgmm.recommend.spark`); new users are placed here either way.
    """

    learned = (*FactorRecommender.learned, "gram")

    def __init__(
        self, factors: int = 20, epochs: int = 15, weight: float = 0.1, alpha: float = 10.0, implicit: bool = True,
        by_count: bool = True, seed: int = 0, backend: str = "local", gradients: int = 0,
    ) -> None:  # fmt: skip
        if backend not in ("local", "spark"):
            raise KgmmError(f"ALS runs on local or spark, not {backend!r}")
        self.factors, self.epochs, self.weight, self.alpha, self.implicit = factors, epochs, weight, alpha, implicit
        if gradients < 0:
            raise KgmmError(f"gradients = {gradients}: steps are counted from 0, which solves rows exactly")
        self.by_count, self.seed, self.backend, self.gradients = by_count, seed, backend, gradients

    @property
    def rates(self) -> bool:  # type: ignore[override]
        """Whether scores are predicted ratings."""
        return not self.implicit

    def _fit(self, ratings: Ratings) -> None:
        if self.backend == "spark":
            from kgmm.recommend.spark import local_factors

            U, V = local_factors(ratings, self)
        else:
            U, V = self._turns(ratings)
        self.user_factors, self.item_factors = U, V
        self.user_bias, self.item_bias = np.zeros(len(U), np.float32), np.zeros(len(V), np.float32)
        self.mean, self.gram = np.zeros(1, np.float32), V.T @ V

    def _turns(self, ratings: Ratings) -> tuple[Rows, Rows]:
        rng = np.random.default_rng(self.seed)
        U, V = (
            rng.normal(0, 0.1, (len(names), self.factors)).astype(np.float32)
            for names in (ratings.users, ratings.items)
        )
        for _ in range(self.epochs):
            self._side(ratings.by_user, V, U)
            self._side(ratings.by_item, U, V)
        return U, V

    def _side(self, rows: tuple[NDArray[np.int64], NDArray[np.int32], Rows], other: Rows, out: Rows) -> None:
        starts, others, values = rows
        base, weights, targets = self._parts(values, other.T @ other)
        told = starts, others, weights, targets, other, base, np.float32(self.weight), self.by_count, out
        if self.gradients:
            step_rows(*told, self.gradients)
        else:
            solve_rows(*told)

    def _parts(self, values: Rows, gram: Rows) -> tuple[Rows, Rows, Rows]:
        """The part of a row's matrix that all rows share, what each rating adds to it, and what it draws towards."""
        if not self.implicit:
            return np.zeros_like(gram), np.ones_like(values), values
        if (values < 0).any():
            raise KgmmError(
                f"the rating {values.min():g} is below 0 and no confidence in a choice; implicit=False fits ratings"
            )
        more = np.float32(self.alpha) * values
        # Σ over all items of v vᵀ is shared; a rating adds (c - 1) v vᵀ and c p v
        return gram, more, (1 + more) / np.where(more == 0, 1, more)

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        return self._closed(items, values, self.item_factors, self.gram), 0.0

    def _item_placed(self, users: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        return self._closed(users, values, self.user_factors, self.user_factors.T @ self.user_factors), 0.0

    def _closed(self, rows: NDArray[np.int32], values: Rows, other: Rows, gram: Rows) -> Rows:
        out = np.zeros((1, self.factors), np.float32)
        base, weights, targets = self._parts(values, gram)
        starts = np.array([0, len(rows)], np.int64)
        solve_rows(starts, rows, weights, targets, other, base, np.float32(self.weight), self.by_count, out)
        one: Rows = out[0]
        return one

    def _appended(self, vectors: Rows, biases: Rows) -> None:
        super()._appended(vectors, biases)
        self.gram = self.item_factors.T @ self.item_factors


METHOD = AlternatingLeastSquares
