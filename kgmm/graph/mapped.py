"""A view's arrays as they are kept in a file, and a view of arrays that were."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.graph import build
from kgmm.graph.graph_view import GraphView
from kgmm.graph.names import NumberedNames
from kgmm.graph.statements import Statements

if TYPE_CHECKING:
    from kgmm.graph.adjacency import Adjacency
    from kgmm.graph.layers import Layers

Arrays = Mapping[str, NDArray[Any]]
_COLUMNS = ("subject", "object", "relation", "weight")
_BANDS = ("marks", "columns", "rows", "weights")
_ROWS = ("indptr", "indices", "weights")


def parts(view: GraphView) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what is to be said of a view of a store, and its arrays: statements, rows (both ways) and walk order."""
    named, large = view.node_names, len(view.statements) >= build.RENUMBER_FROM
    if view.statements.starts is None:
        view.statements = view.statements.by_subject(len(view))
    table = view.statements
    arrays: dict[str, Any] = {"ids": view.ids, "starts": table.starts}
    if isinstance(named, NumberedNames):
        arrays["sorter"] = named.sorter
    arrays |= {name: getattr(table, name) for name in _COLUMNS}
    if table.stated is not None:
        arrays["stated"] = table.stated
    about: dict[str, Any] = {"directed": view.directed, "relations": list(table.relations)}
    ways = {"": view.adjacency, "reversed_": view.reversed_adjacency} if view.directed else {"": view.adjacency}
    for way, rows in ways.items():
        arrays |= {way + name: getattr(rows, name) for name in _ROWS}
        about[way + "unit"] = rows.unit
        if not rows.uniform:
            arrays[way + "strengths"] = rows.strengths
    if view.directed:
        arrays["walk_order"] = view.walk_order
    elif large:  # the view stands in walk order
        about["bounds"], arrays["cut"] = list(view.layers.bounds), view.layers.cut
        arrays |= {f"blocks {at}": blocks for at, blocks in enumerate(view.layers.blocks)}
        if (bands := view.layers.bands) is not None:
            arrays |= {f"bands {name}": getattr(bands, name) for name in _BANDS}
    return about, arrays


def opened(
    kept: tuple[Mapping[str, Any], Arrays],
    names: Callable[[NDArray[np.int64]], Sequence[str]],
    number: Callable[[str], int | None],
) -> GraphView | None:
    """Return the view of what :func:`parts` gave, or None if its arrays do not fit together.

    Args:
        kept: what is said of the view, and its arrays.
        names: spells terms by their ids.
        number: finds a term's id by its name.
    """
    about, arrays = kept
    try:
        ids, starts, directed = arrays["ids"], arrays["starts"], about["directed"]
        columns = [arrays[name] for name in _COLUMNS]
        nodes = {len(ids), len(arrays["sorter"]), len(starts) - 1}
        fit = len(nodes) == 1 and {len(column) for column in columns} == {int(starts[-1])}
        for way in ("", "reversed_") if directed else ("",):
            indptr, indices, weights = (arrays[way + name] for name in _ROWS)
            fit &= nodes == {len(indptr) - 1} and len(indices) == indptr[-1] and len(weights) in (0, len(indices))
        if not fit:
            return None
        subject, target, relation, weight = columns
        told = tuple(about["relations"])
        table = Statements(subject, target, relation, weight, told, arrays.get("stated"), starts)
        view = GraphView(NumberedNames(ids, names, number, arrays["sorter"]), table, directed=directed, ids=ids)
        made: dict[str, Callable[[], Any]] = {"adjacency": partial(_rows, about, arrays, "")}
        if directed:
            made["reversed_adjacency"] = partial(_rows, about, arrays, "reversed_")
            made["walk_order"] = partial(arrays.__getitem__, "walk_order")
        elif "bounds" in about:
            made["layers"] = partial(_layers, view, about, arrays)
        view.kept = made
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    return view


def _rows(about: Mapping[str, Any], arrays: Arrays, way: str) -> Adjacency:
    from kgmm.graph.adjacency import Adjacency

    indptr, indices, weights = (arrays[way + name] for name in _ROWS)
    rows = Adjacency(indptr, indices, weights, about[way + "unit"])
    if not rows.uniform:
        rows.__dict__["strengths"] = arrays[way + "strengths"]
    return rows


def _layers(view: GraphView, about: Mapping[str, Any], arrays: Arrays) -> Layers:
    from kgmm.graph.bands import Bands
    from kgmm.graph.layers import Layers

    blocks = tuple(arrays[f"blocks {at}"] for at in range(len(about["bounds"]) - 1))
    bands = Bands(*(arrays[f"bands {name}"] for name in _BANDS)) if "bands marks" in arrays else None
    return Layers(view.adjacency, None, tuple(about["bounds"]), arrays["cut"], blocks, bands)
