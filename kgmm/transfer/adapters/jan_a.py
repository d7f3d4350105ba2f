"""Joint adaptation networks, adversarial (Long et al., ICML 2017): maps inside the kernels that tell domains apart best."""

import torch
from torch import Tensor, nn

from kgmm.transfer.adapters.dann import reversed_gradient
from kgmm.transfer.adapters.jan import joint
from kgmm.transfer.network import AdaptedNetwork


class JANA(AdaptedNetwork):
    """JAN whose layers pass a linear map each, the identity at first, trained to keep the domains apart."""

    def extra(self, width: int, classes: int) -> nn.Module:
        """Return the two maps, identities."""
        maps = nn.ModuleList([nn.Linear(size, size, bias=False) for size in (width, classes)])
        for layer in maps:
            assert isinstance(layer, nn.Linear)
            nn.init.eye_(layer.weight)
        return maps

    def distance(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """Return the squared joint MMD, which the maps increase and all else decreases."""
        assert isinstance(self.extra_, nn.ModuleList)
        layers = [torch.cat([a, b]) for a, b in zip(source, target, strict=True)]
        hidden, classes = layers[0], layers[1].softmax(1)
        # reversed before and after the map: only the map's own gradient changes sign
        mapped = [
            reversed_gradient(m(reversed_gradient(x, 1.0)), 1.0)
            for m, x in zip(self.extra_, (hidden, classes), strict=True)
        ]
        return joint(mapped[0], mapped[1], len(source[0]))


METHOD = JANA
