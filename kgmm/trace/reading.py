"""Traces from JSON: every field of the type its class gives it, unknown fields passed over."""

import json
import math
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from kgmm.errors import BadInput
from kgmm.scene import SceneGraph
from kgmm.trace.data import SCHEMA, Record

R = TypeVar("R", bound=Record)

#: the published JSON Schema (draft 2020-12) of a trace
SCHEMA_FILE = Path(__file__).with_name("kgmm-trace-1.schema.json")

#: fields that the first documents of the schema lack
_LATER = frozenset({"counterfactuals", "graphs", "threshold", "folder", "top", "implied"})


def schema() -> dict[str, Any]:
    """Return the JSON schema that every trace's document fits.

    >>> schema()["properties"]["schema"]
    {'const': 'kgmm-trace/1'}
    """
    found: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return found


def read(source: str | Path, kind: type[R]) -> R:
    """Read a trace of class *kind* from a JSON document or file; BadInput names the file and what is wrong with it."""
    inline = isinstance(source, str) and source.lstrip().startswith("{")
    origin = "trace" if inline else str(source)
    try:
        data = json.loads(str(source) if inline else Path(source).read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise BadInput(origin, f"not a {SCHEMA} document")
        scene = SceneGraph.from_dict(data["scene"], origin) if data["scene"] is not None else None
        trace: R = _instance(kind, {**data, "scene": None})
        trace.scene = scene
        return trace
    except BadInput as error:
        raise error if error.source == origin else BadInput(origin, f"not a trace: {error}") from error
    except KeyError as error:
        raise BadInput(origin, f"not a trace: {error} is missing") from error
    except (TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        raise BadInput(origin, f"not a trace: {error}") from error


@cache
def _types(kind: type) -> dict[str, Any]:
    """Return the types of a class's fields, without those that no document holds."""
    hints = get_type_hints(kind, localns={"Answer": Any})
    return {f.name: hints[f.name] for f in fields(kind) if f.compare}


def _instance(kind: Any, data: dict[str, Any]) -> Any:
    return kind(**{n: _value(t, data[n]) for n, t in _types(kind).items() if n in data or n not in _LATER})


def _value(kind: Any, value: Any) -> Any:
    """Return a JSON value as *kind*, the type of a field; TypeError if it is something else."""
    form, parts = get_origin(kind) or kind, get_args(kind)
    if kind is Any:
        return value
    if type(None) in parts:
        return None if value is None else _value(parts[0], value)
    if form in (int, float):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise TypeError(f"a finite number is expected, not {_short(value)}")
        return int(value) if form is int else value
    if form is bool:
        if not isinstance(value, bool):
            raise TypeError(f"true or false is expected, not {_short(value)}")
        return value
    if form in (list, tuple):
        if not isinstance(value, list):
            raise TypeError(f"a list is expected, not {_short(value)}")
        each = [parts[0]] * len(value) if form is list or parts[-1] is ... else parts
        return form(_value(part, item) for part, item in zip(each, value, strict=True))
    if form is str and not isinstance(value, str):
        raise TypeError(f"a text is expected, not {_short(value)}")
    if form is not str and not isinstance(value, dict):
        raise TypeError(f"an object is expected, not {_short(value)}")
    if is_dataclass(kind):
        return _instance(kind, value)
    if form is dict:
        return {name: _value(parts[1], item) for name, item in value.items()}
    return value


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) < 60 else said[:60] + "…"
