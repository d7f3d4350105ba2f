"""What tests share: where the shared data lies, and a small store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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
    from kgmm.opening import open_bundled

    with open_bundled(tmp_path_factory.mktemp("bundled") / "kb") as kb:
        yield kb


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder for a module's tests alone, empty at first: what else was kept before does not answer them."""
    place = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place))
        yield place


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, driven by playwright; tests that need it are skipped where either is missing.

    One a module: while playwright runs, ``asyncio.run`` cannot be called in its thread.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("KGMM_CHROMIUM") or shutil.which("chromium")
    if found is None:
        pytest.skip("no chromium on the path (apt-get install chromium, or set KGMM_CHROMIUM)")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
