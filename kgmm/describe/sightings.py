"""What is seen and where it is: distance and bearing of a scene's objects, and how they are known."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import Literal

from kgmm.describe.sizes import height_of
from kgmm.language.places import canonical
from kgmm.scene import Box, SceneGraph, SceneObject
from kgmm.store.facts import Fact

FIELD_OF_VIEW = 60.0  #: degrees a picture is taken to be wide, about what a telephone's main camera sees
EDGE = 0.01  #: a box nearer than this share of the picture to its upper or lower edge is taken to be cut off
LARGE, SMALL = (
    0.5,
    0.15,
)  #: parts of the picture's height from which on a thing of unknown size is near, up to which far
#: metres that stand for near, neither, and far where things are ordered
STAND_FOR = {"near": 2.0, "": 6.0, "far": 15.0}
_AWAY = re.compile(r"(\d+(?:\.\d+)?) ?(?:m|met(?:re|er)s?)(?: away)?")

#: how a distance is known: measured; from a usual size; at most that, since the box is cut; by the box's size only; not
How = Literal["measured", "estimated", "within", "by size", "unknown"]


@dataclass(frozen=True)
class Sighting:
    """One thing: its name, where it is, how it moves, and what is known to be dangerous about it.

    ``distance`` is in metres, ``bearing`` in degrees from straight ahead (right is positive), ``speed`` in metres a second towards
    whoever looks, ``contact`` the seconds until it is there if it goes on as it does, ``sideways`` degrees a second to the right.
    None is not known.
    """

    name: str
    distance: float | None = None
    bearing: float | None = None
    speed: float | None = None
    contact: float | None = None
    sideways: float | None = None
    how: How = "measured"
    holder: str = ""  #: id of the thing in or on which it is, or that holds or wears it, if the distance is that one's
    size: str = ""  #: "near" or "far" by the size of the box, where how is "by size"
    id: str = ""
    score: float = 1.0
    hazards: tuple[tuple[str, tuple[Fact, ...]], ...] = ()  #: words such as "sharp", and the facts that say so
    aliases: tuple[str, ...] = field(default=(), compare=False)
    box: Box | None = field(default=None, compare=False)

    @property
    def metres(self) -> float:
        """The distance, or what stands for it where only near or far is known."""
        return STAND_FOR[self.size] if self.distance is None else self.distance


def sightings(scene: SceneGraph, field_of_view: float = FIELD_OF_VIEW) -> list[Sighting]:
    """Return the objects of a scene with distance and bearing as far as they can be told.

    An attribute such as ``2.5 m`` or ``3 metres away`` is a measured distance. Else it is f H / h: h the box's height in
    pixels, H how high such a thing usually is, f the focal length in pixels that makes the picture *field_of_view* degrees
    wide (a pinhole camera, looking level). A box that the upper or lower edge cuts gives a distance that it is within; a
    thing of unknown size is near or far by its part of the picture's height. What is in, on, held or worn by a thing of known
    distance is as far as that. Without boxes nothing is known, nor of one without an extent. What has no name, and parts of
    other things in the scene, are left out.

    Example:
        >>> scene = SceneGraph("s", (SceneObject("o", "bicycle", (0, 200, 300, 480)),), (), 1280, 960)
        >>> [(round(s.distance, 1), round(s.bearing), s.how) for s in sightings(scene)]
        [(2.5, -24, 'estimated')]
    """
    focal = scene.width / 2 / math.tan(math.radians(field_of_view) / 2)
    parts = {r.subject for r in scene.relations if canonical(r.predicate) == "part_of" and r.subject != r.object}
    found = {o.id: _sighting(o, scene, focal) for o in scene.objects if o.id not in parts and o.name.strip()}
    holders = _holders(scene)
    return [_as_held(one, found, holders) for one in found.values()]


def _holders(scene: SceneGraph) -> dict[str, str]:
    """Return for each thing that is in, on, held or worn by another the other; the first that the scene names."""
    holders: dict[str, str] = {}
    for r in scene.relations:
        if (how := canonical(r.predicate)) in ("inside", "on", "held_by", "worn_by"):
            holders.setdefault(r.subject, r.object)
        elif how in ("hold", "wear", "contains"):
            holders.setdefault(r.object, r.subject)
    return holders


def _as_held(one: Sighting, found: dict[str, Sighting], holders: dict[str, str]) -> Sighting:
    at, seen = one, {one.id}
    while at.distance is None and (holder := holders.get(at.id, "")) in found and holder not in seen:
        at = found[holder]
        seen.add(holder)
    if at is one or at.distance is None:
        return one
    return replace(one, distance=at.distance, how=at.how, size="", holder=at.id)


def _sighting(o: SceneObject, scene: SceneGraph, focal: float) -> Sighting:
    measured = next((float(m[1]) for a in o.attributes if (m := _AWAY.fullmatch(a.strip()))), None)
    if measured == math.inf:
        measured = None
    bearing, distance, size = None, measured, ""
    how: How = "unknown" if measured is None else "measured"
    box = o.box if o.box is not None and all(map(math.isfinite, o.box)) and min(o.box[2:]) > 0 else None
    if box is not None and focal > 0:
        x, _, wide, _ = box
        bearing = math.degrees(math.atan((x + wide / 2 - scene.width / 2) / focal))
        if measured is None:
            distance, how, size = _by_box(o, box, scene, focal)
    return Sighting(
        o.name,
        distance,
        bearing,
        None,
        None,
        None,
        how,
        size=size,
        id=o.id,
        score=o.score,
        aliases=tuple(alias for alias in o.aliases if alias.strip()),
        box=box,
    )


def _by_box(o: SceneObject, box: Box, scene: SceneGraph, focal: float) -> tuple[float | None, How, str]:
    _, y, _, tall = box
    height = height_of(o.name, *o.aliases)
    if scene.height <= 0:
        return None, "unknown", ""
    if height is not None:
        cut = y <= EDGE * scene.height or y + tall >= (1 - EDGE) * scene.height
        return focal * height / tall, "within" if cut else "estimated", ""
    part = tall / scene.height
    return None, "by size", "near" if part >= LARGE else "far" if part <= SMALL else ""
