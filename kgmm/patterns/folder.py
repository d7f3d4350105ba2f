"""Pictures of a folder with captions and classes from files, and what was mined of them as a page and as candidates."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import BadInput
from kgmm.files import read_lines, read_text
from kgmm.patterns.candidates import Stated, propose
from kgmm.patterns.visual import LARGE, VisualPattern
from kgmm.scene.show import picture_uri
from kgmm.store import Fact
from kgmm.templates import templates

if TYPE_CHECKING:
    from kgmm.store import LocalStore

SHOWN = 6  #: cut-outs of a pattern on the page


@dataclass(frozen=True)
class Pictures:
    """Pictures with what is said of them, in the order of their names."""

    paths: list[Path]
    captions: list[str]
    classes: list[str]


def read_pictures(folder: Path, captions: Path, classes: Path | None = None) -> Pictures:
    """Return a folder's pictures that both files tell of.

    Args:
        folder: where they are.
        captions: JSON Lines of ``file``, ``caption`` and, if given, ``class``; or CSV or TSV of file, caption and, if given, class, with
            or without a heading.
        classes: the same with the class in the second place, where the captions' file has none.

    Raises:
        BadInput: if a line is not of this kind, a picture is not in the folder, or a class is missing; it names file and line.
    """
    said = told(captions, "caption")
    of = {} if classes is None else told(classes, "class")
    paths, texts, labels = list[Path](), list[str](), list[str]()
    for name in sorted(said):
        line, caption, label = said[name]
        path = inside(folder, name, captions, line)
        label = of[name][1] if name in of else label
        if not label:
            raise BadInput(
                captions if classes is None else classes, f"nothing says of which class {name!r} is", line=line
            )
        paths.append(path)
        texts.append(caption)
        labels.append(label)
    return Pictures(paths, texts, labels)


def inside(folder: Path, name: str, table: Path, line: int) -> Path:
    """Return where a picture is that a line of a table names; BadInput if that is not in the folder."""
    root = folder.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise BadInput(table, f"no picture {name!r} in {folder}", line=line)
    return path


def told(path: Path, what: str, also: str = "class") -> dict[str, tuple[int, str, str]]:
    """Return of each picture's name the line, *what* is said of it, and what is *also* said of it, if anything is.

    Raises:
        BadInput: if a line says nothing of a picture, or a picture is told of twice; it names file and line.
    """
    found: dict[str, tuple[int, str, str]] = {}
    for number, row in _lines(path, what, also):
        if len(row) < 2 or not row[0]:
            raise BadInput(path, f"a line tells a file and its {what}", line=number)
        if found.setdefault(row[0], (number, row[1], row[2] if len(row) > 2 else "")) != (
            number,
            row[1],
            (*row, "")[2],
        ):
            raise BadInput(path, f"{row[0]!r} is told of twice", line=number)
    if not found:
        raise BadInput(path, f"it tells no {what}")
    return found


def _lines(path: Path, what: str, also: str) -> list[tuple[int, list[str]]]:
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return [(number, _object(path, number, line, what, also)) for number, line in read_lines(path)]
    text = read_text(path)
    mark = "\t" if path.suffix.lower() == ".tsv" or "\t" in text.partition("\n")[0] else ","
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except csv.Error as error:
        raise BadInput(path, f"not a table: {error}") from error
    headed = rows and rows[0][1][:1] in (["file"], ["filename"], ["image"], ["picture"])
    return rows[1:] if headed else rows


def _object(path: Path, number: int, line: str, what: str, also: str) -> list[str]:
    try:
        row = json.loads(line)
        return [str(row["file"]), str(row[what]), str(row.get(also, ""))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(path, f"a line is an object with file and {what}", line=number) from error


def conclude_visual(
    store: LocalStore, found: Sequence[VisualPattern], names: Sequence[str], graph: str = "pictures"
) -> int:
    """Write patterns as candidates: event HasVisualComponent name, name DepictedBy picture#xywh=…; return how many are new.

    Args:
        store: where they go, to the graph ``mined/GRAPH``.
        found: the patterns.
        names: of the pictures, as facts are to name them.
        graph: without ``mined/``.
    """

    def stated() -> Iterator[Stated]:
        for pattern in found:
            source = f"visual pattern: support {pattern.support:.3f}, confidence {pattern.confidence:.3f}, {len(pattern.pictures)} pictures"
            ends = [(str(pattern.label), "HasVisualComponent", pattern.name)]
            boxes = zip(pattern.pictures, pattern.places, strict=True)
            ends += [
                (pattern.name, "DepictedBy", f"{names[i]}#xywh={','.join(f'{v:.0f}' for v in box)}") for i, box in boxes
            ]
            for fact in (Fact(*end) for end in ends):
                yield Stated((fact.subject, fact.predicate, fact.object), pattern.confidence, source)

    return propose(store, stated(), graph)


def page(found: Sequence[VisualPattern], pictures: Sequence[Any], names: Sequence[str]) -> str:
    """Return a page that shows each pattern: its name, figures, and cut-outs of pictures that have it."""
    rows = []
    for pattern in found:
        some = list(zip(pattern.pictures, pattern.places, strict=True))[:SHOWN]
        cuts = [{"name": names[i], "uri": _cut(pictures[i], box)} for i, box in some]
        rows.append({"pattern": pattern, "cuts": cuts})
    html: str = templates(Path(__file__).parent / "templates").get_template("patterns.html").render(rows=rows)
    return html


def _cut(picture: Any, box: tuple[float, float, float, float]) -> str:
    from PIL import Image

    from kgmm.scene.images import read_image

    read = read_image(picture, max_side=LARGE)
    scale = read.pixels.shape[1] / read.width
    x, y, w, h = (v * scale for v in box)
    image = Image.fromarray(read.pixels).crop((int(x), int(y), int(x + max(w, 1)), int(y + max(h, 1))))
    image.thumbnail((160, 160))
    return picture_uri(image, "PNG")
