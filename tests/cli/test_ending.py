"""How commands end: what went wrong is one line, and a document under --json; exit codes tell what happened."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

import kgmm
from kgmm.cli import cli, ending
from kgmm.cli.output import Number, Whole
from kgmm.store import LocalStore

Shell = Callable[..., Any]
KGMM = [sys.executable, "-m", "kgmm"]


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with LocalStore(tmp_path_factory.mktemp("kb") / "kb") as store:
        store.add([("plate", "UsedFor", "eating"), ("plate", "AtLocation", "table"), ("dog", "IsA", "animal")])
        store.add([(f"thing {i}", "RelatedTo", "dog") for i in range(3000)])
    return store.path


@pytest.mark.parametrize(
    ("pattern", "said", "known"),
    [
        (("plates",), "no concept 'plates'", {"concept": "plates", "near": ["/c/en/plate"]}),
        (("-", "-", "plates"), "no concept 'plates'", {"concept": "plates", "near": ["/c/en/plate"]}),
        (("plate", "UsedFr"), "no relation 'UsedFr'", {"relation": "UsedFr", "near": ["UsedFor"]}),
        (("plate", "usedfor"), "no relation 'usedfor'", {"relation": "usedfor", "near": ["UsedFor"]}),
        (("dog", "--graph", "fact"), "no graph 'fact'", {"graph": "fact", "near": ["facts"]}),
        (("plate", "IsA"), "no such fact", {}),
    ],
)
def test_nothing_found_says_what_is_wrong_and_what_is_near(
    pattern: tuple[str, ...], said: str, known: dict[str, Any], kb: Path, shell: Shell
) -> None:
    for command, empty in (("find", {"count": 0, "facts": []}), ("remove", {"removed": 0})):
        stated = (*pattern, "--all") if command == "remove" else pattern
        ran = shell(command, kb, *stated)
        assert ran.code == bool(known) and ran.err.startswith(f"kgmm: {said}") and ran.err.count("\n") == 1
        assert all(near in ran.err for near in known.get("near", ()))
        document = json.loads(shell(command, kb, *stated, "--json").out)
        assert document.items() >= {**empty, **known}.items() and document["error"].startswith(said)


@pytest.mark.parametrize("command", [("walk", "plate"), ("path", "plate", "dog")])
def test_a_mistyped_relation_or_graph_of_a_view_is_named(command: tuple[str, ...], kb: Path, shell: Shell) -> None:
    name, *words = command
    for option, value, near in (("--relation", "UsedFr", "UsedFor"), ("--graph", "fact", "facts")):
        ran = shell(name, kb, *words, option, value, "--json")
        assert ran.code == 1 and json.loads(ran.out)["near"] == [near]


def test_a_file_of_which_nothing_can_be_used_is_no_success(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "k.tsv").write_text("node1\tlabel\tnode2\nQ1\tP1\t'unterminated\n")
    (tmp_path / "c.tsv").write_text("/a/1\t/r/IsA\t/c/de/hund\t/c/de/tier\t{}\n")
    for words in (("k.tsv",), ("c.tsv", "--lang", "en")):
        ran = shell("load", tmp_path / "new", tmp_path / words[0], *words[1:])
        assert ran.code == 1 and ran.err == f"kgmm: nothing of {tmp_path / words[0]} can be used\n"
        assert json.loads(shell("load", tmp_path / "new", tmp_path / words[0], *words[1:], "--json").out)["facts"] == 0


def test_a_graph_that_is_not_there_is_not_exported(kb: Path, shell: Shell, tmp_path: Path) -> None:
    ran = shell("export", kb, tmp_path / "x.nq", "--graph", "fact")
    assert ran.code == 1 and "facts" in ran.err and not (tmp_path / "x.nq").exists()


def test_a_story_without_newslogos_says_so(shell: Shell, tmp_path: Path) -> None:
    from kgmm import stories
    from kgmm.stories import Shot, StoryGraph

    stories.to_json(StoryGraph("quiet", (Shot("a", 0, 4, ("flood",), ()),), ()), tmp_path / "quiet.json")
    ran = shell("summarize", tmp_path / "quiet.json")
    assert ran.code == 1 and "has no newslogos" in ran.err
    assert shell("summarize", tmp_path / "quiet.json", "flood").code == 0


def test_what_bears_on_nothing_is_told(kb: Path, shell: Shell) -> None:
    assert shell("retrieve", kb, "xyzzy").code == shell("retrieve", kb, "xyzzy", "--json").code == 0
    assert "no fact" in shell("retrieve", kb, "xyzzy").err
    ran = shell("path", kb, "plate", "dog", "--json")
    assert ran.code == 0 and "no path" in ran.err
    assert shell("find", kb, "plate").err == shell("retrieve", kb, "plate").err == ""


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("load", "KB", "none.tsv"), {"file": "none.tsv", "line": None}),
        (("load", "KB", "bad.ttl"), {"file": "bad.ttl", "line": 3}),
        (("info", "none"), {}),
        (("walk", "KB", "thing 30001"), {"concept": "thing 30001"}),
        (("find", "KB", "plate", "--limit", "-1"), {}),
        (("nonsense",), {}),
        (("find", "KB", "\udcff"), {}),
        (("sparql", "KB", "@none.rq"), {}),
    ],
)
def test_under_json_an_error_is_one_document(
    words: tuple[str, ...], known: dict[str, Any], kb: Path, shell: Shell, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.ttl").write_text("@prefix e: <http://e.org/> .\ne:a e:b e:c .\ne:a e:b ] .\n")
    ran = shell(*(kb if word == "KB" else word for word in words), "--json")
    document = json.loads(ran.out)
    assert document.pop("error") and document.pop("near", ["a"]) and document == known
    assert ran.code == (2 if words[0] == "nonsense" or "--limit" in words else 1) and ran.err.count("\n") == 1


def test_exit_codes_tell_wrong_input_from_nothing_found(kb: Path, shell: Shell, tmp_path: Path) -> None:
    assert [shell("find", kb, *words).code for words in (("plate",), ("plate", "IsA"), ("plates",))] == [0, 0, 1]
    assert shell("find", tmp_path / "none", "plate").code == 1
    with kgmm.open(tmp_path / "kb") as store:
        store.add([("plate", "UsedFor", "eating")])
        store.remove("plate")
    assert shell("find", tmp_path / "kb", "plate").code == 0, "it was known once: what was removed is nothing mistyped"


def options(command: click.Command, name: str = "") -> list[tuple[str, click.Option]]:
    if isinstance(command, click.Group):
        found = (
            command.get_command(click.Context(command), one) for one in command.list_commands(click.Context(command))
        )
        return [option for one in found if one is not None for option in options(one, f"{name} {one.name}")]
    return [(name, p) for p in command.params if isinstance(p, click.Option)]


def test_every_number_a_command_takes_has_bounds_and_is_finite() -> None:
    """Of every command there is, those to come too: -1 items, nan or 1e999 are refused where they are given."""
    seen = 0
    for name, option in options(cli):
        if isinstance(option.type, (click.types.IntParamType, click.types.FloatParamType)):
            seen += 1
            assert isinstance(option.type, (Number, Whole, click.IntRange)), (name, option.name)
    assert seen > 40


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("find", "--limit", "-1"),
        ("find", "--limit", "1" + "0" * 30),
        ("find", "--version", "-1"),
        ("walk", "--restart", "2"),
        ("walk", "--restart", "nan"),
        ("sparql", "--limit", "-1"),
        ("sparql", "--timeout", "nan"),
        ("sparql", "--timeout", "0"),
        ("path", "--max-length", "x"),
    ],
)
def test_an_option_out_of_bounds_is_a_clear_error(
    command: str, option: str, value: str, kb: Path, shell: Shell
) -> None:
    ran = shell(command, kb, "plate", *(["dog"] if command == "path" else []), option, value)
    assert ran.code == 2 and option in ran.err and value in ran.err and not ran.out


def interrupted(words: list[str], after: float) -> subprocess.CompletedProcess[str]:
    """Run a command, and press Ctrl-C after some seconds."""
    running = subprocess.Popen(
        [*KGMM, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(after)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    return subprocess.CompletedProcess(words, running.returncode, out, err)


@pytest.mark.parametrize("after", [0.2, 0.4, 0.8])  # Python itself takes up to 0.1 s to reach our code
@pytest.mark.parametrize("command", ["load", "train", "serve", "mcp", "walk"])
def test_ctrl_c_is_one_line_at_any_time(command: str, after: float, kb: Path, tmp_path: Path) -> None:
    facts = tmp_path / "facts.tsv"
    if command == "load":
        facts.write_text("".join(f"a{i % 999}\tRelatedTo\tb{i}\t1.5\n" for i in range(400_000)))
    words = {
        "load": ["load", str(tmp_path / "kb"), str(facts)],
        "train": ["train", "san", "clevr", "--small", "--out", str(tmp_path / "out")],
        "serve": ["serve", str(kb), "--port", "0"],
        "mcp": ["mcp", str(kb)],
        "walk": ["walk", str(kb), "plate"],
    }[command]
    ran = interrupted(words, after)
    if command == "walk" and ran.stdout:
        return  # it was faster
    told = [re.sub(r"^warming up … (?:[\d.]+ s; )?", "", line) for line in ran.stderr.splitlines()]
    said = [line for line in told if "(Ctrl-C stops)" not in line]
    assert ran.returncode == 130 and said == ["kgmm: interrupted"], ran.stderr


def test_ctrl_c_while_kgmm_is_imported_is_one_line() -> None:
    code = "import sys, kgmm\nclass Stop:\n    def find_spec(self, name, *_):\n        if name == 'kgmm.cli': raise KeyboardInterrupt\nsys.meta_path.insert(0, Stop())\nfrom kgmm.__main__ import run\nrun()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (130, "kgmm: interrupted\n")


SWALLOWING = """
import os, signal, sys, time
import kgmm.cli.ending as ending
def pressed(): os.kill(os.getpid(), signal.SIGINT); time.sleep(0.01)
class Held:
    def __del__(self): pressed()
def finalizer():
    held = Held(); del held
def library():
    try: pressed()
    except BaseException: return
def twice():
    try: raise KeyboardInterrupt('')
    finally: finalizer()
def command():
    TROUBLE()
    time.sleep(60)
import kgmm.cli
kgmm.cli.main = lambda: sys.exit(ending.ended(command, []))
from kgmm.__main__ import run
run()
"""


@pytest.mark.parametrize("trouble", ["finalizer", "library", "twice"])
def test_an_interrupt_that_was_swallowed_still_ends_the_command(trouble: str) -> None:
    code = SWALLOWING.replace("TROUBLE", trouble)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stderr) == (130, "kgmm: interrupted\n")


def test_a_reader_that_went_away_is_no_error(kb: Path) -> None:
    reader, writer = os.pipe()
    with subprocess.Popen(
        [*KGMM, "find", str(kb), "--limit", "3000"], stdout=writer, stderr=subprocess.PIPE
    ) as running:
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        assert running.stderr is not None and running.stderr.read() == b""
    assert running.returncode == 141


def test_a_full_disk_is_one_line(kb: Path) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run([*KGMM, "find", str(kb)], stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 1 and ran.stderr.count("\n") == 1 and "No space left" in ran.stderr


def test_a_port_that_is_taken_is_one_line(kb: Path, shell: Shell) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = shell("serve", kb, "--port", taken.getsockname()[1])
    assert ran.code == 1 and ran.err.count("\n") == 1 and "cannot listen" in ran.err


def test_every_command_but_those_that_serve_has_json() -> None:
    without = {name.split()[0] for name, _ in options(cli)} - {
        n.split()[0] for n, o in options(cli) if o.name == "as_json"
    }
    assert without == {"mcp", "serve"}


def test_a_query_that_is_not_utf_8_is_one_line(kb: Path, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "q.rq").write_bytes(b"ASK {} # \xff")
    ran = shell("sparql", kb, f"@{tmp_path / 'q.rq'}")
    assert ran.code == 1 and ran.err == f"kgmm: {tmp_path / 'q.rq'}: not UTF-8 at byte 10\n"


@pytest.mark.parametrize("said", ["nothing", "x=", "x=/nowhere"])
def test_a_served_model_that_is_none_is_told_before_it_serves(said: str, kb: Path, shell: Shell) -> None:
    ran = shell("serve", kb, "--port", "0", "--model", said)
    assert ran.code in (1, 2) and said.removeprefix("x=") in ran.err


def test_an_interrupt_that_a_library_made_an_error_of_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    def swallowed() -> int:
        raise RuntimeError("Error building `model` serializer:\n  KeyboardInterrupt: ")

    assert ending.ended(swallowed, ["mcp"]) == 130 and capsys.readouterr().err == "kgmm: interrupted\n"
    with pytest.raises(ZeroDivisionError):
        ending.ended(lambda: 1 // 0, [])
