"""The store's inner loops, compiled: hashing, dictionary encoding, counting sorts, best edges first."""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)


@njit(cache=True, nogil=True, inline="always")
def _rotated(x, bits):  # type: ignore[no-untyped-def]
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@njit(cache=True, nogil=True, inline="always")
def _u64(data, at):  # type: ignore[no-untyped-def]
    value = np.uint64(0)
    for i in range(8):
        value |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return value


@njit(cache=True, nogil=True, inline="always")
def _round(state, lane):  # type: ignore[no-untyped-def]
    return _rotated(state + lane * _P2, 31) * _P1


@njit(cache=True, nogil=True)
def xxh64(data, start, stop):  # type: ignore[no-untyped-def]
    """Return XXH64 with seed 0 of ``data[start:stop]`` (uint8), as the xxhash package computes it."""
    size, at = stop - start, start
    if size >= 32:
        a, b, c, d = _P1 + _P2, _P2, np.uint64(0), np.uint64(0) - _P1
        while at + 32 <= stop:
            a = _round(a, _u64(data, at))
            b = _round(b, _u64(data, at + 8))
            c = _round(c, _u64(data, at + 16))
            d = _round(d, _u64(data, at + 24))
            at += 32
        h = _rotated(a, 1) + _rotated(b, 7) + _rotated(c, 12) + _rotated(d, 18)
        for lane in (a, b, c, d):
            h = (h ^ _round(np.uint64(0), lane)) * _P1 + _P4
    else:
        h = _P5
    h += np.uint64(size)
    while at + 8 <= stop:
        h = _rotated(h ^ _round(np.uint64(0), _u64(data, at)), 27) * _P1 + _P4
        at += 8
    if at + 4 <= stop:
        word = np.uint64(0)
        for i in range(4):
            word |= np.uint64(data[at + i]) << np.uint64(8 * i)
        h = _rotated(h ^ (word * _P1), 23) * _P2 + _P3
        at += 4
    while at < stop:
        h = _rotated(h ^ (np.uint64(data[at]) * _P5), 11) * _P1
        at += 1
    h = (h ^ (h >> np.uint64(33))) * _P2
    h = (h ^ (h >> np.uint64(29))) * _P3
    return h ^ (h >> np.uint64(32))


@njit(cache=True, nogil=True)
def hashes_of(data, offsets, first, last, out):  # type: ignore[no-untyped-def]
    """Hash the strings *first* … *last* of a dictionary into *out*."""
    for i in range(first, last):
        out[i] = xxh64(data, np.int64(offsets[i]), np.int64(offsets[i + 1]))


@njit(cache=True, nogil=True)
def fill_slots(hashes, count, slots):  # type: ignore[no-untyped-def]
    """Fill an empty hash table (slot = id + 1, linear probing) with the first *count* ids."""
    mask = np.uint64(len(slots) - 1)
    for i in range(count):
        probe = hashes[i] & mask
        while slots[probe]:
            probe = (probe + np.uint64(1)) & mask
        slots[probe] = i + 1


@njit(cache=True, nogil=True)
def encode(data, begins, ends, rows, ids, slots, hashes, starts, blob, count):  # type: ignore[no-untyped-def]
    """Number the strings ``data[begins[i]:ends[i]]``, giving unknown ones the next ids.

    *slots*, *hashes*, *starts* and *blob* are the dictionary, with room for every string being new; returns its
    new count.
    """
    mask = np.uint64(len(slots) - 1)
    used = np.int64(starts[count])
    last = np.int64(-1)
    for row in range(rows):
        a, b = np.int64(begins[row]), np.int64(ends[row])
        size = b - a
        if last >= 0 and np.int64(starts[last + 1] - starts[last]) == size:  # sorted dumps repeat themselves
            s, same = np.int64(starts[last]), True
            for i in range(size):
                if blob[s + i] != data[a + i]:
                    same = False
                    break
            if same:
                ids[row] = last
                continue
        h = xxh64(data, a, b)
        probe = h & mask
        found = np.int64(-1)
        while slots[probe]:
            candidate = np.int64(slots[probe]) - 1
            if hashes[candidate] == h and np.int64(starts[candidate + 1] - starts[candidate]) == size:
                s, same = np.int64(starts[candidate]), True
                for i in range(size):
                    if blob[s + i] != data[a + i]:
                        same = False
                        break
                if same:
                    found = candidate
                    break
            probe = (probe + np.uint64(1)) & mask
        if found < 0:
            found = np.int64(count)
            slots[probe] = found + 1
            hashes[found] = h
            for i in range(size):
                blob[used + i] = data[a + i]
            used += size
            count += 1
            starts[count] = used
        ids[row] = found
        last = found
    return count


@njit(cache=True, nogil=True)
def counting_sort(keys, order, bins, out):  # type: ignore[no-untyped-def]
    """Write *order* stably sorted by ``keys[order]`` to *out*; keys are below *bins*."""
    at = np.zeros(bins + 1, np.int64)
    for k in keys:
        at[np.int64(k) + 1] += 1
    for i in range(bins):
        at[i + 1] += at[i]
    for row in order:
        k = np.int64(keys[row])
        out[at[k]] = row
        at[k] += 1


@njit(cache=True, nogil=True)
def first_sort(keys, bins, out):  # type: ignore[no-untyped-def]
    """Write the rows in the stable order of their keys to *out*; keys are below *bins*."""
    at = np.zeros(bins + 1, np.int64)
    for k in keys:
        at[np.int64(k) + 1] += 1
    for i in range(bins):
        at[i + 1] += at[i]
    for row in range(len(keys)):
        k = np.int64(keys[row])
        out[at[k]] = row
        at[k] += 1


@njit(cache=True, nogil=True)
def starts_of(keys, bins, out):  # type: ignore[no-untyped-def]
    """Write where each key begins among the sorted keys to *out* (length *bins* + 1)."""
    out[:] = 0
    for k in keys:
        out[np.int64(k) + 1] += 1
    for i in range(bins):
        out[i + 1] += out[i]


@njit(cache=True, nogil=True)
def first_of_each(order, subject, predicate, target, graph, known, keep):  # type: ignore[no-untyped-def]
    """Tell which statements, in sorted *order*, come first of their kind; rows below *known* are there already.

    Returns how many rows from *known* on are new.
    """
    fresh = 0
    for i in range(len(order)):
        row = order[i]
        same = False
        if i > 0:
            before = order[i - 1]
            same = (
                subject[row] == subject[before]
                and predicate[row] == predicate[before]
                and target[row] == target[before]
                and graph[row] == graph[before]
            )
        keep[i] = not same
        if not same and row >= known:
            fresh += 1
    return fresh


@njit(cache=True, nogil=True)
def best_edges(  # type: ignore[no-untyped-def]
    seeds, hops, limit, budget, subject_starts, targets, object_starts, by_object, subjects, weight_codes, weights, seen, edges, nodes
):
    """Collect the best edges around *seeds*, hop by hop, strongest first; return how many.

    *seen* (uint8 a node, zero on entry and on return) marks the nodes reached; *budget* bounds the edges looked at in
    one node's two lists, so that a hub costs no more than it can give. *edges* takes the rows, *nodes* the
    reached nodes.
    """
    reached = 0
    for seed in seeds:
        if not seen[seed]:
            seen[seed] = 1
            nodes[reached] = seed
            reached += 1
    count, front = 0, 0
    heap = [(np.float64(0.0), np.int64(0)) for _ in range(0)]
    for _ in range(hops):
        back = reached
        heap.clear()
        for at in range(front, back):
            node = nodes[at]
            low, high = np.int64(subject_starts[node]), np.int64(subject_starts[node + 1])
            for row in range(low, min(high, low + budget)):
                heap.append((-weights[weight_codes[row]], np.int64(row)))
            low, high = np.int64(object_starts[node]), np.int64(object_starts[node + 1])
            for i in range(low, min(high, low + budget)):
                row = np.int64(by_object[i])
                if seen[subjects[row]] == 0 or subjects[row] == node:
                    heap.append((-weights[weight_codes[row]], row))
        heapq.heapify(heap)
        while len(heap) and count < limit:
            _, row = heapq.heappop(heap)
            edges[count] = row
            count += 1
            for node in (subjects[row], targets[row]):
                if not seen[node] and reached < len(nodes):
                    seen[node] = 1
                    nodes[reached] = node
                    reached += 1
        front = back
    for at in range(reached):
        seen[nodes[at]] = 0
    return count


#: why a line of a dump cannot be used
FINE, COLUMNS, RELATION, CONCEPT, JSON, WEIGHT, NUL, SKIPPED = range(8)


@njit(cache=True, nogil=True, inline="always")
def _is_at(data, at, stop, word):  # type: ignore[no-untyped-def]
    if at + len(word) > stop:
        return False
    for i in range(len(word)):
        if data[at + i] != word[i]:
            return False
    return True


@njit(cache=True, nogil=True)
def _number(data, at, stop):  # type: ignore[no-untyped-def]
    """Return the decimal number that begins at a place, or NaN, and where it ends."""
    sign = 1.0
    if at < stop and data[at] == 45:  # -
        sign, at = -1.0, at + 1
    value, digits, scale = 0.0, 0, 0
    while at < stop and 48 <= data[at] <= 57:
        value, at, digits = value * 10 + (data[at] - 48), at + 1, digits + 1
    if at < stop and data[at] == 46:  # .
        at += 1
        while at < stop and 48 <= data[at] <= 57:
            value, at, digits, scale = value * 10 + (data[at] - 48), at + 1, digits + 1, scale + 1
    if digits == 0 or digits > 15:  # beyond 2**53 the caller lets Python round
        return np.nan, at
    if at < stop and (data[at] == 101 or data[at] == 69):
        return np.nan, at
    return sign * (value / 10.0**scale), at


@njit(cache=True, nogil=True)
def parse_dump(data, size, lang, keys, begins, ends, weights, status, lines):  # type: ignore[no-untyped-def]
    """Find the fields of a block of ConceptNet's dump; returns (lines in the block, whether any byte is not ASCII).

    *begins* and *ends* (5, lines): relation, start, end, data set, surface text (begin -1: none). *lines* takes
    where each line begins. *keys* are ``weight":``, ``dataset":`` and ``surfaceText":``; *lang* is ``/c/en/`` or
    empty.
    """
    weight_key, dataset_key, surface_key = keys
    at, row, high = np.int64(0), 0, np.uint8(0)
    tabs = np.empty(5, np.int64)
    while at < size:
        lines[row] = at
        found, nul = 0, False
        begins[3, row] = ends[3, row] = 0
        begins[4, row] = -1
        weights[row] = 1.0
        status[row] = FINE
        place = at
        while place < size:
            c = data[place]
            if c == 9:
                if found < 5:
                    tabs[found] = place
                found += 1
            elif c == 10:
                break
            elif c == 0:
                nul = True
            elif c == 34 and found == 4 and place + 10 < size:
                n = data[place + 1]
                if n == 119 and data[place - 1] != 92 and _is_at(data, place + 1, size, weight_key):
                    value_at = place + 9
                    while value_at < size and data[value_at] == 32:
                        value_at += 1
                    weights[row], value_at = _number(data, value_at, size)
                    if np.isnan(weights[row]):
                        status[row] = WEIGHT
                elif n == 100 and data[place - 1] != 92 and _is_at(data, place + 1, size, dataset_key):
                    value_at = place + 10
                    while value_at < size and data[value_at] == 32:
                        value_at += 1
                    if value_at < size and data[value_at] == 34 and ends[3, row] == 0:
                        begins[3, row] = value_at + 1
                        value_at += 1
                        while value_at < size and data[value_at] != 34 and data[value_at] != 10:
                            high |= data[value_at]
                            value_at += 1
                        ends[3, row] = value_at
                        place = value_at
                elif n == 115 and data[place - 1] != 92 and _is_at(data, place + 1, size, surface_key):
                    value_at = place + 14
                    while value_at < size and data[value_at] == 32:
                        value_at += 1
                    if value_at < size and data[value_at] == 34 and begins[4, row] < 0:
                        begins[4, row] = value_at + 1
                        value_at += 1
                        while value_at < size and data[value_at] != 34 and data[value_at] != 10:
                            high |= data[value_at]
                            value_at += 2 if data[value_at] == 92 else 1
                        ends[4, row] = min(value_at, size)
                        place = value_at
                        continue_at = value_at
                        if continue_at >= size or data[continue_at] == 10:
                            continue
            high |= c
            place += 1
        stop = place
        if stop > at and data[stop - 1] == 13:
            stop -= 1
        if stop == at:
            status[row] = SKIPPED
        elif found != 4:
            status[row] = COLUMNS
        elif nul:
            status[row] = NUL
        else:
            begins[0, row], ends[0, row] = tabs[0] + 4, tabs[1]
            begins[1, row], ends[1, row] = tabs[1] + 1, tabs[2]
            begins[2, row], ends[2, row] = tabs[2] + 1, tabs[3]
            r = tabs[0] + 1
            if not (tabs[1] - r > 3 and data[r] == 47 and data[r + 1] == 114 and data[r + 2] == 47):
                status[row] = RELATION
            elif data[tabs[1] + 1] != 47 or tabs[2] == tabs[1] + 1 or tabs[3] == tabs[2] + 1:
                status[row] = CONCEPT
            elif data[tabs[3] + 1] != 123 or data[stop - 1] != 125:
                status[row] = JSON
            elif status[row] == FINE and len(lang):
                for field in (1, 2):
                    a, b = begins[field, row], ends[field, row]
                    in_conceptnet = b - a > 3 and data[a] == 47 and data[a + 1] == 99 and data[a + 2] == 47
                    if in_conceptnet and not _is_at(data, a, b, lang):
                        status[row] = SKIPPED
        row += 1
        at = place + 1
    return row, high >= 128


@njit(cache=True, nogil=True)
def copy_spans(data, begins, ends, offsets, out):  # type: ignore[no-untyped-def]
    """Copy spans one after the other to *out*, dropping the backslash of an escaped quote; fills *offsets*."""
    used = np.int64(0)
    offsets[0] = 0
    for row in range(len(begins)):
        at = begins[row]
        if at >= 0:
            stop = ends[row]
            while at < stop:
                if data[at] == 92 and at + 1 < stop and data[at + 1] == 34:
                    at += 1
                out[used] = data[at]
                used += 1
                at += 1
        offsets[row + 1] = used
    return used


@njit(cache=True, nogil=True)
def lines_in(data):  # type: ignore[no-untyped-def]
    """Count the line ends of a block."""
    count = 0
    for c in data:
        count += c == 10
    return count
