"""Nearest codes by Hamming distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kgmm.errors import KgmmError
from kgmm.hashing.index import CodeIndex

pytest.importorskip("faiss", reason="FAISS is not installed")
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 256, (2000, 16), dtype=np.uint8)


def literal(query: np.ndarray) -> np.ndarray:
    return np.unpackbits(CODES ^ query, axis=1).sum(1)


def test_the_nearest_are_those_a_comparison_with_every_code_finds() -> None:
    rows, distances = CodeIndex(CODES).search(CODES[:5] ^ 1, k=7)
    for query, row, distance in zip(CODES[:5] ^ 1, rows, distances, strict=True):
        assert distance.tolist() == np.sort(literal(query))[:7].tolist()
        assert (literal(query)[row] == distance).all()


def test_the_approximate_index_finds_most_of_the_nearest() -> None:
    exact, _ = CodeIndex(CODES, "flat").search(CODES[:50], 10)
    near, _ = CodeIndex(CODES, "hnsw").search(CODES[:50], 10)
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, near, strict=True)]) >= 0.9


@pytest.mark.parametrize("codes", [np.zeros((3, 4)), np.zeros(4, np.uint8), np.zeros((3, 0), np.uint8)])
def test_what_is_no_packed_codes_is_refused(codes: Any) -> None:
    with pytest.raises(KgmmError, match="packed"):
        CodeIndex(codes)


def test_all_within_a_radius_are_those_of_one_query() -> None:
    rows, distances = CodeIndex(CODES).radius(CODES[3], 45)
    assert set(rows.tolist()) == set(np.flatnonzero(literal(CODES[3]) <= 45).tolist())
    assert distances.tolist() == sorted(literal(CODES[3])[rows])


@pytest.mark.parametrize("queries", [CODES[:3], CODES[:0]])
def test_several_queries_of_a_radius_are_refused(queries: np.ndarray) -> None:
    with pytest.raises(KgmmError, match=f"one query.*not {len(queries)}"):
        CodeIndex(CODES).radius(queries, 45)


def test_a_query_of_another_length_is_refused() -> None:
    with pytest.raises(KgmmError, match="128 bits"):
        CodeIndex(CODES).search(np.zeros((1, 8), np.uint8))
