"""QCH: quantized correlation hashing, in the spirit of Wu et al. (IJCAI 2015)."""

from typing import ClassVar

import numpy as np

from kgmm.hashing.correlation import canonical, covariances
from kgmm.hashing.features import Array, Pair
from kgmm.hashing.shallow._linear import RotatedHasher
from kgmm.hashing.shallow.scm_orth import semantic_covariance


class QCH(RotatedHasher):
    """Correlation between the views and quantization of both, jointly.

    Minimizes ‖B - (XW_x + YW_y)R‖² - λ tr W_x'X'(I + μS)YW_y over codes B, rotation R and directions W: the
    paper's exact weights are not public, so W are canonical directions scaled by their correlation to the
    power *power* (what is uncorrelated should not cost bits), and B and R alternate as in iterative
    quantization. With labels, S is their similarity in [-1, 1]; without, only the pairing counts.

    Options:
        power: of the correlations that scale the directions.
        semantic: share μ of label similarity in the correlation, from 0 to 1; used if labels are given.
    """

    name = "qch"
    DEFAULTS: ClassVar = {"ridge": 1e-4, "power": 1.0, "semantic": 1.0}

    def _directions(self, image: Array, text: Array, labels: Array) -> tuple[Pair, Array, Array]:
        found = covariances(image, text, self.options["ridge"])
        cross, share = found.cross, self.options["semantic"]
        if labels.shape[1] and share:
            semantic = semantic_covariance(image, text, labels, found.means)
            scale = np.linalg.norm(cross) / max(float(np.linalg.norm(semantic)), 1e-300)
            cross = (1 - share) * cross + share * scale * semantic
        w_x, w_y, correlation = canonical(found.image, found.text, cross)
        size = (correlation / correlation[0]) ** self.options["power"] * len(image) ** 0.5
        return found.means, w_x * size, w_y * size


METHOD = QCH
