"""Linear hash functions sgn((x - mean) W - threshold), and ITQ's rotation of W (Gong & Lazebnik, CVPR 2011)."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from kgmm.hashing.base import Hasher, pack
from kgmm.hashing.correlation import projected
from kgmm.hashing.features import MODALITIES, Array, Modality, Pair
from kgmm.progress import Progress, silent

SWEEPS = 50  #: of the rotation at most; fewer once the loss stands still


class LinearHasher(Hasher):
    """A method of one matrix a modality; ``ridge``, an option of some, is relative to a covariance's mean variance."""

    def _keep(self, modality: Modality, mean: Array, weights: Array, threshold: Array | float = 0.0) -> None:
        """Store sgn((x - mean) W - threshold) as sgn(x W - offset)."""
        self.arrays[f"{modality}.weights"] = weights
        self.arrays[f"{modality}.offset"] = mean @ weights + threshold

    def _project(self, x: NDArray[np.floating], modality: Modality) -> NDArray[np.floating]:
        weights, offset = self.arrays[f"{modality}.weights"], self.arrays[f"{modality}.offset"]
        return x @ weights.astype(x.dtype) - offset.astype(x.dtype)

    def _keep_both(self, means: Pair, weights: Sequence[Array]) -> None:
        for kind, mean, matrix in zip(MODALITIES, means, weights, strict=True):
            self._keep(kind, mean, matrix)


class RotatedHasher(LinearHasher):
    """A method that finds directions of both views, then one rotation that brings their mean closest to ±1.

    Subclasses give ``_directions``. The joint code of a pair is that of the mean.
    """

    has_unified = True

    def _directions(self, image: Array, text: Array, labels: Array) -> tuple[Pair, Array, Array]:
        """Return the column means of both views and their directions, the first bits of which are used."""
        raise NotImplementedError

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        means, w_x, w_y = self._directions(image, text, labels)
        w_x, w_y = w_x[:, : self.bits], w_y[:, : self.bits]
        z = (projected(image, means[0], w_x) + projected(text, means[1], w_y)) / 2
        r, b, losses = quantizing_rotation(z, self.bits, self.seed, progress=progress)
        self.fitted["objective"] = losses
        self._keep_both(means, (w_x @ r, w_y @ r))
        self.arrays["unified"] = pack(b)


def quantizing_rotation(
    z: Array, bits: int, seed: int, *, progress: Progress = silent
) -> tuple[Array, Array, list[float]]:
    """Return R, shape (d, bits), B = sgn(zR) and the loss ‖B - zR‖² after each sweep, the last that of R and B.

    With bits >= d the rows of R are orthonormal (a tight frame), otherwise its columns are. Each sweep sets
    B = sgn(zR), then R to the Procrustes solution, so with orthonormal rows the loss cannot rise.
    """
    rng = np.random.default_rng(seed)
    wide = max(z.shape[1], bits)
    r = cast("Array", scipy.linalg.qr(rng.normal(size=(wide, wide)))[0][: z.shape[1], :bits])
    losses: list[float] = []
    for sweep in range(SWEEPS):
        b = np.where(z @ r >= 0, 1.0, -1.0)
        u, _, vt = scipy.linalg.svd(z.T @ b, full_matrices=False)
        r = u @ vt
        losses.append(float(((b - z @ r) ** 2).sum()))
        progress(sweep + 1, SWEEPS, "rotation")
        if len(losses) > 1 and losses[-2] - losses[-1] < 1e-7 * losses[-1]:
            break
    b = np.where(z @ r >= 0, 1.0, -1.0)
    return r, b, [*losses, float(((b - z @ r) ** 2).sum())]
