"""A region of a photograph as an object of its scene: box in full pixels, colours that mark it, size."""

import numpy as np
from numpy.typing import NDArray

from kgmm.perceivers._classes import Node
from kgmm.perceivers._colours import colour_names
from kgmm.perceivers._evidence import Region
from kgmm.scene import Box, SceneObject
from kgmm.scene.images import Picture

LARGE, SMALL = 0.35, 0.05  #: Parts of the picture's area from which an object is large, and up to which it is small.


def object_of(name: str, region: Region, picture: Picture, node: Node) -> SceneObject:
    """Return the object with the id *name* that a region shows."""
    (x, y, w, h), wide, tall = region.box, picture.width, picture.height
    box: Box = (round(x * wide, 1), round(y * tall, 1), round(w * wide, 1), round(h * tall, 1))
    colours = colour_names(_pixels(picture.pixels, region.mask), _pixels(picture.pixels, ~region.mask))
    size = ("large",) if w * h >= LARGE else ("small",) if w * h <= SMALL else ()
    return SceneObject(name, node.name, box, round(region.score, 4), (*colours, *size), node.aliases)


def _pixels(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return about 4,000 of a picture's pixels under a mask of grid cells, shape (n, 3)."""
    height, width = pixels.shape[:2]
    ys, xs = (np.arange(size) * cells // size for size, cells in zip((height, width), mask.shape, strict=True))
    inside = pixels[mask[np.ix_(ys, xs)]]
    return inside[:: max(1, len(inside) // 4000)]
