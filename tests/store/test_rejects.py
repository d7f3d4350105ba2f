"""The file of lines that a load could not use: none is lost, and nothing of anybody's is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgmm.errors import BadInput
from kgmm.store import LocalStore


def facts(folder: Path, *bad: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "facts.tsv"
    path.write_text("".join(f"{line}\n" for line in ("dog\tIsA\tpet", "cat\tIsA\tpet", *bad)))
    return path


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "facts.tsv.rejects.tsv"
    mine.write_text("mine")
    report = LocalStore(tmp_path / "kb").load(facts(tmp_path / "a", "no fact"))
    assert mine.read_text() == "mine" and report.rejects == str(tmp_path / "facts.tsv.rejects-2.tsv")
    assert "no fact" in Path(report.rejects).read_text()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_not_followed(there: bool, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    if there:
        target.write_text("mine")
    (tmp_path / "facts.tsv.rejects.tsv").symlink_to(target)
    report = LocalStore(tmp_path / "kb").load(facts(tmp_path / "a", "no fact"))
    assert target.exists() == there and (not there or target.read_text() == "mine")
    assert report.rejects is not None and report.rejects.endswith("rejects-2.tsv")


def test_files_of_one_name_have_each_their_rejects_and_a_load_again_has_the_same(tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    names = [
        kb.load(facts(tmp_path / folder, bad)).rejects for folder, bad in (("a", "one"), ("b", "two"), ("a", "one"))
    ]
    assert names[0] == names[2] != names[1]
    assert sorted(p.name for p in tmp_path.glob("*rejects*")) == ["facts.tsv.rejects-2.tsv", "facts.tsv.rejects.tsv"]
    with pytest.raises(BadInput, match=r"see .*facts\.tsv\.rejects\.tsv$"):
        kb.load(facts(tmp_path / "a", "one"), strict=True)
    assert len(list(tmp_path.glob("*rejects*"))) == 2
