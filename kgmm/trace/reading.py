"""Traces from JSON: every field of the type the schema gives it, unknown fields passed over."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kgmm.errors import BadInput
from kgmm.scene import SceneGraph
from kgmm.store import Fact
from kgmm.trace.data import SCHEMA, Citation, Counterfactual, Link, MemoryFact, Record, Step

T = TypeVar("T")
R = TypeVar("R", bound=Record)


def read(source: str | Path, kind: type[R]) -> R:
    """Read a trace of class *kind* from a JSON document or file.

    Raises:
        BadInput: if it is not a trace of this schema; the message names the file and what is wrong.
        OSError: if the file cannot be read.
    """
    inline = isinstance(source, str) and source.lstrip().startswith("{")
    origin = "trace" if inline else str(source)
    try:
        data = json.loads(str(source) if inline else Path(source).read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise BadInput(origin, f"not a {SCHEMA} document")
        return _record(data, origin, kind)
    except BadInput as error:
        raise error if error.source == origin else BadInput(origin, f"not a trace: {error}") from error
    except KeyError as error:
        raise BadInput(origin, f"not a trace: {error} is missing") from error
    except (TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        raise BadInput(origin, f"not a trace: {error}") from error


def _record(data: dict[str, Any], origin: str, kind: type[R]) -> R:
    scene = data["scene"]
    return kind(
        question=_text(data["question"]),
        scene=SceneGraph.from_dict(scene, origin) if scene is not None else None,
        choices=_optional(data["choices"], _texts),
        concepts=[_link(x) for x in _items(data["concepts"])],
        memory=[_memory_fact(x) for x in _items(data["memory"])],
        steps=[Step(_text(x["name"]), _text(x["text"]), _object(x["data"])) for x in _items(data["steps"])],
        citations=[Citation(_fact(x["fact"]), _text(x["kind"]), _text(x["role"])) for x in _items(data["citations"])],
        answer=_optional(data["answer"], _text),
        score=_number(data["score"]),
        alternatives=[(_text(text), _number(score)) for text, score in _items(data["alternatives"])],
        abstained=_text(data["abstained"]),
        reasoner=_text(data["reasoner"]),
        model=_text(data["model"]),
        store=_text(data["store"]),
        store_version=int(_number(data["store_version"])),
        timings=_numbers(data["timings"]),
        counterfactuals=[_counterfactual(x) for x in _items(data.get("counterfactuals", []))],
        graphs=_optional(data.get("graphs"), _texts),
        threshold=_optional(data.get("threshold"), _number),
        folder=_text(data.get("folder", "")),
        top=int(_number(data.get("top", 3))),
    )


def _link(x: dict[str, Any]) -> Link:
    words = [_text(x[name]) for name in ("text", "concept", "rule")]
    return Link(words[0], words[1], words[2], _number(x["score"]), _optional(x["object"], _text))


def _memory_fact(x: dict[str, Any]) -> MemoryFact:
    chain = tuple(_fact(f) for f in _items(x["chain"]))
    return MemoryFact(_fact(x["fact"]), _number(x["score"]), _numbers(x["parts"]), chain, _text(x["concept"]))


def _counterfactual(x: dict[str, Any]) -> Counterfactual:
    removed = tuple(_fact(f) for f in _items(x["removed"]))
    return Counterfactual(removed, _optional(x["answer"], _text), _number(x["score"]))


def _fact(x: dict[str, Any]) -> Fact:
    s, p, o, graph, source = (_text(x[name]) for name in ("subject", "predicate", "object", "graph", "source"))
    return Fact(s, p, o, _number(x["weight"]), graph, source)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is expected, not {_short(value)}")
    return value


def _texts(value: Any) -> list[str]:
    return [_text(v) for v in _items(value)]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"a finite number is expected, not {_short(value)}")
    return value


def _numbers(value: Any) -> dict[str, float]:
    return {name: _number(number) for name, number in _object(value).items()}


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"a list is expected, not {_short(value)}")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"an object is expected, not {_short(value)}")
    return value


def _optional(value: Any, read_value: Callable[[Any], T]) -> T | None:
    return None if value is None else read_value(value)


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) < 60 else said[:60] + "…"
