"""Word vectors: GloVe and files in every usual form give the same vectors; bad files name their line."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from kgmm.encode.text import Encoder, text_encoder
from kgmm.encode.words import WordVectors, glove, read_word_vectors
from kgmm.errors import BadInput

WORDS = ["the", "dog", "cat", "ice_cream", "über"]
VECTORS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def rows() -> str:
    return "".join(f"{w} {' '.join(f'{v:.8f}' for v in row)}\n" for w, row in zip(WORDS, VECTORS, strict=True))


def write(folder: Path, form: str) -> Path:
    path = folder / f"vectors.{'bin' if form == 'binary' else 'txt'}{'.gz' if form == 'gz' else ''}"
    if form == "glove":
        path.write_text(rows(), encoding="utf-8")
    elif form == "gz":
        path.write_bytes(gzip.compress(rows().encode()))
    elif form == "word2vec":
        path.write_text("5 3\n" + rows(), encoding="utf-8")
    else:
        body = b"".join(w.encode() + b" " + v.tobytes() + b"\n" for w, v in zip(WORDS, VECTORS, strict=True))
        path.write_bytes(b"5 3\n" + body)
    return path


@pytest.mark.parametrize("form", ["glove", "gz", "word2vec", "binary"])
def test_every_form_of_file_gives_the_same_vectors(tmp_path: Path, form: str) -> None:
    encoder = text_encoder(str(write(tmp_path, form)))
    assert isinstance(encoder, Encoder) and encoder.dim == 3
    expected = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(["the", "dog", "Cat", "ice cream", "über"]), expected, atol=1e-6)


def test_a_phrase_is_the_weighted_mean_of_its_words() -> None:
    model = WordVectors("test", WORDS, VECTORS, "x")
    harmonic = np.log(5) + 0.5772
    weights = np.array([1e-3 / (1e-3 + 1 / (rank * harmonic)) for rank in (1, 2)])
    expected = weights @ VECTORS[:2]
    np.testing.assert_allclose(model.encode(["the dog!"])[0], expected / np.linalg.norm(expected), atol=1e-5)


def test_unknown_words_are_zero_not_random() -> None:
    assert not WordVectors("test", WORDS, VECTORS, "x").encode(["qwertz", ""]).any()


def test_glove_knows_what_is_alike() -> None:
    encoder = glove()
    assert encoder.dim == 50 and "knife" in encoder
    knife, fork, cloud, phrase = encoder.encode(["knife", "fork", "cloud", "a sharp knife for cutting"])
    assert knife @ fork > knife @ cloud and phrase @ knife > phrase @ cloud
    assert text_encoder("glove").checksum == encoder.checksum


@pytest.mark.parametrize(
    ("content", "line"), [(b"dog 1 2 3\ncat 1 2\n", 2), (b"dog 1 2 3\ncat 1 x 3\n", 2), (b"2 2\ndog 1 2\nmouse\n", 3)]
)
def test_a_bad_row_is_named(tmp_path: Path, content: bytes, line: int) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        read_word_vectors(path)
    assert refused.value.line == line


@pytest.mark.parametrize("content", [b"", b"5 3\ndog " + struct.pack("<3f", 1, 2, 3) + b"\ncat \x00\x01"])
def test_empty_and_cut_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(content)
    with pytest.raises(BadInput):
        read_word_vectors(path)
