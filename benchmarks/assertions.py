"""What assertions cost and whether they are right: size, look-ups at a time, episodes, merging, and histories against an oracle.

Run from the repository's root, alone on the machine: ``python -m benchmarks.assertions``. Prints JSON; exits with 1 where a goal is
missed: one reference a fact at most 1.5 times the size, a look-up at a time at most 2 times one without, 100 episodes of ten facts in
at most 1.5 s, a million assertions merged in at most 10 s, no look-up wrong. ``--only NAME`` runs one part.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.commits import facts, middle
from kgmm.store import Assertion, Fact, LocalStore, changes
from kgmm.store.table import delta as table

GOALS = {"size": 1.5, "find": 2.0, "episodes": 1.5, "merge": 10.0, "histories": 0}


def megabytes(kb: LocalStore) -> float:
    kb.compact()
    kb.vacuum("0s")
    files = (p for part in ("table", "terms", "index") for p in (kb.path / part).rglob("*") if p.is_file())
    return sum(p.stat().st_size for p in files) / 1e6


def referred(rows: list[tuple[str, str, str]]) -> list[Assertion]:
    """Return facts with one reference each: a person, a document of ten facts, the year since when."""
    chance = random.Random(1)
    return [
        Assertion(
            Fact(*row, source=f"http://example.org/doc/{n // 10}"),
            f"person {chance.randrange(100)}",
            valid=(f"{chance.randrange(1950, 2020)}", None),
        )
        for n, row in enumerate(rows)
    ]


def size(count: int) -> dict[str, Any]:
    """Compare a store of facts with the same facts and their documents, and with those and one reference a fact."""
    rows, found = facts(count), {}
    stated = [Fact(*row, source=f"http://example.org/doc/{n // 10}") for n, row in enumerate(rows)]
    for name, given in (("bare MB", rows), ("with documents MB", stated), ("with references MB", referred(rows))):
        with LocalStore(Path(tempfile.mkdtemp()) / "kb") as kb:
            kb.add(given)
            found[name] = megabytes(kb)
    return {**found, "figure": found["with references MB"] / found["bare MB"]}


def find(count: int) -> dict[str, Any]:
    """Compare look-ups at a time with those without, of each kind of pattern, ten facts of each decoded."""
    rows, found = facts(count), {}
    with LocalStore(Path(tempfile.mkdtemp()) / "kb") as kb:
        kb.add(referred(rows))
        kb.compact()
        some = random.Random(0).sample(rows, 300)
        patterns = {"s": (1, 0, 0), "o": (0, 0, 1), "sp": (1, 1, 0), "po": (0, 1, 1), "spo": (1, 1, 1)}
        for name, kept in patterns.items():
            asked = [tuple(v if k else None for v, k in zip(row, kept, strict=True)) for row in some]
            plain = middle(lambda asked=asked: [list(kb.find(*a, limit=100)) for a in asked], 9)  # type: ignore[misc]
            timed = middle(lambda asked=asked: [list(kb.find(*a, limit=100, at="2000")) for a in asked], 9)  # type: ignore[misc]
            found[name] = {"find us": plain / 0.3, "find at us": timed / 0.3, "ratio": timed / plain}
    return {**found, "figure": max(part["ratio"] for part in found.values())}


def episodes(count: int) -> dict[str, Any]:
    """Time 100 commits of ten facts with contributor, document and time into a store that holds many, and bare ones."""
    took = {}
    for name, about in (("bare s", {}), ("figure", {"contributor": "me", "valid": ("2024-05-03T10:00:00Z", None)})):
        with LocalStore(Path(tempfile.mkdtemp()) / "kb") as kb:
            kb.add(referred(facts(count)) if about else facts(count))
            kb.add(("warm", "IsA", "up"), **about)  # type: ignore[arg-type]
            began = time.perf_counter()
            for n in range(100):
                source = {"source": f"episode {n}"} if about else {}
                kb.add([(f"episode {n}", "Has", f"thing {n % 30} {i}") for i in range(10)], **about, **source)  # type: ignore[arg-type]
            took[name] = time.perf_counter() - began
    return took


def million(folder: Path, who: str, count: int) -> LocalStore:
    """Return a store of many facts with one assertion each."""
    numbers = pl.int_range(count, eager=True).shuffle(seed=ord(who))
    columns = {
        "subject": "/c/en/" + who + (numbers % (count // 4)).cast(pl.String),
        "predicate": "r" + (numbers % 20).cast(pl.String),
        "object": "/c/en/v" + numbers.cast(pl.String),
        "source": "doc " + (numbers // 1000).cast(pl.String),
        "contributor": who + (numbers % 100).cast(pl.String),
        "valid_from": (1950 + numbers % 70).cast(pl.String),
    }
    rows = pl.DataFrame({name: pl.Series(column) for name, column in columns.items()})
    kb = LocalStore(folder)
    with kb.writing():
        changes.append(
            kb, table.completed(rows.with_columns(method=pl.lit("told")).to_arrow(), None), {"operation": "add"}
        )
    return kb


def merge(count: int) -> dict[str, Any]:
    """Time taking a million assertions into a store of as many, and the same again, which changes nothing."""
    place = Path(tempfile.mkdtemp())
    with million(place / "a", "a", count) as a, million(place / "b", "b", count) as b:
        began = time.perf_counter()
        added = a.merge(b).added
        took = time.perf_counter() - began
        assert added == count
        began = time.perf_counter()
        again = a.merge(b).added
        return {"assertions": count, "again s": time.perf_counter() - began, "again": again, "figure": took}


def histories(count: int) -> dict[str, Any]:
    """Look at random times and versions of random histories, and ask a literal oracle."""
    from tests.store.histories import played

    told = {"histories": 0, "looks": 0, "wrong": 0}
    for seed in range(count // 100):
        with tempfile.TemporaryDirectory() as place:
            done = played(Path(place) / "kb", 100, 8, 1000 + seed)
        told = {name: told[name] + done[name] for name in told}
    return {**told, "figure": told["wrong"]}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", choices=list(GOALS))
    options.add_argument("--facts", type=int, default=200_000)
    options.add_argument("--assertions", type=int, default=1_000_000)
    options.add_argument("--histories", type=int, default=10_000)
    given = options.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "size": lambda: size(given.facts),
        "find": lambda: find(given.facts),
        "episodes": lambda: episodes(given.facts),
        "merge": lambda: merge(given.assertions),
        "histories": lambda: histories(given.histories),
    }
    found = {name: parts[name]() for name in GOALS if given.only in (None, name)}
    missed = [name for name, part in found.items() if part["figure"] > GOALS[name]]
    print(json.dumps({**found, "goals": GOALS, "missed": missed}, indent=1))
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
