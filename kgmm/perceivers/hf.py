"""The perceiver ``hf``: an object-detection model of Hugging Face, from a local folder or the hub.

Closed vocabulary (DETR; Carion et al., ECCV 2020, and its kin) or open (OWL-ViT; Minderer et al., ECCV 2022),
where *queries* name what to look for. Weights are read from safetensors only, never unpickled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from kgmm.errors import KgmmError
from kgmm.perceivers._detections import Detection, inside, objects_of
from kgmm.perceivers._models import loaded, model_type, reason
from kgmm.perceivers._relations import scene_of
from kgmm.scene import SceneGraph
from kgmm.scene.images import ImageLike, Picture, read_image

WHAT = "object-detection model"


def perceive(
    image: ImageLike,
    *,
    model: str | Path,
    queries: Sequence[str] | None = None,
    threshold: float = 0.5,
    max_objects: int = 50,
) -> SceneGraph:
    """Return what a detection model finds in a picture.

    Args:
        image, threshold, max_objects: see :func:`kgmm.perceivers.perceive`.
        model: a folder, or a name on the hub such as ``facebook/detr-resnet-50``; weights in safetensors.
        queries: what to look for, with an open-vocabulary model.

    Raises:
        MissingExtra: if transformers is not installed.
        KgmmError: if the model cannot be loaded or run, or needs queries and has none.
    """
    picture = read_image(image, max_side=1333)
    detector = _detector(str(model))
    if detector.open_vocabulary and not queries:
        raise KgmmError(f"{detector.name} has an open vocabulary: give queries, the names of what to look for")
    try:
        found = _detections(detector, picture, list(queries or ()), threshold)
    except Exception as error:  # a model's code may raise anything on what its folder says
        raise KgmmError(f"{model} does not find objects in pictures: {reason(error)}") from error
    return scene_of(picture, objects_of(found, picture, max_objects), f"hf:{model}")


@dataclass(frozen=True)
class Detector:
    """A loaded model with its processor; ``open_vocabulary`` ones need queries."""

    name: str
    model: Any
    processor: Any
    open_vocabulary: bool


@cache
def _detector(place: str) -> Detector:
    kind = model_type(place, WHAT)
    open_vocabulary = kind in {"owlvit", "owlv2", "grounding-dino", "mm-grounding-dino", "omdet-turbo"}
    closed = "AutoModelForObjectDetection", "AutoImageProcessor"
    parts = ("AutoModelForZeroShotObjectDetection", "AutoProcessor") if open_vocabulary else closed
    return Detector(place, *loaded(place, WHAT, *parts), open_vocabulary)


def _detections(detector: Detector, picture: Picture, queries: list[str], threshold: float) -> list[Detection]:
    """Run the model; boxes come out in pixels of the full picture."""
    image = Image.fromarray(picture.pixels)
    sizes = [(picture.height, picture.width)]
    with torch.inference_mode():
        if detector.open_vocabulary:
            inputs = detector.processor(text=[queries], images=image, return_tensors="pt")
            finish = detector.processor.post_process_grounded_object_detection
            name_of = dict(enumerate(queries))
        else:
            inputs = detector.processor(images=image, return_tensors="pt")
            finish = detector.processor.post_process_object_detection
            name_of = {number: str(name).lower() for number, name in detector.model.config.id2label.items()}
        (result,) = finish(detector.model(**inputs), threshold=threshold, target_sizes=sizes)
    names = [name_of[int(label)] for label in result["labels"]]
    rows = zip(names, result["scores"].tolist(), result["boxes"].tolist(), strict=True)
    return [(name, float(score), inside(box, picture)) for name, score, box in rows]
