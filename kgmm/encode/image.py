"""Image encoders: pictures and regions of pictures to unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kgmm.errors import KgmmError
from kgmm.scene import Box
from kgmm.scene.images import Picture, read_image

if TYPE_CHECKING:
    import torch

    from kgmm.scene.images import ImageLike


POINTS = 4  #: features of a box are sampled at as many points in each direction, bilinearly, and averaged


@runtime_checkable
class ImageEncoder(Protocol):
    """What turns pictures into vectors; ``checksum`` names the weights."""

    name: str
    dim: int
    checksum: str

    def encode_images(self, images: Sequence[ImageLike]) -> NDArray[np.float32]:
        """Return one L2-normalized row a picture, shape (len(images), dim), float32."""
        ...


@cache
def image_encoder(name: str = "efficientnet") -> ImageEncoder:
    """Return an image encoder, loaded once in a process.

    Args:
        name: ``efficientnet`` (penultimate layer of the default perceiver's network, 1280-d), or a folder or hub
            name of a joint image-text model (CLIP, SigLIP), whose texts and pictures share one space.

    Raises:
        KgmmError: if there is no such model.

    Example:
        >>> encoder = image_encoder()
        >>> encoder.encode_images([np.zeros((32, 32, 3), np.uint8)]).shape
        (1, 1280)
    """
    if name == "efficientnet":
        return RegionEncoder()
    from kgmm.encode.joint import JointEncoder

    return JointEncoder(name)


class RegionEncoder:
    """Pooled features of EfficientNet-Lite0's last convolution, of whole pictures and of boxes in them."""

    def __init__(self) -> None:
        from kgmm.encode.efficientnet import efficientnet

        self._network = efficientnet()
        self.name: str = "efficientnet"
        self.dim: int = self._network.dim
        self.checksum: str = self._network.checksum

    def encode_images(self, images: Sequence[ImageLike]) -> NDArray[np.float32]:
        """Return one unit vector per picture, shape (len(images), 1280), read as many at a time as run together."""
        from kgmm.encode.efficientnet import BATCH, SIDE

        out = np.zeros((len(images), self.dim), np.float32)
        for start in range(0, len(images), BATCH):
            crops = [resized(read_image(i, max_side=640), SIDE) for i in images[start : start + BATCH]]
            out[start : start + len(crops)] = _unit(self._network.maps(np.stack(crops)).mean((2, 3)))
        return out

    def encode_regions(self, image: ImageLike, boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Return one unit vector a box of a picture, from one pass over it (RoIAlign; He et al., ICCV 2017).

        Boxes are (x, y, width, height) in pixels of the upright picture; the result has shape (len(boxes), 1280).

        Raises:
            KgmmError: if a box is empty or lies outside the picture.
        """
        import torch
        import torch.nn.functional as F

        from kgmm.encode.efficientnet import SIDE

        picture = read_image(image, max_side=640)
        points = [_sample_points(box, picture.width, picture.height, POINTS) for box in boxes]
        if not points:
            return np.zeros((0, self.dim), np.float32)
        maps = self._network.maps(resized(picture, 2 * SIDE)[None])
        grid = torch.tensor(np.stack(points), dtype=torch.float32)
        sampled = F.grid_sample(maps.expand(len(points), -1, -1, -1), grid, padding_mode="border", align_corners=False)
        return _unit(sampled.mean((2, 3)))


def _sample_points(box: Box, width: int, height: int, count: int) -> NDArray[np.float64]:
    """Return count x count points spread over a box, in [-1, 1] across the picture, shape (count, count, 2)."""
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    right, bottom = min(box[0] + box[2], width), min(box[1] + box[3], height)
    if not (right > left and bottom > top):
        raise KgmmError(f"box {box} is empty or outside the picture of {width} x {height} pixels")
    steps = (np.arange(count) + 0.5) / count
    sides = ((left, right, width), (top, bottom, height))
    return np.stack(np.meshgrid(*((low + steps * (high - low)) / whole * 2 - 1 for low, high, whole in sides)), -1)


def resized(picture: Picture, side: int) -> NDArray[np.uint8]:
    """Return a picture as a square, shape (side, side, 3)."""
    return np.array(
        Image.fromarray(picture.pixels).resize((side, side), Image.Resampling.BICUBIC)
    )  # one that may be written to


def _unit(pooled: torch.Tensor) -> NDArray[np.float32]:
    import torch.nn.functional as F

    return np.asarray(F.normalize(pooled, dim=1).numpy(), np.float32)
