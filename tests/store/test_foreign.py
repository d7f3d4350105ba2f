"""RDF from elsewhere is parsed in a process of its own: its limits are told in a line, and nothing of it stays."""

from __future__ import annotations

import io
import json
import os
import signal
import time
from pathlib import Path

import pyoxigraph as ox
import pytest

from kgmm.cli import main
from kgmm.errors import BadInput
from kgmm.store import LocalStore
from kgmm.store.rdf.foreign import Bounds, Refused, TooMuch, parse

#: one node of many values, all of which the parser holds at once
LARGE = json.dumps({"@id": "http://e.org/a", "http://e.org/p": [f"{n:020}" for n in range(200_000)]})
SMALL = "<http://e.org/a> <http://e.org/p> 1 .\n"


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_a_document_that_takes_too_much_memory_is_refused_in_a_line_and_read_with_more(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonld"
    path.write_text(LARGE)
    kb = LocalStore(tmp_path / "kb")
    with pytest.raises(BadInput, match=r"large.jsonld: parsing it takes more than 100 MB of memory; raise --memory or"):
        kb.load(path, memory=100 << 20)
    assert len(kb) == 0
    assert kb.load(path).added == 200_000


def test_a_document_that_takes_too_long_is_refused_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "small.ttl"
    path.write_text(SMALL)
    kb = LocalStore(tmp_path / "kb")
    with pytest.raises(
        BadInput, match=r"small.ttl: parsing it takes longer than 0.001 s .*; raise --timeout or timeout="
    ):
        kb.load(path, timeout=0.001)
    assert kb.load(path).added == 1


@pytest.mark.parametrize(
    ("name", "text", "option", "value", "said"),
    [
        ("large.jsonld", LARGE, "--memory", "100", "more than 100 MB of memory; raise --memory"),
        (
            "small.ttl",
            SMALL,
            "--timeout",
            "0.001",
            "longer than 0.001 s and one more for each megabyte; raise --timeout",
        ),
    ],
)
def test_the_command_line_has_both_limits(
    name: str, text: str, option: str, value: str, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SystemExit, match="1"):
        main(["load", str(tmp_path / "kb"), str(tmp_path / name), option, value])
    error = capfd.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_parser_that_is_ended_is_told_and_none_is_left() -> None:
    before = children()

    class Ending(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            for child in children() - before:
                os.kill(int(child), signal.SIGKILL)
            return super().read(size)

    with pytest.raises(TooMuch, match="memory"):
        list(parse(Ending(SMALL.encode() * 1000), ox.RdfFormat.TURTLE, "", Bounds()))
    half = parse(io.BytesIO(SMALL.encode() * 100_000), ox.RdfFormat.TURTLE, "", Bounds())
    assert next(half).object.value == "1"
    half.close()  # type: ignore[attr-defined]
    assert children() == before


def test_a_parser_that_does_not_go_on_is_ended_in_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "stands.py"
    program.write_text("import sys, time\nsys.stdin.buffer.read(9)\ntime.sleep(60)\n")
    monkeypatch.setattr("kgmm.store.rdf.foreign._PROGRAM", program)
    began = time.monotonic()
    with pytest.raises(TooMuch, match=r"longer than 0\.5 s"):
        list(parse(io.BytesIO(SMALL.encode() * 50_000), ox.RdfFormat.TURTLE, "", Bounds(timeout=0.5)))
    assert time.monotonic() - began < 10


def test_what_is_parsed_there_is_what_is_parsed_here() -> None:
    text = (
        '@prefix e: <http://e.org/> .\ne:s e:p "x"@en--ltr, "a\\n\\u0000\\t\\"", 1.5 {| e:w 2 |}, <<( e:a e:b _:n )>> .\n'
        "_:n e:p _:n . e:g { <#rel> e:p e:é }\n"
    )
    found = list(parse(io.BytesIO(text.encode()), ox.RdfFormat.TRIG, "http://e.org/base", Bounds()))
    here = list(ox.parse(text, ox.RdfFormat.TRIG, base_iri="http://e.org/base"))
    stable = [str(q) for q in here if "reifies" not in str(q) and "/w>" not in str(q)]
    assert len(found) == len(here) and [str(q) for q in found if str(q) in stable] == stable
    with pytest.raises(Refused, match=r"^The prefix x: has not been declared$") as error:
        list(parse(io.BytesIO(text.encode() + b"x:a e:b 1 ."), ox.RdfFormat.TRIG, "http://e.org/base", Bounds()))
    assert error.value.line == 4


def test_long_lines_and_many_statements_come_through_the_pipe_whole() -> None:
    values = ["x" * (3 << 20), *(f"é{n}" for n in range(50_000))]
    text = "".join(f'<http://e.org/a> <http://e.org/p> "{value}" .\n' for value in values)
    found = parse(io.BytesIO(text.encode()), ox.RdfFormat.TURTLE, "", Bounds())
    assert [quad.object.value for quad in found] == values
