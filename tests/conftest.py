"""What tests share: where the shared data lies, and a small store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
