"""The perceiver ``default``: an ImageNet classifier over many crops, offline, in a fifth of a second.

EfficientNet-Lite0 (Tan and Le, ICML 2019) names what is in the whole picture and in overlapping crops; class activation
maps say where; a name is believed when two crops agree on it, at the finest level (tabby, cat, animal) they agree on.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from kgmm.encode.efficientnet import efficientnet
from kgmm.perceivers._again import again
from kgmm.perceivers._classes import Classes, imagenet
from kgmm.perceivers._evidence import LONGEST_SIDE, Region, looked, regions
from kgmm.perceivers._objects import object_of
from kgmm.perceivers._relations import scene_of, spatial_relations
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.scene.boxes import overlap_of_smaller, overlap_of_union
from kgmm.scene.images import ImageLike, read_image

__all__ = ["again", "perceive"]

THRESHOLD = 0.55  #: Mean vote of the two best crops from which an object is believed.
#: The same for naming a class rather than its basic kind: the network is right about a tabby less often than
#: about a cat.
FINE = 0.85
TEXTURE = 0.97  #: The same for classes the network sees in any texture.
PLACE = 0.3  #: Probability from which a place class tags the scene.
#: Classes that are only ever pictured in a vessel, which the network therefore does not name beside them.
VESSELS = {"espresso": "cup", "consomme": "bowl"}
VESSEL_SCORE = 0.9  #: What of the contents' score their vessel gets.


def perceive(image: ImageLike, *, threshold: float = THRESHOLD, max_objects: int = 20) -> SceneGraph:
    """Return the objects of a photograph that the network is sure of.

    Args:
        image, threshold, max_objects: see :func:`kgmm.perceivers.perceive`.
    """
    picture = read_image(image, max_side=LONGEST_SIDE)
    network, classes = efficientnet(), imagenet()
    look = looked(picture)
    with torch.inference_mode():
        seen = regions(look, network.classifier, classes, _needed(classes, threshold))
    chosen = _choose(seen, classes)[:max_objects]
    objects = [object_of(f"o{n}", region, picture, classes.nodes[region.node]) for n, region in enumerate(chosen, 1)]
    vessels = _vessels(objects, threshold)
    insides = (SceneRelation(contents.id, "inside", vessel.id, vessel.score) for contents, vessel in vessels)
    relations, tags = (*spatial_relations(objects), *insides), _tags(look.probabilities, classes)
    seen_in = (*objects, *(vessel for _, vessel in vessels))
    return scene_of(picture, seen_in, f"{network.name}@{network.checksum}", relations=relations, tags=tags)


def _needed(classes: Classes, threshold: float) -> NDArray[np.float32]:
    """Return the score from which each class or kind is believed, shape (nodes,)."""
    needed = np.empty(len(classes.nodes), np.float32)
    for column, node in enumerate(classes.nodes):
        if all(index in classes.textures for index in node.classes):
            needed[column] = TEXTURE
        elif node.fine:
            needed[column] = FINE if node.kinds else threshold
        else:
            # Many classes together collect much stray probability: a dog needs more than a cat, an animal most.
            needed[column] = min(threshold + 0.1 * math.log10(len(node.classes)), 0.9)
    return np.maximum(needed, np.float32(threshold))


def _choose(seen: list[Region], classes: Classes) -> list[Region]:
    """Keep the finest name for each place, and of rival names for one place the best."""
    kept: list[Region] = []
    for region in sorted(seen, key=lambda r: (len(classes.nodes[r.node].classes), -r.score)):
        family = set(classes.nodes[region.node].classes)
        rivals = [other for other in kept if overlap_of_smaller(region.box, other.box) > 0.5]
        finer = (classes.nodes[other.node].classes for other in rivals)
        if not any(2 * len(family.intersection(members)) > len(members) for members in finer):
            kept.append(region)
    kept.sort(key=lambda r: -r.score)
    out: list[Region] = []
    for region in kept:
        if all(overlap_of_union(region.box, other.box) < 0.7 for other in out):
            out.append(region)
    return out


def _vessels(objects: list[SceneObject], threshold: float) -> list[tuple[SceneObject, SceneObject]]:
    """Return contents with the vessels they must be in, where none was seen itself."""
    seen = {name for o in objects for name in (o.name, *o.aliases)}
    found = []
    for o in objects:
        name, score = VESSELS.get(o.name), round(o.score * VESSEL_SCORE, 4)
        if name is not None and name not in seen and score >= threshold:
            found.append((o, SceneObject(f"{o.id}v", name, o.box, score)))
    return found


def _tags(probabilities: NDArray[np.float32], classes: Classes) -> tuple[tuple[str, float], ...]:
    """Return the places that the whole picture shows."""
    whole = probabilities[0]
    places = [(classes.places[i], round(float(whole[i]), 4)) for i in classes.places if whole[i] >= PLACE]
    return tuple(sorted(places, key=lambda place: -place[1]))
