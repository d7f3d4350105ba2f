"""Heavy libraries load when first needed."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

HEAVY = "torch torch_geometric sentence_transformers transformers sklearn polars deltalake rdflib numba networkx"


def loaded(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*[m for m in {HEAVY.split()!r} if m in sys.modules])"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    "statement", ["import kgmm", "import kgmm.cli", "import kgmm; kgmm.Fact('dog', 'IsA', 'animal')"]
)
def test_nothing_heavy_loads_with_kgmm(statement: str) -> None:
    assert loaded(statement) == set()


def best_of(command: list[str], runs: int = 4) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def test_import_takes_at_most_0_3_s_and_help_0_5_s() -> None:
    bare = best_of([sys.executable, "-c", "pass"])
    assert best_of([sys.executable, "-c", "import kgmm"]) - bare <= 0.3
    assert best_of([sys.executable, "-m", "kgmm", "--help"]) - bare <= 0.5
