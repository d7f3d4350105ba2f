"""Deep domain confusion (Tzeng et al., 2014): the hidden layers' squared MMD under one kernel."""

from collections.abc import Sequence

from torch import Tensor

from kgmm.transfer.network import AdaptedNetwork
from kgmm.transfer.widths import layers_mmd


class DDC(AdaptedNetwork):
    """Bring the means of both domains' hidden layers together.

    Example:
        >>> DDC().weight
        0.25
    """

    def __init__(
        self,
        weight: float = 0.25,
        width: int = 256,
        epochs: int = 30,
        seed: int = 0,
        picture_shape: Sequence[int] | None = None,
        device: str = "cpu",
    ) -> None:
        super().__init__(weight, width, epochs, seed, picture_shape, device)

    def distance(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """Return the squared MMD of the hidden layers, one Gaussian kernel."""
        return layers_mmd(source[0], target[0], (1.0,))


METHOD = DDC
