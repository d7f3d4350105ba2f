"""Ratings as the field's data sets release them: MovieLens, Amazon, RecBole's atomic files, CSV, TSV, Parquet."""

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
)


def read_ratings(path: str | Path) -> Ratings:
    """Read ratings from a file, or from the folder of a data set.

    MovieLens' ``u.data``, ``ratings.dat`` (``::`` between fields) and ``ratings.csv``; Amazon's CSV without a heading (user,
    item, rating, time) and its JSON lines; RecBole's ``.inter``; any CSV, TSV or Parquet with columns named as those, or user,
    item, rating and time in this order. Several ratings of a user and an item: the latest stays.

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
        frame = _frame(place)
    except pl.exceptions.PolarsError as error:
        raise BadInput(place, f"cannot be read as a table: {error}") from error
    except UnicodeDecodeError as error:
        raise BadInput(place, f"is no UTF-8 text: {error}") from error
    return Ratings.of(frame, str(place))


def _frame(place: Path) -> pl.DataFrame:
    end = place.suffix.lower()
    if end == ".parquet":
        return pl.read_parquet(place)
    if end in (".jsonl", ".json"):
        return pl.read_ndjson(place)
    with open(place, "rb") as file:
        first = file.readline(1 << 16).decode("utf-8", "strict").rstrip("\r\n")
    if "::" in first:
        text = place.read_text(encoding="utf-8", errors="replace").replace("::", "\t")
        return _table(text.encode(), "\t", False)
    mark = "\t" if "\t" in first else ";" if ";" in first and "," not in first else ","
    named = {field.strip().strip('"').lower() for field in first.split(mark)} & set(NAMES["user"] + NAMES["item"])
    return _table(place, mark, bool(named))


def _table(source: Any, mark: str, heading: bool) -> pl.DataFrame:
    frame = pl.read_csv(
        source, separator=mark, has_header=heading, infer_schema=False, quote_char='"' if mark == "," else None
    )
    if frame.width < 2:
        raise BadInput(str(source), f"expected user and item, separated by {mark!r}; found one column")
    return frame
