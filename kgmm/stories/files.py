"""Story graphs as JSON documents."""

import json
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from kgmm.errors import BadInput, reason_of
from kgmm.files import kept, read_json
from kgmm.stories.story import Broadcast, Logo, Shot, StoryGraph

NAME = "story.json"
_line = partial(json.dumps, ensure_ascii=False)


def read(path: str | Path) -> StoryGraph:
    """Read a story; pictures are looked for beside the file.

    Raises:
        BadInput: if there is no such file, or it is not a story.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        file = file / NAME
    if not file.exists():
        raise BadInput(file, "no such story; kgmm story VIDEO -o FOLDER makes one")
    return from_dict(read_json(file), str(file), file.parent)


def from_dict(data: Any, origin: str = "story", folder: Path | None = None) -> StoryGraph:
    """Return a story from JSON-ready data; picture paths are taken relative to *folder*.

    Raises:
        BadInput: if a field is missing or wrong.
    """
    try:
        return StoryGraph(
            str(data["id"]),
            tuple(_shot(one, folder) for one in data["shots"]),
            tuple(_logo(one, folder) for one in data.get("logos", ())),
            tuple(Broadcast(*(str(x.get(f.name, "")) for f in fields(Broadcast))) for x in data.get("broadcasts", ())),
            str(data.get("source", "")),
            {str(k): tuple(map(str, v)) for k, v in data.get("annotations", {}).items()},
        )
    except BadInput as error:
        raise BadInput(origin, error.reason) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(origin, reason_of(error, "not a story graph")) from error


def _shot(data: Any, folder: Path | None) -> Shot:
    for key in ("terms", "logos"):
        if isinstance(data.get(key), str):
            raise ValueError(f"{key} of shot {data['id']!r} must be a list")
    start, end = float(data.get("start", 0)), float(data.get("end", data.get("start", 0)))
    terms, logos = (tuple(map(str, data.get(key, ()))) for key in ("terms", "logos"))
    broadcast, text, story = (str(data.get(key, "")) for key in ("broadcast", "text", "story"))
    image = _beside(data.get("image"), folder)
    return Shot(str(data["id"]), start, end, terms, logos, broadcast, text, image, story)


def _logo(data: Any, folder: Path | None) -> Logo:
    text = str(data.get("hash", ""))
    if text and len(bytes.fromhex(text)) != 32:
        raise ValueError(f"hash of logo {data['id']!r} needs 64 hex digits")
    return Logo(str(data["id"]), str(data.get("name", "")), _beside(data.get("image"), folder), text)


def _beside(image: Any, folder: Path | None) -> str | None:
    if not image:
        return None
    return str(image) if folder is None or Path(str(image)).is_absolute() else str(folder / str(image))


def to_json(story: StoryGraph, path: str | Path | None = None) -> str:
    """Return a story as JSON, one shot a line; written whole or not at all if *path* is given.

    Picture paths inside the file's folder are written relative to it.
    """
    file = None if path is None else Path(path)
    if file is not None and file.is_dir():
        file = file / NAME
    folder = None if file is None else file.resolve().parent
    rows = {
        "broadcasts": [_lean(asdict(b)) for b in story.broadcasts],
        "logos": [_lean(asdict(_moved(x, folder))) for x in story.logos],
        "shots": [_lean(asdict(_moved(s, folder))) for s in story.shots],
    }
    parts = [f'"kgmm": "story/1",\n "id": {json.dumps(story.id)}']
    if story.source:
        parts.append(f'"source": {_line(story.source)}')
    parts += [f'"{name}": [\n  ' + ",\n  ".join(map(_line, many)) + "\n ]" for name, many in rows.items()]
    if story.annotations:
        lines = (f"{_line(k)}: {_line(v)}" for k, v in story.annotations.items())
        parts.append('"annotations": {\n  ' + ",\n  ".join(lines) + "\n }")
    return kept("{" + ",\n ".join(parts) + "\n}", file)


def _lean(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out empty fields."""
    return {k: v for k, v in data.items() if v not in ("", None, ()) or k in ("id", "start")}


def _moved(one: Any, folder: Path | None) -> Any:
    """Return a shot or logo with its picture's path relative to *folder*, if it lies in there."""
    if one.image is None or folder is None:
        return one
    place = Path(one.image).resolve()
    return replace(one, image=place.relative_to(folder).as_posix()) if place.is_relative_to(folder) else one
