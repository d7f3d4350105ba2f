"""Inner loops in machine code, kept on disk; one process at a time writes what is kept.

Numba writes a function's index and then its code: of two processes that compile at once the one's index may name the
other's code, which crashes whatever calls it from then on.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numba.np import linalg


def _without_loading_blas() -> None:
    """Have Numba know that SciPy's BLAS is there, on which we depend, and load it when a product of matrices is compiled.

    Otherwise it imports it in every process before the first function runs, a fifth of a second of CPU.
    """
    asked = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        import_module("numba.np.arraymath")  # it asks once, while it is imported
    finally:
        linalg.ensure_blas = asked


_without_loading_blas()


@contextmanager
def alone(place: str | os.PathLike[str]) -> Iterator[None]:
    """Let one process at a time go on, by a lock on a file or folder that is there."""
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class _Kept(FunctionCache):
    def _load_overload(self, *arguments: Any) -> Any:
        if not os.path.isdir(self._cache_path):
            return None
        with alone(self._cache_path):
            return super()._load_overload(*arguments)

    def _save_overload(self, *arguments: Any) -> None:
        self._impl.locator.ensure_cache_path()
        with alone(self._cache_path):
            super()._save_overload(*arguments)


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return ``numba.njit(**options)``, without the interpreter's lock, its machine code kept."""

    def kept(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(nogil=True, **options)(function)
        with suppress(RuntimeError):  # where no folder can be written each process compiles for itself
            dispatcher._cache = _Kept(function)
        return dispatcher

    return kept


#: inner loops on graphs: sums in any order
compiled = njit(error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
