"""A trace's JSON document: it fits the published schema, and reads back as the same trace."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from kgmm.errors import BadInput
from kgmm.trace import Answer, Trace
from kgmm.trace.schema import schema


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
    for field, value in {
        "schema": "kgmm-trace/2",
        "score": 3,
        "answer": 7,
        "citations": [{"fact": {}}],
    }.items():
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(json.dumps({**right, field: value})), schema())


@pytest.mark.parametrize(
    "text", ["{", "{}", '{"schema": "kgmm-trace/9"}', '{"schema": "kgmm-trace/1", "scene": 3}']
)
def test_a_damaged_document_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        Trace.from_json(text)
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(BadInput, match=r"t\.json"):
        Trace.from_json(tmp_path / "t.json")
