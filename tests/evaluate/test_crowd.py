"""``kgmm eval crowd``: files as released, their bad lines named, and figures on real crowds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgmm.data.crowd import read_crowd
from kgmm.errors import BadInput
from kgmm.evaluate.crowd import evaluate

HEAD = "!amt_annotation_ids\t!amt_worker_ids\torig_id\tresponse\tgold\n"


def _folder(place: Path, answers: str, truth: str) -> Path:
    (place / "answer.csv").write_text("question,worker,answer\n" + answers)
    (place / "truth.csv").write_text("question,truth\n" + truth)
    return place


def test_a_folder_and_a_table_of_the_same_say_the_same(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "1,ann,yes\n1,bob,no\n2,ann,no\n", "1,yes\n2,no\n9,yes\n")
    table = tmp_path / "same.tsv"
    table.write_text(HEAD + "h\tann\t1\tyes\tyes\nh\tbob\t1\tno\tyes\nh\tann\t2\tno\tno\n")
    a, b = evaluate(read_crowd(folder)), evaluate(read_crowd(table))
    assert a["accuracy"] == b["accuracy"] and (a["judged"], a["answers"]) == (2, 3)


@pytest.mark.parametrize(
    ("answers", "truth", "told"),
    [
        ("1,ann\n", "1,yes\n", "answer.csv:2: expected 3 fields, found 2"),
        ("1,ann,yes\n1,,yes\n", "1,yes\n", "answer.csv:3: worker is empty"),
        ("1,ann,yes\n", "1,yes\n1,no\n", "truth.csv:3: '1' is 'no' here"),
        ('1,ann,"yes\n', "1,yes\n", "answer.csv:2: not a row of a table"),
        ("", "1,yes\n", "no answers are there"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, answers: str, truth: str, told: str) -> None:
    with pytest.raises(BadInput, match=told.replace("(", r"\(")):
        read_crowd(_folder(tmp_path, answers, truth))


def test_a_table_without_its_columns_or_with_a_torn_line_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("a\tb\n1\t2\n")
    with pytest.raises(BadInput, match=r"t\.tsv:1: expected the columns orig_id"):
        read_crowd(table)
    table.write_text(HEAD + "h\tann\t1\tyes\tyes\nh\tbob\t1\n")
    with pytest.raises(BadInput, match=r"t\.tsv:3: expected 5 fields, found 3"):
        read_crowd(table)
    with pytest.raises(BadInput, match=r"name one of its tables: t\.tsv"):
        read_crowd(tmp_path)


def test_an_item_without_gold_is_weighed_and_not_judged(tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text(HEAD + "h\tann\t1\tyes\tyes\nh\tbob\t2\tno\t\n")
    found = evaluate(read_crowd(table))
    assert (found["items"], found["judged"]) == (2, 1)


def test_the_command_prints_accuracies_and_contributors(tmp_path: Path, shell: Callable[..., Any]) -> None:
    place = _folder(tmp_path, "1,ann,yes\n1,bob,no\n2,ann,no\n2,cy,no\n1,cy,yes\n", "1,yes\n2,no\n")
    found = json.loads(shell("eval", "crowd", place, "--json").out)
    assert found["default"] == found["accuracy"]["shared-dawid-skene"] == 1.0
    told = shell("eval", "crowd", place, "--report").out
    assert "(default)" in told and "bob" in told
    assert shell("eval", "crowd", tmp_path / "none.tsv").code == 1


#: accuracies of Dawid–Skene that the data's own description measured (duck, product, dog), and ours of the rest
REAL = {"duck": 0.898, "product": 0.940, "dog": 0.843, "snow2008/rte": 0.9275, "snow2008/temp": 0.9416}


def test_the_default_is_no_worse_than_dawid_skene_on_real_crowds(shared_data: Path) -> None:
    defaults, tables = [], []
    for name, known in REAL.items():
        place = shared_data / "crowd" / name
        found = evaluate(read_crowd(place if place.is_dir() else place.with_suffix(".standardized.tsv")))
        assert found["accuracy"]["dawid-skene"] == pytest.approx(known, abs=0.0006)
        assert found["default"] >= known - 0.005
        defaults.append(found["default"])
        tables.append(found["accuracy"]["dawid-skene"])
    assert sum(defaults) > sum(tables)
