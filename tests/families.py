"""What every family of interchangeable methods promises: a row in docs, a source, a place in the family's base case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[1] / "docs"
#: a year in brackets or after a name, an equation, a section, a published format, or that it is a baseline
_SOURCE = re.compile(
    r"\b(19|20)\d\d\b|\bEq\. ?\d|\bsection\b|https?://|\bRFC \d|\bW3C\b|\bbaseline\b|\barXiv\b", re.IGNORECASE
)


def check_family(names: Iterable[str], module_of: Callable[[str], ModuleType], page: str) -> None:
    """Assert that each member has a row in ``docs/<page>`` (its name in backticks) and a source in its docstring."""
    text = (DOCS / page).read_text(encoding="utf-8")
    rows = "\n".join(line for line in text.splitlines() if line.lstrip().startswith("|"))
    members = list(names)
    assert members, "the family has no members"
    missing = [name for name in members if f"`{name}`" not in rows]
    assert not missing, f"no row in docs/{page} for: {', '.join(missing)}"
    unsourced = [name for name in members if not _SOURCE.search(module_of(name).__doc__ or "")]
    assert not unsourced, f"no citation or source in the docstring of: {', '.join(unsourced)}"
