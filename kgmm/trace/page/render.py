"""A trace as one HTML page that needs no network, and as a fragment for notebooks.

Everything from files, stores or questions is escaped by the template; should an escape ever fail, the page's content
security policy runs no script but the two whose hashes it names, and reaches no host.
"""

import base64
import hashlib
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from kgmm.files import whole
from kgmm.scene import SceneGraph
from kgmm.scene.show import boxes, data_uri
from kgmm.templates import templates
from kgmm.trace.checks import verify
from kgmm.trace.counterfactuals import compute
from kgmm.trace.data import Record
from kgmm.trace.page import contents as page_data
from kgmm.trace.page import drawing
from kgmm.trace.page.contents import ShownFact, answer_text, shown

ASSETS = Path(__file__).with_name("assets")


def write_page(trace: Record, path: str | Path) -> Path:
    """Write one self-contained HTML page that needs no network, whole or not at all; return its path."""
    with whole(Path(path)) as draft:
        draft.write_text(page(trace), encoding="utf-8")
    return Path(path)


def page(trace: Record) -> str:
    """Return one self-contained page; answers without each fact are computed now if the trace is attached."""
    if trace.replay and not trace.counterfactuals:
        trace.counterfactuals = compute(trace)
    listed = page_data.facts(trace)
    shared = {
        "outcomes": page_data.outcomes(trace, listed),
        "graph": drawing.graph(trace, listed),
        "program": page_data.program(trace),
        "learned": page_data.learned(trace),
    }
    data = {"facts": [{"id": f.id, "said": f.said, "objects": f.objects} for f in listed], **shared}
    scripts = {"library": _asset("cytoscape.min.js"), "script": _asset("page.js")}
    hashes = " ".join(f"'sha256-{_hash(text)}'" for text in scripts.values())
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hashes}"
    told = {**_common(trace, listed), **shared, **scripts, "style": _asset("page.css"), "data": _json(data)}
    return templates(ASSETS).get_template("page.html").render(told, policy=policy, episodes=page_data.episodes(trace))


def fragment(trace: Record) -> str:
    """Return the trace as HTML without script, for notebooks."""
    return templates(ASSETS).get_template("fragment.html").render(_common(trace, page_data.facts(trace)))


def _common(trace: Record, listed: list[ShownFact]) -> dict[str, Any]:
    """Return what both templates show, cut to what a page can hold."""
    cited = [f for f in listed if f.cited]
    memory = sorted((f for f in listed if f.score is not None), key=lambda f: -(f.score or 0.0))
    parts = list(dict.fromkeys(name for f in memory for name in f.parts))
    kb = trace.asked_of
    data = [json.dumps(step.data, ensure_ascii=False, default=str) if step.data else "" for step in trace.steps]
    highest = {p: max((abs(f.parts.get(p, 0.0)) for f in memory), default=0.0) or 1.0 for p in parts}
    scene = trace.scene or SceneGraph("")
    return {
        "trace": trace,
        **{name: shown(getattr(trace, name), 400) for name in ("question", "store")},
        **{name: shown(getattr(trace, name)) for name in ("reasoner", "model")},
        "answer": answer_text(trace.answer),
        "abstained": shown(trace.abstained, 400).rstrip("."),
        "alternatives": [(shown(text), score) for text, score in trace.alternatives],
        "picture": data_uri(trace.scene),
        "boxes": [{**b, "name": shown(b["name"])} for b in boxes(trace.scene)],
        "objects": [
            {"id": str(i), "name": shown(o.name), "score": o.score, "attributes": shown(", ".join(said))}
            for i, o in enumerate(scene.objects)
            for said in [(*o.attributes, *([f"seen by {o.source}"] if o.source else []))]
        ],
        "relations": [
            shown(f"{scene[r.subject].name} {r.predicate.replace('_', ' ')} {scene[r.object].name}")
            for r in scene.relations[:200]
        ],
        "cited": cited,
        "cited_objects": {o for f in cited for o in f.objects},
        "chain": page_data.kinds([f.fact for f in cited if f.role == "kind"]),
        "checks": [(c.passed, shown(c.text, 300)) for c in (verify(trace, kb) if kb is not None else ())],
        "support": [(holds, shown(text, 300)) for holds, text in page_data.support(trace)],
        "memory": memory,
        "parts": [(p, shown(p)) for p in parts],
        "share": lambda part, value: round(100 * max(0.0, value) / highest[part], 1),
        "steps": [(shown(s.name), shown(s.text, 400), shown(d, 4000)) for s, d in zip(trace.steps, data, strict=True)],
        "concepts": [(shown(k.text), shown(k.concept), shown(k.rule), k.score) for k in trace.concepts[:500]],
        "timings": [(shown(stage), round(seconds * 1000)) for stage, seconds in trace.timings.items()],
    }


def _json(data: Any) -> Markup:
    """Return JSON that can stand inside a script element: nothing in it ends the element or opens a comment."""
    text = json.dumps(_finite(data), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _finite(data: Any) -> Any:
    """Return data with 0 for each number that JSON has no form for."""
    if isinstance(data, float) and not math.isfinite(data):
        return 0.0
    if isinstance(data, dict):
        return {k: _finite(v) for k, v in data.items()}
    return [_finite(v) for v in data] if isinstance(data, list | tuple) else data


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _asset(name: str) -> Markup:
    return Markup((ASSETS / name).read_text(encoding="utf-8"))
