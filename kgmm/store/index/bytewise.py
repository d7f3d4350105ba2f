"""Bytes compared, copied and hashed eight at a time, for compiled loops."""

# mypy: ignore-errors
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kgmm.compiled import njit

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)


@intrinsic
def word_at(_, data, at):
    """Return the eight bytes of *data* (uint8, contiguous) from a place on as a number; they must be there."""

    def loaded(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, types.int64), loaded


@intrinsic
def set_word(_, data, at, word):
    """Write a number (uint64) as the eight bytes of *data* (uint8, contiguous) from a place on; they must be there."""

    def stored(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        builder.store(arguments[2], builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), stored


@njit(inline="always")
def _rotated(x, bits):
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@njit(inline="always")
def _round(state, lane):
    return _rotated(state + lane * _P2, 31) * _P1


@njit()
def xxh64(data, start, stop):
    """Return XXH64 with seed 0 of ``data[start:stop]`` (uint8), as the xxhash package computes it."""
    size, at = stop - start, start
    if size >= 32:
        a, b, c, d = _P1 + _P2, _P2, np.uint64(0), np.uint64(0) - _P1
        while at + 32 <= stop:
            a = _round(a, word_at(data, at))
            b = _round(b, word_at(data, at + 8))
            c = _round(c, word_at(data, at + 16))
            d = _round(d, word_at(data, at + 24))
            at += 32
        h = _rotated(a, 1) + _rotated(b, 7) + _rotated(c, 12) + _rotated(d, 18)
        for lane in (a, b, c, d):
            h = (h ^ _round(np.uint64(0), lane)) * _P1 + _P4
    else:
        h = _P5
    h += np.uint64(size)
    while at + 8 <= stop:
        h = _rotated(h ^ _round(np.uint64(0), word_at(data, at)), 27) * _P1 + _P4
        at += 8
    if at + 4 <= stop:
        half = np.uint64(0)
        for i in range(4):
            half |= np.uint64(data[at + i]) << np.uint64(8 * i)
        h = _rotated(h ^ (half * _P1), 23) * _P2 + _P3
        at += 4
    while at < stop:
        h = _rotated(h ^ (np.uint64(data[at]) * _P5), 11) * _P1
        at += 1
    h = (h ^ (h >> np.uint64(33))) * _P2
    h = (h ^ (h >> np.uint64(29))) * _P3
    return h ^ (h >> np.uint64(32))


@njit()
def same(one, at, other, place, size):
    """Tell whether *size* bytes of two arrays from two places on are the same."""
    if size < 8:
        for i in range(size):  # noqa: SIM110
            if one[at + i] != other[place + i]:
                return False
        return True
    i = np.int64(0)
    while i + 8 <= size:
        if word_at(one, at + i) != word_at(other, place + i):
            return False
        i += 8
    return word_at(one, at + size - 8) == word_at(other, place + size - 8)


@njit()
def copied(data, at, out, place, size):
    """Copy *size* bytes from a place of *data* to a place of *out*; return where they end there."""
    if size < 8:
        for i in range(size):
            out[place + i] = data[at + i]
        return place + size
    i = np.int64(0)
    while i + 8 <= size:
        set_word(out, place + i, word_at(data, at + i))
        i += 8
    set_word(out, place + size - 8, word_at(data, at + size - 8))
    return place + size
