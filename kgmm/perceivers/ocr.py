"""The perceiver ``ocr``: the words that stand in a picture, line by line, offline.

PP-OCRv4 (PaddleOCR, https://github.com/PaddlePaddle/PaddleOCR): a network finds the lines (Liao et al., AAAI 2020), another
reads each; both come with the package rapidocr-onnxruntime. Its reader is trained on Chinese first and often leaves
out the space between English words, which is put back where the picture shows a gap.
"""

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import needed
from kgmm.language.words import written
from kgmm.perceivers._detections import inside
from kgmm.perceivers._relations import scene_of
from kgmm.scene import SceneGraph, SceneObject
from kgmm.scene.images import ImageLike, read_image

LONGEST, SHORTEST = (
    2000,
    48,
)  #: pixels of a picture's longer side that are looked at, and of the shorter with its margin
#: part of a line's height, and times the usual gap between its letters, that a space between words measures
SPACE, USUAL = 0.24, 2.0
_MARGIN = 255


def perceive(image: ImageLike, *, threshold: float = 0.5, max_objects: int = 100) -> SceneGraph:
    """Return the lines of text in a picture as objects named ``text``, whose ``text`` is what they say, in reading order.

    Args:
        image, threshold, max_objects: see :func:`kgmm.perceivers.perceive`.

    Raises:
        BadInput: if the picture cannot be read.
        MissingExtra: if rapidocr-onnxruntime is not installed.
    """
    engine = _engine()
    picture = read_image(image, max_side=LONGEST)
    lines = sorted(read(engine, picture.pixels, threshold), key=lambda line: -line[1])[:max_objects]
    objects: list[SceneObject] = []
    for words, score, corners in in_order(lines):
        box = inside([v * picture.scale for v in corners], picture)
        if box[2] > 0 and box[3] > 0:
            objects.append(SceneObject(f"t{len(objects) + 1}", "text", box, score, (), ("writing",), words))
    return scene_of(picture, objects, "ocr:PP-OCRv4", relations=())


Line = tuple[str, float, tuple[float, float, float, float]]  #: words, score, corners (x0, y0, x1, y1)


def read(engine: Any, pixels: NDArray[np.uint8], threshold: float) -> list[Line]:
    """Return the lines an engine reads in RGB *pixels*, whose score is at least the threshold."""
    height, width = pixels.shape[:2]
    wider = [(0, max(0, SHORTEST - side)) for side in (height, width)]
    padded = np.pad(pixels, (*wider, (0, 0)), constant_values=_MARGIN)
    found, _ = engine(np.ascontiguousarray(padded[..., ::-1]), return_word_box=True, text_score=threshold)
    lines = []
    for row in found or ():
        quad, said, score, *letters = row
        corners = np.array(quad, float)
        (x0, y0), (x1, y1) = corners.min(0).tolist(), corners.max(0).tolist()
        boxes = [np.array(b, float) for b in letters[0]] if letters else []
        words = written(spaced(said, boxes, padded) if _upright(corners) else said)
        if words:
            lines.append((words, round(min(max(float(score), 0.0), 1.0), 4), (x0, y0, x1, y1)))
    return lines


def _upright(corners: NDArray[np.float64]) -> bool:
    """Tell whether a line is level, written from left to right."""
    (ax, ay), (bx, by) = corners[0], corners[1]
    return bool(bx > ax and abs(by - ay) < 0.1 * (bx - ax))


def spaced(said: str, boxes: list[NDArray[np.float64]], pixels: NDArray[np.uint8]) -> str:
    """Put a space between two letters of a level line where the picture shows a gap as wide as one."""
    if len(boxes) != len(said) or len(said) < 2 or any(c >= "\u2e80" for c in said):
        return said
    corners = np.concatenate(boxes)
    (x0, y0), (x1, y1) = corners.min(0).astype(int), corners.max(0).astype(int)
    line = pixels[max(y0, 0) : y1, max(x0, 0) : x1].astype(np.float32).mean(2)
    if not line.size or np.ptp(line) < 20:
        return said
    dark = line < (np.percentile(line, 2) + np.percentile(line, 98)) / 2
    blank = ~(dark if dark.mean() < 0.5 else ~dark).any(0)  # what is less of the line is its letters
    middles = [int(b[:, 0].mean()) - max(x0, 0) for b in boxes]
    gaps = [_longest(blank[a:b]) for a, b in pairwise(middles)]
    usual = np.median([g for g, (a, b) in zip(gaps, pairwise(said), strict=True) if " " not in (a, b)] or [0])
    least = max(SPACE * (y1 - y0), USUAL * usual, 2)
    out = said[0]
    for letter, gap in zip(said[1:], gaps, strict=True):
        out += (" " if gap >= least and " " not in (letter, out[-1]) else "") + letter
    return out


def _longest(blank: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], blank, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def in_order(lines: list[Line]) -> list[Line]:
    """Return lines as they are read: from top to bottom, beside one another from left to right.

    >>> rows = [("b", 1.0, (60, 0, 90, 10)), ("c", 1.0, (0, 30, 50, 40)), ("a", 1.0, (0, 2, 50, 12))]
    >>> [words for words, *_ in in_order(rows)]
    ['a', 'b', 'c']
    """
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line[2][1] + line[2][3]):
        middle = (line[2][1] + line[2][3]) / 2
        if rows and middle < rows[-1][0][2][3] and middle > rows[-1][0][2][1]:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line[2][0])]


@cache
def _engine() -> Any:
    with needed("rapidocr-onnxruntime", "ocr"):
        from rapidocr_onnxruntime import RapidOCR
    return RapidOCR()
