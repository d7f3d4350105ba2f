"""Every encoder known by name: is documented and cited, gives unit rows of its length, and the same ones again."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from kgmm.encode import bert, efficientnet, image_encoder, text_encoder, words
from kgmm.encode.image import ImageEncoder
from kgmm.encode.text import NAMED, Encoder
from tests.families import check_family

MODULES: dict[str, ModuleType] = {"minilm": bert, "glove": words, "efficientnet": efficientnet}


def test_every_encoder_has_a_row_in_the_docs_and_a_source() -> None:
    check_family([*NAMED, "efficientnet"], MODULES.__getitem__, "encoders.md")


@pytest.mark.parametrize("name", NAMED)
def test_texts_become_unit_rows_that_tell_meanings_apart(name: str) -> None:
    encoder = text_encoder(name)
    assert isinstance(encoder, Encoder) and encoder.dim == NAMED[name]
    rows = encoder.encode(["dog", "puppy", "car"])
    assert rows.shape == (3, encoder.dim) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    np.testing.assert_allclose(encoder.encode(["puppy"])[0], rows[1], atol=2e-2)
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_pictures_become_unit_rows_of_the_same_kind() -> None:
    encoder = image_encoder("efficientnet")
    assert isinstance(encoder, ImageEncoder)
    rows = encoder.encode_images([np.random.default_rng(i).integers(0, 256, (40, 50, 3), np.uint8) for i in range(2)])
    assert rows.shape == (2, encoder.dim) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
