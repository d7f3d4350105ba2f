"""The copies of a store that Oxigraph is asked on: which there are, how large they are, and removing them."""

import fcntl
import re
import shutil

from kgmm.store.handle import Handle

_COPY = re.compile(r"(?:plain|annotated)(?:-merged)?-\d+\..*|at\..*|\.draft-.*")


def remove(store: Handle) -> tuple[int, int]:
    """Delete a store's copies, which only Oxigraph needs and makes again; return how many there were, and their bytes.

    One that is being made stays.
    """
    root = store.places.cache / "sparql"
    found = [path for path in root.glob("*") if path.is_dir() and _COPY.fullmatch(path.name)] if root.is_dir() else []
    if not found:
        return 0, 0
    size = 0
    with (root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0, 0
        for path in found:
            size += sum({(s.st_dev, s.st_ino): s.st_size for s in (p.stat() for p in path.rglob("*"))}.values())
            shutil.rmtree(path, ignore_errors=True)
    return len(found), size
