"""One writer at a time, across processes."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kgmm.errors import StoreBusy, StoreError
from kgmm.files import FULL


@contextmanager
def locked(folder: Path, timeout: float, undo: Callable[[], None]) -> Iterator[None]:
    """Hold the store's writer lock; the system releases it when the process ends, however it ends.

    Args:
        folder: the store's folder.
        timeout: seconds to wait for another writer.
        undo: called if the writer fails, to delete what it wrote in vain.

    Raises:
        StoreBusy: if another writer holds the lock for longer than *timeout* seconds.
        StoreError: if the folder cannot be written or the disk is full.
    """
    try:
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StoreError(f"{folder}: the store cannot be written: {error.strerror}") from error
    try:
        _wait(handle, folder, timeout)
        os.pwrite(handle, f"{os.getpid():<10}".encode(), 0)
        try:
            yield
        except BaseException:
            with suppress(OSError, StoreError):
                undo()
            raise
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise StoreError(
            f"{folder}: the disk is full; what was stored before is still there: free space and try again"
        ) from error
    finally:
        os.close(handle)


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
