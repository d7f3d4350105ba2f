"""Tracked video as a file: one scene a line, each with its time."""

import json
import math
from pathlib import Path

from kgmm.errors import BadInput
from kgmm.files import read_lines
from kgmm.scene import SceneGraph


def read_moments(path: str | Path) -> list[tuple[float, SceneGraph]]:
    """Read JSON lines, each a scene graph with ``time``, its seconds; ``id`` of an object is that of its track.

    Raises:
        BadInput: if the file cannot be read, or for the first line that is no scene, lacks a time, or has none later than
            the line before.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "street.jsonl"
        >>> _ = path.write_text('{"time": 0.5, "id": "s", "objects": [{"id": "c", "name": "car"}]}')
        >>> [(time, scene.objects[0].name) for time, scene in read_moments(path)]
        [(0.5, 'car')]
    """
    moments: list[tuple[float, SceneGraph]] = []
    for number, line in read_lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadInput(path, f"not JSON: {error}", number) from error
        time = row.get("time") if isinstance(row, dict) else None
        if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
            raise BadInput(path, "expected a scene graph with a number 'time', its seconds", number)
        if moments and time <= moments[-1][0]:
            raise BadInput(path, f"the time {time:g} is not after {moments[-1][0]:g}, of the line before", number)
        try:
            scene = SceneGraph.from_dict(row, str(path))
        except BadInput as error:
            raise BadInput(path, error.reason, number) from error
        moments.append((float(time), scene))
    if not moments:
        raise BadInput(path, "no scenes are there")
    return moments
