"""The examples of docs/extending.md: each file is put where it says it belongs, beside the package, and its test is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

#: file → its text, for each block whose first line names a file
FILES = {
    named[1]: block.text.partition("\n")[2]
    for block in blocks(ROOT / "docs" / "extending.md")
    if (named := re.match(r"# ((?:kgmm|tests)/\S+\.py)\n", block.text))
}
MEMBERS = sorted(path for path in FILES if path.startswith("kgmm/"))
TESTS = sorted(path for path in FILES if path.startswith("tests/"))


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package made of links, with the examples as files of it."""
    place = tmp_path_factory.mktemp("extended")
    for folder, _, files in os.walk(ROOT / "kgmm"):
        target = place / Path(folder).relative_to(ROOT)
        target.mkdir()
        for file in files:  # of what Python and Numba keep, Numba's code: it takes longest to make
            if target.name != "__pycache__" or file.endswith((".nbi", ".nbc")):
                (target / file).symlink_to(Path(folder) / file)
    for beside in ("knowledge", "graphs"):
        (place / beside).symlink_to(ROOT / beside)
    for path, text in FILES.items():
        assert not (ROOT / path).exists(), f"{path} is there already"
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text, encoding="utf-8")
    return place


def test_every_example_has_a_test() -> None:
    assert {Path(path).stem for path in MEMBERS} == {Path(path).stem.removeprefix("test_") for path in TESTS}
    assert len(MEMBERS) >= 7


def test_the_examples_pass_their_tests_as_files_of_the_package(extended: Path) -> None:
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", str(extended)]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *TESTS],
        cwd=extended,
        env={**os.environ, "PYTHONPATH": str(extended)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ran.returncode == 0 and f"{len(TESTS)} passed" in ran.stdout, ran.stdout + ran.stderr


def test_the_examples_are_clean(extended: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "-q", "--config", str(ROOT / "pyproject.toml"), *FILES],
        cwd=extended,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
