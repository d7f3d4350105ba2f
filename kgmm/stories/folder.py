"""A story graph from a folder of keyframes with a transcript table."""

import csv
import re
from pathlib import Path

from kgmm.errors import BadInput
from kgmm.scene.images import SUFFIXES, read_image
from kgmm.stories.story import Broadcast, Logo, Shot, StoryGraph
from kgmm.stories.terms.extraction import terms
from kgmm.stories.video.clock import seconds
from kgmm.stories.video.newslogos import perceptual_hash

#: names a transcript table may have, beside the keyframes
TABLES = ("transcript.csv", "transcript.tsv", "transcripts.csv", "transcripts.tsv")


def from_folder(folder: str | Path, transcript: str | Path | None = None, *, id: str | None = None) -> StoryGraph:
    """Read a table with one row a keyframe.

    The table (CSV or TSV with a header) has a column ``image`` (a file in the folder) and may have ``id``,
    ``start``, ``end`` (seconds, or h:mm:ss), ``broadcast``, ``date``, ``text``, ``terms`` and ``logos`` (both
    separated by ``|``) and ``story``. Without a column ``terms``, terms are taken from the text. A logo's picture
    is ``logos/<id>.png`` (or another picture's ending), if there is one.

    Args:
        folder: where the keyframes lie.
        transcript: the table; by default ``transcript.csv`` or ``.tsv`` in the folder.
        id: the story's id; by default the folder's name.

    Raises:
        BadInput: if the table or a keyframe is missing, or a row is wrong; the message names the line.
    """
    place = Path(folder).expanduser()
    table = Path(transcript) if transcript is not None else _table(place)
    shots: list[Shot] = []
    logos: dict[str, Logo] = {}
    broadcasts: dict[str, Broadcast] = {}
    for line, row in _rows(table):
        shots.append(shot := _shot(place, table, line, row))
        for logo in shot.logos:
            if logo not in logos:
                logos[logo] = _logo(place, logo)
        if shot.broadcast:
            broadcasts.setdefault(shot.broadcast, Broadcast(shot.broadcast, shot.broadcast, row.get("date", "")))
    name = id or re.sub(r"[^\w.-]+", "-", place.resolve().name) or "story"
    return StoryGraph(name, shots, tuple(logos.values()), tuple(broadcasts.values()), str(table))


def _table(folder: Path) -> Path:
    if there := [folder / name for name in TABLES if (folder / name).is_file()]:
        return there[0]
    raise BadInput(folder, f"no transcript table; one of {', '.join(TABLES)} is expected")


def _rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(table, f"cannot be read as UTF-8 text: {error}") from error
    reader = csv.DictReader(text.splitlines(), delimiter="\t" if table.suffix == ".tsv" else ",", strict=False)
    if not reader.fieldnames or "image" not in reader.fieldnames:
        raise BadInput(table, "the header needs a column 'image'", line=1)
    return [(reader.line_num, {k: v or "" for k, v in row.items() if k}) for row in reader]


def _shot(folder: Path, table: Path, line: int, row: dict[str, str]) -> Shot:
    image = folder / row["image"]
    if not row["image"] or not image.is_file():
        raise BadInput(table, f"no keyframe {row['image']!r} in {folder}", line)
    try:
        start = seconds(row.get("start") or "0")
        end = seconds(row["end"]) if row.get("end") else start
    except ValueError as error:
        raise BadInput(table, str(error), line) from error
    name, logos = row.get("id") or Path(row["image"]).stem, _listed(row.get("logos", ""))
    broadcast, text, story = (row.get(key, "") for key in ("broadcast", "text", "story"))
    spoken = _listed(row["terms"]) if "terms" in row else tuple(terms(text))
    return Shot(name, start, end, spoken, logos, broadcast, text, str(image), story)


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|") if part.strip())


def _logo(folder: Path, id: str) -> Logo:
    there = [image for suffix in SUFFIXES if (image := folder / "logos" / (id + suffix)).is_file()]
    return Logo(id, image=str(there[0]), hash=perceptual_hash(read_image(there[0]).pixels)) if there else Logo(id)
