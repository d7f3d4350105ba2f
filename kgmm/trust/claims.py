"""Claims as arrays: who says which value of what, for or against it, and how sure they say they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import KgmmError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NO, YES = 0, 1  #: the values of a question whether one value is true


@dataclass(frozen=True, eq=False)
class Claims:
    """Claims about items, each encoded as positions in sorted arrays of names.

    Example:
        >>> claims = Claims.of(["a", "a", "b"], ["ann", "bob", "ann"], ["cat", "dog", "dog"])
        >>> claims.items.tolist(), claims.item.tolist(), claims.value.tolist()
        (['a', 'b'], [0, 0, 1], [0, 1, 1])
    """

    items: NDArray[Any]
    contributors: NDArray[Any]
    values: NDArray[Any]
    item: Ints
    contributor: Ints
    value: Ints
    confidence: Floats  #: in (0, 1]: how much of a claim each counts for
    against: NDArray[np.bool_]  #: whether the claim is that the value is *not* the item's

    @classmethod
    def of(
        cls,
        item: ArrayLike,
        contributor: ArrayLike,
        value: ArrayLike,
        confidence: ArrayLike | None = None,
        against: ArrayLike | None = None,
    ) -> Claims:
        """Encode arrays of one length n: strings or whole numbers; *confidence* in (0, 1], 1 by default.

        Raises:
            KgmmError: if there are no claims, the lengths differ, or a confidence is outside (0, 1].
        """
        (items, i), (people, k), (values, v) = coded(item), coded(contributor), coded(value)
        sure = np.ones(len(i)) if confidence is None else np.asarray(confidence, np.float64)
        no = np.zeros(len(i), np.bool_) if against is None else np.asarray(against, np.bool_)
        if len({len(part) for part in (i, k, v, sure, no)}) > 1:
            raise KgmmError(
                f"claims need arrays of one length, not {len(i)}, {len(k)}, {len(v)}, {len(sure)}, {len(no)}"
            )
        if not len(i):
            raise KgmmError("there are no claims to weigh")
        if bad := np.flatnonzero(~((sure > 0) & (sure <= 1))).tolist():
            raise KgmmError(f"claim {bad[0]}: a confidence lies above 0 and up to 1, not at {sure[bad[0]]}")
        return cls(items, people, values, i, k, v, sure, no)

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def coded(self) -> Ints:
        """Of each claim its (item, value) as one number."""
        return self.item * len(self.values) + self.value

    @cached_property
    def pairs(self) -> Ints:
        """The (item, value) pairs that anyone claims or denies, as sorted numbers item * len(values) + value."""
        return np.unique(self.coded)

    @cached_property
    def pair(self) -> Ints:
        """Of each claim the position of its pair in :attr:`pairs`."""
        return np.searchsorted(self.pairs, self.coded)

    @property
    def pair_item(self) -> Ints:
        """The item of each pair."""
        return self.pairs // len(self.values)

    @property
    def pair_value(self) -> Ints:
        """The value of each pair."""
        return self.pairs % len(self.values)

    def sums(self, at: Ints, weights: Floats, size: int) -> Floats:
        """Sum *weights* by where they belong, shape (size,)."""
        return np.bincount(at, weights=weights, minlength=size).astype(np.float64)

    def votes(self) -> Floats:
        """Return what speaks for each pair as a share of all that is said of its item and against it, in [0, 1]."""
        n = len(self.pairs)
        for_it = self.sums(self.pair, self.confidence * ~self.against, n)
        against_it = self.sums(self.pair, self.confidence * self.against, n)
        whole = self.sums(self.pair_item, for_it, len(self.items))[self.pair_item] + against_it
        return np.asarray(np.divide(for_it, whole, out=np.zeros(n), where=whole > 0))

    def asked_singly(self) -> Claims:
        """Return claims of which each pair is an item of its own, a yes-or-no question: is this value true?

        Who claims the pair says yes; who denies it, or claims another value of the item, says no.
        """
        rows, pairs = self.candidates()
        rivals = (pairs != self.pair[rows]) & ~self.against[rows]
        rows, pairs = rows[rivals], pairs[rivals]
        said = np.where(self.against, NO, YES)
        return Claims(
            np.arange(len(self.pairs)),
            self.contributors,
            np.array(["no", "yes"]),
            np.concatenate([self.pair, pairs]),
            np.concatenate([self.contributor, self.contributor[rows]]),
            np.concatenate([said, np.full(len(rows), NO)]),
            np.concatenate([self.confidence, self.confidence[rows]]),
            np.zeros(len(self) + len(rows), np.bool_),
        )

    def candidates(self) -> tuple[Ints, Ints]:
        """Return, for each claim and each pair of its item, the claim's row and the pair's position: two arrays."""
        begin = np.searchsorted(self.pair_item, np.arange(len(self.items)))
        count = np.bincount(self.pair_item, minlength=len(self.items))
        of_claim = count[self.item]
        rows = np.repeat(np.arange(len(self)), of_claim)
        ends = np.cumsum(of_claim)
        return rows, begin[self.item][rows] + np.arange(len(rows)) - (ends - of_claim)[rows]


def coded(names: ArrayLike) -> tuple[NDArray[Any], Ints]:
    """Return the sorted distinct names, and of each name its position among them."""
    if isinstance(names, pl.Series) and names.dtype == pl.String:
        series = names
    elif isinstance(names, (list, tuple)) and names and all(isinstance(name, str) for name in names):
        series = pl.Series(names, dtype=pl.String)
    else:
        array = np.asarray(names)
        if array.ndim != 1:
            raise KgmmError(f"claims need arrays of one dimension, not {array.ndim}")
        if array.dtype.kind in "iub":
            known, codes = np.unique(array, return_inverse=True)
            return known, codes.astype(np.int64)
        series = pl.Series(array.astype(str).tolist(), dtype=pl.String)
    if series.null_count():
        raise KgmmError(f"claim {int(series.is_null().arg_max() or 0)} lacks an item, a contributor or a value")
    known_names = series.unique().sort()
    codes = series.cast(pl.Enum(known_names)).to_physical().to_numpy()
    return known_names.to_numpy().astype(object), codes.astype(np.int64)
