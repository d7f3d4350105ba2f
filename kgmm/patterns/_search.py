"""The miner's inner loops: depth first over bit columns, each closed set found once and none kept for that.

A closed set is reached from the one without its core item alone (prefix-preserving closure extension; Uno, Asai, Uchida and
Arimura, LCM, FIMI 2003/2004), so that memory is that of the data and of one branch.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kgmm.compiled import njit


@intrinsic  # type: ignore[untyped-decorator]
def ones(typing: Any, word: Any) -> Any:
    """Return how many bits of a word are set."""

    def made(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        return builder.ctpop(given[0])

    return types.uint64(types.uint64), made


@njit()
def both(left: Any, right: Any, words: int) -> Any:
    """Return how many bits two columns share."""
    total = np.uint64(0)
    for w in range(words):
        total += ones(left[w] & right[w])
    return np.int64(total)


@njit()
def transposed(starts: Any, items: Any, count: int) -> tuple[Any, Any]:
    """Return rows by item as compressed rows, from items by row."""
    first = np.zeros(count + 1, np.int64)
    for item in items:
        first[item + 1] += 1
    for i in range(count):
        first[i + 1] += first[i]
    at, rows = first[:-1].copy(), np.empty(len(items), np.int32)
    for row in range(len(starts) - 1):
        for k in range(starts[row], starts[row + 1]):
            rows[at[items[k]]] = row
            at[items[k]] += 1
    return first, rows


@njit()
def starts_kept(starts: Any, kept: Any) -> Any:
    """Return where compressed rows begin once only some of their entries are kept, and where the last one ends."""
    found, count, at = np.empty(len(starts), np.int64), 0, 0
    for row in range(len(starts)):
        while at < starts[row]:
            count += kept[at]
            at += 1
        found[row] = count
    return found


@njit()
def counted(starts: Any, items: Any, first: Any, by_item: Any, set_starts: Any, set_items: Any) -> Any:
    """Return in how many rows each of some sets is, items ascending in rows and sets: its rarest item's rows are looked through."""
    found = np.zeros(len(set_starts) - 1, np.int64)
    for at in range(len(found)):
        low, high = set_starts[at], set_starts[at + 1]
        rarest = set_items[low]
        for k in range(low, high):
            item = set_items[k]
            if first[item + 1] - first[item] < first[rarest + 1] - first[rarest]:
                rarest = item
        for k in range(first[rarest], first[rarest + 1]):
            row = by_item[k]
            there, end, has = starts[row], starts[row + 1], True
            for m in range(low, high):
                while there < end and items[there] < set_items[m]:
                    there += 1
                if there == end or items[there] != set_items[m]:
                    has = False
                    break
            found[at] += has
    return found


@njit()
def _grown(buffer: Any, needed: int) -> Any:
    if needed <= len(buffer):
        return buffer
    larger = np.empty(max(needed, 2 * len(buffer)), buffer.dtype)
    larger[: len(buffer)] = buffer
    return larger


@njit()
def _counts(rows: Any, starts: Any, items: Any, counts: Any, sign: int) -> None:
    """Add the items of some rows to counts, or take them off again."""
    for row in rows:
        for k in range(starts[row], starts[row + 1]):
            counts[items[k]] += sign


@njit()
def _filled(rows: Any, starts: Any, items: Any, place: Any, columns: Any, to: int, words: int) -> None:
    """Set the bits of some rows in columns of *words* words from *to* on, one for each item that has a place."""
    for at in range(len(rows)):
        word, bit = at >> 6, np.uint64(1) << np.uint64(at & 63)
        for k in range(starts[rows[at]], starts[rows[at] + 1]):
            if place[items[k]] >= 0:
                columns[to + place[items[k]] * words + word] |= bit


@njit()
def _all_rows(masks: Any, at: int, count: int) -> None:
    """Set *count* bits from word *at* on."""
    words = (count + 63) >> 6
    for w in range(words):
        masks[at + w] = ~np.uint64(0)
    if count & 63:
        masks[at + words - 1] = (np.uint64(1) << np.uint64(count & 63)) - np.uint64(1)


@njit()
def _rows_in(mask: Any, words: int, rows: Any, found: Any) -> int:
    """Write the rows whose bits are set; return how many there are."""
    count = 0
    for w in range(words):
        left = mask[w]
        while left:
            low = left & (~left + np.uint64(1))
            found[count] = rows[(w << 6) + np.int64(ones(low - np.uint64(1)))]
            count += 1
            left ^= low
    return count


@njit()
def _packed(columns: Any, start: int, words: int, kept: Any, to: int) -> int:
    """Copy a column to *to* with the rows that *kept* names alone; return its width in words."""
    at, word, filled = to, np.uint64(0), 0
    for w in range(words):
        mask, column = kept[w], columns[start + w]
        while mask:
            low = mask & (~mask + np.uint64(1))
            if column & low:
                word |= np.uint64(1) << np.uint64(filled)
            filled += 1
            if filled == 64:
                columns[at] = word
                at, word, filled = at + 1, np.uint64(0), 0
            mask ^= low
    if filled:
        columns[at] = word
        at += 1
    return at - to


@njit()
def below(
    item: int, starts: Any, items: Any, first: Any, by_item: Any, least: int, longest: int, closed: bool, most: int
) -> Any:
    """Find the frequent sets whose core is an item: sets that hold it and, unless by closure, no item before it.

    Args:
        item: the core; items are numbered from the rarest.
        starts, items: rows as compressed rows, items ascending.
        first, by_item: rows by item, as :func:`transposed` gives them.
        least: rows a set is in at least.
        longest: items of a set at most.
        closed: find closed sets only: those no item can be added to without losing rows.
        most: items of all sets at most.

    Returns:
        Items of the sets found, one behind the other; where each ends; in how many rows each is, -1 of a single one if there are more
        than *most*.
    """
    out, ends, supports = np.empty(64, np.int32), np.empty(16, np.int64), np.empty(16, np.int64)
    written, found = 0, 0
    total = len(first) - 1
    counts, place, prefix = np.zeros(total, np.int64), np.full(total, -1, np.int32), np.empty(total, np.int32)
    around = max(1, len(items) // max(1, len(starts) - 1))  # items of a row, about
    # One branch. Level 0 is the whole; each level has rows (bits of its matrix's), a matrix (which may be its parent's)
    # and a list of the items it may still take, with their counts and their columns in the matrix.
    deep = 8
    heads, listed, next_at, list_at = (
        np.zeros(deep, np.int64),
        np.zeros(deep, np.int64),
        np.zeros(deep, np.int64),
        np.zeros(deep, np.int64),
    )
    width, matrix, top, mask_at = (
        np.zeros(deep, np.int64),
        np.zeros(deep, np.int64),
        np.zeros(deep, np.int64),
        np.zeros(deep, np.int64),
    )
    row_at, row_top = np.zeros(deep, np.int64), np.zeros(deep, np.int64)
    ids, count, slot = np.empty(4 * total, np.int32), np.empty(4 * total, np.int64), np.empty(4 * total, np.int32)
    rows = by_item[first[item] : first[item + 1]].copy()
    size = len(rows)
    masks, columns, mask = (
        np.empty((size >> 5) + 2, np.uint64),
        np.empty(1, np.uint64),
        np.empty((size >> 6) + 1, np.uint64),
    )
    _all_rows(mask, 0, size)
    level, core, support, pick = -1, item, size, -1
    while True:
        if level < 0:
            begin, low, high, held = 0, 0, total, 0
        else:
            if next_at[level] >= listed[level]:
                level -= 1
                if level < 0:
                    break
                continue
            pick = list_at[level] + next_at[level]
            next_at[level] += 1
            core, support, held = ids[pick], count[pick], heads[level]
            column = matrix[level] + slot[pick] * width[level]
            for w in range(width[level]):
                mask[w] = masks[mask_at[level] + w] & columns[column + w]
            low, high = list_at[level], list_at[level] + listed[level]
            begin = high
            ids, count, slot = (
                _grown(ids, begin + listed[level]),
                _grown(count, begin + listed[level]),
                _grown(slot, begin + listed[level]),
            )
        # by bits where they are few, else by the rows themselves
        scanned = level < 0 or support * (around + 8) < listed[level] * width[level]
        new_rows = 0
        if level < 0:
            _counts(rows[:size], starts, items, counts, 1)
        elif scanned:
            new_rows = row_top[level]
            rows = _grown(rows, new_rows + support)
            _rows_in(mask, width[level], rows[row_at[level] :], rows[new_rows:])
            _counts(rows[new_rows : new_rows + support], starts, items, counts, 1)
        prefix[held] = core
        held, end, canonical, further = held + 1, begin, True, False
        for at in range(low, high):
            other = at if level < 0 else ids[at]
            if other == core or (not closed and other < core):
                continue
            if scanned:
                shared = counts[other]
            else:
                shared = both(mask, columns[matrix[level] + slot[at] * width[level] :], width[level])
            if shared < least:
                continue
            if closed and shared == support:
                if other < core:
                    canonical = False
                    break
                prefix[held] = other
                held += 1
                continue
            ids[end], count[end] = other, shared
            slot[end] = end - begin if level < 0 else slot[at]
            further = further or other > core
            end += 1
        if scanned:
            _counts(rows[new_rows : new_rows + support], starts, items, counts, -1)
        if canonical and held <= longest:
            if written + held > most:
                return out[:0], ends[:0], np.full(1, -1, np.int64)
            out = _grown(out, written + held)
            out[written : written + held] = prefix[:held]
            written += held
            ends, supports = _grown(ends, found + 1), _grown(supports, found + 1)
            ends[found], supports[found] = written, support
            found += 1
        if not canonical or held >= longest or not further:
            if level < 0:
                break
            continue
        level += 1
        if level == deep:
            deep *= 2
            heads, listed, next_at, list_at = (
                _grown(heads, deep),
                _grown(listed, deep),
                _grown(next_at, deep),
                _grown(list_at, deep),
            )
            width, matrix, top, mask_at = (
                _grown(width, deep),
                _grown(matrix, deep),
                _grown(top, deep),
                _grown(mask_at, deep),
            )
            row_at, row_top = _grown(row_at, deep), _grown(row_top, deep)
        heads[level], list_at[level], listed[level], next_at[level] = held, begin, end - begin, 0
        while ids[begin + next_at[level]] < core:  # these are looked at (is a set canonical?) and never taken
            next_at[level] += 1
        narrow, last = (support + 63) >> 6, level - 1
        mask_at[level] = mask_at[last] + width[last] if level else 0
        masks = _grown(masks, mask_at[level] + max(narrow, width[last] if level else 0))
        if level and not scanned and (narrow * 4 > width[last] or width[last] <= 4):
            width[level], matrix[level], top[level] = width[last], matrix[last], top[last]
            row_at[level], row_top[level] = row_at[last], row_top[last]
            masks[mask_at[level] : mask_at[level] + width[last]] = mask[: width[last]]
            continue
        start = top[last] if level else 0
        columns = _grown(columns, start + narrow * (end - begin))
        width[level], matrix[level], top[level] = narrow, start, start + narrow * (end - begin)
        if scanned:
            row_at[level], row_top[level] = new_rows, new_rows + support
            columns[start : top[level]] = 0
            for at in range(begin, end):
                place[ids[at]] = at - begin
            _filled(rows[new_rows : new_rows + support], starts, items, place, columns, start, narrow)
            for at in range(begin, end):
                place[ids[at]] = -1
        else:
            row_at[level] = row_top[last]
            rows = _grown(rows, row_at[level] + support)
            _rows_in(mask, width[last], rows[row_at[last] :], rows[row_at[level] :])
            row_top[level] = row_at[level] + support
            for at in range(begin, end):
                _packed(
                    columns, matrix[last] + slot[at] * width[last], width[last], mask, start + (at - begin) * narrow
                )
        for at in range(begin, end):
            slot[at] = at - begin
        _all_rows(masks, mask_at[level], support)
    return out[:written], ends[:found], supports[:found]
