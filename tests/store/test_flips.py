"""A small run of ``benchmarks/flips.py``: a bit flipped in any file makes no answer wrong and no raw error."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.flips import KINDS, run, stated
from kgmm.store import LocalStore


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [84, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_flipped_bit_makes_no_answer_wrong(count: int) -> None:
    found = run(count, seed=5)
    assert found["failures"] == []
    assert found["outcomes"].keys() == KINDS.keys(), "every kind of file was tried"


def test_a_list_of_terms_that_says_other_terms_is_repaired_from_the_dictionary(tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    kb.add(stated())
    ids = {fact.subject: kb.terms.id(fact.subject) for fact in kb.find()}
    other = LocalStore(tmp_path / "other")
    other.add([(subject.replace("thing 1", "thong 1"), *rest) for subject, *rest in stated()])
    for path in (other.path / "terms").glob("*.parquet"):  # as many terms, all sound, and not ours
        shutil.copy(path, kb.path / "terms" / path.name)
    assert [problem for problem in kb.check() if "says other terms than the dictionary: written anew" in problem]
    shutil.rmtree(kb.path / "index")
    again = LocalStore(kb.path)
    assert {subject: again.terms.id(subject) for subject in ids} == ids
    assert again.check() == []
