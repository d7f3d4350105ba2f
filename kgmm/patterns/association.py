"""Association rules: what goes with what, all of them, or those that lead to given items without making the others."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.patterns._search import counted, transposed
from kgmm.patterns.itemsets import Sets, least_count, listed, mine
from kgmm.patterns.transactions import Rows, Transactions

LONGEST = 20  #: items of a set whose rules are all made: there are two to that power
_AT_A_TIME = 1 << 22  #: rules made at a time

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]


def rules(
    transactions: Rows,
    min_support: float = 0.1,
    min_confidence: float = 0.8,
    *,
    consequent: Hashable | Collection[Hashable] | None = None,
    closed: bool = False,
    max_length: int | None = None,
    column: str | None = None,
) -> pl.DataFrame:
    """Return rules *antecedents → consequents*, the most confident first.

    Args:
        transactions: rows of items, or a table of yes and no (:data:`~kgmm.patterns.transactions.Rows`).
        min_support: share of the rows in (0, 1] that have antecedents and consequents at least; an integer from 2 up counts rows.
        min_confidence: share in [0, 1] of the antecedents' rows that have the consequents at least.
        consequent: only rules that lead to this item, or to one of these (classes, say), each alone. Sets are then mined within the
            rows of that item and counted in the others (Eqs. 33–35 of the survey); no other rule is made.
        closed: antecedents that are closed only: within the rows of *consequent*, which is needed for this.
        max_length: items of a rule at most.
        column: which column of a Parquet file or table has the lists of items.

    Returns:
        A table in mlxtend's columns: ``antecedents``, ``consequents`` (lists), ``antecedent support``, ``consequent support``,
        ``support``, ``confidence``, ``lift``, ``representativity``, ``leverage``, ``conviction``, ``zhangs_metric``,
        ``jaccard``, ``certainty``, ``kulczynski``. ``.to_pandas()`` gives pandas'.

    Raises:
        KgmmError: if support, confidence or length is none, a consequent is no item, or *closed* stands without one.

    Example:
        >>> baskets = [["bread", "butter"], ["bread", "butter", "milk"], ["bread"], ["milk"]]
        >>> rules(baskets, 0.5, 0.9).select("antecedents", "consequents", "confidence").rows()
        [(['butter'], ['bread'], 1.0)]
        >>> len(rules(baskets, 0.25, 0.1, consequent="milk"))
        3
    """
    if isinstance(min_confidence, bool) or not 0 <= min_confidence <= 1:
        raise KgmmError(f"a least confidence lies between 0 and 1, not {min_confidence!r}")
    data = Transactions.of(transactions, column=column)
    least = least_count(min_support, len(data))
    if consequent is not None:
        if max_length is not None and max_length < 2:
            raise KgmmError("a rule has at least two items")
        return _to(data, _wanted(data, consequent), least, min_confidence, closed, max_length)
    if closed:
        raise KgmmError("closed antecedents are those of given consequents; name them with consequent=")
    found = mine(data, least, closed=False, max_length=max_length)
    return _table(_all(found, min_confidence), len(data), found.names)


def _wanted(data: Transactions, consequent: Any) -> list[int]:
    several = isinstance(consequent, (list, tuple, set, frozenset)) and consequent not in data.names
    found = []
    for item in consequent if several else [consequent]:
        if item not in data.names:
            raise KgmmError(f"no transaction has the item {item!r}, which rules were to lead to")
        found.append(data.names.index(item))
    return sorted(set(found))


#: antecedents and consequents as compressed rows of items, and in how many rows each and both are
_Rules = tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints]


def _all(found: Sets, least: float) -> _Rules:
    """Return all rules of frequent sets: each way to part each of them in two."""
    sizes = np.diff(found.starts)
    if len(sizes) and sizes.max() > LONGEST:
        raise KgmmError(f"a set of {sizes.max()} items has too many rules; give max_length or a higher support")
    code, known, count = _hashed(found)
    parts: list[_Rules] = []
    for size in range(2, int(sizes.max(initial=0)) + 1):
        of = np.flatnonzero(sizes == size)
        masks = np.arange(1, (1 << size) - 1)
        chosen = (masks[:, None] >> np.arange(size)) & 1 > 0  # (masks, size) who is an antecedent
        for some in np.array_split(of, max(1, len(of) * len(masks) // _AT_A_TIME)):
            if not len(some):
                continue
            items = found.items[found.starts[some][:, None] + np.arange(size)]
            hashes = np.zeros((len(some), len(masks)), np.uint64)
            for at in range(size):
                hashes ^= np.where(chosen[:, at], code[items[:, at], None], np.uint64(0))
            ante = count[np.searchsorted(known, hashes)]
            both = found.counts[some][:, None]
            # shares are divided, as mlxtend does: of equals at the bound the same ones are kept
            row, mask = np.nonzero((both / found.rows) / (ante / found.rows) >= least)
            cons = ante[row, len(masks) - 1 - mask]  # the others: the mask that is what this one is not
            picked = items[row]
            left = chosen[mask]
            parts.append(
                (left.sum(1), picked[left], (~left).sum(1), picked[~left], ante[row, mask], cons, both[row, 0])
            )
    return _together(parts)


def _together(parts: list[_Rules]) -> _Rules:
    """Return the rules of all parts, none if there is none."""
    columns = zip(*parts, strict=True) if parts else [[np.empty(0, np.int64)]] * 7
    return tuple(np.concatenate(column) for column in columns)  # type: ignore[return-value]


def _hashed(found: Sets) -> tuple[Words, Words, Ints]:
    """Return a word an item, the exclusive ors of frequent sets' words, ascending, no two alike, and their counts."""
    for seed in range(16):
        code = np.random.default_rng(seed).integers(1, 1 << 63, len(found.names), dtype=np.uint64)
        hashes = np.bitwise_xor.reduceat(code[found.items], found.starts[:-1]) if len(found) else np.empty(0, np.uint64)
        order = np.argsort(hashes)
        known = hashes[order]
        if (known[1:] != known[:-1]).all():
            return code, known, found.counts[order]
    raise KgmmError("the itemsets could not be told apart")  # of sets drawn by chance never


def _to(
    data: Transactions, wanted: list[int], least: int, confidence: float, closed: bool, max_length: int | None
) -> pl.DataFrame:
    parts: list[_Rules] = []
    for item in wanted:
        inside = data.holding(data.names[item])
        total = int(inside.sum())
        others = data.only(data.items != item)
        found = mine(
            others.part(inside), least, closed=closed, max_length=None if max_length is None else max_length - 1
        )
        if not len(found):
            continue
        everywhere = found.counts + _counted(others.part(~inside), found)
        kept = np.flatnonzero((found.counts / len(data)) / (everywhere / len(data)) >= confidence)
        sizes = np.diff(found.starts)
        ones = np.ones(len(kept), np.int64)
        parts.append(
            (
                sizes[kept],
                found.items[np.isin(np.repeat(np.arange(len(sizes)), sizes), kept)].astype(np.int64),
                ones,
                ones * item,
                everywhere[kept],
                ones * total,
                found.counts[kept],
            )
        )
    return _table(_together(parts), len(data), data.names)


def _counted(data: Transactions, sets: Sets) -> Ints:
    """Return in how many rows each set is: the rows of its rarest item are looked through."""
    first, rows = transposed(data.starts, data.items, len(data.names))
    found: Ints = counted(data.starts, data.items, first, rows, sets.starts, sets.items)
    return found


def _table(made: _Rules, rows: int, names: list[Any]) -> pl.DataFrame:
    left_sizes, left, right_sizes, right, ante, cons, both = made
    total = max(rows, 1)
    a, c, s = ante / total, cons / total, both / total
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence, back = s / a, s / c
        leverage = s - a * c
        most = np.maximum(s * (1 - a), a * (c - s))
        frame = pl.DataFrame(
            {
                "antecedents": listed(left_sizes, left, names),
                "consequents": listed(right_sizes, right, names),
                "antecedent support": a,
                "consequent support": c,
                "support": s,
                "confidence": confidence,
                "lift": confidence / c,
                "representativity": np.ones(len(s)),
                "leverage": leverage,
                "conviction": np.where(confidence == 1, np.inf, (1 - c) / (1 - confidence)),
                "zhangs_metric": np.where(most == 0, 0.0, leverage / np.where(most == 0, 1, most)),
                "jaccard": s / (a + c - s),
                "certainty": np.where(c == 1, 0.0, (confidence - c) / np.where(c == 1, 1, 1 - c)),
                "kulczynski": (confidence + back) / 2,
            }
        )
    return frame.sort("confidence", "support", descending=True, maintain_order=True)
