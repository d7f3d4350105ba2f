"""``kgmm serve`` as a process: it says where it listens, answers, and stops."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from kgmm.knowledge import KnowledgeStore

pytest.importorskip("fastapi", reason="the serve extra is not installed")


@pytest.mark.parametrize(
    ("options", "path", "key"),
    [([], "/c/en/spoon", "edges"), (["--sparql"], "/?query=ASK%20%7B%3Fs%20%3Fp%20%3Fo%7D", "boolean")],
)
def test_it_serves_until_it_is_stopped(bundled_kb: KnowledgeStore, options: list[str], path: str, key: str) -> None:
    command = [sys.executable, "-m", "kgmm", "serve", str(bundled_kb.path), "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert address, said
        with urllib.request.urlopen(address[0] + path, timeout=30) as answer:
            assert json.load(answer)[key]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 1, 130, -2)


def test_a_store_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kgmm", "serve", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1 and not (tmp_path / "none").exists()
