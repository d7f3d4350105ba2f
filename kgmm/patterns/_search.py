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
def both(left: Any, right: Any, words: int) -> int:
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
def _columns(rows: Any, starts: Any, items: Any, place: Any, count: int) -> Any:
    """Return bit columns (count, words) of the items that have a place, over some rows."""
    words = (len(rows) + 63) >> 6
    made = np.zeros(count * words, np.uint64)
    for at in range(len(rows)):
        word, bit = at >> 6, np.uint64(1) << np.uint64(at & 63)
        for k in range(starts[rows[at]], starts[rows[at] + 1]):
            to = place[items[k]]
            if to >= 0:
                made[to * words + word] |= bit
    return made


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
def below(item: int, starts: Any, items: Any, first: Any, by_item: Any, least: int, longest: int, closed: bool) -> Any:
    """Find the frequent sets whose core is an item: sets that hold it and, unless by closure, no item before it.

    Args:
        item: the core; items are numbered from the rarest.
        starts, items: rows as compressed rows, items ascending.
        first, by_item: rows by item, as :func:`transposed` gives them.
        least: rows a set is in at least.
        longest: items of a set at most.
        closed: find closed sets only: those no item can be added to without losing rows.

    Returns:
        Items of the sets found, one behind the other; where each ends; in how many rows each is.
    """
    rows = by_item[first[item] : first[item + 1]]
    out, ends, supports = np.empty(64, np.int32), np.empty(16, np.int64), np.empty(16, np.int64)
    written, found = 0, 0
    counts = np.zeros(len(first) - 1, np.int64)
    for row in rows:
        for k in range(starts[row], starts[row + 1]):
            counts[items[k]] += 1
    size = len(rows)
    place = np.full(len(counts), -1, np.int32)
    chosen = np.empty(len(counts), np.int32)
    prefix = np.empty(len(counts), np.int32)
    prefix[0], held, k = item, 1, 0
    for other in range(len(counts)):
        if other == item or counts[other] < least or (not closed and other < item):
            continue
        if closed and counts[other] == size:
            if other < item:
                return out[:0], ends[:0], supports[:0]
            prefix[held] = other
            held += 1
            continue
        place[other], chosen[k] = k, other
        k += 1
    if held > longest:
        return out[:0], ends[:0], supports[:0]
    out = _grown(out, held)
    out[:held] = prefix[:held]
    ends[0], supports[0], written, found = held, size, held, 1
    if not k or held == longest:
        return out[:written], ends[:found], supports[:found]
    columns = _columns(rows, starts, items, place, k)
    # one branch: of every level its columns' place and width, its rows, the items it may still take and their counts
    words = (size + 63) >> 6
    deep = 8
    origin, width, heads = np.zeros(deep, np.int64), np.zeros(deep, np.int64), np.zeros(deep, np.int64)
    listed, next_at = np.zeros(deep, np.int64), np.zeros(deep, np.int64)
    ids, count = np.empty(4 * k, np.int32), np.empty(4 * k, np.int64)  # (level's list) position in chosen; its count
    slot = np.empty(4 * k, np.int32)  # and which column of the level it is
    masks = np.empty(4 * words, np.uint64)
    list_start, mask_start, used = np.zeros(deep, np.int64), np.zeros(deep, np.int64), len(columns)
    tops = np.zeros(deep, np.int64)  # where the columns of deeper levels may begin
    for at in range(k):
        ids[at], count[at], slot[at] = at, counts[chosen[at]], at
    for w in range(words):
        masks[w] = ~np.uint64(0)
    if size & 63:
        masks[words - 1] = (np.uint64(1) << np.uint64(size & 63)) - np.uint64(1)
    level, listed[0], width[0], heads[0], tops[0] = 0, k, words, held, used
    rows_of = np.empty(words, np.uint64)
    while level >= 0:
        if next_at[level] >= listed[level]:
            level -= 1
            continue
        pick = list_start[level] + next_at[level]
        next_at[level] += 1
        core, support = chosen[ids[pick]], count[pick]
        if core < item:
            continue
        held = heads[level]
        w_count, base = width[level], origin[level] + slot[pick] * width[level]
        for w in range(w_count):
            rows_of[w] = masks[mask_start[level] + w] & columns[base + w]
        # what goes along: its closure, and what may be added further
        begin, end = list_start[level] + listed[level], list_start[level] + listed[level]
        ids, count, slot = (
            _grown(ids, end + listed[level]),
            _grown(count, end + listed[level]),
            _grown(slot, end + listed[level]),
        )
        size_now, canonical = held, True
        prefix[size_now] = core
        size_now += 1
        for at in range(list_start[level], list_start[level] + listed[level]):
            other = chosen[ids[at]]
            if at == pick or (not closed and at < pick):
                continue
            if count[at] < least:
                continue
            shared = both(rows_of, columns[origin[level] + slot[at] * w_count :], w_count)
            if shared < least:
                continue
            if closed and shared == support:
                if other < core:
                    canonical = False
                    break
                prefix[size_now] = other
                size_now += 1
                continue
            ids[end], count[end], slot[end] = ids[at], shared, slot[at]
            end += 1
        if not canonical or size_now > longest:
            continue
        out = _grown(out, written + size_now)
        out[written : written + size_now] = prefix[:size_now]
        written += size_now
        ends, supports = _grown(ends, found + 1), _grown(supports, found + 1)
        ends[found], supports[found] = written, support
        found += 1
        if end == begin or size_now == longest:
            continue
        further = False
        for at in range(begin, end):
            further = further or chosen[ids[at]] > core
        if not further:
            continue
        level += 1
        if level == deep:
            deep *= 2
            origin, width, heads = _grown(origin, deep), _grown(width, deep), _grown(heads, deep)
            listed, next_at, tops = _grown(listed, deep), _grown(next_at, deep), _grown(tops, deep)
            list_start, mask_start = _grown(list_start, deep), _grown(mask_start, deep)
        list_start[level], listed[level], heads[level] = begin, end - begin, size_now
        mask_start[level] = mask_start[level - 1] + w_count
        # items at or before the core are looked at (is the set canonical?) and never taken
        next_at[level] = 0
        while next_at[level] < listed[level] and chosen[ids[begin + next_at[level]]] < core:
            next_at[level] += 1
        narrow = (support + 63) >> 6
        if narrow * 4 <= w_count and w_count > 4:
            top = tops[level - 1]
            columns = _grown(columns, top + narrow * (end - begin))
            for at in range(begin, end):
                _packed(columns, origin[level - 1] + slot[at] * w_count, w_count, rows_of, top + (at - begin) * narrow)
                slot[at] = at - begin
            origin[level], width[level], tops[level] = top, narrow, top + narrow * (end - begin)
            masks = _grown(masks, mask_start[level] + narrow)
            for w in range(narrow):
                masks[mask_start[level] + w] = ~np.uint64(0)
            if support & 63:
                masks[mask_start[level] + narrow - 1] = (np.uint64(1) << np.uint64(support & 63)) - np.uint64(1)
        else:
            origin[level], width[level], tops[level] = origin[level - 1], w_count, tops[level - 1]
            masks = _grown(masks, mask_start[level] + w_count)
            masks[mask_start[level] : mask_start[level] + w_count] = rows_of[:w_count]
    return out[:written], ends[:found], supports[:found]
