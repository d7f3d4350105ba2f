"""Knowledge about items as RecBole's atomic files release it: ``.kg``, ``.link`` and titles of ``.item``."""

from pathlib import Path

import polars as pl

from kgmm.errors import BadInput
from kgmm.recommend.knowledge import ItemKnowledge

#: columns of an ``.item`` file that hold what an item is called
TITLES = ("movie_title", "title", "name", "book_title", "item_name")


def read_item_knowledge(folder: str | Path) -> ItemKnowledge:
    """Read a folder's ``*.kg`` (head, relation, tail), ``*.link`` (item, concept) and, if there is one, ``*.item`` (titles).

    Raises:
        BadInput: if there is no ``.kg`` file, or a file is no table of tabs with these columns.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp())
        >>> lines = ["head_id:token relation_id:token tail_id:token", "m.1 director m.9"]
        >>> _ = (place / "films.kg").write_text(chr(10).join(lines).replace(" ", chr(9)))
        >>> read_item_knowledge(place).concepts
        ('m.1', 'm.9')
    """
    place = Path(folder)
    if not place.is_dir():
        raise BadInput(place, "is no folder with .kg and .link files")
    facts = next(iter(sorted(place.glob("*.kg"))), None)
    if facts is None:
        raise BadInput(place, "holds no .kg file")
    link: dict[str, str] = {}
    labels: dict[str, str] = {}
    for file in sorted(place.glob("*.link")):
        frame = _table(file)
        if frame.width < 2:
            raise BadInput(file, "expected the columns item and concept")
        link |= dict(zip(*(frame[name].to_list() for name in frame.columns[:2]), strict=True))
    for file in sorted(place.glob("*.item")):
        frame = _table(file)
        title = next((name for name in frame.columns if name.partition(":")[0] in TITLES), None)
        if title is not None:
            pairs = zip(frame[frame.columns[0]].to_list(), frame[title].to_list(), strict=True)
            labels |= {item: name for item, name in pairs if name}
    return ItemKnowledge.of(_table(facts), link, labels=labels)


def _table(file: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(file, separator="\t", infer_schema=False, quote_char=None)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise BadInput(file, f"cannot be read as a table: {error}") from error
