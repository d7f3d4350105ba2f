"""What items are, as files hold it: a table of items, or a folder of texts and pictures named as the items."""

from pathlib import Path
from typing import Any

import polars as pl

from kgmm.data.item_fields import FILES, item_table
from kgmm.errors import BadInput
from kgmm.recommend.ratings import NAMES
from kgmm.scene.images import names_picture

#: bytes of a text of one item, at most
LONGEST = 1 << 20


def read_contents(path: str | Path) -> list[dict[str, Any]]:
    """Return item -> text, and item -> picture's path: one mapping for each kind there is.

    A table is RecBole's ``.item``, MovieLens' ``u.item``, ``movies.csv`` or ``movies.dat``, any CSV or TSV whose first column is the
    item, JSON lines or Parquet (a column named ``item``, ``asin`` …, else the first); an item's text is all its other columns. A
    folder that holds none has ``alien.txt`` or ``alien.md``, and ``alien.jpg``.

    Raises:
        BadInput: if there is nothing of the kind, a file is no table, or a text is no UTF-8 or longer than a MiB.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "alien.txt").write_text("fear in space")
        >>> read_contents(folder)
        [{'alien': 'fear in space'}]
    """
    place = Path(path).expanduser()
    if place.is_dir() and not any(file for name in FILES for file in place.glob(name)):
        return _folder(place)
    if place.suffix.lower() in (".jsonl", ".json", ".parquet") and place.is_file():
        frame = _typed(place)
        item = next((name for name in frame.columns if name.lower() in NAMES["item"]), frame.columns[0])
    else:
        frame = item_table(place)
        item = frame.columns[0]
    others = [name for name in frame.columns if name != item]
    told = {str(row[item]): " ".join(_said(row[name]) for name in others) for row in frame.iter_rows(named=True)}
    return [{name: text for name, text in told.items() if text.strip()}]


def _folder(place: Path) -> list[dict[str, Any]]:
    texts: dict[str, Any] = {}
    pictures: dict[str, Any] = {}
    for file in sorted(place.iterdir()):
        if not file.is_file():
            continue
        if names_picture(file):
            pictures.setdefault(file.stem, file)
        elif file.suffix.lower() in (".txt", ".md"):
            if file.stat().st_size > LONGEST:
                raise BadInput(file, "is longer than a MiB: no text of one item")
            try:
                texts[file.stem] = file.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise BadInput(file, f"is no UTF-8 text: {error}") from error
    if not texts and not pictures:
        raise BadInput(place, "holds no table of items, and no text or picture named as an item")
    return [kind for kind in (texts, pictures) if kind]


def _typed(place: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(place) if place.suffix.lower() == ".parquet" else pl.read_ndjson(place)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise BadInput(place, f"cannot be read as a table: {error}") from error
    if frame.width < 2:
        raise BadInput(place, "expected an item and what it is; found one column")
    return frame


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(map(_said, value.values()))
    return " ".join(map(_said, value)) if isinstance(value, list) else "" if value is None else str(value)
