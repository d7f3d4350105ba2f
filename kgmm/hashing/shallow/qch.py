"""QCH: quantized correlation hashing, in the spirit of Wu et al. (IJCAI 2015)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from kgmm.hashing.base import pack
from kgmm.hashing.correlation import canonical, mean, product, projected, ridged
from kgmm.hashing.features import Array
from kgmm.hashing.shallow._linear import LinearHasher
from kgmm.hashing.shallow._rotation import quantizing_rotation
from kgmm.hashing.shallow.scm_orth import semantic_covariance
from kgmm.progress import Progress


class QCH(LinearHasher):
    """Correlation between the views and quantization of both, jointly.

    Minimizes ‖B - (XW_x + YW_y)R‖² - λ tr W_x'X'(I + μS)YW_y over codes B, rotation R and directions W: the
    paper's exact weights are not public, so W are canonical directions scaled by their correlation to the
    power *power* (what is uncorrelated should not cost bits), and B and R alternate as in iterative
    quantization. With labels, S is their similarity in [-1, 1]; without, only the pairing counts.

    Options:
        ridge: added to both covariances, relative to their mean variance.
        power: of the correlations that scale the directions.
        semantic: share μ of label similarity in the correlation, from 0 to 1; used if labels are given.
    """

    name = "qch"
    has_unified = True
    DEFAULTS: ClassVar = {"ridge": 1e-4, "power": 1.0, "semantic": 1.0}

    def _fit(self, image: Array, text: Array, labels: Array | None, progress: Progress) -> None:
        means = mean(image), mean(text)
        cxx = ridged(product(image, image, means[0], means[0]), self.options["ridge"])
        cyy = ridged(product(text, text, means[1], means[1]), self.options["ridge"])
        cxy = product(image, text, *means)
        share = self.options["semantic"]
        if labels is not None and share:
            semantic = semantic_covariance(image, text, labels, means)
            scale = np.linalg.norm(cxy) / max(float(np.linalg.norm(semantic)), 1e-300)
            cxy = (1 - share) * cxy + share * scale * semantic
        w_x, w_y, correlation = canonical(cxx, cyy, cxy)
        size = (correlation[: self.bits] / correlation[0]) ** self.options["power"] * len(image) ** 0.5
        w_x, w_y = w_x[:, : self.bits] * size, w_y[:, : self.bits] * size
        z = (projected(image, means[0], w_x) + projected(text, means[1], w_y)) / 2
        r, b, losses = quantizing_rotation(z, self.bits, self.seed, progress=progress)
        self.fitted["objective"] = losses
        self._keep_both(means, (w_x @ r, w_y @ r))
        self.arrays["unified"] = pack(b)


METHOD = QCH
