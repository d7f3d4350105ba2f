"""The perceiver ``onnx``: an object detector from an ONNX file, whatever its layout, without PyTorch.

YOLOX (Ge et al., arXiv 2107.08430), YOLOv5, v8 and 11, SSD (Liu et al., ECCV 2016), DETR (Carion et al., ECCV 2020) and
RT-DETR (Zhao et al., CVPR 2024) are told apart by their outputs; see :mod:`kgmm.perceivers._layouts`.
"""

import ast
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kgmm.errors import BadInput, needed
from kgmm.perceivers._coco import BY_NUMBER, COCO
from kgmm.perceivers._detections import Detection, inside, objects_of
from kgmm.perceivers._layouts import DEVIATION, MEAN, Layout, decoded, recognized
from kgmm.perceivers._relations import scene_of
from kgmm.scene import SceneGraph
from kgmm.scene.images import ImageLike, Picture, read_image

MEMORY = 3 << 30  #: bytes that models may have while they run
#: bytes of a model and of a list of names, seconds of one look, boxes that are compared with one another
MODEL_BYTES, LABEL_BYTES, SECONDS, BOXES = 1 << 30, 1 << 20, 60.0, 2000
#: side of the picture that goes in where the model leaves it open, and the longest a model may ask for
SIDE, LONGEST = 640, 4096
_GREY = 114


def perceive(
    image: ImageLike,
    *,
    model: str | Path,
    labels: str | Path | None = None,
    threshold: float = 0.4,
    max_objects: int = 50,
) -> SceneGraph:
    """Return what a detector finds in a picture.

    Args:
        image, threshold, max_objects: see :func:`kgmm.perceivers.perceive`.
        model: the ONNX file.
        labels: names of the classes, one a line, or JSON (a list, or an object number → name); by default those that the
            model carries, else COCO's.

    Raises:
        BadInput: if the picture, the model or the names cannot be read, or the model's layout is not known.
        MissingExtra: if onnxruntime is not installed.
    """
    detector = _detector(_place(model), None if labels is None else _place(labels))
    picture = read_image(image, max_side=1333)
    found = detector.look(picture, threshold)
    return scene_of(picture, objects_of(found, picture, max_objects), f"onnx:{detector.name}@{detector.checksum}")


@dataclass(frozen=True)
class Detector:
    """A loaded model, the layout of its outputs, and the names of its classes by number."""

    name: str
    checksum: str
    session: Any
    layout: Layout
    names: Mapping[int, str]
    size: tuple[int, int]

    def look(self, picture: Picture, threshold: float) -> list[Detection]:
        """Return what is found from a score on, boxes in pixels of the full picture."""
        height, width = picture.pixels.shape[:2]
        frame, scale, offset = framed(picture.pixels, self.size, self.layout)
        outputs = run(self.session, frame, (width, height))
        names = [output.name for output in self.session.get_outputs()]
        own = self.layout.name == "rt-detr" and not any(o.ndim == 3 and o.shape[-1] != 4 for o in outputs)
        corners, scores, classes = decoded(self.layout, outputs, names, (height, width) if own else self.size)
        good = np.flatnonzero((scores >= threshold) & np.isfinite(corners).all(1) & (scores <= 1.0001))
        best = good[np.argsort(-scores[good], kind="stable")[:BOXES]]
        whole = np.array([width, height] * 2) if own else np.array([self.size[1], self.size[0]] * 2)
        boxes = corners[best] * whole
        if not own:
            boxes = (boxes - np.array(offset * 2)) / np.array(scale * 2)
        boxes = boxes * picture.scale
        return [
            (self.names[int(c)], min(float(s), 1.0), inside(box, picture))
            for c, s, box in zip(classes[best], scores[best], boxes.tolist(), strict=True)
            if int(c) in self.names
        ]


def run(session: Any, frame: NDArray[Any], original: tuple[int, int]) -> list[NDArray[Any]]:
    """Run a model on a frame (height, width, 3) of a picture (width, height); a run that takes too long is ended."""
    import onnxruntime

    feeds = {}
    for given in session.get_inputs():
        if len(given.shape) == 4:
            kind = np.uint8 if "uint8" in given.type else np.float16 if "float16" in given.type else np.float32
            first = frame if given.shape[3] == 3 else frame.transpose(2, 0, 1)
            feeds[given.name] = np.ascontiguousarray(first[None]).astype(kind)
        elif len(given.shape) == 2:  # RT-DETR: the size of the picture
            feeds[given.name] = np.array([original], np.int64 if "int64" in given.type else np.float32)
        elif len(given.shape) == 3:  # DETR: which pixels count
            feeds[given.name] = np.ones((1, *frame.shape[:2]), np.int64 if "int64" in given.type else bool)
        else:
            raise ValueError(f"its input {given.name} of {len(given.shape)} dimensions is not known")
    options = onnxruntime.RunOptions()
    late = threading.Timer(SECONDS, lambda: setattr(options, "terminate", True))
    late.start()
    try:
        return [np.asarray(o) for o in session.run(None, feeds, options)]
    finally:
        late.cancel()


def framed(
    pixels: NDArray[np.uint8], size: tuple[int, int], layout: Layout
) -> tuple[NDArray[np.float32], tuple[float, float], tuple[float, float]]:
    """Return a picture as it goes in, (height, width, 3), and by how much it was scaled and moved to the right and down."""
    height, width = pixels.shape[:2]
    scale = (size[1] / width, size[0] / height)
    if layout.letterbox:
        scale = (min(scale),) * 2
    wide, high = (max(1, round(side * factor)) for side, factor in zip((width, height), scale, strict=True))
    small = np.asarray(Image.fromarray(pixels).resize((wide, high), Image.Resampling.BILINEAR))
    left, top = ((size[1] - wide) // 2, (size[0] - high) // 2) if layout.letterbox == "middle" else (0, 0)
    frame: NDArray[Any] = np.full((*size, 3), _GREY, np.float32)
    frame[top : top + high, left : left + wide] = small
    if layout.bgr:
        frame = frame[..., ::-1]
    if layout.scaling == "unit":
        frame = frame / 255
    elif layout.scaling == "imagenet":
        frame = (frame / 255 - MEAN) / DEVIATION
    elif layout.scaling == "signed":
        frame = (frame - 127) / 128
    return np.ascontiguousarray(frame, np.float32), (scale[0], scale[1]), (float(left), float(top))


def _place(said: str | Path) -> Path:
    """Return a path, ``~`` understood where it is somebody's."""
    try:
        return Path(said).expanduser()
    except RuntimeError:
        return Path(said)


def _detector(model: Path, labels: Path | None) -> Detector:
    """Load a model, once while its file and its names stay the same."""
    stamps = []
    for path in (model, *([labels] if labels else [])):
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            raise BadInput(path, getattr(error, "strerror", None) or "cannot be read") from error
        if not path.is_file():
            raise BadInput(path, "is no file")
        stamps.append((status.st_mtime_ns, status.st_size))
    return _loaded(model, labels, tuple(stamps))


@lru_cache(maxsize=4)
def _loaded(model: Path, labels: Path | None, _stamps: tuple[tuple[int, int], ...]) -> Detector:
    with needed("onnxruntime", "detect"):
        import onnxruntime
    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    if _bounded():
        options.add_session_config_entry("session.use_env_allocators", "1")
    data = _bytes(model, MODEL_BYTES)
    try:  # from bytes: what a file names beside itself is not opened
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        size = _size(session)
        names = _names(labels, session)
        blank = np.zeros((*size, 3), np.float32)
        outputs = run(session, blank, (size[1], size[0]))
    except BadInput:
        raise
    except Exception as error:  # onnxruntime has no class of its own for what a file may hold
        raise BadInput(model, f"no detector in ONNX: {' '.join(str(error).split())[:200]}") from error
    layout = recognized(outputs, size, len(names) or len(COCO), len(session.get_inputs()))
    if layout is None:
        shapes = ", ".join(f"{o.name} {got.shape}" for o, got in zip(session.get_outputs(), outputs, strict=True))
        known = "YOLOX, YOLOv5/8/11, SSD, DETR, RT-DETR"
        raise BadInput(model, f"its outputs ({shapes}) are of no detector known here: {known}")
    if session.get_inputs()[0].type == "tensor(uint8)":
        layout = Layout(layout.name, layout.letterbox, "bytes", layout.bgr)
    checksum = hashlib.sha256(data).hexdigest()[:16]
    return Detector(model.name, checksum, session, layout, _numbered(names, layout, outputs), size)


@cache
def _bounded() -> bool:
    """Bound the memory of all models of this process together; tell whether onnxruntime lets us."""
    import onnxruntime as ort

    kinds = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    bounds = {
        "max_mem": MEMORY,
        "arena_extend_strategy": 1,
        "initial_chunk_size_bytes": -1,
        "max_dead_bytes_per_chunk": -1,
    }
    try:
        ort.create_and_register_allocator(ort.OrtMemoryInfo("Cpu", *kinds), ort.OrtArenaCfg(bounds))
    except Exception:  # another part of the program has registered one
        return False
    return True


def _bytes(path: Path, most: int) -> bytes:
    if path.stat().st_size > most:
        raise BadInput(path, f"is larger than {most >> 20} MiB")
    return path.read_bytes()


def _size(session: Any) -> tuple[int, int]:
    """Return height and width of what goes in."""
    shapes = [given.shape for given in session.get_inputs() if len(given.shape) == 4]
    if len(shapes) != 1 or 3 not in (shapes[0][1], shapes[0][3]):
        raise ValueError("it has no input for one picture of three channels")
    shape = shapes[0]
    sides = shape[1:3] if shape[3] == 3 else shape[2:4]
    height, width = (side if isinstance(side, int) and side > 0 else SIDE for side in sides)
    if max(height, width) > LONGEST:
        raise ValueError(f"it wants a picture of {height} × {width}")
    return height, width


def _names(labels: Path | None, session: Any) -> list[str]:
    """Return the names of the classes in order: those of a file, those the model carries, or none."""
    if labels is None:
        said = session.get_modelmeta().custom_metadata_map.get("names", "")
        if not said or len(said) > LABEL_BYTES:
            return []
        try:
            return _listed(ast.literal_eval(said))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return []
    try:
        text = _bytes(labels, LABEL_BYTES).decode("utf-8-sig")
        found = _listed(json.loads(text)) if text.lstrip()[:1] in ("[", "{") else text.splitlines()
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(labels, f"no list of names: {error}") from error
    names = [" ".join(name.split()).lower() for name in found]
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise BadInput(labels, "no list of names: one a line, or JSON")
    return names


def _listed(said: Any) -> list[str]:
    if isinstance(said, dict):
        numbered = {int(number): name for number, name in said.items()}
        most = max(numbered, default=-1)
        said = [numbered.get(n, "") for n in range(most + 1)] if most < 1e5 else []
    if not isinstance(said, list) or not all(isinstance(name, str) for name in said):
        raise ValueError("names are strings in a list, or by number")
    return [name.lower() for name in said]


def _numbered(names: list[str], layout: Layout, outputs: list[NDArray[Any]]) -> Mapping[int, str]:
    """Return the names by the number that a layout uses: SSD and DETR count COCO's as its annotations do, from 1."""
    if not names:
        table = next((o for o in outputs if o.ndim == 3 and o.shape[-1] != 4), None)
        counted = layout.name in ("detr", "ssd-heads") and table is not None and table.shape[-1] > 90
        return BY_NUMBER if counted or layout.name == "ssd" else dict(enumerate(COCO, layout.name == "ssd-heads"))
    background = names[0] in ("background", "__background__", "n/a")
    return dict(enumerate(names, layout.name in ("ssd", "ssd-heads") and not background))
