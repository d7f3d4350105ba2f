"""Which relation of place or contact holds between two seen objects: stated, its inverse, or seen from the boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgmm.language.words import lemma
from kgmm.reason.explicit.certainty import BOXES
from kgmm.scene import Box, SceneRelation
from kgmm.store import Fact
from kgmm.trace import Citation

if TYPE_CHECKING:
    from kgmm.reason.task import Task

INVERSE = {
    "left_of": "right_of",
    "above": "below",
    "on": "under",
    "inside": "contains",
    "in_front_of": "behind",
    "hold": "held_by",
    "wear": "worn_by",
}
INVERSE |= {b: a for a, b in INVERSE.items()}
SYMMETRIC = frozenset({"next_to", "touch", "near", "beside"})
#: predicates people use for one another, by the word that stands for all of them
ALIKE = {
    "near": "next_to",
    "beside": "next_to",
    "close_to": "next_to",
    "adjacent_to": "next_to",
    "by": "next_to",
    "under": "below",
    "beneath": "below",
    "underneath": "below",
    "over": "above",
    "in": "inside",
    "within": "inside",
    "on_top_of": "on",
    "atop": "on",
    "upon": "on",
    "to_the_left_of": "left_of",
    "to_the_right_of": "right_of",
}


def canonical(predicate: str) -> str:
    """Return the word that stands for a scene predicate: ``sitting_on`` → ``on``, ``wearing`` → ``wear``.

    Example:
        >>> canonical("lying on"), canonical("holding"), canonical("near")
        ('on', 'hold', 'next_to')
    """
    plain = predicate.strip().lower().replace(" ", "_")
    if plain in ALIKE:
        return ALIKE[plain]
    parts = plain.split("_")
    if len(parts) == 2 and parts[0].endswith("ing") and parts[1] in ("on", "in", "inside", "under", "behind", "above"):
        return ALIKE.get(parts[1], parts[1])
    if len(parts) == 1:
        return lemma(plain)
    return plain


def related(task: Task, a: str, predicate: str, b: str) -> SceneRelation | None:
    """Return the scene relation that puts object *a* in a relation to *b*: stated, inverse, or seen from the boxes."""
    wanted = canonical(predicate)
    for r in task.scene.relations:
        stated = canonical(r.predicate)
        if (r.subject, r.object) == (a, b) and (stated == wanted or {stated, wanted} in ({"on", "on_top_of"},)):
            return r
        turned = (r.subject, r.object) == (b, a)
        if turned and (INVERSE.get(stated) == wanted or (stated == wanted and wanted in SYMMETRIC)):
            return r
        if turned and ALIKE.get(INVERSE.get(stated, ""), "") == wanted:
            return r
    boxes = task.scene[a].box, task.scene[b].box
    if boxes[0] is not None and boxes[1] is not None and by_boxes(boxes[0], boxes[1], wanted):
        return SceneRelation(a, wanted, b, BOXES)
    return None


def by_boxes(a: Box, b: Box, predicate: str) -> bool:
    """Tell whether box *a* stands in a relation to box *b*; only relations that boxes show."""
    ax, ay, bx, by = a[0] + a[2] / 2, a[1] + a[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2
    if predicate == "left_of":
        return ax < bx and a[0] + a[2] <= b[0] + 0.5 * b[2]
    if predicate == "right_of":
        return ax > bx and a[0] >= b[0] + 0.5 * b[2]
    if predicate == "above":
        return ay < by and a[1] + a[3] <= b[1] + 0.5 * b[3]
    if predicate == "below":
        return ay > by and a[1] >= b[1] + 0.5 * b[3]
    if predicate == "next_to":
        gap = max(b[0] - (a[0] + a[2]), a[0] - (b[0] + b[2]), b[1] - (a[1] + a[3]), a[1] - (b[1] + b[3]))
        return gap <= 0.3 * min(max(a[2], a[3]), max(b[2], b[3])) and not _contains(a, b) and not _contains(b, a)
    return predicate == "inside" and _contains(b, a)


def _contains(outer: Box, inner: Box) -> bool:
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[0] + outer[2] >= inner[0] + inner[2]
        and outer[1] + outer[3] >= inner[1] + inner[3]
    )


def scene_citation(task: Task, r: SceneRelation) -> Citation:
    """Return the citation of a scene relation; one derived from boxes cites both boxes' objects by it."""
    return Citation(
        Fact(task.scene.node(r.subject), r.predicate, task.scene.node(r.object), r.score, task.scene.graph),
        "scene",
        "relation" if r in task.scene.relations else "boxes",
    )
