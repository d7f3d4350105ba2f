"""A second look of the perceiver ``default``: does a picture show what a question, or knowledge, names?

A name is looked for among all crops of the first look and 16 smaller ones. What speaks for it is a ratio of likelihoods: the odds
that the network gives its classes in the second best crop, against the odds of as many classes out of a thousand by chance.
Crops overlap and the network is surer than it is right, so that the ratio counts by a power below 1; with how likely the thing was
before anyone looked (the question grants it, or only asks for it) it gives the probability that the thing is there.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from scipy import ndimage

from kgmm.encode.efficientnet import efficientnet
from kgmm.language.words import normal
from kgmm.perceivers._classes import SHOWN, TEXTURES, Node, imagenet
from kgmm.perceivers._evidence import GRID, LONGEST_SIDE, Look, Region, evidence_map, looked
from kgmm.perceivers._objects import object_of
from kgmm.perceivers._relations import spatial_relations
from kgmm.scene import SceneGraph, SceneObject
from kgmm.scene.boxes import overlap_of_union
from kgmm.scene.images import ImageLike, read_image

FINER = ((0.35, 4),)  #: Scale of the smaller crops, and how many lie along each side.
LEAST = 24.0  #: Ratio of likelihoods from which a thing may be believed, whatever was likely before.
PLAIN = 64.0  #: Ratio from which a thing's place is so sure that its colours and size are told.
POWER = 0.6  #: What of the ratio's logarithm counts.
SURE = 0.8  #: Probability from which a thing is believed.
NOTHING = 2.0  #: Ratio up to which nothing speaks for a thing at all …
ABSENT = 0.75  #: … and how sure it then is that the picture does not show it.
#: Kinds of which the network knows so many members that nothing speaking for one means that there is none.
COVERED = frozenset(("animal", "vehicle", "musical instrument"))
VOTERS = 3  #: The best crops, which say where a thing is.
PEAK = 0.5  #: Part of the highest evidence that the cells of a thing have.
SAME = 0.6  #: Overlap (of the union) from which two of the things that are looked for are taken for one; the likelier is kept.


@cache
def _nodes() -> dict[str, Node]:
    """Return what each name that can be looked for stands for: kinds, classes, other words for a class, what a place shows."""
    classes = imagenet()
    found: dict[str, Node] = {}
    for node in sorted(classes.nodes, key=lambda node: node.fine):  # a kind before a class of its name
        if classes.textures.isdisjoint(node.classes):
            own = [a for a in node.aliases if a not in node.kinds] if node.fine else []
            found |= {normal(n): node for n in (node.name, *own) if normal(n) not in found}
    for index, place in classes.places.items():
        for name in (place, *SHOWN.get(place.replace(" ", "_"), ())):
            found.setdefault(normal(name), Node(name, (index,), (), (), True))
    return {name: node for name, node in found.items() if name.replace(" ", "_") not in TEXTURES}


def known(name: str) -> bool:
    """Tell whether a name is one of those that can be looked for.

    >>> known("spoons"), known("eye")
    (True, False)
    """
    return normal(name) in _nodes()


def again(image: ImageLike, scene: SceneGraph, sought: Mapping[str, float]) -> SceneGraph:
    """Look once more at a picture of which *scene* was seen, for some names.

    Args:
        image: the picture.
        scene: what was seen in it at first.
        sought: names, and how likely each is there before anyone looks, in (0, 1); names that are not :func:`known` are passed over.

    Returns:
        The scene with what is believed to be there, by ids ``a1``, ``a2`` …, and with what is not there among its ``absent``; the same
        scene if nothing changes.
    """
    wanted = {name: _nodes()[normal(name)] for name in sought if known(name)}
    if not wanted:
        return scene
    picture = read_image(image, max_side=LONGEST_SIDE)
    look = _joined(looked(picture), looked(picture, FINER))
    found: list[SceneObject] = []
    absent = dict(scene.absent)
    for name, node in wanted.items():
        ratio = _ratio(look, node)
        sure = believed(sought[name], ratio**POWER)
        if ratio >= LEAST and sure >= SURE:
            seen = object_of("a", _region(look, node, sure), picture, node)
            shown = seen.attributes if ratio >= PLAIN else ()
            found.append(replace(seen, name=name, aliases=_others(name, node), attributes=shown))
        elif ratio <= NOTHING and not COVERED.isdisjoint((node.name, *node.kinds)):
            absent[name] = ABSENT
    return with_things(scene, apart(found), tuple(absent.items()))


def believed(before: float, ratio: float) -> float:
    """Return how likely a thing is after a ratio of likelihoods, in [0, 1), if it was so likely *before*, in (0, 1).

    >>> believed(0.5, 4.0)
    0.8
    """
    odds = before / (1 - before) * ratio
    return odds / (1 + odds)


def _joined(one: Look, other: Look) -> Look:
    maps, probabilities = torch.cat([one.maps, other.maps]), np.concatenate([one.probabilities, other.probabilities])
    return Look(one.boxes + other.boxes, one.size, maps, probabilities)


def _ratio(look: Look, node: Node) -> float:
    """Return the ratio of likelihoods by which the second best crop speaks for a node."""
    second = min(float(np.partition(look.probabilities[:, node.classes].sum(1), -2)[-2]), 1 - 1e-6)
    chance = min(len(node.classes) / look.probabilities.shape[1], 0.99)
    return float(second / (1 - second) / (chance / (1 - chance)))


def _region(look: Look, node: Node, score: float) -> Region:
    """Return where the evidence for a node is strongest."""
    members = list(node.classes)
    voters = np.argsort(-look.probabilities[:, members].sum(1), kind="stable")[:VOTERS]
    evidence = evidence_map(look, efficientnet().classifier, members, voters)
    labels, _ = ndimage.label(evidence >= PEAK * evidence.max())
    at = np.unravel_index(int(evidence.argmax()), (GRID, GRID))
    return Region(-1, score, labels == labels[at])


def _others(name: str, node: Node) -> tuple[str, ...]:
    """Return further names of a thing: its class or kind's own, and the kinds above."""
    names = (node.name, *(node.kinds if node.fine else node.aliases))
    return tuple(n for n in dict.fromkeys(names) if normal(n) != normal(name))


def apart(found: list[SceneObject]) -> list[SceneObject]:
    """Keep the likeliest of things that lie at the same place."""
    kept: list[SceneObject] = []
    for thing in sorted(found, key=lambda o: -o.score):
        assert thing.box is not None
        if all(overlap_of_union(thing.box, other.box) < SAME for other in kept if other.box is not None):
            kept.append(thing)
    return kept


def with_things(scene: SceneGraph, found: list[SceneObject], absent: tuple[tuple[str, float], ...]) -> SceneGraph:
    """Return the scene with further things, related to the others by their boxes."""
    if not found and absent == scene.absent:
        return scene
    start = sum(o.id.startswith("a") for o in scene.objects)
    things = [replace(o, id=f"a{start + n}") for n, o in enumerate(found, 1)]
    new = {o.id for o in things}
    related = spatial_relations((*scene.objects, *things))
    more = tuple(r for r in related if r.subject in new or r.object in new)
    return replace(scene, objects=(*scene.objects, *things), relations=(*scene.relations, *more), absent=absent)
