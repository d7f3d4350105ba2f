"""Ratings as the field's data sets release them: MovieLens, Amazon, RecBole's atomic files, CSV, TSV, Parquet."""

import gzip
import io
import zlib
from pathlib import Path
from typing import Any

import polars as pl

from kgmm.errors import BadInput
from kgmm.files import file_at
from kgmm.recommend.ratings import NAMES, Ratings

#: what a data set's ratings are called in its folder, in the order they are looked for
FILES = (
    "ratings.csv",
    "ratings.dat",
    "u.data",
    "*.inter",
    "ratings.tsv",
    "ratings.parquet",
    "*.parquet",
    "*.csv",
    "*.tsv",
    "*.jsonl",
    "*.json",
    "*.csv.gz",
    "*.jsonl.gz",
    "*.json.gz",
)

MOST = 4 << 30  #: bytes that a compressed file may hold


def read_ratings(path: str | Path) -> Ratings:
    """Read ratings from a file, or from the folder of a data set.

    MovieLens' ``u.data``, ``ratings.dat`` (``::`` between fields) and ``ratings.csv``; Amazon's CSV without a heading (user,
    item, rating, time) and its JSON lines; RecBole's ``.inter``; any CSV, TSV or Parquet with columns named as those, or user,
    item, rating and time in this order; texts and JSON lines may be packed by gzip (``.gz``). Several ratings of a user and an item: the latest stays.

    Raises:
        BadInput: if there is none, a line has too few fields, or a rating is no finite number.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "ratings.csv"
        >>> _ = file.write_text(chr(10).join(["userId,movieId,rating,timestamp", "196,242,3,881250949", "186,302,3,891717742"]))
        >>> read_ratings(file).items
        ('242', '302')
    """
    place = Path(path)
    if place.is_dir():
        found = next((file for name in FILES for file in sorted(place.glob(name))), None)
        if found is None:
            raise BadInput(place, f"holds no ratings; looked for {', '.join(FILES)}")
        place = found
    place = file_at(place, "file of ratings")
    try:
        frame, heading = _frame(place)
    except pl.exceptions.PolarsError as error:
        raise BadInput(place, f"cannot be read as a table: {error}") from error
    except UnicodeDecodeError as error:
        raise BadInput(place, f"is no UTF-8 text: {error}") from error
    try:
        return Ratings.of(frame, str(place))
    except BadInput as error:
        if error.line is None:
            raise
        raise BadInput(place, error.reason, error.line + heading) from None


def _frame(place: Path) -> tuple[pl.DataFrame, bool]:
    """Return a file's table, and whether its first line is a heading."""
    end = place.suffix.lower()
    if end == ".parquet":
        return pl.read_parquet(place), False
    source: Path | bytes = place
    if end == ".gz":
        source, end = _unpacked(place), place.with_suffix("").suffix.lower()
    if end in (".jsonl", ".json"):
        return pl.read_ndjson(source), False
    with open(place, "rb") if source is place else io.BytesIO(source) as file:  # type: ignore[arg-type]
        first = file.readline(1 << 16).decode("utf-8", "strict").rstrip("\r\n")
    if "::" in first:
        text = source if isinstance(source, bytes) else place.read_bytes()
        return _table(text.replace(b"::", b"\t"), "\t", False, place), False
    mark = "\t" if "\t" in first else ";" if ";" in first and "," not in first else ","
    named = {field.strip().strip('"').lower() for field in first.split(mark)} & set(NAMES["user"] + NAMES["item"])
    return _table(source, mark, bool(named), place), bool(named)


def _unpacked(place: Path) -> bytes:
    """What a file of gzip holds, at most :data:`MOST` bytes."""
    try:
        with gzip.open(place) as file:
            held = file.read(MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(place, f"damaged or cut compressed file: {error}") from error
    if len(held) > MOST:
        raise BadInput(place, f"holds more than {MOST >> 30} GiB; unpack it first")
    return held


def _table(source: Any, mark: str, heading: bool, place: Path) -> pl.DataFrame:
    frame = pl.read_csv(
        source, separator=mark, has_header=heading, infer_schema=False, quote_char='"' if mark == "," else None
    )
    if frame.width < 2:
        raise BadInput(place, f"expected user and item, separated by {mark!r}; found one column")
    return frame
