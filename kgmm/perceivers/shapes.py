"""The perceiver ``shapes``: drawings of flat shapes on a plain ground, by geometry alone.

Made for the pictures of easy-vqa (https://github.com/vzhou842/easy-VQA).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kgmm.perceivers._colours import rgb_to_lab
from kgmm.perceivers._relations import scene_of
from kgmm.scene import SceneGraph, SceneObject
from kgmm.scene.images import ImageLike, read_image

#: CSS colours that drawing programs use, by the name a question would use.
COLOURS = dict(
    pair.split(":")
    for pair in (
        "black:000000 gray:808080 white:ffffff red:ff0000 brown:a52a2a orange:ffa500 yellow:ffff00 green:008000"
        " lime:00ff00 teal:008080 cyan:00ffff blue:0000ff purple:800080 pink:ffc0cb"
    ).split()
)
_SPOKEN = {"lime": "green", "cyan": "blue"}
CONTRAST = 20.0  #: CIELAB distance from the ground at which a pixel belongs to a shape.
SIDE = 32  #: Side at which a shape is compared with the ideal ones.


def perceive(image: ImageLike, *, threshold: float = 0.75, smallest: int = 12) -> SceneGraph:
    """Return the circles, rectangles and triangles of a drawing with their colours.

    Args:
        image: its most common colour is taken for the ground.
        threshold: intersection over union with the ideal shape that an object needs.
        smallest: pixels a shape needs.

    Example:
        >>> drawing = np.full((64, 64, 3), 250, np.uint8)
        >>> drawing[10:30, 20:50] = (0, 0, 255)
        >>> [(o.name, o.attributes, o.box) for o in perceive(drawing).objects]
        [('rectangle', ('blue',), (20.0, 10.0, 30.0, 20.0))]
    """
    picture = read_image(image, max_side=1024)
    apart = rgb_to_lab(picture.pixels) - rgb_to_lab(_ground(picture.pixels))
    labels, _ = ndimage.label(np.linalg.norm(apart, axis=-1) > CONTRAST)
    objects: list[SceneObject] = []
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        mask = labels[place] == number
        if mask.sum() < smallest:
            continue
        name, fit = _shape(mask)
        if fit < threshold:
            continue
        colour, (rows, columns) = _colour(picture.pixels[place][mask]), place
        corner = columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start
        x, y, w, h = (round(value * picture.scale, 1) for value in corner)
        objects.append(SceneObject(f"o{len(objects) + 1}", name, (x, y, w, h), round(fit, 4), (colour,), ("shape",)))
    return scene_of(picture, objects, "shapes", complete=True)


def _ground(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the most common colour, shape (3,)."""
    coded = pixels.reshape(-1, 3).astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    values, counts = np.unique(coded, return_counts=True)
    code = int(values[counts.argmax()])
    return np.array([code >> 16, code >> 8 & 255, code & 255], np.uint8)


@cache
def _ideals() -> dict[str, NDArray[np.bool_]]:
    """Each shape filling its box, shape (SIDE, SIDE): the triangle points up, as drawing programs draw it."""
    steps = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    x, y = np.meshgrid(steps, steps)
    return {"rectangle": np.ones((SIDE, SIDE), bool), "circle": x**2 + y**2 <= 1, "triangle": np.abs(x) <= (y + 1) / 2}


def _shape(mask: NDArray[np.bool_]) -> tuple[str, float]:
    """Return the best fitting shape and its intersection over union with the mask."""
    scaled = mask[np.ix_(*(((np.arange(SIDE) + 0.5) * size / SIDE).astype(int) for size in mask.shape))]
    fits = {name: (ideal & scaled).sum() / (ideal | scaled).sum() for name, ideal in _ideals().items()}
    best = max(fits, key=lambda name: float(fits[name]))
    return best, float(fits[best])


def _colour(pixels: NDArray[np.uint8]) -> str:
    """Name the median colour; the edge's mixed pixels are few."""
    median = rgb_to_lab(np.median(pixels, axis=0))
    values = rgb_to_lab(np.array([list(bytes.fromhex(value)) for value in COLOURS.values()]))
    name = list(COLOURS)[int(((values - median) ** 2).sum(1).argmin())]
    return _SPOKEN.get(name, name)
