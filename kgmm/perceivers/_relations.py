"""Spatial relations between objects, read off their boxes (x, y, width, height; y grows downwards)."""

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

from kgmm.scene import Box, SceneGraph, SceneObject, SceneRelation
from kgmm.scene.boxes import area, shared_area
from kgmm.scene.images import Picture


def scene_of(picture: Picture, objects: Iterable[SceneObject], source: str, **more: Any) -> SceneGraph:
    """Return what *source* saw in a picture as a scene, its boxes related; *more* are other fields of the scene."""
    objects = tuple(objects)
    fields = {"relations": spatial_relations(objects), "complete": False, **more}
    size = picture.width, picture.height
    return SceneGraph(picture.name, objects, fields.pop("relations"), *size, picture.path, source, **fields)


def spatial_relations(objects: Iterable[SceneObject]) -> tuple[SceneRelation, ...]:
    """Relate each pair of boxed objects: ``inside``, ``on``, ``above``/``below``, ``left_of``/``right_of``, ``next_to``.

    A relation's score is the smaller score of its two objects. Pairs whose boxes leave it open get none.

    >>> cup, table = SceneObject("a", "cup", (40, 10, 20, 30)), SceneObject("b", "table", (0, 35, 100, 60))
    >>> [r.predicate for r in spatial_relations([cup, table])]
    ['on', 'above', 'below']
    """
    return tuple(
        SceneRelation(first.id, predicate, second.id, round(min(first.score, second.score), 4))
        for a, b in combinations([o for o in objects if o.box is not None], 2)
        for first, predicate, second in _pair(a, b)
    )


def _pair(a: SceneObject, b: SceneObject) -> Iterator[tuple[SceneObject, str, SceneObject]]:
    assert a.box is not None and b.box is not None
    for small, large in ((a, b), (b, a)):
        if is_inside(small.box, large.box):  # type: ignore[arg-type]
            yield small, "inside", large
            return
    for upper, lower in ((a, b), (b, a)):
        if is_on(upper.box, lower.box):  # type: ignore[arg-type]
            yield upper, "on", lower
    (ax, ay, aw, ah), (bx, by, bw, bh) = a.box, b.box
    across, down = _overlap(ax, aw, bx, bw), _overlap(ay, ah, by, bh)
    if across < 0.3 and across <= down:
        left, right = (a, b) if ax + aw / 2 < bx + bw / 2 else (b, a)
        yield left, "left_of", right
        yield right, "right_of", left
        if down >= 0.5 and max(ax, bx) - min(ax + aw, bx + bw) <= 0.5 * min(aw, bw):
            yield a, "next_to", b
            yield b, "next_to", a
    elif down < 0.3:
        upper, lower = (a, b) if ay + ah / 2 < by + bh / 2 else (b, a)
        yield upper, "above", lower
        yield lower, "below", upper


def is_inside(inner: Box, outer: Box) -> bool:
    """Tell whether nine tenths of a box lie in another at least twice as large."""
    return shared_area(inner, outer) >= 0.9 * area(inner) and area(outer) >= 2 * area(inner)


def is_on(upper: Box, lower: Box) -> bool:
    """Tell whether a box stands on another: over it, no wider, its foot between the other's top and middle."""
    (ux, uy, uw, uh), (lx, ly, lw, lh) = upper, lower
    foot = uy + uh
    over = _overlap(ux, uw, lx, lw) >= 0.7 and uw <= 1.1 * lw
    return over and uy < ly and ly - 0.05 * lh <= foot <= ly + 0.6 * lh


def _overlap(start: float, length: float, other: float, other_length: float) -> float:
    """Shared length of two intervals as a part of the shorter one; 0 if apart."""
    shared = min(start + length, other + other_length) - max(start, other)
    return max(0.0, shared) / max(min(length, other_length), 1e-9)
