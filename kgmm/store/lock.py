"""One writer at a time, across processes."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kgmm.errors import StoreBusy, StoreError

#: what the system says where there is no room
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def writing(folder: Path, timeout: float) -> Iterator[None]:
    """Hold the store's writer lock; the system releases it when the process ends, however it ends.

    If the writer fails, the files that no version knows are deleted.

    Raises:
        StoreBusy: if another writer holds the lock for longer than *timeout* seconds.
        StoreError: if the folder cannot be written or the disk is full.
    """
    path = folder / ".lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StoreError(f"{folder}: the store cannot be written: {error.strerror}") from error
    try:
        _wait(handle, folder, timeout)
        os.pwrite(handle, f"{os.getpid():<10}".encode(), 0)
        began = os.fstat(handle).st_mtime_ns
        try:
            yield
        except BaseException:
            _sweep(folder, began)
            raise
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise StoreError(
            f"{folder}: the disk is full; what was stored before is still there: free space and try again"
        ) from error
    finally:
        os.close(handle)


def _sweep(folder: Path, began: int) -> None:
    """Delete what a writer that failed has written in vain, so that it takes no room."""
    from kgmm.store.index import files as index
    from kgmm.store.table import delta as table
    from kgmm.store.table import vocabulary

    with suppress(OSError, StoreError):
        about = table.drop_unknown(folder / "table", began)
        if "terms" in about and (folder / "terms").exists():
            vocabulary.drop_from(folder / "terms", int(about["terms"]))
        if (state := index.read_state(folder / "index")) is not None:
            index.sweep(folder / "index", state)


def _wait(handle: int, folder: Path, timeout: float) -> None:
    end = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                writer = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
                raise StoreBusy(
                    f"{folder}: another process (pid {writer}) is writing; waited {timeout:g} s, try again later"
                ) from None
            time.sleep(min(0.01, max(timeout, 0.0)))
