"""SCM-seq: semantic correlation maximization, one bit after the other (Zhang & Li, AAAI 2014)."""

from typing import ClassVar

import numpy as np
import scipy.linalg

from kgmm.hashing.correlation import covariances, extended, inverse_root
from kgmm.hashing.features import Array, batches
from kgmm.hashing.shallow._linear import LinearHasher
from kgmm.hashing.shallow.scm_orth import semantic_covariance
from kgmm.progress import Progress


class ScmSeq(LinearHasher):
    """Greedy minimization of ‖sgn(XW_x) sgn(YW_y)' - cS‖², S the label similarity in [-1, 1].

    C¹ = c X'SY; bit t takes the top direction of C^t under unit variance, and what its signs explain is taken
    off: C^(t+1) = C^t - X' sgn(Xw_x) sgn(Yw_y)' Y. If the top value rises, the residual says nothing more and
    the other bits are canonical directions. Any number of bits.
    """

    name = "scm-seq"
    supervised = True
    DEFAULTS: ClassVar = {"ridge": 1e-6}

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        found = covariances(image, text, self.options["ridge"])
        means = found.means
        root_x, root_y = inverse_root(found.image), inverse_root(found.text)
        residual = self.bits * semantic_covariance(image, text, labels, means)
        directions: list[tuple[Array, Array]] = []
        last = np.inf
        for bit in range(self.bits):
            u, s, vt = scipy.linalg.svd(root_x @ residual @ root_y)
            if s[0] > last * (1 + 1e-9):
                break
            last = s[0]
            w_x, w_y = root_x @ u[:, 0], root_y @ vt[0]
            directions.append((w_x, w_y))
            residual -= np.outer(signed_sum(image, means[0], w_x), signed_sum(text, means[1], w_y))
            progress(bit + 1, self.bits, "bits")
        w = tuple(np.stack(side, 1) for side in zip(*directions, strict=True))
        if len(directions) < self.bits:
            c_x, c_y, _ = found.directions()
            rest = extended(c_x, c_y, self.bits - len(directions), self.seed)
            w = tuple(np.hstack(pair) for pair in zip(w, rest, strict=True))
        self._keep_both(means, (w[0], w[1]))


def signed_sum(x: Array, center: Array, w: Array) -> Array:
    """Return X' sgn(X w) of centred features, shape (d,)."""
    total = np.zeros(x.shape[1])
    for part in batches(x, center):
        total += np.where(part @ w >= 0, 1.0, -1.0) @ part
    return total


METHOD = ScmSeq
