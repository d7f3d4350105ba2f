"""The W3C's SPARQL cases and rdflib's own store tests, as rdflib's source distribution carries them.

They run where ``KGMM_RDFLIB_SOURCE`` names that distribution, unpacked; ``.ci/run`` fetches it. What
``kb.sparql`` does not pass is listed with the reason in rdflib_suite.py, what rdflib's evaluator does not, by rdflib.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

CASES = ("test/test_w3c_spec/test_sparql10_w3c.py", "test/test_w3c_spec/test_sparql11_w3c.py")


@pytest.fixture(scope="module")
def source() -> Path:
    place = os.environ.get("KGMM_RDFLIB_SOURCE")
    if not place:
        pytest.skip("KGMM_RDFLIB_SOURCE does not name rdflib's unpacked source distribution")
    return Path(place)


def outcomes(source: Path, folder: Path, door: str, *tests: str) -> tuple[list[str], list[str]]:
    """Run tests of rdflib's suite; return the names of those that passed and of those that failed."""
    paths = [str(Path(__file__).parent), str(source), os.environ.get("PYTHONPATH", "")]
    memory = Path("/dev/shm")
    environment = {**os.environ, "KGMM_DOOR": door, "PYTHONPATH": os.pathsep.join(paths)}
    if memory.is_dir():
        environment["TMPDIR"] = str(memory)  # a thousand stores need no disk that is waited for
    options = ["-p", "rdflib_suite", "-p", "no:cacheprovider", "-o", "addopts=", "-q", f"--junitxml={folder}/out.xml"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
    passed, failed = [], []
    for case in ET.parse(folder / "out.xml").iter("testcase"):
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        if kinds != {"skipped"}:
            (failed if kinds else passed).append(str(case.get("name")))
    return passed, failed


@pytest.mark.timeout(900)
def test_w3c_cases_pass_through_the_rdflib_plug_in(source: Path, tmp_path: Path) -> None:
    passed, failed = outcomes(source, tmp_path, "plugin", *CASES)
    assert failed == []
    assert len(passed) >= 860


@pytest.mark.timeout(900)
def test_w3c_evaluation_cases_pass_through_oxigraph(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KGMM_ENGINE", "oxigraph")
    passed, failed = outcomes(source, tmp_path, "sparql", *CASES)
    assert failed == []
    assert len(passed) >= 430


@pytest.mark.timeout(900)
def test_w3c_evaluation_cases_pass_through_the_own_engine(source: Path, tmp_path: Path) -> None:
    passed, failed = outcomes(source, tmp_path, "sparql", *CASES)
    assert failed == []
    assert len(passed) >= 445


def test_rdflibs_own_store_tests_pass(source: Path, tmp_path: Path) -> None:
    passed, failed = outcomes(
        source, tmp_path, "", "test/test_graph", "test/test_dataset", "test/test_store/test_store.py"
    )
    assert failed == []
    assert sum("kgmm" in name for name in passed) >= 18, "as many as take a store's name"
