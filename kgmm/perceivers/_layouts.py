"""How detectors say what they found: each layout is recognized from the shapes of its outputs and decoded to boxes.

| layout | outputs | pictures go in |
|---|---|---|
| ``yolox`` (Ge et al., 2021) | 1 × cells × (5 + classes), by grid cell | BGR 0–255, letterboxed to the top left |
| ``yolov5`` | 1 × 3 cells × (5 + classes), decoded | RGB 0–1, letterboxed |
| ``yolov8`` (and 11) | 1 × (4 + classes) × cells, decoded | RGB 0–1, letterboxed |
| ``yolo-end`` (YOLOv10) | 1 × n × 6: corners, score, class | RGB 0–1, letterboxed |
| ``detr`` (Carion et al., ECCV 2020) | 1 × n × (classes + 1) logits, 1 × n × 4 centres and sizes | RGB by ImageNet's mean, resized |
| ``rt-detr`` (Zhao et al., CVPR 2024) | 1 × n × classes logits, boxes as detr, or labels, boxes, scores | RGB 0–1, resized |
| ``ssd-heads`` (Liu et al., ECCV 2016) | 1 × n × classes probabilities, 1 × n × 4 corners | RGB (v − 127) / 128, resized |
| ``ssd`` | boxes, labels, scores after suppression | RGB 0–1, or bytes as they are, resized |
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Decoded = tuple[Array, Array, Array]  #: corners (n, 4) as parts of the frame that went in, scores (n,), classes (n,)

STRIDES = (8, 16, 32)
#: ImageNet's mean and deviation of red, green and blue
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True)
class Layout:
    """A layout's name, and how a picture is to go in."""

    name: str
    letterbox: str = ""  # where the picture lies in the frame: "corner", "middle", or "" where it is stretched
    scaling: str = "unit"  # "unit", "bytes", "imagenet" or "signed"
    bgr: bool = False


_LAYOUTS = {name: Layout(name, "middle") for name in ("yolov5", "yolov8", "yolo-end")}
_LAYOUTS |= {name: Layout(name) for name in ("rt-detr", "ssd")}
_LAYOUTS["yolox"] = Layout("yolox", "corner", "bytes", bgr=True)
_LAYOUTS |= {name: Layout(name, scaling=how) for name, how in (("detr", "imagenet"), ("ssd-heads", "signed"))}


def recognized(outputs: list[Array], size: tuple[int, int], classes: int, inputs: int) -> Layout | None:
    """Return the layout of outputs for an empty picture of *size* (height, width), or None if it is none of these."""
    name = _alone(outputs[0].shape, size) if len(outputs) == 1 else _several(outputs, classes, inputs)
    return _LAYOUTS.get(name)


def _alone(shape: tuple[int, ...], size: tuple[int, int]) -> str:
    if len(shape) != 3 or shape[0] != 1:
        return ""
    _, first, last = shape
    cells = sum(-(-size[0] // s) * -(-size[1] // s) for s in STRIDES)
    if last > 5 and first == cells:
        return "yolox"
    if last > 5 and first == 3 * cells:
        return "yolov5"
    if first > 4 and last == cells:
        return "yolov8"
    return "yolo-end" if last == 6 and first <= 1000 else ""


def _several(outputs: list[Array], classes: int, inputs: int) -> str:
    boxes = [o for o in outputs if o.ndim in (2, 3) and o.shape[-1] == 4]
    tables = [o for o in outputs if o.ndim == 3 and o.shape[-1] != 4]
    vectors = [o for o in outputs if o.ndim <= 2 and o.shape[-1:] != (4,)]
    if len(boxes) == 1 and len(tables) == 1 and tables[0].shape[:2] == boxes[0].shape[:2]:
        table = tables[0]
        if table.min() >= 0 and np.allclose(table.sum(-1), 1, atol=1e-3):
            return "ssd-heads"
        return "rt-detr" if table.shape[-1] == classes else "detr"
    if len(boxes) == 1 and len(vectors) >= 2:
        return "rt-detr" if inputs > 1 else "ssd"
    return ""


def decoded(layout: Layout, outputs: list[Array], names: list[str], size: tuple[int, int]) -> Decoded:
    """Return the boxes that a detector's outputs hold, as parts of the frame that went in, with scores and classes."""
    if len(outputs) == 1:
        table = outputs[0][0].astype(np.float32)
        if layout.name == "yolo-end":
            return _framed(table[:, :4], size), table[:, 4], table[:, 5].astype(np.int64)
        if layout.name == "yolov8":
            return _best(_corners(table[:4].T), table[4:].T, size)
        centres = _grid(table[:, :4], size) if layout.name == "yolox" else table[:, :4]
        return _best(_corners(centres), table[:, 4:5] * table[:, 5:], size)
    boxes = next(o for o in outputs if o.ndim in (2, 3) and o.shape[-1] == 4)
    boxes = boxes.reshape(-1, 4).astype(np.float32)
    table = next((o for o in outputs if o.ndim == 3 and o.shape[-1] != 4), None)
    if table is None:
        return _suppressed(layout, outputs, names, boxes, size)
    scores = table[0].astype(np.float32)
    if layout.name == "detr":  # the last class is "nothing"
        odds = np.exp(scores - scores.max(-1, keepdims=True))
        return _best(_corners(boxes), (odds / odds.sum(-1, keepdims=True))[:, :-1], (1, 1))
    if layout.name == "rt-detr":
        return _best(_corners(boxes), 1 / (1 + np.exp(-scores)), (1, 1))
    best = scores[:, 1:].argmax(-1)  # the first class of SSD's heads is "nothing"
    return boxes, scores[np.arange(len(scores)), best + 1], best + 1


def _suppressed(layout: Layout, outputs: list[Array], names: list[str], boxes: Array, size: tuple[int, int]) -> Decoded:
    """Boxes, labels and scores that a detector has chosen itself, by the outputs' names or what they hold."""
    vectors = {name: o.reshape(-1) for name, o in zip(names, outputs, strict=True) if o.shape[-1:] != (4,)}
    vectors = {name: v for name, v in vectors.items() if len(v) == len(boxes)}
    label = next((n for n in vectors if "label" in n.lower() or "class" in n.lower()), None)
    label = label or next((n for n, v in vectors.items() if v.dtype.kind in "iu"), next(iter(vectors)))
    others = [n for n in vectors if n != label]
    score = next((n for n in others if "score" in n.lower()), others[0])
    if any("detection_boxes" in name for name in names):  # TensorFlow's: y first
        boxes = boxes[:, [1, 0, 3, 2]]
    corners = boxes if not len(boxes) or boxes.max() <= 1.5 else _framed(boxes, size)
    return corners, vectors[score].astype(np.float32), vectors[label].astype(np.int64)


def _grid(table: Array, size: tuple[int, int]) -> Array:
    """YOLOX's centres and sizes by grid cell as pixels; an export that decodes them itself is left as it is."""
    if len(table) and np.abs(table[:, :2]).max() > 0.25 * max(size):
        return table
    cells, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[0 : -(-size[0] // stride), 0 : -(-size[1] // stride)]
        cells.append(np.stack((x, y), -1).reshape(-1, 2))
        strides.append(np.full((x.size, 1), stride, np.float32))
    across = np.concatenate(strides)
    centres = (table[:, :2] + np.concatenate(cells)) * across
    return np.concatenate((centres, np.exp(np.minimum(table[:, 2:], 20)) * across), 1)


def _corners(centres: Array) -> Array:
    """Centres and sizes to corners."""
    half = centres[:, 2:] / 2
    return np.concatenate((centres[:, :2] - half, centres[:, :2] + half), 1)


def _framed(corners: Array, size: tuple[int, int]) -> Array:
    height, width = size
    return corners / np.array([width, height, width, height], np.float32)


def _best(corners: Array, scores: Array, size: tuple[int, int]) -> Decoded:
    """Each box with its best class."""
    best = scores.argmax(-1)
    return _framed(corners, size), scores[np.arange(len(scores)), best], best
