"""Crowds' answers as they are released: a folder of answer.csv and truth.csv, or one table with a gold column."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kgmm.errors import BadInput
from kgmm.files import read_lines

#: columns of a table (Snow et al., EMNLP 2008): item, contributor, answer, truth
TABLE = ("orig_id", "!amt_worker_ids", "response", "gold")
ANSWER, TRUTH = ("question", "worker", "answer"), ("question", "truth")  # Zheng et al., PVLDB 2017


@dataclass(frozen=True, slots=True)
class Crowd:
    """Answers (item, contributor, value), one of each in three lists of one length, and the truth of items known."""

    item: list[str]
    contributor: list[str]
    value: list[str]
    truth: dict[str, str]


def read_crowd(place: str | Path) -> Crowd:
    r"""Read a folder that holds ``answer.csv`` (question,worker,answer) and ``truth.csv`` (question,truth), or a table.

    A table has tabs, or commas in a file named ``.csv``, and the columns of :data:`TABLE`; its last may be empty.

    Raises:
        BadInput: if a file or column is missing, or for the first line that is of another length, lacks a field, is no
            UTF-8 or gives a question another truth than a line before it.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "answer.csv").write_text("question,worker,answer\n1,ann,yes\n1,bob,no\n")
        >>> _ = (folder / "truth.csv").write_text("question,truth\n1,yes\n")
        >>> crowd = read_crowd(folder)
        >>> crowd.contributor, crowd.truth
        (['ann', 'bob'], {'1': 'yes'})
    """
    place = Path(place)
    crowd = Crowd([], [], [], {})
    if place.is_dir():
        tables = sorted(place.glob("*.tsv"))
        if tables and not (place / "answer.csv").exists():
            raise BadInput(place, f"no answer.csv here; name one of its tables: {', '.join(t.name for t in tables)}")
        for _, row in _rows(place / "answer.csv", ANSWER):
            _say(crowd, *row)
        for line, (item, truth) in _rows(place / "truth.csv", TRUTH):
            _know(crowd, item, truth, place / "truth.csv", line)
    else:
        for line, (item, who, value, truth) in _rows(place, TABLE, may_lack=TABLE[-1]):
            _say(crowd, item, who, value)
            if truth:
                _know(crowd, item, truth, place, line)
    if not crowd.item:
        raise BadInput(place, "no answers are there")
    return crowd


def _say(crowd: Crowd, item: str, who: str, value: str) -> None:
    crowd.item.append(item)
    crowd.contributor.append(who)
    crowd.value.append(value)


def _know(crowd: Crowd, item: str, truth: str, path: Path, line: int) -> None:
    if crowd.truth.setdefault(item, truth) != truth:
        raise BadInput(path, f"{item!r} is {truth!r} here, and {crowd.truth[item]!r} in a line before", line)


def _rows(path: Path, columns: tuple[str, ...], may_lack: str = "") -> Iterator[tuple[int, list[str]]]:
    """Yield the named columns of a table's lines, numbered; BadInput names the first line that is no row of it."""
    mark = "," if path.suffix.lower() == ".csv" else "\t"
    head: list[str] = []
    at: list[int] = []
    for number, line in read_lines(path):
        try:
            read = csv.reader([line], strict=True) if mark == "," else iter([line.split(mark)])  # tabs are never quoted
            cells = [cell.strip() for cell in next(read)]
        except csv.Error as error:
            raise BadInput(path, f"not a row of a table: {error}", number) from error
        if not head:
            if missing := [name for name in columns if name not in cells]:
                raise BadInput(path, f"expected the columns {', '.join(columns)}; {missing[0]} is missing", number)
            head, at = cells, [cells.index(name) for name in columns]
            continue
        if len(cells) != len(head):
            raise BadInput(path, f"expected {len(head)} fields, found {len(cells)}", number)
        row = [cells[column] for column in at]
        if empty := [name for name, cell in zip(columns, row, strict=True) if not cell and name != may_lack]:
            raise BadInput(path, f"{empty[0]} is empty", number)
        yield number, row
