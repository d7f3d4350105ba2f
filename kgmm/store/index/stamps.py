"""Which files of a folder nobody has written to since they were last found whole: large ones are read again only then.

A stamp holds what the system says of each file: its number, size, and when it was last written and changed. The time of a
change cannot be set, so a file that was damaged, restored or copied has another stamp, and no comparison with a clock is made.
What rots on the disk by itself is for ``kgmm check`` to find.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = "stamps"


def taken(folder: Path) -> dict[str, str]:
    """Return the stamp of each file of a folder."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith((NAME, ".")) and entry.is_file():
                of = entry.stat()
                found[entry.name] = f"{of.st_ino} {of.st_size} {of.st_mtime_ns} {of.st_ctime_ns}"
    return found


def changed(folder: Path, now: dict[str, str], count: int = 0) -> set[str]:
    """Return the files of which *now* tells another stamp than was kept; all, if fewer than *count* items were whole."""
    try:
        kept = dict(line.split(": ", 1) for line in (folder / NAME).read_text().splitlines())
        if int(kept.pop("")) < count:
            return set(now)
    except (OSError, ValueError, KeyError):
        return set(now)
    return {name for name, stamp in now.items() if kept.get(name) != stamp}


@contextmanager
def growing(folder: Path, count: int, total: int) -> Iterator[None]:
    """Write to a dictionary inside: if its *count* terms were known to be whole, its *total* terms are afterwards."""
    whole = not changed(folder, taken(folder), count)
    yield
    if whole:
        keep(folder, taken(folder), total)


def keep(folder: Path, now: dict[str, str], count: int = 0) -> None:
    """Note that the files are whole, a dictionary's up to *count* terms; where nobody may write, they are read each time."""
    lines = [f": {count}", *(f"{name}: {stamp}" for name, stamp in now.items())]
    with suppress(OSError):
        (folder / NAME).write_text("\n".join(lines))  # half of it only makes files be read again
