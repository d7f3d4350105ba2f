"""A plain installation of the built wheel, in an environment of its own, runs the tour of docs/start.md."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_wheel_runs_the_tour_without_extras(tmp_path: Path) -> None:
    def run(*command: object) -> str:
        words = [str(word) for word in command]
        clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        ran = subprocess.run(words, cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=1500)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    run(sys.executable, "-m", "venv", tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    (wheel,) = tmp_path.glob("kgmm-*.whl")
    run(python, "-m", "pip", "install", "--quiet", "--no-compile", "--constraint", ROOT / "constraints.txt", wheel)
    assert "helmet" in run(tmp_path / "env" / "bin" / "kgmm", "demo")
    (tmp_path / "graphs").symlink_to(ROOT / "graphs")
    tour = [block.text for block in blocks(ROOT / "docs" / "start.md") if block.language == "python"]
    (tmp_path / "tour.py").write_text("\n".join(tour))
    assert "stirring" in run(python, "tour.py")
