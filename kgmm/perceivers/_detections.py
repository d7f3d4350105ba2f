"""What a detector found, as objects: boxes inside the picture, one for each thing, colours named."""

from collections.abc import Sequence

import numpy as np

from kgmm.perceivers._colours import colour_names
from kgmm.scene import Box, SceneObject
from kgmm.scene.boxes import overlap_of_union
from kgmm.scene.images import Picture

Detection = tuple[str, float, Box]  #: name, score, box in pixels of the full picture

SAME = 0.6  #: Boxes of one name that overlap more than this are one object.


def inside(corners: Sequence[float], picture: Picture) -> Box:
    """Corners (x0, y0, x1, y1) to a box (x, y, width, height) within the picture."""
    x0, x1 = (min(max(v, 0.0), float(picture.width)) for v in (corners[0], corners[2]))
    y0, y1 = (min(max(v, 0.0), float(picture.height)) for v in (corners[1], corners[3]))
    return round(x0, 1), round(y0, 1), round(max(x1 - x0, 0.0), 1), round(max(y1 - y0, 0.0), 1)


def distinct(found: list[Detection]) -> list[Detection]:
    """Non-maximum suppression within each name, best first; empty boxes are dropped."""
    kept: list[Detection] = []
    for name, score, box in sorted(found, key=lambda d: -d[1]):
        same = (other for other in kept if other[0] == name)
        if box[2] > 0 and box[3] > 0 and all(overlap_of_union(box, other[2]) <= SAME for other in same):
            kept.append((name, score, box))
    return kept


def objects_of(found: list[Detection], picture: Picture, most: int) -> list[SceneObject]:
    """Return the best *most* of distinct detections as objects, their colours named."""
    return [_object(f"o{n}", *detection, picture) for n, detection in enumerate(distinct(found)[:most], 1)]


def _object(identity: str, name: str, score: float, box: Box, picture: Picture) -> SceneObject:
    """Name the colours of the box's middle, where the background is least."""
    x, y, w, h = (value / picture.scale for value in box)
    middle = picture.pixels[int(y + h / 5) : int(y + h * 0.8) + 1, int(x + w / 5) : int(x + w * 0.8) + 1]
    pixels = np.ascontiguousarray(middle.reshape(-1, 3))
    colours = colour_names(pixels[:: max(1, len(pixels) // 4000)])
    return SceneObject(identity, name, box, round(score, 4), colours)
