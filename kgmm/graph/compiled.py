"""How inner loops on graphs are compiled: kept on disk, without the interpreter's lock, sums in any order."""

from __future__ import annotations

import numba

compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
