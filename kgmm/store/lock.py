"""One writer at a time, across processes."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kgmm.errors import StoreBusy, StoreError


@contextmanager
def writing(folder: Path, timeout: float) -> Iterator[None]:
    """Hold the store's writer lock; the system releases it when the process ends, however it ends.

    Raises:
        StoreBusy: if another writer holds the lock for longer than *timeout* seconds.
        StoreError: if the folder cannot be written.
    """
    path = folder / ".lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StoreError(f"{folder}: the store cannot be written: {error.strerror}") from error
    try:
        _wait(handle, folder, timeout)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
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
                writer = os.pread(handle, 20, 0).decode("ascii", "replace")
                raise StoreBusy(
                    f"{folder}: another process (pid {writer}) is writing; waited {timeout:g} s, try again later"
                ) from None
            time.sleep(min(0.01, max(timeout, 0.0)))
