"""How things move: the same thing found in one moment after another, and what its distances and boxes say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kgmm.describe.sightings import Sighting
from kgmm.scene.boxes import overlap_of_union

WINDOW = 2.0  #: seconds of its past that a thing's motion is read from
SAME = 0.3  #: the least overlap of two boxes of one thing, where ids are not of tracks
NO_CHANGE = 1e-3  #: a growth (1/s) below this is none

Moment = tuple[float, list[Sighting]]  #: seconds, and what is seen then


def moving(moments: Sequence[Moment], tracked: bool = True) -> list[Sighting]:
    """Return what is seen at the last moment, with speed, time to contact and sideways motion from the moments before.

    Speed is the slope of the distances of the last :data:`WINDOW` seconds, time to contact their quotient; where no
    distance is known, time to contact is h / (dh/dt), h the height of the box (Lee 1976), which needs no size.

    Args:
        moments: in order of time, the last one last.
        tracked: whether an id is of the same thing in all moments; else the same name and overlapping boxes are.

    Example:
        >>> past = [(t, [Sighting("car", 20 - 5 * t, 0.0, id="c")]) for t in (0.0, 0.5, 1.0)]
        >>> [(round(s.speed, 1), round(s.contact, 1)) for s in moving(past)]
        [(5.0, 3.0)]
    """
    now, seen = moments[-1]
    recent = [moment for moment in moments if now - moment[0] <= WINDOW]
    return [_moves(s, _path(s, recent, tracked)) for s in seen]


def _path(last: Sighting, moments: Sequence[Moment], tracked: bool) -> list[tuple[float, Sighting]]:
    """Return the moments of one thing, from the first that it is followed back to."""
    path = [(moments[-1][0], last)]
    for time, seen in reversed(moments[:-1]):
        later = path[-1][1]
        if tracked and last.id:
            same = next((s for s in seen if s.id == last.id and s.name == last.name), None)
        else:
            same = max((s for s in seen if s.name == last.name), key=lambda s: _overlap(s, later), default=None)
            if same is not None and _overlap(same, later) < SAME:
                same = None
        if same is None:
            break
        path.append((time, same))
    return path[::-1]


def _overlap(a: Sighting, b: Sighting) -> float:
    return 0.0 if a.box is None or b.box is None else overlap_of_union(a.box, b.box)


def _moves(last: Sighting, path: Sequence[tuple[float, Sighting]]) -> Sighting:
    far = [(t, s.distance) for t, s in path if s.distance is not None and s.how == last.how]
    tall = [(t, math.log(s.box[3])) for t, s in path if s.box is not None and s.box[3] > 0]
    turned = [(t, s.bearing) for t, s in path if s.bearing is not None]
    speed = contact = None
    if last.how != "within" and (slope := _slope(far)) is not None and last.distance is not None:
        speed = -slope
        contact = last.distance / speed if speed > NO_CHANGE else None
    elif (growth := _slope(tall)) is not None and abs(growth) > NO_CHANGE:
        contact = 1 / growth  # below 0: it goes away
    return replace(last, speed=speed, contact=contact, sideways=_slope(turned))


def _slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Return the slope of the line of least squares; None of fewer than two times."""
    if len({t for t, _ in points}) < 2:
        return None
    t, y = np.array(points).T
    t = t - t.mean()
    return float((t * y).sum() / (t * t).sum())
