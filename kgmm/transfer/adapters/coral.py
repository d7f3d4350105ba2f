r"""Correlation alignment (Sun, Feng, Saenko, AAAI 2016): the source takes on the target's covariance.

$X_s (C_s + I)^{-1/2} (C_t + I)^{1/2}$, a closed form; the simplest adapter.
"""

import numpy as np

from kgmm.transfer.adapters._linear import Linear
from kgmm.transfer.base import Floats


class CORAL(Linear):
    """Whiten the source, and colour it as the target is; the target's rows stay as they are."""

    def made(self, source: Floats, target: Floats) -> Floats:
        """Return the source with the covariance of the target."""
        whiten, colour = _power(_covariance(source), -0.5), _power(_covariance(target), 0.5)
        return np.asarray((source - source.mean(axis=0)) @ whiten @ colour + target.mean(axis=0))


def _covariance(rows: Floats) -> Floats:
    centred = rows - rows.mean(axis=0)
    return np.asarray(centred.T @ centred / max(len(rows) - 1, 1) + np.eye(rows.shape[1]))


def _power(matrix: Floats, exponent: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**exponent) @ vectors.T)


METHOD = CORAL
