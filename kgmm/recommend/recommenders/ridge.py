"""Ridge transfer: one matrix from the source's user vectors to the target's (survey Eq. 36)."""

from kgmm.recommend.base import Rows
from kgmm.recommend.cross import MappedRecommender, Mapping, ridge_map


class RidgeTransfer(MappedRecommender):
    """min_W ‖U² - W U¹‖²_F + shrink ‖W‖²_F over the users of both: W = U² U¹ᵀ (U¹ U¹ᵀ + shrink I)⁻¹; users are columns.

    Args:
        shrink: of the matrix.
    """

    def __init__(
        self,
        factors: int = 20,
        epochs: int = 50,
        rate: float = 0.01,
        weight: float = 0.05,
        shrink: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__(factors, epochs, rate, weight, seed)
        self.shrink = shrink

    def _mapping(self, source: Rows, target: Rows) -> Mapping:
        return ridge_map(source, target, self.shrink)


METHOD = RidgeTransfer
