"""What a data set's items are, as MovieLens and RecBole release it, and ratings cut in two domains by it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from kgmm.data.made_ratings import Domains
from kgmm.errors import BadInput
from kgmm.files import file_at
from kgmm.recommend.ratings import Ratings

#: what a data set's table of items is called in its folder, in the order they are looked for
FILES = ("*.item", "u.item", "movies.csv", "movies.dat")

#: the columns of MovieLens' ``u.item`` before and after its flags of genres
BEFORE = ("item_id", "movie_title", "release_date", "video_date", "address")
GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip


def read_item_fields(path: str | Path) -> dict[str, dict[str, frozenset[str]]]:
    """Return field -> item -> what it holds: of RecBole's ``.item``, MovieLens' ``u.item``, ``movies.csv`` or ``movies.dat``.

    Genres are parted at ``|``; a RecBole field of type ``token_seq`` at spaces.

    Raises:
        BadInput: if there is none, or it is no table.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "movies.csv"
        >>> _ = file.write_text(chr(10).join(["movieId,title,genres", "1,Toy Story (1995),Animation|Comedy"]))
        >>> sorted(read_item_fields(file)["genres"]["1"])
        ['Animation', 'Comedy']
    """
    frame = item_table(path)
    items = [str(item) for item in frame[frame.columns[0]].to_list()]
    fields = {}
    for column in frame.columns[1:]:
        name, _, kind = column.partition(":")
        mark = " " if kind == "token_seq" else "|" if name.lower() in ("genres", "genre") else None
        parts = [[] if text is None else text.split(mark) if mark else [text] for text in frame[column].to_list()]
        fields[name] = {item: frozenset(filter(None, held)) for item, held in zip(items, parts, strict=True)}
    return fields


def item_table(path: str | Path) -> pl.DataFrame:
    """Return such a table as it is: the first column the item, all texts.

    Raises:
        BadInput: as :func:`read_item_fields`.
    """
    place = Path(path)
    if place.is_dir():
        found = next((file for name in FILES for file in sorted(place.glob(name))), None)
        if found is None:
            raise BadInput(place, f"holds no table of items; looked for {', '.join(FILES)}")
        place = found
    place = file_at(place, "table of items")
    try:
        frame = _frame(place)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise BadInput(place, f"cannot be read as a table: {error}") from error
    if frame.width < 2:
        raise BadInput(place, "expected an item and what it is; found one column")
    return frame


def _frame(place: Path) -> pl.DataFrame:
    if place.name == "u.item":  # Latin-1, as it was released
        rows = [line.split("|") for line in place.read_text(encoding="latin-1").splitlines() if line]
        wide = len(BEFORE) + len(GENRES)
        for number, row in enumerate(rows, 1):
            if len(row) != wide:
                raise BadInput(place, f"expected {wide} fields, found {len(row)}", number)
        held = ["|".join(g for g, flag in zip(GENRES, row[len(BEFORE) :], strict=True) if flag == "1") for row in rows]
        return pl.DataFrame({"item": [row[0] for row in rows], "title": [row[1] for row in rows], "genres": held})
    if place.suffix.lower() == ".dat":
        text = place.read_text(encoding="latin-1").replace("::", "\t")
        named = {"has_header": False, "new_columns": ["item", "title", "genres"]}
        return pl.read_csv(text.encode(), separator="\t", infer_schema=False, quote_char=None, **named)  # type: ignore[arg-type]
    comma = place.suffix.lower() == ".csv"
    return pl.read_csv(place, separator="," if comma else "\t", infer_schema=False, quote_char='"' if comma else None)


def cut_by_field(
    ratings: Ratings, fields: Mapping[str, Mapping[str, frozenset[str]]], field: str, target: str, source: str
) -> Domains:
    """Return the ratings of items whose field holds *target*, and those of items that hold *source*; items of both are in neither.

    Raises:
        BadInput: if there is no such field, or no rated item holds one of both alone.

    Example:
        >>> rated = Ratings.of([("ann", "Alien", 5), ("ann", "Emma", 2), ("bob", "Emma", 4)])
        >>> fields = {"genre": {"Alien": frozenset({"horror"}), "Emma": frozenset({"romance"})}}
        >>> two = cut_by_field(rated, fields, "genre", "romance", "horror")
        >>> two.target.items, two.source.users
        (('Emma',), ('ann',))
    """
    held = fields.get(field)
    if held is None:
        raise BadInput("items", f"no field {field!r}; there are: {', '.join(fields) or 'none'}")
    sides = []
    for wanted, other in ((target, source), (source, target)):
        mine = [wanted in held.get(item, ()) and other not in held.get(item, ()) for item in ratings.items]
        rows = np.array(mine, bool)[ratings.item]
        if not rows.any():
            counts: dict[str, int] = {}
            for item in ratings.items:
                for value in held.get(item, ()):
                    counts[value] = counts.get(value, 0) + 1
            most = sorted(counts, key=lambda value: (-counts[value], value))[:20]
            told = f"{field} {wanted!r}" + (f" without {other!r}" if wanted in counts else "")
            raise BadInput("items", f"no rated item has the {told}; the most frequent are: {', '.join(most) or 'none'}")
        sides.append(ratings.take(rows))
    return Domains(*sides)
