"""The vector cache: what is put is found, by other processes too, and damage costs only a new start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.encode.cache import VectorCache, encode_cached, fact_keys


def filled(folder: Path, n: int = 100, dim: int = 4) -> tuple[VectorCache, np.ndarray, np.ndarray]:
    cache = VectorCache(folder, dim, "abc")
    keys = np.random.default_rng(0).permutation(10 * n)[:n].astype(np.uint64)
    vectors = np.random.default_rng(1).normal(size=(n, dim)).astype(np.float32)
    cache.put(keys, vectors)
    return cache, keys, vectors


def test_vectors_come_back_in_half_precision(tmp_path: Path) -> None:
    cache, keys, vectors = filled(tmp_path)
    found, again = cache.get(keys[::-1])
    assert found.all() and again.dtype == np.float32
    np.testing.assert_array_equal(again[::-1], vectors.astype(np.float16).astype(np.float32))


def test_unknown_keys_are_reported_and_zero(tmp_path: Path) -> None:
    cache, _, _ = filled(tmp_path)
    found, vectors = cache.get(np.array([2**63, 5000], np.uint64))
    assert not found.any() and not vectors.any()


def test_a_known_key_keeps_its_vector(tmp_path: Path) -> None:
    cache, keys, _ = filled(tmp_path)
    _, before = cache.get(keys[:1])
    cache.put(keys[:1], np.full((1, 4), 9.0))
    np.testing.assert_array_equal(cache.get(keys[:1])[1], before)
    assert len(cache) == 100


def test_an_open_reader_sees_what_another_cache_object_adds(tmp_path: Path) -> None:
    reader, _, _ = filled(tmp_path)
    VectorCache(tmp_path, 4, "abc").put(np.array([99999], np.uint64), np.ones((1, 4)))
    assert reader.get(np.array([99999], np.uint64))[0].all()


def test_models_do_not_share_vectors(tmp_path: Path) -> None:
    _, keys, _ = filled(tmp_path)
    assert not VectorCache(tmp_path, 4, "another").get(keys)[0].any()
    assert not VectorCache(tmp_path, 5, "abc").get(keys)[0].any()


@pytest.mark.parametrize("file", ["index.json", "keys.u64", "vectors.f16"])
@pytest.mark.parametrize("damage", [b"", b"\x00garbage", None])
def test_a_damaged_file_is_started_anew(tmp_path: Path, file: str, damage: bytes | None) -> None:
    cache, keys, vectors = filled(tmp_path)
    path = cache.folder / file
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    fresh = VectorCache(tmp_path, 4, "abc")
    assert not fresh.get(keys)[0].any()
    fresh.put(keys, vectors)
    np.testing.assert_array_equal(fresh.get(keys)[1], vectors.astype(np.float16).astype(np.float32))


def test_rows_of_a_killed_writer_do_not_count(tmp_path: Path) -> None:
    cache, keys, _ = filled(tmp_path)
    with (cache.folder / "vectors.f16").open("ab") as stream:
        stream.write(b"\xff" * 24)
    with (cache.folder / "keys.u64").open("ab") as stream:
        stream.write(b"\xff" * 13)
    cache.put(np.array([77777], np.uint64), np.ones((1, 4)))
    fresh = VectorCache(tmp_path, 4, "abc")
    assert len(fresh) == 101
    assert fresh.get(np.array([77777], np.uint64))[1].tolist() == [[1.0] * 4]
    assert fresh.get(keys)[0].all()


def test_many_writing_processes_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from kgmm.encode.cache import VectorCache; i = int(sys.argv[2])\n"
        "cache = VectorCache(sys.argv[1], 4, 'abc')\n"
        "for k in range(20):\n"
        "    cache.put(np.array([i * 100 + k], np.uint64), np.full((1, 4), i * 100 + k, np.float32))\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(i)]) for i in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    keys = np.array([i * 100 + k for i in range(3) for k in range(20)], np.uint64)
    found, vectors = VectorCache(tmp_path, 4, "abc").get(keys)
    assert found.all()
    np.testing.assert_array_equal(vectors[:, 0], keys.astype(np.float32))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 20), max_size=6), max_size=6))
def test_the_cache_agrees_with_a_dictionary(tmp_path_factory: pytest.TempPathFactory, puts: list) -> None:
    folder = tmp_path_factory.mktemp("cache")
    oracle: dict[int, float] = {}
    cache, value = VectorCache(folder, 1, "x"), 0
    for keys in puts:
        values = [float(value := value + 1) for _ in keys]
        cache.put(np.array(keys, np.uint64), np.array(values, np.float32).reshape(-1, 1))
        for key, number in zip(keys, values, strict=True):
            oracle.setdefault(key, number)
    found, vectors = VectorCache(folder, 1, "x").get(np.arange(21, dtype=np.uint64))
    assert {int(k): float(vectors[k, 0]) for k in np.flatnonzero(found)} == oracle


class Counting:
    name, dim, checksum = "counting", 2, "c"
    seen: list[str]

    def __init__(self) -> None:
        self.seen = []

    def encode(self, texts: list[str]) -> np.ndarray:
        self.seen += texts
        return np.array([[len(t), 1] for t in texts], np.float32)


def test_each_text_is_encoded_once(tmp_path: Path) -> None:
    encoder, cache = Counting(), VectorCache(tmp_path, 2, "c")
    words = ["dog", "horse", "dog", "ant"]
    keys = np.array([1, 2, 1, 3], np.uint64)
    for _ in range(2):
        out = encode_cached(encoder, cache, keys, lambda rows: [words[r] for r in rows])
        assert out[:, 0].tolist() == [3, 5, 3, 3]
    assert sorted(encoder.seen) == ["ant", "dog", "horse"]


def test_fact_keys_tell_order_and_parts_apart() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(60, dtype=np.uint32)] * 3), -1).reshape(-1, 3)
    assert len(np.unique(fact_keys(*grid.T))) == 60**3
