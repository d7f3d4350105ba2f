"""Joint adaptation networks (Long et al., ICML 2017): the MMD of hidden layer and classes together."""

import torch
from torch import Tensor

from kgmm.transfer.discrepancy import WIDTHS, mmd_of
from kgmm.transfer.network import AdaptedNetwork
from kgmm.transfer.widths import layer_kernel

CLASSES = 0.92**2  #: squared width of the kernel on the classes' probabilities


class JAN(AdaptedNetwork):
    """Bring the joint law of hidden layer and classes together: the product of a kernel on each."""

    def distance(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """Return the squared joint MMD."""
        return joint(torch.cat([source[0], target[0]]), torch.cat([source[1], target[1]]).softmax(1), len(source[0]))


def joint(hidden: Tensor, classes: Tensor, count: int) -> Tensor:
    """Return the squared joint MMD of the first *count* rows and the rest."""
    return mmd_of(layer_kernel(hidden, WIDTHS) * layer_kernel(classes, (1.0,), CLASSES), count)


METHOD = JAN
