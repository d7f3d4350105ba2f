"""The perceiver ``people``: faces and persons by what OpenCV 4 carries, offline.

Faces: three frontal cascades and one of profiles over Haar features (Viola and Jones, CVPR 2001; Lienhart and Maydt, ICIP
2002), believed where they agree. Persons: whoever has a face, and upright walkers by histograms of oriented gradients
(Dalal and Triggs, CVPR 2005).
"""

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import MissingExtra, needed
from kgmm.perceivers._detections import distinct, inside, objects_of
from kgmm.perceivers._relations import scene_of, spatial_relations
from kgmm.scene import Box, SceneGraph, SceneRelation
from kgmm.scene.boxes import overlap_of_smaller, overlap_of_union
from kgmm.scene.images import ImageLike, Picture, read_image

LONGEST, SMALLEST = 800, 24  #: pixels of the longer side that is looked at, and of the smallest face in it
#: each cascade: the level weight at which it is half convinced, how fast that changes, and what its conviction adds
#: to the log odds; NONE are those of a box that no cascade sees. One frontal cascade alone does not do.
CASCADES = {
    "frontalface_default": (3.0, 1.0, 2.0),
    "frontalface_alt2": (54.5, 0.5, 2.0),
    "frontalface_alt": (106.0, 0.5, 2.0),
    "profileface": (0.0, 0.5, 4.5),
}
NONE = -3.0
AGREE = 0.3  #: intersection over union from which boxes are of one face
WALKER, STEEP = (
    1.5,
    3.0,
)  #: margin of the gradients' classifier at which a walker is as likely as not; how fast that rises
SHOULDERS, BODY, HAIR = 3.0, 4.0, 0.4  #: of who has a face, in faces: width, height below its top, hair above it


def perceive(image: ImageLike, *, threshold: float = 0.5, max_objects: int = 50) -> SceneGraph:
    """Return the faces and persons of a photograph; each face is ``part_of`` a person.

    The box of a person whose face alone is found is an estimate: three faces wide, four high, cut at the picture's edges.

    Args:
        image, threshold, max_objects: see :func:`kgmm.perceivers.perceive`.

    Raises:
        BadInput: if the picture cannot be read.
        MissingExtra: if OpenCV is not installed, or is of version 5, which carries these detectors no more.
    """
    cascades, walker = _detectors()
    picture = read_image(image, max_side=LONGEST)
    seen = [("face", *found) for found in faces(cascades, picture.pixels)]
    seen += [("person", *found) for found in _walkers(walker, picture.pixels)]
    whole = [(name, score, _full(box, picture)) for name, score, box in seen if score >= threshold]
    found = distinct(whole)
    for _, score, box in [one for one in found if one[0] == "face"]:
        if not any(name == "person" and overlap_of_smaller(box, other) > 0.9 for name, _, other in found):
            found.append(("person", score, _body(box, picture)))
    objects = objects_of(found, picture, max_objects)
    people = [o for o in objects if o.name == "person" and o.box]
    parts = []
    for face in (o for o in objects if o.name == "face" and o.box):
        around = [p for p in people if overlap_of_smaller(face.box, p.box) > 0.9]  # type: ignore[arg-type]
        if around:
            owner = min(around, key=lambda p: p.box[2] * p.box[3])  # type: ignore[index]
            parts.append(SceneRelation(face.id, "part_of", owner.id, min(face.score, owner.score)))
    return scene_of(picture, objects, "people:opencv", relations=(*spatial_relations(objects), *parts))


def faces(cascades: dict[str, Any], pixels: NDArray[np.uint8]) -> list[tuple[float, Box]]:
    """Return the probability and box of each face in RGB *pixels*, boxes in those pixels."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    votes: list[tuple[str, float, Box]] = []
    for name, cascade in cascades.items():
        for turned in (False, True) if name == "profileface" else (False,):  # the cascade knows one side
            looked = cv2.flip(grey, 1) if turned else grey
            size = (SMALLEST, SMALLEST)
            boxes, _, weights = cascade.detectMultiScale3(looked, 1.1, 3, 0, size, outputRejectLevels=True)
            for (x, y, w, h), weight in zip(boxes, np.ravel(weights), strict=True):
                left = grey.shape[1] - x - w if turned else x
                votes.append((name, _conviction(name, float(weight)), (float(left), float(y), float(w), float(h))))
    return [(p, box) for p, box in _agreed(votes)]


def _conviction(name: str, weight: float) -> float:
    middle, width, worth = CASCADES[name]
    return worth / (1 + math.exp(-max(-50.0, min(50.0, (weight - middle) / width))))


def _agreed(votes: list[tuple[str, float, Box]]) -> list[tuple[float, Box]]:
    """Join the boxes that cascades put on one face; each cascade counts once."""
    found = []
    left = sorted(votes, key=lambda vote: -vote[1])
    while left:
        box = left[0][2]
        near = [vote for vote in left if overlap_of_union(vote[2], box) >= AGREE]
        left = [vote for vote in left if vote not in near]
        best = {name: (worth, at) for name, worth, at in reversed(near)}  # they come most convinced first
        sure = [worth / CASCADES[name][2] for name, (worth, _) in best.items()]
        x, y, w, h = np.average([at for _, at in best.values()], axis=0, weights=sure).tolist()
        found.append((1 / (1 + math.exp(-NONE - sum(worth for worth, _ in best.values()))), (x, y, w, h)))
    return found


def _walkers(walker: Any, pixels: NDArray[np.uint8]) -> list[tuple[float, Box]]:
    if pixels.shape[0] < 128 or pixels.shape[1] < 64:  # the window of the classifier
        return []
    bgr = np.ascontiguousarray(pixels[..., ::-1])
    boxes, margins = walker.detectMultiScale(bgr, winStride=(8, 8), padding=(8, 8), scale=1.05)
    rows = zip(boxes, np.ravel(margins), strict=True)
    return [(1 / (1 + math.exp(STEEP * (WALKER - float(m)))), tuple(map(float, box))) for box, m in rows]  # type: ignore[misc]


def _full(box: Box, picture: Picture) -> Box:
    """Return a box of the reduced picture in pixels of the full one."""
    x, y, w, h = (value * picture.scale for value in box)
    return inside((x, y, x + w, y + h), picture)


def _body(face: Box, picture: Picture) -> Box:
    x, y, w, h = face
    middle = x + w / 2
    return inside((middle - SHOULDERS / 2 * w, y - HAIR * h, middle + SHOULDERS / 2 * w, y + BODY * h), picture)


@cache
def _detectors() -> tuple[dict[str, Any], Any]:
    with needed("opencv-python-headless", "people"):
        import cv2 as carrier
    cv2: Any = carrier  # what it has depends on its version
    place = Path(getattr(getattr(cv2, "data", None), "haarcascades", ""))
    files = {name: place / f"haarcascade_{name}.xml" for name in CASCADES}
    if not hasattr(cv2, "HOGDescriptor") or not all(file.is_file() for file in files.values()):
        raise MissingExtra(f"OpenCV 4 (here is {cv2.__version__}, which carries no detectors)", "people")
    walker = cv2.HOGDescriptor()
    walker.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())
    return {name: cv2.CascadeClassifier(str(file)) for name, file in files.items()}, walker
