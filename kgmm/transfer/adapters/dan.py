r"""Deep adaptation networks (Long et al., ICML 2015): multi-kernel MMD of several layers.

$\min \frac 1 n \sum J(\theta(x_i), y_i) + \lambda \sum_\ell d_k^2(D_s^\ell, D_t^\ell)$, k a mean of Gaussian kernels.
"""

from torch import Tensor

from kgmm.transfer.discrepancy import WIDTHS
from kgmm.transfer.network import AdaptedNetwork
from kgmm.transfer.widths import layers_mmd


class DAN(AdaptedNetwork):
    """Bring both domains together in the hidden layer and in the classes' probabilities, each under five kernels."""

    def distance(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """Return the sum of both layers' squared MMD."""
        hidden = layers_mmd(source[0], target[0], WIDTHS)
        return hidden + layers_mmd(source[1].softmax(1), target[1].softmax(1), WIDTHS)


METHOD = DAN
