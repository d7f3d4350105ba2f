"""Node features: encoded once, found again by term id, never mixed between models."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from kgmm.encode import features, text_encoder

T = TypeVar("T")


class Terms:
    def __init__(self, names: list[str]) -> None:
        self.all, self.asked = names, 0

    def names(self, ids: np.ndarray) -> list[str]:
        self.asked += len(ids)
        return [self.all[i] for i in ids]


class Store:
    """What features need of a store: its dictionary, a folder, and what is derived, here never kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.terms = Terms(["/c/en/dog", "/c/en/ice_cream/n", '"1867"', "/c/en/puppy"])

    def cache_dir(self, name: str) -> Path:
        (self.folder / name).mkdir(exist_ok=True)
        return self.folder / name

    def derived(self, name: Hashable, make: Callable[[], T]) -> T:
        return make()


@pytest.mark.parametrize("encoder", ["minilm", "glove"])
def test_nodes_are_encoded_by_their_labels(tmp_path: Path, encoder: str) -> None:
    rows = features(Store(tmp_path), [3, 1, 0], encoder)
    expected = text_encoder(encoder).encode(["puppy", "ice cream", "dog"])
    np.testing.assert_allclose(rows, expected, atol=2e-3)
    assert rows.dtype == np.float32


def test_a_second_call_spells_out_no_term(tmp_path: Path) -> None:
    first = features(Store(tmp_path), [0, 1, 2])
    store = Store(tmp_path)
    np.testing.assert_array_equal(features(store, np.array([2, 0], np.uint32)), first[[2, 0]])
    assert store.terms.asked == 0


def test_only_new_terms_are_encoded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    features(store, [0, 1])
    features(store, [0, 1, 2, 2, 3])
    assert store.terms.asked == 4


def test_no_terms_give_no_rows(tmp_path: Path) -> None:
    assert features(Store(tmp_path), []).shape == (0, 384)
