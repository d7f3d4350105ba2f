"""Arrays that took long to compute, kept on disk under a key that names all they depend on; nothing is unpickled."""

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, DiskFull
from kgmm.files import whole

Arrays = dict[str, NDArray[Any]]


def cache_folder() -> Path:
    """Return where features of films are kept: ``kgmm/footage`` in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kgmm" / "footage"


def checksum(file: Path) -> str:
    """Return 32 hex digits that name a file's content; BadInput if it cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise BadInput(file, f"cannot be read: {error.strerror}") from error


def kept(settings: Mapping[str, Any], make: Callable[[], Arrays], fits: Callable[[Arrays], bool]) -> Arrays:
    """Return the arrays kept under *settings*, or make and keep them.

    What is on disk and damaged, or does not *fit*, is made anew. Where nothing can be written, nothing is kept.
    """
    named = repr(sorted(settings.items())).encode()
    path = cache_folder() / f"{hashlib.blake2b(named, digest_size=16).hexdigest()}.safetensors"
    found = _read(path)
    if found is not None and fits(found):
        return found
    from safetensors.numpy import save

    made = make()
    with suppress(OSError, DiskFull):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            draft.write_bytes(save({name: np.ascontiguousarray(array) for name, array in made.items()}))
    return made


def _read(path: Path) -> Arrays | None:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(path.read_bytes()))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None
