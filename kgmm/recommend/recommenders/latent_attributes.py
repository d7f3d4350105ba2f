"""Latent attributes shared by two domains, by sparse coding (Yan et al. 2014; survey Eq. 37)."""

import numpy as np

from kgmm.recommend.base import Rows
from kgmm.recommend.cross import MappedRecommender, Mapping


class LatentAttributes(MappedRecommender):
    """min ‖[U¹; U²] - [D¹; D²] S‖²_F + sparsity ‖S‖₁, every column of D¹ and of D² within the unit ball, over the users of both.

    A user of the source only has s = argmin ‖u¹ - D¹ s‖² + sparsity ‖s‖₁ and the vector D² s. Blocks fall in turn: codes by
    proximal gradients, columns one after another by their closed form, held in the ball of their own block.

    Args:
        attributes: how many columns.
        sparsity: of the codes.
        turns: of both blocks.
    """

    def __init__(
        self, factors: int = 20, epochs: int = 50, rate: float = 0.01, weight: float = 0.05, attributes: int = 40,
        sparsity: float = 0.05, turns: int = 30, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(factors, epochs, rate, weight, seed)
        self.attributes, self.sparsity, self.turns = attributes, sparsity, turns

    def _mapping(self, source: Rows, target: Rows) -> Mapping:
        blocks = [source.T, target.T]
        scales = [max(float(np.sqrt((block**2).sum(0).mean())), 1e-9) for block in blocks]
        blocks = [block / scale for block, scale in zip(blocks, scales, strict=True)]
        D, _, self.losses = attributes(blocks, self.attributes, self.sparsity, self.turns, self.seed)

        def mapped(vectors: Rows) -> Rows:
            codes = sparse_codes(D[0], vectors.T / scales[0], self.sparsity)
            return (D[1] @ codes).T * scales[1]

        return mapped


def attributes(
    blocks: list[Rows], count: int, sparsity: float, turns: int, seed: int = 0
) -> tuple[list[Rows], Rows, list[float]]:
    """Return the dictionaries (rows of a block, count), the codes (count, n), and the objective after every turn."""
    rng = np.random.default_rng(seed)
    D = [rng.normal(size=(len(block), count)) for block in blocks]
    D = [d / np.maximum(np.linalg.norm(d, axis=0), 1) for d in D]
    S = np.zeros((count, blocks[0].shape[1]))
    losses = []
    for _ in range(turns):
        S = sparse_codes(np.vstack(D), np.vstack(blocks), sparsity, S)
        gram, lengths = S @ S.T, (S**2).sum(1)
        for d, block in zip(D, blocks, strict=True):
            cross = block @ S.T
            for j in np.flatnonzero(lengths > 1e-12):
                column = d[:, j] + (cross[:, j] - d @ gram[:, j]) / lengths[j]
                d[:, j] = column / max(1.0, float(np.linalg.norm(column)))
        losses.append(
            sum(((b - d @ S) ** 2).sum() for d, b in zip(D, blocks, strict=True)) + sparsity * np.abs(S).sum()
        )
    return D, S, losses


def sparse_codes(D: Rows, X: Rows, sparsity: float, start: Rows | None = None, steps: int = 200) -> Rows:
    """Return argmin over S of ‖X - D S‖²_F + sparsity ‖S‖₁, by proximal gradients from *start*; the objective never rises.

    Example:
        >>> sparse_codes(np.eye(2), np.array([[1.0], [0.01]]), 0.1).round(3).ravel().tolist()
        [0.95, 0.0]
    """
    S = np.zeros((D.shape[1], X.shape[1])) if start is None else start
    gram, cross = D.T @ D, D.T @ X
    step = 1 / max(2 * float(np.linalg.eigvalsh(gram)[-1]), 1e-12)
    for _ in range(steps):
        new = S - step * 2 * (gram @ S - cross)
        new = np.sign(new) * np.maximum(np.abs(new) - step * sparsity, 0)
        moved = np.abs(new - S).max() if new.size else 0.0
        S = new
        if moved < 1e-7:
            break
    return S


METHOD = LatentAttributes
