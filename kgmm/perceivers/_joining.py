"""Joining what several perceivers see in one picture: ``default+onnx:FILE``.

What they name alike at one place is one thing: boxes are matched one to one by overlap, names by kind
(:mod:`kgmm.perceivers._kinds`), as late fusion of detections does (Xu, Krzyżak and Suen 1992, at the abstract level). Two that agree are surer than
one, 1 − (1 − p)(1 − q); of two names that exclude one another at one place the surer is left as it is, and the other stays with
less. Nothing that one alone lists is left out.
"""

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kgmm.errors import KgmmError
from kgmm.perceivers._kinds import is_kind, is_same
from kgmm.perceivers._relations import spatial_relations
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.scene.boxes import area, overlap_of_smaller, overlap_of_union

#: checksum of a detector's file → slope and offset of the log odds of being right on the log odds of what it says (Platt
#: 1999). YOLOX-nano's by ``benchmarks/calibrate_detector.py``: 43 names in six views each of 24 pictures, 11 of them right; what it
#: is 0.40 sure of is right in 0.24 of cases, 0.90 in 0.84. Scores of ``default`` are votes already, others' stay as they are.
CALIBRATED = {"e8af074932d4ed7e": (1.09, -0.70)}
ALIKE = 0.4  #: Intersection over union from which boxes of one name or kind are of one thing.
#: The same for the part of the smaller box in the larger, which is at most so many times as large.
WITHIN, LARGER = 0.8, 8.0
RIVALS = 0.5  #: Intersection over union from which names that exclude one another are rivals.
#: What a rival's score is at least multiplied with (beside what is certain), and what it is not brought below.
DOUBT, LEAST = 0.5, 0.2
CERTAIN = 0.99  #: The most that two which agree are sure of.
LIKELY = 0.5  #: Score from which the more specific of two names is the thing's name.
#: Perceivers whose boxes are those of crops and maps; others' boxes are preferred.
ROUGH = frozenset({"default", "clip"})
SPATIAL = frozenset("inside on above below left_of right_of next_to".split())


@dataclass(frozen=True)
class Part:
    """A perceiver to be joined: its name, and its model if it is given one."""

    name: str
    model: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.model}" if self.model else self.name


def parts(said: str, names: Collection[str]) -> list[Part]:
    """Return the perceivers, of those there are, that a text names; a ``+`` in a file's name is left there.

    Raises:
        KgmmError: if a part is empty, there is no such perceiver, or one comes twice.

    Example:
        >>> parts("default+onnx:a+b.onnx+ocr", ["default", "ocr", "onnx"])
        [Part(name='default', model=''), Part(name='onnx', model='a+b.onnx'), Part(name='ocr', model='')]
    """
    found: list[Part] = []
    rest = said
    while True:
        name, mark, tail = re.fullmatch(r"([^:+]*)([:+]?)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
        model = ""
        if mark == ":":
            model, mark, tail = _model(tail, names)
        found.append(Part(name.strip(), model))
        if not mark:
            break
        rest = tail
    if len(found) > 1:
        _check(said, found, names)
    return found


def _model(said: str, names: Collection[str]) -> tuple[str, str, str]:
    """Split what follows a colon into a model, ``+`` if more parts follow, and those."""
    ends = [m.start() for m in re.finditer(r"\+", said)]
    if not ends or _exists(said):
        return said, "", ""
    named = [end for end in ends if re.split(r"[:+]", said[end + 1 :], maxsplit=1)[0].strip() in {*names, ""}]
    files = [end for end in named if _exists(said[:end])]
    end = (files or named or [None])[0]  # type: ignore[list-item]
    return (said, "", "") if end is None else (said[:end], "+", said[end + 1 :])


def _exists(place: str) -> bool:
    try:
        return Path(place).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, or nobody's home
        return False


def _check(said: str, found: list[Part], names: Collection[str]) -> None:
    for n, part in enumerate(found):
        if not part.name:
            raise KgmmError(f"a part of the perceiver {said!r} is empty; write NAME+NAME, or NAME:MODEL+NAME")
        if part.name not in names:
            raise KgmmError(f"no perceiver {part.name!r}; there are: {', '.join(sorted(names))}")
        if part in found[:n]:
            raise KgmmError(f"the perceiver {said!r} names {part} twice")
        if part.name == "scene":
            raise KgmmError("the perceiver scene reads a scene's file and no picture: it cannot be joined with others")


def join(seen: Sequence[tuple[Part, SceneGraph]], most: int | None = None) -> SceneGraph:
    """Return one scene of what several perceivers saw in the same picture; each object's ``source`` says which.

    Things come by score, text in its order; *most* bounds the things and texts that are kept.
    """
    labels = _labels([part for part, _ in seen])
    joined: list[_Thing] = []
    for label, (part, scene) in zip(labels, seen, strict=True):
        trust = CALIBRATED.get(scene.source.rsplit("@", 1)[-1])
        new = [_Thing(calibrated(o, trust), part.name in ROUGH, {(label, o.id)}) for o in scene.objects]
        _fold(joined, new)
    _doubt(joined)
    texts = [thing for thing in joined if thing.seen.text]
    things = sorted((thing for thing in joined if not thing.seen.text), key=lambda thing: -thing.seen.score)
    kept = [*things, *texts]
    if most is not None:
        best = sorted(kept, key=lambda thing: -thing.seen.score)[:most]
        kept = [thing for thing in kept if thing in best]
    objects = tuple(
        replace(thing.seen, id=f"o{n}", source="+".join(label for label in labels if label in thing.labels))
        for n, thing in enumerate(kept, 1)
    )
    ids = {came: o.id for o, thing in zip(objects, kept, strict=True) for came in thing.came}
    first = seen[0][1]
    tags: dict[str, float] = {}
    for tag, score in (pair for _, scene in seen for pair in scene.tags):
        tags[tag] = max(score, tags.get(tag, 0.0))
    return replace(
        first,
        objects=objects,
        relations=tuple(_relations(objects, ids, dict(zip(labels, (scene for _, scene in seen), strict=True)))),
        source=" + ".join(scene.source for _, scene in seen),
        tags=tuple(sorted(tags.items(), key=lambda pair: -pair[1])),
        complete=all(scene.complete for _, scene in seen),
    )


def calibrated(o: SceneObject, trust: tuple[float, float] | None) -> SceneObject:
    """Return an object whose score is how often its source is right when it says so; without *trust* as it is.

    >>> calibrated(SceneObject("o1", "cat", score=0.9), (1.09, -0.7)).score
    0.8449
    """
    if trust is None:
        return o
    score = min(max(o.score, 1e-6), 1 - 1e-6)
    return replace(o, score=round(1 / (1 + math.exp(-trust[0] * math.log(score / (1 - score)) - trust[1])), 4))


@dataclass(eq=False)
class _Thing:
    """What was seen at one place; whether its box is a rough one; who saw it, and by which id."""

    seen: SceneObject
    rough: bool
    came: set[tuple[str, str]]

    @property
    def labels(self) -> set[str]:
        return {label for label, _ in self.came}


def _labels(found: list[Part]) -> list[str]:
    """Return how each part is called in an object's source: by name, with its file if a name comes twice."""
    names = [part.name for part in found]
    short = [f"{p.name}:{Path(p.model).name}" if names.count(p.name) > 1 and p.model else p.name for p in found]
    return [one if short.count(one) == 1 else str(part) for one, part in zip(short, found, strict=True)]


def _fold(joined: list[_Thing], new: list[_Thing]) -> None:
    """Match new things with those there are, one to one, the best first, and append what is left."""
    pairs = [(fit, a, b) for a in joined for b in new if (fit := _fit(a.seen, b.seen)) > 0]
    taken: set[int] = set()
    for _, a, b in sorted(pairs, key=lambda pair: -pair[0]):
        if id(a) not in taken and id(b) not in taken:
            taken |= {id(a), id(b)}
            _merge(a, b)
    joined += [b for b in new if id(b) not in taken]


def _fit(a: SceneObject, b: SceneObject) -> float:
    """Return how well two objects would be one thing; 0 if they cannot be."""
    if a.box is None or b.box is None:
        place = 0.01  # somewhere
    elif (place := overlap_of_union(a.box, b.box)) < ALIKE:
        sizes = sorted((area(a.box), area(b.box)))
        if overlap_of_smaller(a.box, b.box) < WITHIN or sizes[1] > LARGER * sizes[0]:
            return 0.0
    if a.text or b.text:
        return place if " ".join(a.text.lower().split()) == " ".join(b.text.lower().split()) else 0.0
    return place if _kin(a, b) else 0.0


def _kin(a: SceneObject, b: SceneObject) -> bool:
    """Tell whether two names may be of one thing: the same, or one a kind of the other."""
    return is_same(a.name, b.name) or _finer(a, b) or _finer(b, a)


def _finer(a: SceneObject, b: SceneObject) -> bool:
    return any(is_same(alias, b.name) for alias in a.aliases) or is_kind(a.name, b.name)


def _merge(a: _Thing, b: _Thing) -> None:
    """Let the first be what both are."""
    one, other, score = a.seen, b.seen, max(a.seen.score, b.seen.score)
    if is_same(one.name, other.name):
        named, also = one, other
        score = max(score, min(1 - (1 - one.score) * (1 - other.score), CERTAIN))
    else:
        fine, coarse = (one, other) if _finer(one, other) else (other, one)
        sure = fine.score >= min(LIKELY, coarse.score)
        named, also = (fine, coarse) if sure else (coarse, fine)
    box = one.box
    if box is None or (other.box is not None and (a.rough, -one.score) > (b.rough, -other.score)):
        box, a.rough = other.box, b.rough
    names = dict.fromkeys((*named.aliases, also.name, *also.aliases))
    a.seen = replace(
        named,
        box=box,
        score=round(score, 4),
        attributes=tuple(dict.fromkeys((*one.attributes, *other.attributes))),
        aliases=tuple(name for name in names if name != named.name),
        text=one.text or other.text,
    )
    a.came |= b.came


def _doubt(joined: list[_Thing]) -> None:
    """Lower the score of what a surer one names otherwise at the same place."""
    things = sorted((t for t in joined if t.seen.box and not t.seen.text), key=lambda thing: -thing.seen.score)
    for n, thing in enumerate(things):
        against = [other.seen.score for other in things[:n] if _rivals(thing, other)]
        if against:
            score = thing.seen.score * (1 - DOUBT * max(against))
            thing.seen = replace(thing.seen, score=round(max(score, min(LEAST, thing.seen.score)), 4))


def _rivals(a: _Thing, b: _Thing) -> bool:
    """Tell whether two things that nobody saw beside one another are at one place, and neither is a kind of the other."""
    if a.labels & b.labels or overlap_of_union(a.seen.box, b.seen.box) < RIVALS:  # type: ignore[arg-type]
        return False
    return not _kin(a.seen, b.seen)


def _relations(
    objects: tuple[SceneObject, ...], ids: dict[tuple[str, str], str], scenes: dict[str, SceneGraph]
) -> Iterator[SceneRelation]:
    """Yield what the boxes say of things, and what perceivers say that boxes do not."""
    texts = {o.id for o in objects if o.text}
    things = [o for o in objects if o.id not in texts]
    drawn = list(spatial_relations(things))
    stated: dict[tuple[str, str, str], SceneRelation] = {}
    for label, scene in scenes.items():
        own = {(r.subject, r.object, r.predicate) for r in spatial_relations(scene.objects)}
        for r in scene.relations:
            ends = ids.get((label, r.subject)), ids.get((label, r.object))
            if ends[0] is None or ends[1] is None or ends[0] == ends[1]:
                continue
            if (r.subject, r.object, r.predicate) in own and not texts.intersection(ends):
                continue  # its boxes said so; those of the joined things do
            key = ends[0], r.predicate, ends[1]
            if key not in stated or stated[key].score < r.score:
                stated[key] = SceneRelation(*key, r.score)
    said = {frozenset((r.subject, r.object)) for r in stated.values() if r.predicate in SPATIAL}
    yield from (r for r in drawn if frozenset((r.subject, r.object)) not in said)
    yield from stated.values()
