"""What docs and docstrings say of training is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from kgmm.reason.kdmn import prior as asked
from kgmm.train.guided import prior as fitted
from kgmm.train.memories import MEMORY


def test_the_size_of_a_memory_is_what_docs_say():
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    sizes = re.findall(r"k of the (\d+) facts|memory holds (\d+)|against all (\d+);|memories of (\d+) facts", page)
    said = [int(next(filter(None, groups))) for groups in sizes]
    said += [
        int(n) for module in (asked, fitted) for n in re.findall(r"memory holds\s+(\d+) facts", module.__doc__ or "")
    ]
    assert len(said) >= 6 and set(said) == {MEMORY}
