"""The perceiver ``hf``: an object-detection model of Hugging Face, from a local folder or the hub.

Closed vocabulary (DETR; Carion et al., ECCV 2020, and its kin) or open (OWL-ViT; Minderer et al., ECCV 2022),
where *queries* name what to look for.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from kgmm.errors import KgmmError, needed
from kgmm.perceivers._detections import Detection, inside, objects_of
from kgmm.perceivers._relations import scene_of
from kgmm.scene import SceneGraph
from kgmm.scene.images import ImageLike, Picture, read_image


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
        model: a folder, or a name on the hub such as ``facebook/detr-resnet-50``.
        queries: what to look for, with an open-vocabulary model.

    Raises:
        MissingExtra: if transformers is not installed.
        KgmmError: if the model cannot be loaded, or needs queries and has none.
    """
    picture = read_image(image, max_side=1333)
    found = _detections(_detector(str(model)), picture, list(queries or ()), threshold)
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
    if Path(place).expanduser().is_dir():
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with needed("transformers", "detect"):
        import transformers as hub
    hub.utils.logging.disable_progress_bar()
    try:
        kind = hub.AutoConfig.from_pretrained(place).model_type
        open_vocabulary = kind in {"owlvit", "owlv2", "grounding-dino", "mm-grounding-dino", "omdet-turbo"}
        closed = hub.AutoModelForObjectDetection, hub.AutoImageProcessor
        parts = (hub.AutoModelForZeroShotObjectDetection, hub.AutoProcessor) if open_vocabulary else closed
        model, processor = (part.from_pretrained(place) for part in parts)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = " ".join(str(error).split())[:200]
        raise KgmmError(f"no object-detection model {place!r}: {reason}; give a model folder or a hub name") from error
    return Detector(place, model.eval(), processor, open_vocabulary)


def _detections(detector: Detector, picture: Picture, queries: list[str], threshold: float) -> list[Detection]:
    """Run the model; boxes come out in pixels of the full picture."""
    if detector.open_vocabulary and not queries:
        raise KgmmError(f"{detector.name} has an open vocabulary: give queries, the names of what to look for")
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
