"""easy-vqa: pictures of one coloured shape and questions about it (the ``easy-vqa`` package), from pixels.

The pictures become scene graphs by segmentation: what differs from the background is an object; its mask, scaled to
32 × 32, and its mean colour are what a node is described by. Names are learned, see :mod:`kgmm.train.shapes`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, MissingExtra

#: width of an object's features: a 16 × 16 mask, mean colour, and box
MASK_SIDE = 16
FEATURE_DIM = MASK_SIDE * MASK_SIDE + 3 + 5
#: distance in RGB (0 to 1) from the background at which a pixel belongs to an object, and fewest pixels of one
DISTANCE, SMALLEST = 0.15, 12


@dataclass(frozen=True, slots=True)
class EasyQuestion:
    """One question about one picture."""

    question: str
    answer: str
    image: int


@dataclass(frozen=True)
class Segment:
    """One object found in a picture: its box (x, y, w, h) in pixels, features (FEATURE_DIM,), colour, centre of mass.

    The features are centred and of like spread: mask, colour, middle, extent, and how much of its box it fills.
    """

    box: tuple[float, float, float, float]
    features: NDArray[np.float32]
    colour: tuple[float, float, float]
    centre: tuple[float, float]


def data_folder() -> Path:
    """Return the package's data.

    Raises:
        MissingExtra: if easy-vqa is not installed.
    """
    import importlib.util

    spec = importlib.util.find_spec("easy_vqa")
    if spec is None or spec.origin is None:
        raise MissingExtra("easy-vqa", "data")
    return Path(spec.origin).parent / "data"


def load_questions(split: str = "train", folder: str | Path | None = None) -> list[EasyQuestion]:
    """Return the questions of ``train`` or ``test``.

    Raises:
        BadInput: if the file is not a list of [question, answer, image number].

    Example:
        >>> load_questions("test")[0].answer in load_answers()
        True
    """
    path = Path(folder or data_folder()) / split / "questions.json"
    try:
        return [EasyQuestion(str(q), str(a), int(i)) for q, a, i in json.loads(path.read_text())]
    except (ValueError, TypeError) as error:
        raise BadInput(path, f"not a list of [question, answer, image number]: {error!r}") from error


def load_answers(folder: str | Path | None = None) -> list[str]:
    """Return all answers in the order of ``answers.txt``."""
    return (Path(folder or data_folder()) / "answers.txt").read_text().split()


def image_path(split: str, image: int, folder: str | Path | None = None) -> Path:
    """Return the path of a picture."""
    return Path(folder or data_folder()) / split / "images" / f"{image}.png"


def read_pixels(path: str | Path) -> NDArray[np.float32]:
    """Return a picture as (height, width, 3) in [0, 1]."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.float32) / 255.0


def segments(pixels: NDArray[np.float32]) -> list[Segment]:
    """Cut a picture into its objects: connected regions that differ from the background, largest first.

    The background is the median colour of the picture's border. Neighbouring regions of different colour stay apart.

    Args:
        pixels: (height, width, 3) in [0, 1].
    """
    from scipy.ndimage import find_objects, label

    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    apart = np.linalg.norm(pixels - np.median(border, axis=0), axis=-1) > DISTANCE
    regions, _ = label(apart)
    found = []
    for i, place in enumerate(find_objects(regions), 1):
        mask = regions[place] == i
        if mask.sum() >= SMALLEST:
            found.append(_segment(pixels[place], mask, place, pixels.shape))
    return sorted(found, key=lambda s: -s.box[2] * s.box[3])


def _segment(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], place: tuple[slice, ...], shape: tuple[int, ...]
) -> Segment:
    from PIL import Image

    height, width = mask.shape
    small = (
        np.asarray(Image.fromarray((mask * 255).astype(np.uint8)).resize((MASK_SIDE, MASK_SIDE), 2), np.float32) / 255
    )
    colour = np.median(pixels[mask], axis=0)
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


def picture_segments(split: str, folder: str | Path | None = None) -> dict[int, list[Segment]]:
    """Return the objects of all pictures of a split, by image number."""
    images = sorted({q.image for q in load_questions(split, folder)})
    return {i: segments(read_pixels(image_path(split, i, folder))) for i in images}
