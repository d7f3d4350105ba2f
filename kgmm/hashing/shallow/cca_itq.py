"""CCA with iterative quantization: the unsupervised yardstick of the deep methods (Gong et al., TPAMI 2013)."""

from typing import ClassVar

from kgmm.hashing.correlation import covariances
from kgmm.hashing.features import Array, Pair
from kgmm.hashing.shallow._linear import RotatedHasher


class CcaItq(RotatedHasher):
    """Canonical directions of both views, then one rotation that brings their sum closest to ±1."""

    name = "cca-itq"
    DEFAULTS: ClassVar = {"ridge": 1e-4}

    def _directions(self, image: Array, text: Array, labels: Array) -> tuple[Pair, Array, Array]:
        found = covariances(image, text, self.options["ridge"])
        w_x, w_y, _ = found.directions()
        return found.means, w_x * len(image) ** 0.5, w_y * len(image) ** 0.5


METHOD = CcaItq
