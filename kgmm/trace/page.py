"""A trace as one HTML page that needs no network, and as a fragment for notebooks."""

from __future__ import annotations

import base64
import io
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm import names
from kgmm.phrase import phrase
from kgmm.trace._data import Trace

if TYPE_CHECKING:
    from jinja2 import Template

#: longest side of the embedded picture, pixels
MAX_SIDE = 1000

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ trace.question }} – kgmm trace</title>
<style>{{ style }}</style></head><body><main>{{ body }}</main></body></html>
"""
_STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e6e6); --paper: light-dark(#fff, #16181c);
 --line: light-dark(#d0d5da, #3a3f46); --accent: light-dark(#0a58ca, #7db2ff); }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0; }
main { max-width: 62rem; margin: 0 auto; padding: 1rem; }
.kgmm-answer { font-size: 1.6rem; font-weight: 600; }
.kgmm figure { position: relative; display: inline-block; margin: 1rem 0; } .kgmm img, .kgmm svg { max-width: 100%; height: auto; display: block; }
.kgmm svg.boxes { position: absolute; inset: 0; width: 100%; height: 100%; }
.kgmm rect { fill: none; stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke; opacity: .45; }
.kgmm rect.cited { opacity: 1; stroke-width: 4; } .kgmm text { fill: #fff; paint-order: stroke; stroke: #000; stroke-width: 3px; }
.kgmm table { border-collapse: collapse; width: 100%; } .kgmm td, .kgmm th { border-bottom: 1px solid var(--line);
 padding: .2rem .5rem; text-align: left; font-variant-numeric: tabular-nums; }
.kgmm small { opacity: .75; }
"""
_FRAGMENT = """<div class="kgmm">
<h1 style="font-size:1.2rem">{{ trace.question }}</h1>
<p class="kgmm-answer">{{ trace.answer if trace.answer is not none else "I don't know" }}
<small>{{ "%.2f"|format(trace.score) }}</small></p>
{% if trace.abstained %}<p>{{ trace.abstained }}</p>{% endif %}
{% if picture %}<figure><img src="{{ picture }}" alt="the photograph asked about">
<svg class="boxes" viewBox="0 0 {{ trace.scene.width }} {{ trace.scene.height }}" role="img" aria-label="boxes of the seen objects">
{% for o in boxes %}<g><title>{{ o.name }}</title><rect {% if o.cited %}class="cited" {% endif %}x="{{ o.x }}" y="{{ o.y }}" width="{{ o.w }}" height="{{ o.h }}"/>
{% if o.cited %}<text x="{{ o.x + 4 }}" y="{{ o.y + 16 }}" font-size="14">{{ o.name }}</text>{% endif %}</g>
{% endfor %}</svg></figure>{% endif %}
{% if citations %}<h2>Evidence</h2><ul>{% for kind, said, statement, without in citations %}
<li>{{ kind }}: {{ said }} <small>{{ statement }}</small>{% if without %} – without it: <b>{{ without }}</b>{% endif %}</li>{% endfor %}</ul>{% endif %}
{% if trace.alternatives %}<p>Or: {% for text, score in trace.alternatives %}{{ text }} ({{ "%.2f"|format(score) }}){{ ", " if not loop.last }}{% endfor %}</p>{% endif %}
<h2>Steps</h2><ol>{% for step in trace.steps %}<li><b>{{ step.name }}</b>: {{ step.text }}</li>{% endfor %}</ol>
<details><summary>Memory: {{ trace.memory|length }} facts considered</summary><table><thead><tr><th scope="col">score</th>
<th scope="col">fact</th><th scope="col">from</th>{% for part in parts %}<th scope="col">{{ part }}</th>{% endfor %}</tr></thead><tbody>
{% for score, said, origin, values in memory %}<tr><td>{{ "%.2f"|format(score) }}</td><td>{{ said }}</td><td>{{ origin }}</td>
{% for value in values %}<td>{{ "%.2f"|format(value) }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></details>
<details><summary>Concepts: {{ trace.concepts|length }} links</summary><table><thead><tr><th scope="col">words</th><th scope="col">concept</th>
<th scope="col">rule</th><th scope="col">score</th></tr></thead><tbody>{% for k in trace.concepts %}<tr><td>{{ k.text }}</td>
<td>{{ k.concept }}</td><td>{{ k.rule }}</td><td>{{ "%.2f"|format(k.score) }}</td></tr>{% endfor %}</tbody></table></details>
<p><small>store {{ trace.store }} version {{ trace.store_version }}, reasoner {{ trace.reasoner }},
{% for stage, seconds in trace.timings.items() %}{{ stage }} {{ "%.0f"|format(seconds * 1000) }} ms{{ ", " if not loop.last }}{% endfor %}</small></p>
</div>"""


def write_page(trace: Trace, path: Path) -> Path:
    """Write one self-contained page, whole or not at all; return its path."""
    from markupsafe import Markup

    text = _template(_PAGE).render(trace=trace, style=Markup(_STYLE), body=Markup(fragment(trace)))
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
    return path


def fragment(trace: Trace) -> str:
    """Return the trace as HTML to put into a page; everything from files or questions is escaped."""
    parts = list(dict.fromkeys(name for m in trace.memory for name in m.parts))
    memory = [
        (m.score, phrase(m.fact.subject, m.fact.predicate, m.fact.object), names.label(m.concept), [m.parts.get(p, 0.0) for p in parts])
        for m in trace.memory
    ]  # fmt: skip
    return _template(_FRAGMENT).render(
        trace=trace,
        picture=_picture(trace),
        boxes=_boxes(trace),
        citations=_citations(trace),
        parts=parts,
        memory=memory,
    )


@cache
def _template(source: str) -> Template:
    from jinja2 import Environment, StrictUndefined

    return Environment(autoescape=True, undefined=StrictUndefined).from_string(source)


def _citations(trace: Trace) -> list[tuple[str, str, str, str]]:
    return [
        (
            "seen" if c.kind == "scene" else "known",
            " ".join(_said(trace, t) for t in (c.fact.subject, c.fact.predicate, c.fact.object))
            if c.kind == "scene"
            else phrase(c.fact.subject, c.fact.predicate, c.fact.object),
            f"{c.fact.subject} {c.fact.predicate} {c.fact.object}",
            str(trace.without(c)) if trace._replay is not None else "",
        )
        for c in trace.citations
    ]


def _said(trace: Trace, term: str) -> str:
    object_id = term.rsplit("/", 1)[-1]
    if trace.scene is not None and term.startswith("/s/") and object_id in trace.scene:
        return trace.scene[object_id].name
    return {"InstanceOf": "is a", "HasProperty": "is"}.get(term, names.label(term).replace("_", " "))


def _boxes(trace: Trace) -> list[dict[str, Any]]:
    if trace.scene is None:
        return []
    cited = {end for c in trace.citations for end in (c.fact.subject, c.fact.object)}
    return [
        {
            "name": o.name,
            "x": o.box[0],
            "y": o.box[1],
            "w": o.box[2],
            "h": o.box[3],
            "cited": trace.scene.node(o.id) in cited,
        }
        for o in trace.scene.objects
        if o.box is not None
    ]


def _picture(trace: Trace) -> str:
    """Return the scene's picture as a data URI of at most MAX_SIDE pixels a side, '' if there is none."""
    if (
        trace.scene is None
        or not trace.scene.image
        or not Path(trace.scene.image).is_file()
        or not trace.scene.width
    ):
        return ""
    from PIL import Image

    from kgmm.images import read_image

    picture = Image.fromarray(read_image(trace.scene.image, max_side=MAX_SIDE).pixels)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
