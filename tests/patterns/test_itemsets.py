"""Frequent and closed itemsets and rules: against counting by hand, and mlxtend."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput, KgmmError
from kgmm.patterns import Transactions, itemsets, rules
from kgmm.patterns.itemsets import least_count, mine

ROWS = st.lists(st.lists(st.integers(0, 7), max_size=8), max_size=30)


def counted(rows: list[list[int]], least: int) -> dict[frozenset[int], int]:
    """Every set of items with its rows, counted one by one."""
    some = [frozenset(row) for row in rows]
    items = sorted({i for row in some for i in row})
    sets = (frozenset(c) for n in range(1, len(items) + 1) for c in combinations(items, n))
    found = {s: sum(s <= row for row in some) for s in sets}
    return {s: n for s, n in found.items() if n >= least}


def told(frame: pl.DataFrame, rows: int) -> dict[frozenset[Any], int]:
    sets = [frozenset(s) for s in frame["itemsets"].to_list()]
    assert len(set(sets)) == len(sets)
    return dict(zip(sets, (frame["support"] * rows).round().cast(int).to_list(), strict=True))


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(2, 6))
def test_frequent_and_closed_sets_are_those_counted_by_hand(rows: list[list[int]], least: int) -> None:
    wanted = counted(rows, least)
    assert told(itemsets(rows, least, closed=False), len(rows)) == wanted
    closed = {s: n for s, n in wanted.items() if not any(s < o and n == m for o, m in wanted.items())}
    assert told(itemsets(rows, least), len(rows)) == closed
    short = {s: n for s, n in wanted.items() if len(s) <= 2}
    assert told(itemsets(rows, least, closed=False, max_length=2), len(rows)) == short
    assert told(itemsets(rows, least, max_length=2), len(rows)) == {s: n for s, n in closed.items() if len(s) <= 2}


def dense(rows: int, items: int, share: float, seed: int) -> Transactions:
    table = np.random.default_rng(seed).random((rows, items)) < share
    table[:, :4] |= table[:, :1]
    return Transactions.of(table)


@pytest.mark.parametrize(
    ("rows", "items", "share", "least"), [(2000, 18, 0.3, 60), (6000, 60, 0.08, 20), (700, 9, 0.6, 9)]
)
def test_larger_data_as_mlxtend_finds_them_by_any_number_of_cores(
    rows: int, items: int, share: float, least: int
) -> None:
    patterns = pytest.importorskip("mlxtend.frequent_patterns")
    pd = pytest.importorskip("pandas")
    data = dense(rows, items, share, 1)
    table = np.zeros((rows, items), bool)
    table[np.repeat(np.arange(rows), np.diff(data.starts)), data.items] = True
    theirs = patterns.fpgrowth(pd.DataFrame(table), min_support=least / rows)
    wanted = dict(zip(map(frozenset, theirs["itemsets"]), (theirs["support"] * rows).round().astype(int), strict=True))
    found = mine(data, least, closed=False, threads=1)
    assert dict(zip(map(frozenset, found.named()), found.counts.tolist(), strict=True)) == wanted
    again = mine(data, least, closed=False, threads=3)
    assert np.array_equal(found.items, again.items) and np.array_equal(found.counts, again.counts)
    closed = mine(data, least)
    sets = dict(zip(map(frozenset, closed.named()), closed.counts.tolist(), strict=True))
    assert sets.items() <= wanted.items()
    assert all(any(s <= o and n == m for o, m in sets.items()) for s, n in list(wanted.items())[::97])


@settings(max_examples=60, deadline=None)
@given(ROWS.filter(bool), st.integers(1, 4), st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]))
def test_rules_are_mlxtends_with_all_their_figures(rows: list[list[int]], least: int, confidence: float) -> None:
    patterns = pytest.importorskip("mlxtend.frequent_patterns")
    pd = pytest.importorskip("pandas")
    least = min(least, len(rows))
    table = pd.DataFrame([[i in row for i in range(8)] for row in rows])
    sets = patterns.fpgrowth(table, min_support=least / len(rows))
    ours = rules(rows, least / len(rows), confidence)
    if not len(sets):
        assert ours.is_empty()
        return
    theirs = patterns.association_rules(sets, metric="confidence", min_threshold=confidence)
    assert set(ours.columns) == set(theirs.columns)
    figures = [name for name in theirs.columns if name not in ("antecedents", "consequents")]
    wanted = {
        (frozenset(r["antecedents"]), frozenset(r["consequents"])): [r[f] for f in figures]
        for _, r in theirs.iterrows()
    }
    found = {
        (frozenset(r["antecedents"]), frozenset(r["consequents"])): [r[f] for f in figures] for r in ours.to_dicts()
    }
    assert found.keys() == wanted.keys() and len(found) == len(ours)
    for key, values in wanted.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-9, atol=1e-12)


@settings(max_examples=80, deadline=None)
@given(ROWS.filter(bool), st.integers(2, 4), st.integers(0, 7))
def test_rules_to_a_class_are_those_of_all_rules_that_lead_there(rows: list[list[int]], least: int, item: int) -> None:
    if not any(item in row for row in rows):
        with pytest.raises(KgmmError, match="no transaction has the item"):
            rules(rows, least, 0.4, consequent=item)
        return
    columns = ["antecedents", "consequents", "confidence", "lift", "antecedent support"]

    def kept(frame: pl.DataFrame) -> list[Any]:
        some = [r for r in frame.select(columns).rows() if r[1] == [item]]
        return sorted((sorted(a), c, *(round(x, 9) for x in rest)) for a, c, *rest in some)

    assert kept(rules(rows, least, 0.4, consequent=item)) == kept(rules(rows, least, 0.4))
    closed = rules(rows, least, 0.4, consequent=item, closed=True)
    inside = [[i for i in row if i != item] for row in rows if item in row]
    sets = {frozenset(s) for s in itemsets(inside, least)["itemsets"].to_list()} if inside else set()
    assert {frozenset(a) for a in closed["antecedents"].to_list()} <= sets


def test_the_same_rows_in_every_form_are_the_same_transactions(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    from scipy.sparse import csr_matrix

    table = np.random.default_rng(0).random((40, 6)) < 0.4
    names = list("abcdef")
    lists = [[n for n, there in zip(names, row, strict=True) if there] for row in table]
    pl.DataFrame({"id": range(40), "items": lists}).write_parquet(tmp_path / "rows.parquet")
    sparse = pd.DataFrame.sparse.from_spmatrix(csr_matrix(table), columns=names)
    forms: list[Any] = [
        pl.DataFrame(dict(zip(names, table.T, strict=True))),
        pd.DataFrame(table, columns=names),
        pd.DataFrame(table.astype(int), columns=names),
        sparse,
        tmp_path / "rows.parquet",
        str(tmp_path / "rows.parquet"),
        pl.DataFrame({"items": lists}),
        (iter(row) for row in lists),
    ]
    wanted = told(itemsets(lists, 0.1), 40)
    assert len(wanted) > 10
    for form in forms:
        assert told(itemsets(form, 0.1), 40) == wanted
    by_number = told(itemsets(table, 0.1), 40)
    assert {frozenset(names[i] for i in s): n for s, n in by_number.items()} == wanted
    assert told(itemsets(csr_matrix(table), 0.1), 40) == by_number


def test_a_text_is_read_line_by_line_and_parted_by_what_it_has_anywhere(tmp_path: Path) -> None:
    place = tmp_path / "rows.txt"
    for text in ("a b,c\n\nc,a b\n", "\ufeffa b\tc\r\n\r\n\tc\ta b\t\tc"):
        place.write_bytes(text.encode())
        assert told(itemsets(place, 2), 3) == {frozenset({"a b", "c"}): 2} and len(Transactions.of(place)) == 3
    place.write_bytes(b"a b\na \xff\n")
    with pytest.raises(BadInput, match=r"rows\.txt:2: not UTF-8"):
        itemsets(place, 2)


def test_memory_stays_near_that_of_the_rows() -> None:
    import tracemalloc

    data = Transactions.of(np.random.default_rng(0).random((60_000, 40)) < 0.5)
    mine(data, 50_000)  # compile
    tracemalloc.start()
    mine(data, 29_000)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 3 * data.items.nbytes


def test_nothing_constant_doubled_and_large_is_defined() -> None:
    assert itemsets([], 0.5).is_empty() and itemsets([[], []], 0.5).is_empty()
    assert rules([], 0.5, 0.5).is_empty()
    assert itemsets([["a", "a"], ["a"]], 1.0).rows() == [(1.0, ["a"])]
    gigantic = [[*range(3000)], [*range(2900, 3000)]]
    assert told(itemsets(gigantic, 2), 2) == {frozenset(range(2900, 3000)): 2}
    assert told(itemsets(gigantic, 0.5), 2) == {frozenset(range(2900, 3000)): 2, frozenset(range(3000)): 1}
    with pytest.raises(KgmmError, match="more than"):
        itemsets([[*range(40)]] * 3, 0.9, closed=False)
    with pytest.raises(KgmmError, match="too many rules"):
        rules([[*range(21)]] * 3, 0.9, 0.5)


def test_one_class_and_a_gigantic_basket_are_defined() -> None:
    (row,) = rules([["a", "x"], ["a", "x"], ["x"]], 2, 0.5, consequent="x").to_dicts()
    assert (row["antecedents"], row["confidence"], row["lift"], row["conviction"]) == (["a"], 1.0, 1.0, float("inf"))
    assert rules([["x"]] * 3, 2, 0.5, consequent="x").is_empty()
    baskets = [[*range(200_000)], ["a", "b"], ["a", "b", 7], [7]]
    assert told(itemsets([map(str, row) for row in baskets], 2), 4) == {frozenset("ab"): 2, frozenset("7"): 3}


@pytest.mark.parametrize("support", [0, -0.1, 1.5, float("nan"), True, "much"])
def test_a_support_that_is_none_is_told(support: Any) -> None:
    with pytest.raises(KgmmError, match="least support"):
        itemsets([["a"]], support)


def test_what_is_no_transactions_is_told(tmp_path: Path) -> None:
    with pytest.raises(KgmmError, match="row 1 of the transactions is str"):
        itemsets([["a"], "bread"], 0.5)
    with pytest.raises(KgmmError, match="row 0 of the transactions: unhashable"):
        itemsets([[["a"]]], 0.5)
    with pytest.raises(KgmmError, match="true or false"):
        itemsets(np.array([[0.0, 0.3]]), 0.5)
    (tmp_path / "no.parquet").write_text("no")
    for name in ("no.parquet", "none.parquet"):
        with pytest.raises(BadInput, match=name):
            itemsets(tmp_path / name, 0.5)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "flat.parquet")
    with pytest.raises(BadInput, match="which column has lists"):
        itemsets(tmp_path / "flat.parquet", 0.5)
    with pytest.raises(KgmmError, match="at least one item"):
        itemsets([["a"]], 0.5, max_length=0)
    with pytest.raises(KgmmError, match="consequent="):
        rules([["a"]], 0.5, 0.5, closed=True)
    with pytest.raises(KgmmError, match="least confidence"):
        rules([["a"]], 0.5, 1.5)


def test_a_share_that_is_a_number_of_rows_is_met_by_as_many() -> None:
    assert all(least_count(k / n, n) == k for n in range(1, 200) for k in range(1, n + 1))
