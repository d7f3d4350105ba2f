"""Why an item is recommended: which liked items bring it near, how much its score owes them, and the path between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.graph.paths import Path
from kgmm.language import names

if TYPE_CHECKING:
    from kgmm.recommend.base import Recommender, Rows
    from kgmm.recommend.recommenders.walk import Walk

#: rated items whose taking away is tried, the nearest first
TRIED = 20


@dataclass(frozen=True)
class Reason:
    """A rated item that speaks for a recommended one.

    Args:
        liked: the rated item.
        part: for a walk the share of the walk's visits of the recommended item that began at the rated one; else how much
            the score falls if the user had not rated it.
        text: in words; other users stay nameless.
        nodes: the path's nodes, from the rated item to the recommended; empty where a method has no paths.
        relations: one for each step.
    """

    liked: str
    part: float
    text: str
    nodes: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def taken_away(model: Recommender, items: NDArray[np.int32], values: Rows, item: int, k: int) -> list[Reason]:
    """Return the rated items without which the score falls most, in factor models nearest items being tried first.

    The user is placed as a new one would be, with all ratings and without each.
    """
    rated = np.flatnonzero(items != item)
    if len(items) < 2 or not len(rated):
        return []
    vectors = getattr(model, "item_factors", None)
    if vectors is not None:
        near = vectors[items[rated]] @ vectors[item]
        rated = rated[np.argsort(-near, kind="stable")]
    rated = rated[:TRIED]
    whole = float(model._new(items, values)[item])
    falls = []
    for at in rated.tolist():
        left = np.arange(len(items)) != at
        fall = whole - float(model._new(items[left], values[left])[item])
        if fall > 1e-6 * max(1.0, abs(whole)):
            falls.append((fall, at))
    falls.sort(key=lambda found: (-found[0], found[1]))
    made = []
    for fall, at in falls[:k]:
        liked = model.items[items[at]]
        made.append(Reason(liked, fall, f"you rated {liked}: without it the score is {fall:.3g} lower"))
    return made


def walked(model: Walk, items: NDArray[np.int32], weights: Rows, item: int, k: int) -> list[Reason]:
    """Return the rated items that the walk's visits of an item began at, most first, each with its likeliest path.

    An undirected walk is reversible: what each rated item gives is read off one walk from the recommended one.
    """
    view, strengths = model.view, model.view.adjacency.strengths
    target = f"/item/{model.items[item]}"
    end = model.item_place[item]
    back = view.walk(target, model.restart, model.tol).array
    own = model.item_place[items]
    with np.errstate(divide="ignore", invalid="ignore"):
        gives = np.where(strengths[own] > 0, weights * back[own] * strengths[end] / strengths[own], 0)
    gives[items == item] = 0
    total = float(gives.sum())
    rated = {f"/item/{model.items[at]}" for at in items}
    made: list[Reason] = []
    roundabout: list[Reason] = []
    for at in np.lexsort((items, -gives))[: k + TRIED].tolist():
        if gives[at] <= 0 or len(made) == k:
            break
        liked = model.items[items[at]]
        for path in view.paths(f"/item/{liked}", target, k=1, max_length=4, by="walk"):
            # a way over another rated item is that item's reason
            kept = made if rated.isdisjoint(path.concepts[1:-1]) else roundabout
            kept.append(_reason(model, liked, float(gives[at]) / total, path))
    return made or roundabout[:1]


def _reason(model: Walk, liked: str, part: float, path: Path) -> Reason:
    words = [_called(model, path.concepts[0])]
    for hop, node in zip(path.hops, path.concepts[1:], strict=True):
        words += [str(hop), _called(model, node)]
    said = " ".join(words)
    if common := _common(model, path.concepts):
        said = f"{said} ({'; '.join(common)})"
    return Reason(liked, part, said, path.concepts, tuple(hop.relation for hop in path.hops))


def _common(model: Walk, path: tuple[str, ...]) -> list[str]:
    """What a path's ends have in common beside it: how many rated both, the rarest concepts that both are joined to."""
    view, rows = model.view, model.view.adjacency
    ends = view.require(path[0]), view.require(path[-1])
    one, other = (rows.indices[rows.indptr[end] : rows.indptr[end + 1]] for end in ends)
    both = np.intersect1d(one, other)
    nodes = view.node_names.at(both)
    raters = sum(node.startswith("/user/") for node in nodes)
    said = [f"{raters} rated both"] if raters > 1 else []
    known = [
        at for at, node in zip(both.tolist(), nodes, strict=True) if node.startswith("/known/") and node not in path
    ]
    for at in sorted(known, key=lambda at: (int(rows.indptr[at + 1] - rows.indptr[at]), at))[:2]:
        table = view.statements
        row = np.concatenate((table.between(ends[0], at), table.between(at, ends[0])))[0]
        name = view.node_names.at(np.array([at]))[0]
        said.append(f"both {names.label(table.relations[table.relation[row]])} {_called(model, name)}")
    return said


def _called(model: Walk, node: str) -> str:
    kind, name = node[1:].split("/", 1)
    if kind == "user":
        return "another user"
    if name in model.labels:
        return model.labels[name]
    return names.label(name) if name.startswith("/c/") or "://" in name else name
