"""CCA with iterative quantization: the unsupervised yardstick of the deep methods (Gong et al., TPAMI 2013)."""

from __future__ import annotations

from typing import ClassVar

from kgmm.hashing.base import pack
from kgmm.hashing.correlation import canonical, mean, product, projected, ridged
from kgmm.hashing.features import Array
from kgmm.hashing.shallow._linear import LinearHasher
from kgmm.hashing.shallow._rotation import quantizing_rotation
from kgmm.progress import Progress


class CcaItq(LinearHasher):
    """Canonical directions of both views, then one rotation that brings their sum closest to ±1.

    Options:
        ridge: added to both covariances, relative to their mean variance.
    """

    name = "cca-itq"
    has_unified = True
    DEFAULTS: ClassVar = {"ridge": 1e-4}

    def _fit(self, image: Array, text: Array, labels: Array | None, progress: Progress) -> None:
        means = mean(image), mean(text)
        cxx = ridged(product(image, image, means[0], means[0]), self.options["ridge"])
        cyy = ridged(product(text, text, means[1], means[1]), self.options["ridge"])
        w_x, w_y, _ = canonical(cxx, cyy, product(image, text, *means))
        w_x, w_y = w_x[:, : self.bits] * len(image) ** 0.5, w_y[:, : self.bits] * len(image) ** 0.5
        z = (projected(image, means[0], w_x) + projected(text, means[1], w_y)) / 2
        r, b, losses = quantizing_rotation(z, self.bits, self.seed, progress=progress)
        self.fitted["objective"] = losses
        self._keep_both(means, (w_x @ r, w_y @ r))
        self.arrays["unified"] = pack(b)


METHOD = CcaItq
