"""Iterative quantization: the rotation that brings projections closest to ±1 (Gong & Lazebnik, CVPR 2011)."""

from __future__ import annotations

from typing import cast

import numpy as np
import scipy.linalg

from kgmm.hashing.features import Array
from kgmm.progress import Progress, silent


def quantizing_rotation(
    z: Array, bits: int, seed: int, sweeps: int = 50, *, progress: Progress = silent
) -> tuple[Array, Array, list[float]]:
    """Return R, shape (d, bits), B = sgn(zR) and the loss ‖B - zR‖² after each sweep, the last that of R and B.

    With bits >= d the rows of R are orthonormal (a tight frame), otherwise its columns are. Each sweep sets
    B = sgn(zR), then R to the Procrustes solution, so with orthonormal rows the loss cannot rise.
    """
    rng = np.random.default_rng(seed)
    wide = max(z.shape[1], bits)
    r = cast("Array", scipy.linalg.qr(rng.normal(size=(wide, wide)))[0][: z.shape[1], :bits])
    losses: list[float] = []
    for sweep in range(sweeps):
        b = np.where(z @ r >= 0, 1.0, -1.0)
        u, _, vt = scipy.linalg.svd(z.T @ b, full_matrices=False)
        r = u @ vt
        losses.append(float(((b - z @ r) ** 2).sum()))
        progress(sweep + 1, sweeps, "rotation")
        if len(losses) > 1 and losses[-2] - losses[-1] < 1e-7 * losses[-1]:
            break
    b = np.where(z @ r >= 0, 1.0, -1.0)
    return r, b, [*losses, float(((b - z @ r) ** 2).sum())]
