"""A small run of ``benchmarks/hostile.py``: a started server answers everything within its limits and keeps its memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kgmm.knowledge import KnowledgeStore

pytest.importorskip("fastapi", reason="the serve extra is not installed")
SCRIPT = Path(__file__).parents[2] / "benchmarks/hostile.py"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read as Linux tells it")
def test_hostile_requests_are_answered_within_limits_and_memory(bundled_kb: KnowledgeStore) -> None:
    options = ["--generated", "100", "--hostile", "60", "--slow", "50", "--json"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(bundled_kb.path), *options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["failed"] == [] and found["statuses"]["200"] > 20 and found["statuses"]["413"] >= 1
    assert found["slowest"][0][1] < 60
    before, _, after = found["memory_mib"]
    assert after - before < 400
