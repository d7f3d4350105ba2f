"""How views and scores show themselves in a notebook: a small view as a drawing, a large one by its first statements."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import cos, pi, sin
from pathlib import Path

from kgmm.graph.graph import Graph
from kgmm.templates import templates

TEMPLATES = Path(__file__).with_name("templates")
#: nodes that are drawn, statements that are listed
_DRAWN, _LISTED = 24, 20


def view_html(view: Graph) -> str:
    """Return a view as one self-contained HTML fragment."""
    drawn = 0 < len(view) <= _DRAWN
    edges = islice(view.edges(), None if drawn else _LISTED)
    shown = {"edges": edges, "places": _on_a_circle(view.concepts) if drawn else {}, "more": view.edge_count - _LISTED}
    return templates(TEMPLATES).get_template("view.html").render(caption=repr(view)[1:-1], **shown)


def _on_a_circle(concepts: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return places in pixels."""
    angles = [2 * pi * at / len(concepts) for at in range(len(concepts))]
    return {c: (round(260 + 170 * cos(a)), round(200 + 160 * sin(a))) for c, a in zip(concepts, angles, strict=True)}


def scores_html(scores: Sequence[tuple[str, float]]) -> str:
    """Return a small table of concepts with bars for their scores."""
    highest = max((score for _, score in scores), default=1.0) or 1.0
    return templates(TEMPLATES).get_template("scores.html").render(scores=scores, highest=highest)
