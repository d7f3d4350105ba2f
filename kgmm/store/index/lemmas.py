"""Which terms are senses (``/c/en/dog/n``) of which lemma, for dictionaries of many terms: compiled, as they lie."""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import njit
from kgmm.store.index.bytewise import xxh64

_SLASH, _A, _Z, _LINE = ord("/"), ord("a"), ord("z"), ord("\n")


@njit()
def lemma_lengths(blob, offsets, apart, out):
    """out_i <- the bytes of term i's lemma, 0 if it is no sense or *apart* (empty: none is).

    A sense is ``/c/``, a language, ``/``, a word, ``/``, a letter from a to z, then nothing or ``/`` and more.
    """
    for i in range(len(out)):
        out[i] = 0
        at, end = np.int64(offsets[i]), np.int64(offsets[i + 1])
        if end - at < 8 or blob[at] != _SLASH or blob[at + 1] != ord("c") or blob[at + 2] != _SLASH:
            continue
        if len(apart) and apart[i]:
            continue
        k = at + 3
        begin = k
        while k < end and blob[k] != _SLASH:
            k += 1
        if k in (begin, end):
            continue
        k += 1
        begin = k
        while k < end and blob[k] != _SLASH:
            k += 1
        if k == begin or k + 1 >= end or blob[k + 1] < _A or blob[k + 1] > _Z:
            continue
        if k + 2 < end and blob[k + 2] != _SLASH:
            continue
        plain = True
        for j in range(k + 2, end):
            plain = plain and blob[j] != _LINE
        if plain:
            out[i] = k - at


@njit(inline="always")
def _alike(blob, a, b, size):
    for i in range(size):  # noqa: SIM110
        if blob[a + i] != blob[b + i]:
            return False
    return True


@njit()
def pair(blob, offsets, slots, lengths, lemma, stand_ins):
    """lemma_i <- the term that sense i belongs to: its lemma, or the first sense of a lemma that is no term.

    Those first senses go to the hash table *stand_ins* (empty before, at least a slot more than senses).
    """
    count = len(lengths)
    mask, own, one = np.uint64(len(slots) - 1), np.uint64(len(stand_ins) - 1), np.uint64(1)
    for i in range(count):
        size = np.int64(lengths[i])
        if size == 0:
            continue
        at = np.int64(offsets[i])
        hashed = xxh64(blob, at, at + size)
        probe, found = hashed & mask, np.int64(-1)
        while slots[probe]:
            term = np.int64(slots[probe]) - 1
            if term < count:
                start = np.int64(offsets[term])
                if np.int64(offsets[term + 1]) - start == size and _alike(blob, start, at, size):
                    found = term
                    break
            probe = (probe + one) & mask
        if found < 0:
            probe = hashed & own
            while stand_ins[probe]:
                term = np.int64(stand_ins[probe]) - 1
                if np.int64(lengths[term]) == size and _alike(blob, np.int64(offsets[term]), at, size):
                    found = term
                    break
                probe = (probe + one) & own
            if found < 0:
                found = i
                stand_ins[probe] = np.uint32(i + 1)
        lemma[i] = found
