"""What an extra brings is named in one line where it is missing, before any work starts: each package is blocked in turn."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import kgmm

#: package that is missing → the extra that brings it, and what is asked for; FILE, FOLDER and KB are made by the test
COMMANDS = [
    ("av", "video", ["story", "FILE.mp4", "-o", "out"]),
    ("fastapi", "serve", ["serve", "KB"]),
    ("uvicorn", "serve", ["serve", "KB"]),
    ("mcp", "serve", ["mcp", "KB"]),
    ("easy_vqa", "data", ["train", "modules", "easy-vqa", "--out", "out"]),
]
CALLS = [
    ("anywidget", "notebook", "kgmm.notebook.explore(kb, 'dog')"),
    ("pandas", "notebook", "kb.find('dog').to_pandas()"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small store and an empty film."""
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("dog", "IsA", "animal")])
    (tmp_path / "film.mp4").write_bytes(b"\0" * 64)
    return tmp_path


def without(package: str, program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a Python that cannot import *package*."""
    blocked = f"import sys; sys.modules[{package!r}] = None\n"
    return subprocess.run(
        [sys.executable, "-c", blocked + program], cwd=folder, capture_output=True, text=True, timeout=240
    )


@pytest.mark.parametrize(("package", "extra", "arguments"), COMMANDS)
def test_a_command_names_the_missing_extra_in_one_line(
    package: str, extra: str, arguments: list[str], folder: Path
) -> None:
    places = {"KB": str(folder / "kb"), "FILE.mp4": str(folder / "film.mp4")}
    given = [places.get(word, word) for word in arguments]
    ran = without(package, f"from kgmm.cli import main; main({given!r})", folder)
    assert ran.returncode == 1 and ran.stdout == ""
    assert re.fullmatch(rf"kgmm: this needs [\w-]+; install it with: pip install 'kgmm\[{extra}\]'\n", ran.stderr)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(("package", "extra", "call"), CALLS)
def test_a_call_names_the_missing_extra(package: str, extra: str, call: str, folder: Path) -> None:
    program = f"import kgmm, kgmm.notebook; kb = kgmm.open('kb')\ntry: {call}\nexcept kgmm.MissingExtra as e: print(e)"
    ran = without(package, program, folder)
    assert re.fullmatch(rf"this needs \w+; install it with: pip install 'kgmm\[{extra}\]'\n", ran.stdout), ran.stderr
