"""Links of the documentation lead to files and headings that are there, and the files that pages name are there, too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, name_of, prose, without_blocks

#: a file or folder of the repository as pages name it, between backticks
_NAMED = re.compile(r"`[^`\n]*?((?<![\w./-])(?:kgmm|tests|benchmarks|knowledge|graphs|docs)/[\w/.-]*[\w/])[^`\n]*`")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if not linked.exists():
            wrong.append(f"{target}: no such file")
        elif anchor and linked.suffix == ".md" and anchor not in anchors(linked):
            wrong.append(f"{target}: no such heading; there are: {', '.join(sorted(anchors(linked)))}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "CHANGELOG.md"], ids=name_of)
def test_named_files_are_there(page: Path) -> None:
    named = _NAMED.findall(without_blocks(page))
    assert not (absent := [name for name in named if not (ROOT / name).exists()]), f"no such file: {', '.join(absent)}"


def test_pages_name_files() -> None:
    assert len({name for page in PAGES for name in _NAMED.findall(without_blocks(page))}) > 20
