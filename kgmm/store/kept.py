"""What takes long to make of a version of a store: made once, kept as files beside it, mapped by the next process.

Each thing is a folder with one file of arrays (:mod:`kgmm.store.index.arrays`), in the folder of the version it was made
of. When the store moves on, whoever moves it deletes what was kept; readers hold what they have mapped.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_hexdigest

from kgmm.errors import KgmmError
from kgmm.store.index import arrays, stamps
from kgmm.store.index import state as index

if TYPE_CHECKING:
    from kgmm.store.handle import Handle

FORMAT = 2  #: raised when what is kept changes its meaning
FOLDER = "made"  #: in the cache
MOST = 6  #: things of a kind that are kept of a version; the one made first goes
WORTH_IT = 100_000  #: statements, or terms, from which on what is made of them is kept
ABANDONED = 3600.0  #: seconds after which a draft that nobody has written to is one of a process that was killed

Arrays = dict[str, NDArray[np.generic]]


def kept(store: Handle, kind: str, chosen: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
    """Return what was kept of the version shown, or None: what is said of it, and its arrays.

    Args:
        store: an open store.
        kind: what sort of thing it is.
        chosen: what else it was made by, as JSON has it.
    """
    place = _place(store, kind, chosen)
    if place is None:
        return None
    try:
        changed = bool(stamps.changed(place, now := stamps.taken(place)))
        about, found = arrays.read(place / "arrays", changed)
        if about.pop("by") != _by(store, kind, chosen):
            return None
    except (OSError, ValueError, TypeError, KeyError):  # none there, or a broken one: it is made anew
        return None
    if changed:
        stamps.keep(place, now)
    return about, found


def keep(store: Handle, kind: str, chosen: Any, about: Mapping[str, Any], made: Mapping[str, NDArray[Any]]) -> None:
    """Keep what was made of the version shown, if it is the newest and the store's folder can be written."""
    place = _place(store, kind, chosen)
    if place is None or index.read_state(store.places.index) != store.opened.state:
        return
    with suppress(
        OSError, KgmmError
    ):  # a full disk, a folder to be read only, another process that deletes the version
        drop(store.places.cache, place.parent.name)
        place.mkdir(parents=True, exist_ok=True)
        arrays.write(place / "arrays", {**about, "by": _by(store, kind, chosen)}, made)
        stamps.keep(place, stamps.taken(place))
        alike = sorted(place.parent.glob(f"{kind}-*"), key=lambda folder: folder.stat().st_mtime_ns)
        for old in [folder for folder in alike if folder != place][: max(0, len(alike) - MOST)]:
            shutil.rmtree(old, ignore_errors=True)


def drop(cache: Path, version: str = "") -> None:
    """Delete what was kept of other versions than the one of this name."""
    with suppress(OSError):
        for folder in (cache / FOLDER).iterdir():
            if folder.name != version:
                shutil.rmtree(folder, ignore_errors=True)


def faults(store: Handle) -> Iterator[str]:
    """Read all that is kept, delete what is damaged, of another version or half written, and say what it was.

    What is deleted is made anew when it is asked for; who has mapped it holds it.
    """
    folder = store.places.cache / FOLDER
    version = name_of(store.opened.state)
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if place.name != version or not place.is_dir():
            yield f"{place}: was made of another version of the store: removed"
            _remove(place)
            continue
        for thing in sorted(place.iterdir()):
            if problem := _fault(store, thing):
                yield f"{thing}: {problem}: removed"
                _remove(thing)
                continue
            for draft in thing.glob(".*.tmp"):
                if time.time() - draft.stat().st_mtime > ABANDONED:
                    yield f"{draft}: was not finished: removed"
                    _remove(draft)


def _fault(store: Handle, thing: Path) -> str:
    """Return what is wrong with a thing that is kept, or nothing; one that is being written has nothing yet."""
    try:
        about, _ = arrays.read(thing / "arrays")
        by = about["by"]
        if by != _by(store, by[1], by[2]) or thing.name != _name(by):
            return "holds something else than its name says"
    except FileNotFoundError:
        young = thing.is_dir() and time.time() - thing.stat().st_mtime < ABANDONED
        return "" if young else "holds nothing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except (ValueError, TypeError, KeyError, IndexError) as error:
        return str(error).removeprefix(f"{thing / 'arrays'}: ") or "is damaged"
    return ""


def _remove(place: Path) -> None:
    with suppress(OSError):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink()


def name_of(state: index.State) -> str:
    """Return the name of the folder for what is kept of a version."""
    files = state.base, state.overlay, state.overlay_sum, state.sums
    return xxh3_64_hexdigest(repr((FORMAT, state.version, state.terms, state.commit, *files)).encode())


def _place(store: Handle, kind: str, chosen: Any) -> Path | None:
    if store.past or store.moment is not None or store.belief is not None:
        return None
    return store.places.cache / FOLDER / name_of(store.opened.state) / _name(_by(store, kind, chosen))


def _name(by: list[Any]) -> str:
    """Return the name of the folder of what was made by all that."""
    return f"{by[1]}-{xxh3_64_hexdigest(json.dumps(by).encode())}"


def _by(store: Handle, kind: str, chosen: Any) -> list[Any]:
    """Return all that tells a thing from others, as JSON gives it back."""
    state = store.opened.state
    said: list[Any] = json.loads(
        json.dumps([FORMAT, kind, chosen, state.version, state.commit, state.base, state.sums])
    )
    return said
