"""ConceptNet's dump as fields: a compiled scan that marks what matters eight bytes at a time and skips the rest."""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import njit
from kgmm.store.index.kernels import is_at

FINE, COLUMNS, RELATION, CONCEPT, JSON, WEIGHT, NUL, SKIPPED = range(8)  #: why a line of a dump cannot be used
CHUNK = 1 << 15  #: bytes marked at once; what is marked stays in the nearest cache
_WEIGHT_KEY, _DATASET_KEY, _SURFACE_KEY = (
    np.frombuffer(key, np.uint8) for key in (b'weight":', b'dataset":', b'surfaceText":')
)
_TENS = 10.0 ** np.arange(16)
_PLACES, _ONES = np.uint64(0x0001020304050607), np.uint64(0x0101010101010101)


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


@njit()
def _text_end(data, at, size, escapes):
    """Return where the string that begins at a place ends: its quote, the line's end or the block's."""
    while at < size and data[at] != 34 and data[at] != 10:
        at += 2 if escapes and data[at] == 92 and at + 1 < size and data[at + 1] != 10 else 1
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
def _begin(row, at, begins, ends, weights, status, lines):
    lines[row] = at
    begins[3, row] = ends[3, row] = 0
    begins[4, row] = -1
    weights[row] = 1.0
    status[row] = FINE


@njit()
def parse_dump(data, size, lang, begins, ends, weights, status, lines):
    """Find the fields of a block of ConceptNet's dump; returns (lines in the block, whether any byte is not ASCII).

    *begins* and *ends* (5, lines): relation, start, end, data set, surface text (begin -1: none). *lines* takes
    where each line begins. *lang* is ``/c/en/`` or empty.
    """
    mask = np.zeros(CHUNK, np.uint8)
    words = mask.view(np.uint64)
    tabs = np.zeros(5, np.int64)
    at, row, high, resume, found, nul = np.int64(0), 0, np.uint64(0), np.int64(0), 0, False
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
                    row += 1
                    at = place + 1
                    found, nul = 0, False
                    if at < size:
                        _begin(row, at, begins, ends, weights, status, lines)
    if at < size:
        _finished(data, at, size, tabs, found, nul, lang, row, begins, ends, status)
        row += 1
    return row, (high & ~_ONES) != 0


@njit()
def _equal(data, a, b, c, d):
    if b - a != d - c:
        return False
    for i in range(b - a):  # noqa: SIM110
        if data[a + i] != data[c + i]:
            return False
    return True


@njit()
def number_few(data, begins, ends, codes, firsts):
    """Number the distinct strings ``data[begins[i]:ends[i]]`` as they come; returns how many there are.

    *firsts* takes the row in which each comes first; -1 is returned if there are more than it has room for.
    """
    count, last = 0, 0
    for row in range(len(begins)):
        a, b = begins[row], ends[row]
        if not (count and _equal(data, a, b, begins[firsts[last]], ends[firsts[last]])):
            last = 0
            while last < count and not _equal(data, a, b, begins[firsts[last]], ends[firsts[last]]):
                last += 1
            if last == count:
                if count == len(firsts):
                    return -1
                firsts[count] = row
                count += 1
        codes[row] = last
    return count
