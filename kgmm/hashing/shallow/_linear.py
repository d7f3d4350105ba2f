"""Linear hash functions sgn((x - mean) W - threshold)."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from kgmm.hashing.base import Hasher
from kgmm.hashing.features import MODALITIES, Array, Modality


class LinearHasher(Hasher):
    """A method whose hash functions are one matrix a modality."""

    def _keep(self, modality: Modality, mean: Array, weights: Array, threshold: Array | float = 0.0) -> None:
        """Store sgn((x - mean) W - threshold) as sgn(x W - offset)."""
        self.arrays[f"{modality}.weights"] = weights
        self.arrays[f"{modality}.offset"] = mean @ weights + threshold

    def _project(self, x: NDArray[np.floating], modality: Modality) -> NDArray[np.floating]:
        weights, offset = self.arrays[f"{modality}.weights"], self.arrays[f"{modality}.offset"]
        return cast("NDArray[np.floating]", x @ weights.astype(x.dtype) - offset.astype(x.dtype))

    def _keep_both(self, means: tuple[Array, Array], weights: tuple[Array, Array]) -> None:
        for kind, mean, matrix in zip(MODALITIES, means, weights, strict=True):
            self._keep(kind, mean, matrix)
