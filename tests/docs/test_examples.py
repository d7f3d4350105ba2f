"""Every Python block of the documentation runs, page by page, beside the bundled knowledge.

A block whose first line is ``# not run: …`` says why it is not: what it needs is not in a checkout.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import kgmm
from tests.docs.pages import NOT_RUN, PAGES, ROOT, Block, blocks, name_of


def examples(page: Path) -> list[Block]:
    """Return the Python blocks of a page that are no files of their own (``test_extending`` runs those)."""
    found = [block for block in blocks(page) if block.language in ("python", "pycon")]
    return [block for block in found if not block.text.startswith(("# kgmm/", "# tests/"))]


def is_run(block: Block) -> bool:
    """Whether a block is run; one that is not says why."""
    first = block.text.strip().splitlines()[0]
    return not (first.startswith(NOT_RUN) and len(first) > len(NOT_RUN) + 10)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small networks on one thread: beside other tests, a second thread waits for a core at every step."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def beside_the_bundled(
    bundled_kb: kgmm.KnowledgeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, object]:
    """A folder as a reader has it after ``make demo``, and the names that the pages use.

    All pages read one store, so that what one of them has encoded is there for the next; none writes facts to it.
    """
    (tmp_path / "kgmm-demo").mkdir()
    for place in ("kb", "kgmm-demo/kb"):
        (tmp_path / place).symlink_to(bundled_kb.path)
    shutil.copytree(ROOT / "graphs", tmp_path / "graphs")
    for photo in ("cat", "coffee", "astronaut"):
        shutil.copy(ROOT / "graphs" / "photos" / f"{photo}.jpg", tmp_path)
    monkeypatch.chdir(tmp_path)
    return {"kgmm": kgmm, "Fact": kgmm.Fact, "kb": kgmm.open(tmp_path / "kb"), "__name__": "__main__"}


@pytest.mark.parametrize("page", [p for p in PAGES if any(map(is_run, examples(p)))], ids=name_of)
def test_python_examples_run(page: Path, beside_the_bundled: dict[str, object]) -> None:
    names = beside_the_bundled
    for block in filter(is_run, examples(page)):
        where = f"{name_of(page)}:{block.line}"
        if block.text.lstrip().startswith(">>>"):
            parsed = doctest.DocTestParser().get_doctest(block.text, names, where, where, block.line)
            printed = io.StringIO()
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            ran = doctest.DocTestRunner(optionflags=flags).run(parsed, out=printed.write, clear_globs=False)
            names |= parsed.globs
            assert ran.failed == 0, printed.getvalue()
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile("\n" * (block.line - 1) + block.text, name_of(page), "exec"), names)
        except Exception as error:
            error.add_note(f"in the example at {where}")
            raise


def test_most_examples_are_run() -> None:
    every = [block for page in PAGES for block in examples(page)]
    assert sum(map(is_run, every)) > 2 * len(every) / 3
