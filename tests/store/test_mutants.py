"""A small run of ``benchmarks/mutants.py``: damaged files of every reader, readers of pictures, stories and subtitles too."""

from __future__ import annotations

import pytest

from benchmarks.mutants import HANG, run


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_damaged_files_are_read_in_part_or_refused_in_one_line(count: int) -> None:
    found = run(count, seed=7)
    assert found["failures"] == [] and sum(found["outcomes"].values()) == count
    assert found["slowest_s"] < HANG and found["peak_mb"] <= 600
    assert min(found["outcomes"].values()) > count // 10 and set(found["outcomes"]) == {"read", "refused"}
