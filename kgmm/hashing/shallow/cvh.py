"""CVH: cross-view hashing; with one-to-one pairs it is canonical correlation analysis (Kumar & Udupa, IJCAI 2011)."""

from typing import ClassVar

from kgmm.hashing.correlation import covariances, extended
from kgmm.hashing.features import Array
from kgmm.hashing.shallow._linear import LinearHasher
from kgmm.progress import Progress


class CVH(LinearHasher):
    """Cross-view hashing with W = I and two views.

    Minimizes tr A_x'XX'A_x + tr A_y'YY'A_y - 2 tr A_x'XY'A_y subject to A_x'XX'A_x + A_y'YY'A_y = I, whose
    solutions are the canonical directions, scaled by 1/√2; codes are signs on centred data.
    Beyond min(d_x, d_y) bits, further bits are random mixtures of those directions.
    """

    name = "cvh"
    DEFAULTS: ClassVar = {"ridge": 1e-4}

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        found = covariances(image, text, self.options["ridge"])
        w_x, w_y, _ = found.directions()
        w_x, w_y = extended(w_x, w_y, self.bits, self.seed)
        self._keep_both(found.means, (w_x / 2**0.5, w_y / 2**0.5))


METHOD = CVH
