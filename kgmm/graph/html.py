"""How a view shows itself in a notebook: a drawing if it is small, its strongest statements if not."""

from __future__ import annotations

from html import escape
from itertools import islice
from math import cos, pi, sin
from typing import TYPE_CHECKING

import numpy as np

from kgmm.language import names

if TYPE_CHECKING:
    from kgmm.graph.view import GraphView

_DRAWN = 24
_LISTED = 20


def view_html(view: GraphView) -> str:
    """Return one self-contained HTML fragment."""
    caption = escape(repr(view)[1:-1])
    body = _drawing(view) if 0 < len(view) <= _DRAWN else _table(view)
    return f"<figure><figcaption>{caption}</figcaption>{body}</figure>"


def _table(view: GraphView) -> str:
    rows = "".join(
        f"<tr><td>{escape(names.label(e.subject))}</td><td>{escape(names.label(e.relation))}</td>"
        f"<td>{escape(names.label(e.object))}</td><td>{e.weight:g}</td></tr>"
        for e in islice(view.edges(), _LISTED)
    )
    more = f"<p>and {view.edge_count - _LISTED:,} more</p>" if view.edge_count > _LISTED else ""
    head = "<tr><th>subject</th><th>relation</th><th>object</th><th>weight</th></tr>"
    return f"<table>{head}{rows}</table>{more}"


def _drawing(view: GraphView) -> str:
    """Nodes on a circle, statements as labelled lines."""
    angles = 2 * pi * np.arange(len(view)) / len(view)
    at = [(260 + 170 * cos(a), 200 + 160 * sin(a)) for a in angles.tolist()]
    place = dict(zip(view.concepts, at, strict=True))
    lines, words = [], []
    for edge in view.edges():
        (x1, y1), (x2, y2) = place[edge.subject], place[edge.object]
        title = f"{names.label(edge.subject)} {names.label(edge.relation)} {names.label(edge.object)} ({edge.weight:g})"
        lines.append(
            f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="#9ab" stroke-width="1.5">'
            f"<title>{escape(title)}</title></line>"
        )
    for concept, (x, y) in place.items():
        words.append(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5" fill="#4a7ab5"/><text x="{x:.0f}" y="{y - 8:.0f}" '
            f'text-anchor="middle" font-size="12">{escape(names.label(concept))}</text>'
        )
    return f'<svg width="520" height="400" role="img">{"".join(lines)}{"".join(words)}</svg>'
