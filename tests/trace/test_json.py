"""A trace's JSON document: it fits the published schema, and reads back as the same trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.trace import Answer, Citation, Counterfactual, Link, MemoryFact, Step, Trace
from kgmm.trace.page.render import page
from kgmm.trace.reading import schema


def test_the_schema_itself_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", ["seen", "inherited", "unknown", "episodes", "counted"])
def test_every_kind_of_trace_fits_the_schema(answers: dict[str, Answer], name: str) -> None:
    jsonschema.validate(json.loads(answers[name].trace.to_json()), schema())


@pytest.mark.parametrize("name", ["seen", "inherited", "unknown", "episodes", "counted"])
def test_a_trace_reads_back_as_it_was(answers: dict[str, Answer], name: str) -> None:
    trace = answers[name].trace
    again = Trace.from_json(trace.to_json())
    assert again == trace
    assert again.to_dict() == trace.to_dict()


def test_a_trace_reads_back_from_a_file(answers: dict[str, Answer], tmp_path: Path) -> None:
    answers["seen"].trace.to_json(tmp_path / "trace.json")
    assert Trace.from_json(tmp_path / "trace.json") == answers["seen"].trace


def test_the_schema_refuses_what_is_no_trace(answers: dict[str, Answer]) -> None:
    right = answers["seen"].trace.to_dict()
    for field, value in {"schema": "kgmm-trace/2", "score": 3, "answer": 7, "citations": [{"fact": {}}]}.items():
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(json.dumps({**right, field: value})), schema())


@pytest.mark.parametrize("text", ["{", "{}", '{"schema": "kgmm-trace/9"}', '{"schema": "kgmm-trace/1", "scene": 3}'])
def test_a_damaged_document_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        Trace.from_json(text)
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(BadInput, match=r"t\.json"):
        Trace.from_json(tmp_path / "t.json")


def test_fields_added_later_are_passed_over(answers: dict[str, Answer]) -> None:
    data = {**answers["seen"].trace.to_dict(), "later": 1}
    data["citations"][0]["certainty"] = "high"
    assert Trace.from_json(json.dumps(data)) == answers["seen"].trace


CUTS = Fact("knife", "UsedFor", "cutting")
SMALL = Trace(
    "What cuts?",
    SceneGraph("desk", (SceneObject("o1", "knife", (1, 1, 5, 5), 0.5, ("sharp",)),), (), 10, 10),
    ["knife"],
    [Link("knife", "/c/en/knife", "exact", 1.0, "o1")],
    [MemoryFact(CUTS, 0.5, {"walk": 0.1}, (Fact("blade", "IsA", "knife"),), "/c/en/knife")],
    [Step("find", "find it", {"value": [0.5], "boxes": [[1, 1, 5, 5]], "attention": [["knife", 0.5]]})],
    [Citation(CUTS)],
    "knife",
    0.9,
    [("lamp", 0.1)],
    reasoner="explicit",
    store="kb",
    store_version=1,
    timings={"reason": 0.1},
    counterfactuals=[Counterfactual((CUTS,), None)],
    graphs=["facts"],
).to_dict()
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers(), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.text(), max_size=2)
)


@settings(max_examples=150, deadline=None)
@given(draw=st.data())
def test_a_document_with_anything_anywhere_is_refused_or_has_a_page(draw: st.DataObject) -> None:
    data = json.loads(json.dumps(SMALL))
    place: Any = data
    while True:
        at = draw.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[at], dict | list) or not place[at] or draw.draw(st.booleans()):
            break
        place = place[at]
    place[at] = draw.draw(VALUES)
    try:
        trace = Trace.from_json(json.dumps(data))
    except BadInput:
        return
    assert page(trace).endswith("</html>")
    assert Trace.from_json(trace.to_json()) == trace
