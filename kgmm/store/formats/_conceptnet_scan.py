"""ConceptNet's dump as fields: a compiled scan that marks what matters eight bytes at a time and skips the rest."""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import njit
from kgmm.store.index.bytewise import copied, same, word_at, xxh64
from kgmm.store.index.kernels import is_at

FINE, COLUMNS, RELATION, CONCEPT, JSON, WEIGHT, NUL, SKIPPED = range(8)  #: why a line of a dump cannot be used
CHUNK = 1 << 15  #: bytes marked at once; what is marked stays in the nearest cache
_WEIGHT_KEY, _DATASET_KEY, _SURFACE_KEY = (
    np.frombuffer(key, np.uint8) for key in (b'weight":', b'dataset":', b'surfaceText":')
)
_TENS = 10.0 ** np.arange(16)
_PLACES, _ONES, _HIGHS = np.uint64(0x0001020304050607), np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)


@njit()
def count_lines(data):
    """Return how many lines a text may have: one more than its line ends."""
    found = 1
    for c in data:
        found += c == 10
    return found


@njit()
def _number(data, at, stop):
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
    return sign * (value / _TENS[scale]), at


@njit()
def _mark(data, following, mask):
    """Mark tabs, line ends, NUL and quotes before w, d or s with 1, bytes beyond ASCII with 128."""
    for i in range(len(following)):
        c, n = data[i], following[i]
        key = (n == 119) | (n == 100) | (n == 115)
        mask[i] = (c == 9) | (c == 10) | (c == 0) | ((c == 34) & key) | (c & 128)


@njit()
def _after_colon(data, at, size):
    while at < size and data[at] == 32:
        at += 1
    return at


@njit(inline="always")
def _has(word, byte):
    """Mark the lowest byte of a word that is *byte* by its highest bit; marks above it may be wrong."""
    other = word ^ (_ONES * np.uint64(byte))
    return (other - _ONES) & ~other & _HIGHS


@njit()
def _text_end(data, at, size, escapes):
    """Return where the string that begins at a place ends: its quote, the line's end or the block's."""
    while at < size:
        if at + 8 <= size:
            word = word_at(data, at)
            found = _has(word, 34) | _has(word, 10)
            if escapes:
                found |= _has(word, 92)
            if not found:
                at += 8
                continue
            at += np.int64((((found & (~found + np.uint64(1))) >> np.uint64(7)) * _PLACES) >> np.uint64(56))
        c = data[at]
        if c == 34 or c == 10:
            return at
        at += 2 if escapes and c == 92 and at + 1 < size and data[at + 1] != 10 else 1
    return min(at, size)


@njit()
def _value(data, place, size, row, begins, ends, weights, status):
    """Take the value if a wanted key begins at a quote; return from where on marks count again."""
    n = data[place + 1]
    if n == 119 and is_at(data, place + 1, size, _WEIGHT_KEY):
        weights[row], _ = _number(data, _after_colon(data, place + 9, size), size)
        if np.isnan(weights[row]):
            status[row] = WEIGHT
    elif n == 100 and is_at(data, place + 1, size, _DATASET_KEY):
        at = _after_colon(data, place + 10, size)
        if at < size and data[at] == 34 and ends[3, row] == 0:
            begins[3, row] = at + 1
            ends[3, row] = _text_end(data, at + 1, size, False)
            return ends[3, row]
    elif n == 115 and is_at(data, place + 1, size, _SURFACE_KEY):
        at = _after_colon(data, place + 14, size)
        if at < size and data[at] == 34 and begins[4, row] < 0:
            begins[4, row] = at + 1
            ends[4, row] = _text_end(data, at + 1, size, True)
            return ends[4, row]
    return place


@njit()
def _is_end(data, at, stop):
    """Tell whether a concept ``/c/…`` or an IRI ``scheme://…`` lies there, as :func:`.conceptnet.by_columns` takes one."""
    if stop - at >= 3 and data[at] == 47 and data[at + 1] == 99 and data[at + 2] == 47:
        return True
    colon = at
    while colon < stop and 97 <= data[colon] <= 122:
        colon += 1
    if colon == at or stop - colon <= 3 or data[colon] != 58 or data[colon + 1] != 47 or data[colon + 2] != 47:
        return False
    for i in range(colon + 3, stop):
        c = data[i]
        if c <= 32 or c == 34 or c == 60 or c == 62 or c == 92 or c == 94 or c == 96 or 123 <= c <= 125:
            return False
    return True


@njit()
def _finished(data, at, place, tabs, found, nul, lang, row, begins, ends, status):
    """Take the fields of the line from *at* to *place* and say whether it can be used."""
    stop = place - 1 if place > at and data[place - 1] == 13 else place
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
        elif not (_is_end(data, tabs[1] + 1, tabs[2]) and _is_end(data, tabs[2] + 1, tabs[3])):
            status[row] = CONCEPT
        elif data[tabs[3] + 1] != 123 or data[stop - 1] != 125:
            status[row] = JSON
        elif status[row] == FINE and len(lang):
            for field in (1, 2):
                a, b = begins[field, row], ends[field, row]
                in_conceptnet = b - a > 3 and data[a] == 47 and data[a + 1] == 99 and data[a + 2] == 47
                if in_conceptnet and not is_at(data, a, b, lang):
                    status[row] = SKIPPED


@njit()
def _packed(data, row, last, used, begins, ends, packed, hashes):
    """Move a line's start and end behind what is packed, and hash them, while they are near; return where that ends.

    What the *last* line packed has too is not packed again.
    """
    for field in (1, 2):
        a, size = begins[field, row], ends[field, row] - begins[field, row]
        before = begins[field, last]
        if last >= 0 and ends[field, last] - before == size and same(data, a, packed, before, size):
            begins[field, row], ends[field, row] = before, before + size
            hashes[field - 1, row] = hashes[field - 1, last]
        else:
            hashes[field - 1, row] = xxh64(data, a, a + size)
            begins[field, row] = used
            used = copied(data, a, packed, used, size)
            ends[field, row] = used
    return used


@njit()
def _numbered(data, row, begins, ends, guess, firsts, count):
    """Number a row's string among *count* distinct ones, whose rows *firsts* has; return it and how many there are then.

    The number tried first is *guess*. How many is -1 if there are more than *firsts* has room for.
    """
    a, size = begins[row], ends[row] - begins[row]
    for turn in range(count + 1 if count > 0 else 0):
        code = np.int64(guess) if turn == 0 else turn - 1
        c = begins[firsts[code]]
        if ends[firsts[code]] - c == size and same(data, a, data, c, size):
            return code, count
    if count < 0 or count == len(firsts):
        return np.int64(0), np.int64(-1)
    firsts[count] = row
    return count, count + 1


@njit()
def _kept(data, row, last, used, begins, ends, status, packed, hashes, codes, firsts, counts):
    """Pack and number the fields of a line that can be used, or may; return the end of what is packed and the last line.

    A weight that is no number here may be one to Python.
    """
    if status[row] != FINE and status[row] != WEIGHT:
        return used, last
    used = _packed(data, row, last, used, begins, ends, packed, hashes)
    for i in range(2):
        field, guess = 3 * i, codes[i, last] if last >= 0 else np.uint8(0)
        codes[i, row], counts[i] = _numbered(data, row, begins[field], ends[field], guess, firsts[i], counts[i])
    return used, row


@njit()
def _begin(row, at, begins, ends, weights, status, lines):
    lines[row] = at
    begins[3, row] = ends[3, row] = 0
    begins[4, row] = -1
    weights[row] = 1.0
    status[row] = FINE


@njit()
def parse_dump(data, size, lang, begins, ends, weights, status, lines, packed, hashes, codes, firsts, counts):
    """Find the fields of a block of ConceptNet's dump; returns (lines in the block, whether any byte is not ASCII).

    *begins* and *ends* (5, lines): relation, start, end, data set, surface text (begin -1: none); starts and ends lie
    in *packed*, which has room for *size* bytes, and *hashes* (2, lines) are theirs. *lines* takes where each line
    begins. *lang* is ``/c/en/`` or empty. *codes* (2, lines), *firsts* (2, room) and *counts* (2) number relations and
    data sets as :func:`number_few` does.
    """
    mask = np.zeros(CHUNK, np.uint8)
    words = mask.view(np.uint64)
    tabs = np.zeros(5, np.int64)
    at, row, high, resume, found, nul = np.int64(0), 0, np.uint64(0), np.int64(0), 0, False
    used, last = np.int64(0), -1
    counts[:] = 0
    if size:
        _begin(0, at, begins, ends, weights, status, lines)
    for chunk in range(0, size, CHUNK):
        here = min(CHUNK, size - chunk)
        with_next = min(here, size - 1 - chunk)
        mask[here - here % 8 :] = 0
        _mark(data[chunk:], data[chunk + 1 : chunk + 1 + with_next], mask)
        if with_next < here:  # the block's last byte has no next one
            c = data[size - 1]
            mask[with_next] = (c == 9) | (c == 10) | (c == 0) | (c & 128)
        for w in range((here + 7) // 8):
            high |= words[w]
            word = words[w] & _ONES
            while word:
                lowest = word & (~word + np.uint64(1))
                word ^= lowest
                place = chunk + 8 * w + np.int64((lowest * _PLACES) >> np.uint64(56))
                if place < resume:
                    continue
                c = data[place]
                if c == 34:
                    if found == 4 and place + 10 < size and data[place - 1] != 92:
                        resume = _value(data, place, size, row, begins, ends, weights, status)
                elif c == 9:
                    if found < 5:
                        tabs[found] = place
                    found += 1
                elif c == 0:
                    nul = True
                else:
                    _finished(data, at, place, tabs, found, nul, lang, row, begins, ends, status)
                    used, last = _kept(
                        data, row, last, used, begins, ends, status, packed, hashes, codes, firsts, counts
                    )
                    row += 1
                    at = place + 1
                    found, nul = 0, False
                    if at < size:
                        _begin(row, at, begins, ends, weights, status, lines)
    if at < size:
        _finished(data, at, size, tabs, found, nul, lang, row, begins, ends, status)
        _kept(data, row, last, used, begins, ends, status, packed, hashes, codes, firsts, counts)
        row += 1
    return row, (high & ~_ONES) != 0


@njit()
def number_few(data, begins, ends, codes, firsts):
    """Number the distinct strings ``data[begins[i]:ends[i]]`` as they come; returns how many there are.

    *firsts* takes the row in which each comes first; -1 is returned if there are more than it has room for.
    """
    count, code = np.int64(0), np.int64(0)
    for row in range(len(begins)):
        code, count = _numbered(data, row, begins, ends, code, firsts, count)
        codes[row] = code
    return count
