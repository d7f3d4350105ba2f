"""Which relation of place or contact holds between two seen objects: stated, its inverse, or seen from the boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgmm.language.places import canonical, states
from kgmm.reason.explicit.certainty import BOXES
from kgmm.scene import Box, SceneRelation
from kgmm.store import Fact
from kgmm.trace import Citation

if TYPE_CHECKING:
    from kgmm.reason.task import Task


def related(task: Task, a: str, predicate: str, b: str) -> SceneRelation | None:
    """Return the scene relation that puts object *a* in a relation to *b*: stated, inverse, or seen from the boxes."""
    wanted = canonical(predicate)
    for r in task.scene.relations:
        if (r.subject, r.object) == (a, b) and states(r.predicate, wanted):
            return r
        if (r.subject, r.object) == (b, a) and states(r.predicate, wanted, turned=True):
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
