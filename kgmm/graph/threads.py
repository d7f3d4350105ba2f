"""Two or more threads for kernels that release the GIL; small work stays on the caller's thread."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

WORTH_IT = 100_000  #: below this many edges a second thread costs more than it saves

_PIECE = 250_000  #: more pieces than threads even out what takes longer, if each has about so many edges

_pool: ThreadPoolExecutor | None = None


def count() -> int:
    """Return how many threads walks use: NUMBA_NUM_THREADS if set, else the CPUs of this process."""
    named = os.environ.get("NUMBA_NUM_THREADS", "")
    if named.isdecimal() and int(named) > 0:
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def over_blocks(kernel: Callable[[int, int], Any], blocks: int, work: int) -> None:
    """Run ``kernel(first, last)`` over 0 … *blocks*, on several threads if *work* (edges) is worth it."""
    threads = count()
    if threads == 1 or work < WORTH_IT:
        kernel(0, blocks)
        return
    pieces = min(4 * threads, blocks, max(threads, work // _PIECE))
    bounds = (blocks * i // pieces for i in range(pieces + 1))
    in_parallel([partial(kernel, a, b) for a, b in pairwise(bounds)])


def in_parallel(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run *jobs* on this thread and the pool's and return their results in order."""
    global _pool
    threads = min(count(), len(jobs))
    if threads == 1:
        return [job() for job in jobs]
    if _pool is None:
        _pool = ThreadPoolExecutor(count() - 1, thread_name_prefix="kgmm-walk")
    results: list[Any] = [None] * len(jobs)
    waiting = iter(range(len(jobs)))  # each thread takes the next: the interpreter's lock makes that safe

    def work() -> None:
        for at in waiting:
            results[at] = jobs[at]()

    helpers = [_pool.submit(work) for _ in range(threads - 1)]
    work()
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    return results


def _forget_pool() -> None:
    """Threads do not survive a fork: let the child make its own."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
