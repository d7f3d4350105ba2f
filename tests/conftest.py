"""What tests share: where the shared data lies, and a small store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from kgmm.knowledge import KnowledgeStore


def _shared_data() -> Path | None:
    named = os.environ.get("KGMM_DATA")
    place = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    return place if place.is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    place = _shared_data()
    if place is None:
        pytest.skip("the shared data folder is not here (set KGMM_DATA)")
    return place


@pytest.fixture(scope="session")
def bundled_kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeStore]:
    """A store of the bundled knowledge and scenes, made once in a run; tests must not write to it."""
    from kgmm.knowledge import open_bundled

    with open_bundled(tmp_path_factory.mktemp("bundled") / "kb") as kb:
        yield kb


class Ran(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run ``kgmm`` with arguments: ``shell("info", kb).out``."""
    from kgmm.cli import main

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = 0
        try:
            main([str(a) for a in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Ran(code, *capsys.readouterr())

    return run
