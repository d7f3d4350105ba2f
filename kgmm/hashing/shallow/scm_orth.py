"""SCM-orth: semantic correlation maximization with orthogonal directions (Zhang & Li, AAAI 2014)."""

from typing import ClassVar, cast

import numpy as np

from kgmm.hashing.correlation import canonical, covariances, extended, product
from kgmm.hashing.features import Array, Pair
from kgmm.hashing.shallow._linear import LinearHasher
from kgmm.progress import Progress


class ScmOrth(LinearHasher):
    """Top solutions of C_xy C_yy^-1 C_xy' w = λ² C_xx w with C_xy = X'SY, S the label similarity in [-1, 1].

    S = 2 L̃L̃' - 11' with L̃ the row-normalized labels is never formed. Beyond the rank of C_xy, further bits
    are random mixtures of the directions found.
    """

    name = "scm-orth"
    supervised = True
    DEFAULTS: ClassVar = {"ridge": 1e-6}

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        found = covariances(image, text, self.options["ridge"])
        w_x, w_y, _ = canonical(found.image, found.text, semantic_covariance(image, text, labels, found.means))
        self._keep_both(found.means, extended(w_x, w_y, self.bits, self.seed))


def semantic_covariance(image: Array, text: Array, labels: Array, means: Pair) -> Array:
    """Return X'SY of centred features, shape (d_image, d_text); items without a label have S = -1 to all."""
    norm = np.maximum(np.linalg.norm(labels, axis=1, keepdims=True), 1e-12)
    unit = cast("Array", labels / norm)
    ones = np.ones((len(labels), 1))
    x_l, y_l = product(image, unit, means[0]), product(text, unit, means[1])
    x_1, y_1 = product(image, ones, means[0]), product(text, ones, means[1])
    return 2 * x_l @ y_l.T - x_1 @ y_1.T


METHOD = ScmOrth
