"""The pages of the documentation as tests read them: headings, links and blocks of code with the lines they stand at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
#: every page of the site, and the README and the change log that stand beside it
PAGES = [
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts),
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
]
#: the first line of a block that is not run says so, and why
NOT_RUN = "# not run: "
_FENCE = re.compile(r"^( *)(`{3,}|:{3,})(\S*)[^\n]*\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One fenced block: its language, its text, the line it begins at."""

    language: str
    text: str
    line: int


def name_of(page: Path) -> str:
    """Return a page's path from the root of the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [Block(m[3].strip("{}"), m[4], text.count("\n", 0, m.start()) + 2) for m in _FENCE.finditer(text)]


def prose(page: Path) -> str:
    """Return a page without its blocks and without code between backticks."""
    return re.sub(r"`[^`\n]*`", "", without_blocks(page))


def without_blocks(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Return what ``page.md#...`` may name: the page's headings as code hosts and MyST write them."""
    text = without_blocks(page)
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def commands(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the ``kgmm`` commands that a page shows, with their lines; continued lines are joined."""
    for block in blocks(page):
        joined = block.text.replace("\\\n", " ")
        for offset, line in enumerate(joined.splitlines()):
            shown = line.strip().removeprefix("$ ")
            if shown.startswith("kgmm ") and (line.startswith("$ ") or block.language in ("", "shell", "sh", "bash")):
                yield block.line + offset, shown
