"""Which relation of place or contact holds between two seen objects: stated, its inverse, or seen from the boxes."""

from kgmm.language.places import canonical, states
from kgmm.reason.explicit.certainty import BOXES
from kgmm.reason.task import Task
from kgmm.scene import Box, SceneRelation
from kgmm.store import Fact
from kgmm.trace import Citation


def related(task: Task, a: str, predicate: str, b: str) -> SceneRelation | None:
    """Return the scene relation that puts object *a* in a relation to *b*: stated, inverse, or seen from the boxes."""
    wanted = canonical(predicate)
    for r in task.scene.relations:
        if (r.subject, r.object) == (a, b) and states(r.predicate, wanted):
            return r
        if (r.subject, r.object) == (b, a) and states(r.predicate, wanted, turned=True):
            return r
    one, two = task.scene[a].box, task.scene[b].box
    shown = one is not None and two is not None and by_boxes(one, two, wanted)
    return SceneRelation(a, wanted, b, BOXES) if shown else None


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
    return all(outer[i] <= inner[i] and outer[i] + outer[i + 2] >= inner[i] + inner[i + 2] for i in (0, 1))


def scene_citation(task: Task, r: SceneRelation) -> Citation:
    """Return the citation of a scene relation; one derived from boxes cites both boxes' objects by it."""
    fact = Fact(task.scene.node(r.subject), r.predicate, task.scene.node(r.object), r.score, task.scene.graph)
    return Citation(fact, "scene", "relation" if r in task.scene.relations else "boxes")
