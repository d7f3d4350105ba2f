"""Pictures of coloured shapes cut into objects: what differs from the background, told by its mask and its mean colour.

Names are learned from these features, see :mod:`kgmm.train.shapes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import find_objects, label

#: width of an object's features: a 16 × 16 mask, mean colour, and box
MASK_SIDE = 16
FEATURE_DIM = MASK_SIDE * MASK_SIDE + 3 + 5
#: distance in RGB (0 to 1) from the background at which a pixel belongs to an object, and fewest pixels of one
DISTANCE, SMALLEST = 0.15, 12


@dataclass(frozen=True)
class Segment:
    """One object found in a picture: its box (x, y, w, h) in pixels, features (FEATURE_DIM,), colour, centre of mass.

    The features are centred and of like spread: mask, colour, middle, extent, and how much of its box it fills.
    """

    box: tuple[float, float, float, float]
    features: NDArray[np.float32]
    colour: tuple[float, float, float]
    centre: tuple[float, float]


def read_pixels(path: str | Path) -> NDArray[np.float32]:
    """Return a picture as (height, width, 3) in [0, 1]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.float32) / 255.0


def segments(pixels: NDArray[np.float32]) -> list[Segment]:
    """Cut a picture into its objects: connected regions that differ from the background, largest first.

    The background is the median colour of the picture's border. Neighbouring regions of different colour stay apart.

    Args:
        pixels: (height, width, 3) in [0, 1].
    """
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    apart = np.linalg.norm(pixels - np.median(border, axis=0), axis=-1) > DISTANCE
    regions, _ = label(apart)
    masks = [(place, regions[place] == i) for i, place in enumerate(find_objects(regions), 1)]
    found = [_segment(pixels[place], mask, place, pixels.shape) for place, mask in masks if mask.sum() >= SMALLEST]
    return sorted(found, key=lambda s: -s.box[2] * s.box[3])


def _segment(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], place: tuple[slice, ...], shape: tuple[int, ...]
) -> Segment:
    height, width = mask.shape
    resized = Image.fromarray((mask * 255).astype(np.uint8)).resize((MASK_SIDE, MASK_SIDE), 2)
    small, colour = np.asarray(resized, np.float32) / 255, np.median(pixels[mask], axis=0)
    x, y = place[1].start, place[0].start
    middle = [(x + width / 2) / shape[1] - 0.5, (y + height / 2) / shape[0] - 0.5]
    extent = [8 * width / shape[1] - 1, 8 * height / shape[0] - 1, 4 * mask.mean() - 3]
    features = np.concatenate([(small.ravel() - 0.5) / 2, 4 * (colour - 0.5), middle, extent]).astype(np.float32)
    rows, columns = np.nonzero(mask)  # of a triangle, the box's middle is not the centre
    return Segment(
        (float(x), float(y), float(width), float(height)),
        features,
        tuple(map(float, colour)),  # type: ignore[arg-type]
        (float(x + columns.mean() + 0.5), float(y + rows.mean() + 0.5)),
    )


class Pictures:
    """Objects of many pictures, padded: features (P, N, f), boxes (P, N, 4) in [0, 1], mask (P, N)."""

    def __init__(self, found: Sequence[list[Segment]], size: float) -> None:
        most = max(1, *(len(s) for s in found))
        self.features: torch.Tensor = torch.zeros(len(found), most, FEATURE_DIM)
        self.boxes: torch.Tensor = torch.zeros(len(found), most, 4)
        self.mask: torch.Tensor = torch.zeros(len(found), most, dtype=torch.bool)
        for p, objects in enumerate(found):
            for i, o in enumerate(objects):
                self.features[p, i] = torch.from_numpy(o.features)
                self.boxes[p, i] = torch.tensor([*o.centre, *o.box[2:]]) / size
                self.mask[p, i] = True
