"""The perceiver ``clip``: parts of a picture named among given words by a model that knows pictures and texts alike.

CLIP (Radford et al., ICML 2021) or SigLIP (Zhai et al., ICCV 2023), from a local folder or the hub; whatever transformers'
``AutoModel`` compares pictures and texts with. Parts are overlapping crops and the boxes of the perceiver ``default``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from kgmm.errors import BadInput, KgmmError
from kgmm.language.words import written
from kgmm.perceivers import default
from kgmm.perceivers._again import SURE, apart, believed, with_things
from kgmm.perceivers._classes import imagenet
from kgmm.perceivers._detections import Detection, inside, objects_of
from kgmm.perceivers._evidence import windows
from kgmm.perceivers._models import loaded, reason
from kgmm.perceivers._relations import scene_of
from kgmm.scene import Box, SceneGraph
from kgmm.scene.boxes import overlap_of_smaller
from kgmm.scene.images import ImageLike, Picture, read_image

NOTHING = ("a photo", "a photo of something else")  #: what a crop may show instead of all that is asked for
LONGEST, QUERIES, SMALLEST = (
    1024,
    256,
    8,
)  #: pixels of the longer side, words that may be asked for, pixels of a crop's side
APART = 0.5  #: part of the smaller of two boxes of one name that they may share


def perceive(
    image: ImageLike,
    *,
    model: str | Path,
    queries: Sequence[str] | None = None,
    threshold: float = 0.5,
    max_objects: int = 50,
) -> SceneGraph:
    """Return what of the *queries* a picture shows, and roughly where.

    The score of a name for a crop is its probability against the other names and "none of these" (CLIP's softmax), or
    by itself (SigLIP's sigmoid).

    Args:
        image, threshold, max_objects: see :func:`kgmm.perceivers.perceive`.
        model: a folder, or a name on the hub such as ``openai/clip-vit-base-patch32``; weights in safetensors.
        queries: names to choose from; the basic kinds above ImageNet's classes by default.

    Raises:
        MissingExtra: if transformers is not installed.
        KgmmError: if the model cannot be loaded or run, or there are no queries.
    """
    given = [node.name for node in imagenet().nodes if not node.fine] if queries is None else queries
    names = list(dict.fromkeys(filter(None, (written(query).lower() for query in given))))
    if not 1 <= len(names) <= QUERIES:
        raise BadInput("queries", f"give the names of what to look for, 1 to {QUERIES} of them; there are {len(names)}")
    network, processor = _model(str(model))
    picture = read_image(image, max_side=LONGEST)
    boxes = _parts(image, picture)
    try:
        scores = likelihood(network, processor, [_crop(picture, box) for box in boxes], names)
    except Exception as error:  # a model's code may raise anything on what its folder says
        raise KgmmError(f"{model} does not compare pictures and texts: {reason(error)}") from error
    best = scores.argmax(1)
    seen = [(names[n], float(row[n]), box) for n, row, box in zip(best, scores, boxes, strict=True)]
    found = _one_a_place([one for one in seen if one[1] >= threshold])
    return scene_of(picture, objects_of(found, picture, max_objects), f"clip:{model}")


def again(image: ImageLike, scene: SceneGraph, sought: Mapping[str, float], *, model: str | Path) -> SceneGraph:
    """Look once more for some names; how likely each was before counts beside what the model says."""
    names = {written(name).lower(): likely for name, likely in sought.items() if written(name)}
    if not names:
        return scene
    seen = perceive(image, model=model, queries=[*names][:QUERIES], threshold=0.0).objects
    found = [(o, believed(names[o.name], o.score / max(1 - o.score, 1e-9))) for o in seen]
    things = [replace(o, score=round(sure, 4)) for o, sure in found if sure >= SURE]
    return with_things(scene, apart(things), scene.absent)


def _parts(image: ImageLike, picture: Picture) -> list[Box]:
    """Return boxes to name, in pixels of the full picture: crops at three scales, and what the default perceiver boxes."""
    crops = [inside(corners, picture) for corners in windows(picture.width, picture.height)]
    seen = [o.box for o in default.perceive(image).objects if o.box is not None]
    return list(dict.fromkeys(box for box in (*crops, *seen) if min(box[2:]) >= SMALLEST)) or crops[:1]


def _crop(picture: Picture, box: Box) -> Image.Image:
    x, y, w, h = (value / picture.scale for value in box)
    left, top = int(x), int(y)
    part = picture.pixels[top : max(top + 1, round(y + h)), left : max(left + 1, round(x + w))]
    return Image.fromarray(np.ascontiguousarray(part))


def likelihood(network: Any, processor: Any, crops: list[Image.Image], names: list[str]) -> NDArray[np.float64]:
    """Return how likely each crop shows each name, shape (crops, names)."""
    alone = getattr(network, "logit_bias", None) is not None  # SigLIP's: each text by itself
    prompts = [f"a photo of {'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names]
    texts = prompts if alone else [*prompts, *NOTHING]
    given = processor(
        text=texts, images=crops, padding="max_length" if alone else True, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        logits = network(**given.to(network.dtype)).logits_per_image.double()
    scores = torch.sigmoid(logits) if alone else torch.softmax(logits, 1)
    found: NDArray[np.float64] = scores[:, : len(names)].numpy()
    return np.nan_to_num(found)


def _one_a_place(found: list[Detection]) -> list[Detection]:
    """Keep the best box of each name among those that lie over one another."""
    kept: list[Detection] = []
    for name, score, box in sorted(found, key=lambda one: -one[1]):
        if all(other != name or overlap_of_smaller(box, at) <= APART for other, _, at in kept):
            kept.append((name, score, box))
    return kept


@lru_cache(maxsize=2)
def _model(place: str) -> tuple[Any, Any]:
    return loaded(place, "model of pictures and texts", "AutoModel")
