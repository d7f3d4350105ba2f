"""Two hundred queries that would take hours or all memory: how long each takes beside its limit, and what memory stays.

python -m benchmarks.sparql_limits [--limit 2] [--engine own] [--json]

The queries are those of tests/store/sparql_hostile.py. One that has not ended at four times its limit is broken off.
Exit code 1 if any took more than 1.2 times its limit or failed otherwise than by an error of ours.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from kgmm.errors import KgmmError
from kgmm.store import LocalStore
from kgmm.store.sparql.process import _own_memory
from kgmm.store.sparql.query import query
from tests.store import sparql_hostile as hostile

KINDS = (hostile.products, hostile.paths, hostile.expressions, hostile.large, hostile.deep)


class BrokenOff(BaseException):
    """A query did not end by itself."""


def _break_off(*_: Any) -> None:
    raise BrokenOff


def ended(kb: LocalStore, text: str, limit: float, engine: str) -> tuple[str, float]:
    """Return how a query ended and after how many seconds."""
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 4 * limit)
    try:
        query(kb, text, timeout=limit, limit=1000, memory=1 << 30, engine=engine)
        how = "answered"
    except (BrokenOff, Exception) as error:
        how = type(error).__name__ if isinstance(error, BrokenOff | KgmmError) else f"failed: {type(error).__name__}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return how, time.monotonic() - began


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--limit", type=float, default=2.0)
    options.add_argument("--engine", default="own", choices=["own", "oxigraph"])
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    signal.signal(signal.SIGALRM, _break_off)
    told, late = {}, []
    with tempfile.TemporaryDirectory() as folder, LocalStore(Path(folder) / "kb") as kb:
        kb.add(hostile.facts())
        query(kb, "ASK { ?s ?p ?o }", engine=given.engine)
        for kind in KINDS:
            outcomes: Counter[str] = Counter()
            for text in kind():
                how, took = ended(kb, text, given.limit, given.engine)
                outcomes[how] += 1
                if took > 1.2 * given.limit or how.startswith("failed"):
                    late.append({"kind": kind.__name__, "query": text[:100], "ended": how, "seconds": round(took, 2)})
            told[kind.__name__] = {**outcomes, "memory MB": _own_memory(os.getpid()) >> 20}
            if not given.json:
                print(kind.__name__, told[kind.__name__], flush=True)
    if given.json:
        print(json.dumps({"limit": given.limit, "kinds": told, "late or failed": late}))
    else:
        print(*late, f"{len(late)} of {len(hostile.all_queries())} late or failed", sep="\n")
    sys.exit(bool(late))


if __name__ == "__main__":
    main()
