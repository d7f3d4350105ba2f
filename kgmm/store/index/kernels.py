"""The store's inner loops, compiled: hashing, dictionary encoding, counting sorts, edges by strength, spellings."""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import njit
from kgmm.store.index.bytewise import copied, same, xxh64


@njit()
def hashes_of(data, offsets, first, last, out):
    """Hash the strings *first* … *last* of a dictionary into *out*."""
    for i in range(first, last):
        out[i] = xxh64(data, np.int64(offsets[i]), np.int64(offsets[i + 1]))


@njit()
def hash_spans(data, begins, ends, out):
    """Hash the strings ``data[begins[i]:ends[i]]`` into *out*."""
    for row in range(len(begins)):
        out[row] = xxh64(data, np.int64(begins[row]), np.int64(ends[row]))


@njit()
def fill_slots(hashes, count, slots):
    """Fill an empty hash table (linear probing) with the first *count* ids: a slot is id + 1.

    In a table of 64 bits, for encoding, its upper half is the hash's upper half.
    """
    mask = np.uint64(len(slots) - 1)
    for i in range(count):
        probe = hashes[i] & mask
        while slots[probe]:
            probe = (probe + np.uint64(1)) & mask
        tag = hashes[i] >> np.uint64(32) << np.uint64(32) if slots.itemsize == 8 else np.uint64(0)
        slots[probe] = tag | np.uint64(i + 1)


@njit()
def reachable(blob, starts, slots, count):
    """Tell whether each of the first *count* strings of a dictionary is found by its hash, and begins where the last ends."""
    mask = np.uint64(len(slots) - 1)
    for i in range(count):
        begin, end = np.int64(starts[i]), np.int64(starts[i + 1])
        if begin > end or end > len(blob):
            return False
        probe, tried = xxh64(blob, begin, end) & mask, 0
        while slots[probe] != i + 1:
            if slots[probe] == 0 or tried == len(slots):
                return False
            probe, tried = (probe + np.uint64(1)) & mask, tried + 1
    return True


@njit(inline="always")
def _is_term(data, a, b, blob, starts, term):
    s = np.int64(starts[term])
    return np.int64(starts[term + 1]) - s == b - a and same(blob, s, data, a, b - a)


@njit()
def _appended(data, begin, end, h, probe, slots, hashes, starts, blob, count):
    a, b = np.int64(begin), np.int64(end)
    slots[probe] = (h >> np.uint64(32) << np.uint64(32)) | np.uint64(count + 1)
    hashes[count] = h
    starts[count + 1] = copied(data, a, blob, np.int64(starts[count]), b - a)
    return count + 1


@njit()
def encode(data, begins, ends, h, ids, slots, hashes, starts, blob, count):
    """Number the strings ``data[begins[i]:ends[i]]`` with hashes *h*, giving unknown ones the next ids.

    *slots*, *hashes*, *starts* and *blob* are the dictionary, with room for every string being new; returns its
    new count. Three passes, each of which misses the cache once a row at most and does not wait for the row
    before: hash, look up by half the hash, compare with what was found. Strings that only share it with what
    was found go the careful way at the end.
    """
    mask, upper, one = np.uint64(len(slots) - 1), np.uint64(32), np.uint64(1)
    rows = len(begins)
    for row in range(rows):
        if row and h[row] == h[row - 1]:
            ids[row] = ids[row - 1]
            continue
        probe = h[row] & mask
        while True:
            slot = slots[probe]
            if slot == 0:
                ids[row] = count
                count = _appended(data, begins[row], ends[row], h[row], probe, slots, hashes, starts, blob, count)
                break
            if slot >> upper == h[row] >> upper:
                ids[row] = np.int64(slot & np.uint64(0xFFFFFFFF)) - 1
                break
            probe = (probe + one) & mask
    for row in range(rows):
        a, b = np.int64(begins[row]), np.int64(ends[row])
        if _is_term(data, a, b, blob, starts, np.int64(ids[row])):
            continue
        probe = h[row] & mask
        while True:
            slot = slots[probe]
            if slot == 0:
                ids[row] = count
                count = _appended(data, a, b, h[row], probe, slots, hashes, starts, blob, count)
                break
            term = np.int64(slot & np.uint64(0xFFFFFFFF)) - 1
            if hashes[term] == h[row] and _is_term(data, a, b, blob, starts, term):
                ids[row] = term
                break
            probe = (probe + one) & mask
    return count


@njit()
def copy_spans(data, begins, ends, offsets, out):
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


@njit()
def _begins(keys, bins):
    """Return where each key begins among the sorted keys (length *bins* + 1)."""
    at = np.zeros(bins + 1, np.int64)
    for k in keys:
        at[np.int64(k) + 1] += 1
    for i in range(bins):
        at[i + 1] += at[i]
    return at


@njit()
def counting_sort(keys, order, bins, out):
    """Write *order* (None: all rows) stably sorted by its keys, which are below *bins*, to *out*."""
    at = _begins(keys, bins)
    for place in range(len(out)):
        row = place if order is None else order[place]
        k = np.int64(keys[row])
        out[at[k]] = row
        at[k] += 1


@njit()
def first_of_each(order, subject, predicate, target, graph, known, keep):
    """Tell which statements in sorted *order* are first of their kind; return how many rows from *known* on are new."""
    fresh = 0
    for i in range(len(order)):
        row, before = order[i], order[i - 1]
        same = (
            i > 0
            and subject[row] == subject[before]
            and predicate[row] == predicate[before]
            and target[row] == target[before]
            and graph[row] == graph[before]
        )
        keep[i] = not same
        if not same and row >= known:
            fresh += 1
    return fresh


@njit()
def best_edges(seeds, hops, limit, budget, terms, by_subject, by_object, weights, gone, more):
    """Collect the edges around *seeds*: nearer hops first, within a hop the strongest first.

    Looks at *budget* edges of a node in each direction at most. *by_subject* are where each subject's rows begin and
    the rows' objects; *by_object* where each object's begin, in which order, and the rows' subjects; *weights* codes and
    what they stand for; *more* the overlay's subjects, objects and weights. Returns rows: of the base, or the base's
    length plus the row of the overlay.
    """
    (starts, targets), (object_starts, object_order, subjects), (codes, values) = by_subject, by_object, weights
    more_subjects, more_objects, more_weights = more
    seen = np.zeros(terms, np.uint8)  # hop + 1 in which a node was reached
    front = np.empty(len(seeds), np.int64)
    size = 0
    for seed in seeds:
        if 0 <= seed < terms and not seen[seed]:
            seen[seed] = 1
            front[size] = seed
            size += 1
    front, known, rows = front[:size], len(starts) - 1, len(targets)
    out, count = np.empty(limit, np.int64), 0
    for hop in range(hops):
        room = len(more_subjects)
        for node in front:
            if node < known:
                room += min(np.int64(starts[node + 1]) - np.int64(starts[node]), budget)
                room += min(np.int64(object_starts[node + 1]) - np.int64(object_starts[node]), budget)
        found, weight, n = np.empty(room, np.int64), np.empty(room, np.float64), 0
        level = np.uint8(hop + 1)
        for node in front:
            if node >= known:
                continue
            low, high = np.int64(starts[node]), np.int64(starts[node + 1])
            for row in range(low, min(high, low + budget)):
                other = seen[targets[row]]
                if (other == 0 or other >= level) and not (len(gone) and gone[row]):
                    found[n], weight[n] = row, values[codes[row]]
                    n += 1
            low, high = np.int64(object_starts[node]), np.int64(object_starts[node + 1])
            for at in range(low, min(high, low + budget)):
                row = np.int64(object_order[at])
                other = seen[subjects[row]]
                if (other == 0 or other > level) and not (len(gone) and gone[row]):
                    found[n], weight[n] = row, values[codes[row]]
                    n += 1
        for at in range(len(more_subjects)):
            one, two = seen[more_subjects[at]], seen[more_objects[at]]
            if (one == level and (two == 0 or two >= level)) or (two == level and one == 0):
                found[n], weight[n] = rows + at, more_weights[at]
                n += 1
        wanted = limit - count
        found, weight = found[:n], weight[:n]
        if n > wanted:
            bar = np.partition(weight, n - wanted)[n - wanted] if wanted else np.inf
            above = np.flatnonzero(weight > bar)
            ties = np.flatnonzero(weight == bar)[: wanted - len(above)]
            chosen = np.concatenate((above, ties))
        else:
            chosen = np.arange(n)
        order = np.argsort(-weight[chosen], kind="mergesort")
        reached, size = np.empty(2 * len(chosen), np.int64), 0
        for at in chosen[order]:
            row = found[at]
            out[count] = row
            count += 1
            for end in range(2):
                if row < rows:
                    node = np.int64(subjects[row]) if end == 0 else np.int64(targets[row])
                else:
                    node = np.int64(more_subjects[row - rows]) if end == 0 else np.int64(more_objects[row - rows])
                if not seen[node]:
                    seen[node] = level + 1
                    reached[size] = node
                    size += 1
        front = reached[:size]
        if count == limit:
            break
    return out[:count]


@njit()
def is_at(data, at, stop, word):
    """Tell whether *word* stands at a place of *data*, before *stop*."""
    if at + len(word) > stop:
        return False
    for i in range(len(word)):  # noqa: SIM110
        if data[at + i] != word[i]:
            return False
    return True


@njit()
def near_spellings(word, prefix, blob, starts, count, most):
    """Return the edit distance (adjacent swaps count one) of each term's label to *word*, *most* + 1 if beyond.

    Looks at terms that begin with *prefix*; the label ends at the next slash.
    """
    size = len(word)
    found = np.full(count, most + 1, np.uint8)
    before, row, after = (np.empty(size + 1, np.int64), np.empty(size + 1, np.int64), np.empty(size + 1, np.int64))
    for term in range(count):
        at, stop = np.int64(starts[term]), np.int64(starts[term + 1])
        if not is_at(blob, at, stop, prefix):
            continue
        at += len(prefix)
        end = at
        while end < stop and blob[end] != 47 and end - at <= size + most:
            end += 1
        length = end - at
        if length < size - most or length > size + most:
            continue
        for j in range(size + 1):
            row[j] = j
        for i in range(1, length + 1):
            after[0] = i
            least = after[0]
            for j in range(1, size + 1):
                cost = 0 if blob[at + i - 1] == word[j - 1] else 1
                value = min(row[j] + 1, after[j - 1] + 1, row[j - 1] + cost)
                if i > 1 and j > 1 and blob[at + i - 1] == word[j - 2] and blob[at + i - 2] == word[j - 1]:
                    value = min(value, before[j - 2] + 1)
                after[j] = value
                least = min(least, value)
            before, row, after = row, after, before
            if least > most:
                break
        if row[size] <= most and least <= most:
            found[term] = row[size]
    return found
