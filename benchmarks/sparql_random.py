"""Thousands of random queries over random stores, our SPARQL beside Oxigraph; differing ones are printed, shrunk.

python -m benchmarks.sparql_random [--count 3000] [--seed 0] [--json]

Queries and what they leave out are those of tests/store/sparql_random.py. Exit code 1 if any query differs.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from kgmm.store import Fact, LocalStore
from kgmm.store.sparql.query import query
from tests.store.sparql_random import LEFT_OUT, Asked, comparable, facts, oxigraph, queries

EACH = 5  #: queries asked of one store
CHUNK = 100  #: stores of one search; it stops at its first difference, which it makes as small as it can
OWN = {"engine": "own"} if "engine" in inspect.signature(query).parameters else {}


class Differs(AssertionError):
    """Two engines answered one query otherwise."""


def answered(kb: LocalStore, text: str) -> Any:
    try:
        found = query(kb, text, raw=True, timeout=60, **OWN)  # type: ignore[arg-type]
    except Exception as error:  # an engine that fails differs too
        return [(f"{type(error).__name__}: {error}",)]
    return found if isinstance(found, bool) else list(found.rows)


def search(stores: int, start: int, seen: Counter[str]) -> dict[str, Any] | None:
    """Ask queries of some stores; return the smallest difference found, or None."""
    last: dict[str, Any] = {}

    @seed(start)
    @settings(
        max_examples=stores,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(said=facts, asked=st.lists(queries(), min_size=EACH, max_size=EACH))
    def compare(said: list[Fact], asked: list[Asked]) -> None:
        with tempfile.TemporaryDirectory() as folder, LocalStore(Path(folder) / "kb") as kb:
            kb.add(said)
            oracle = oxigraph(kb)
            for text, ordered in asked:
                ours, theirs = answered(kb, text), oracle(text)
                if not last:
                    seen["asked"] += 1
                    seen["with an answer"] += bool(theirs)
                if comparable(ours, ordered) != comparable(theirs, ordered):
                    rows = [(f.graph, f.subject, f.predicate, f.object) for f in said]
                    last.update(facts=rows, query=text, ours=ours, oxigraph=theirs)
                    raise Differs(text)

    try:
        compare()
    except Differs:
        return last
    return None


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=3000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", action="store_true")
    given_ = options.parse_args()
    began, seen, found, at = time.perf_counter(), Counter[str](), [], given_.seed * 1_000_000
    while (left := given_.count - seen["asked"]) > 0:
        difference = search(min(CHUNK, -(-left // EACH)), at, seen)
        at += 1
        if difference is not None:
            found.append(difference)
            if not given_.json:
                print("\n".join(f"{name}: {value}" for name, value in difference.items()), end="\n\n", flush=True)
    told = {**seen, "different": len(found), "seconds": round(time.perf_counter() - began, 1)}
    if given_.json:
        print(json.dumps({**told, "seed": given_.seed, "left out": LEFT_OUT, "differences": found}))
    else:
        print(", ".join(f"{name}: {value}" for name, value in told.items()))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
