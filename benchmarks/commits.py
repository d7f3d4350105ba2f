"""Thousands of small commits against the same facts loaded at once: size on disk, and how long everything takes.

Run from the repository's root, alone on the machine: ``python -m benchmarks.commits``. Prints JSON: both stores' figures and their
ratios, before and after ``compact`` and ``vacuum``, caches left out; exits with 1 where a goal is missed: size at most 3 times, a latency at
most 2 times, a commit at most 10 ms (median).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE, LATENCY, COMMIT_MS = 3.0, 2.0, 10.0
RELATIONS = ("RelatedTo", "IsA", "UsedFor", "AtLocation", "HasProperty")
Fact = tuple[str, str, str]


def facts(count: int) -> list[Fact]:
    """Return distinct facts over a fifth as many concepts, some of them in very many facts."""
    chance, found = random.Random(0), dict[Fact, None]()
    while len(found) < count:
        ends = [f"concept {int(count / 5 * chance.random() ** 3)}" for _ in range(2)]
        found[ends[0], chance.choice(RELATIONS), ends[1]] = None
    return list(found)


def middle(work: Callable[[], Any], times: int = 5) -> float:
    """Return the median time in milliseconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1e3)
    return sorted(took)[times // 2]


def in_turn(paths: list[Path], rows: list[Fact], first: int) -> list[dict[str, float]]:
    """Return the least of what stores take in three turns each: a machine is not always equally quick."""
    turns = [[measured(path, rows, turn) for path in paths] for turn in range(first, first + 3)]
    return [{name: min(turn[at][name] for turn in turns) for name in turns[0][at]} for at in range(len(paths))]


def measured(path: Path, rows: list[Fact], turn: int) -> dict[str, float]:
    """Return what a store takes: megabytes, and milliseconds for each thing one does with it."""
    from kgmm.store import LocalStore

    def opened() -> None:
        LocalStore(path, create=False).close()

    files = (p for part in ("table", "terms", "index") for p in (path / part).rglob("*") if p.is_file())
    shutil.rmtree(path / "cache", ignore_errors=True)
    found = {"size MB": sum(p.stat().st_size for p in files) / 1e6}
    found["open ms"] = middle(opened, 9)
    with LocalStore(path, create=False) as kb:
        some = random.Random(turn).sample(rows, 200)
        patterns = {"s": (1, 0, 0), "o": (0, 0, 1), "sp": (1, 1, 0), "po": (0, 1, 1), "spo": (1, 1, 1)}
        for name, kept in patterns.items():
            asked = [tuple(v if k else None for v, k in zip(row, kept, strict=True)) for row in some]
            found[f"find {name} ms"] = middle(lambda asked=asked: [kb.find(*a)[:10] for a in asked])  # type: ignore[misc]
        seeds = [row[0] for row in some[:20]]
        found["2 hops ms"] = middle(lambda: [kb.neighborhood(seed, 2, 500) for seed in seeds])
        found["columns ms"] = middle(kb.columns)
        found["search ms"] = middle(lambda: kb.search("concept 1", limit=20))
        found["sparql index ms"] = middle(lambda: kb.sparql("ASK { ?s ?p ?o }"), 1)
        found["sparql ms"] = middle(lambda: kb.sparql("SELECT ?a ?c { ?a r:IsA ?b . ?b r:IsA ?c } LIMIT 1000"))
        found["versions ms each"] = middle(kb.versions) / len(kb.versions())
        found["check ms"] = middle(kb.check, 3)
        found["remove ms"] = middle(lambda: kb.remove(*some.pop()))
    return found


def write(folder: Path, count: int, each: int) -> tuple[list[Fact], list[float]]:
    """Write one store by small commits, in a process's one opened store, and one at once; return facts and ms a commit."""
    from kgmm.store import LocalStore

    rows, took = facts(count * each), list[float]()
    with LocalStore(folder / "once") as kb:
        kb.add(rows)
    with LocalStore(folder / "many") as kb:
        for start in range(0, len(rows), each):
            began = time.perf_counter()
            kb.add(rows[start : start + each])
            took.append((time.perf_counter() - began) * 1e3)
    return rows, took


def run(count: int, place: Path, each: int = 10) -> dict[str, Any]:
    """Return the figures of both stores, ratios, and the goals that are missed."""
    from kgmm.store import LocalStore

    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        load = os.getloadavg()[0]
        rows, took = write(folder, count, each)
        ordered = sorted(took)
        found: dict[str, Any] = {"commits": count, "facts each": each, "load": load}
        found["commit ms"] = {"median": ordered[count // 2], "p99": ordered[int(count * 0.99)], "most": ordered[-1]}
        found["commit ms"] |= {"last hundred": sorted(took[-100:])[50]}
        once, many = in_turn([folder / "once", folder / "many"], rows, 0)
        found["once"], found["many"] = once, many
        with LocalStore(folder / "many") as kb:
            found["versions"] = len(kb.versions())
            found["compact ms"], found["vacuum ms"] = middle(kb.compact, 1), middle(lambda: kb.vacuum("0s"), 1)
        plain, compacted = in_turn([folder / "once", folder / "many"], rows, 3)
        found["compacted"] = compacted
    missed = [f"commit: {ordered[count // 2]:.1f} ms"] if ordered[count // 2] > COMMIT_MS else []
    for which, beside in (("many", once), ("compacted", plain)):
        sizes = {"size MB": once["size MB"]}  # before anything was removed
        ratios = {name: value / (beside | sizes)[name] for name, value in found[which].items()}
        found[f"{which} / once"] = ratios
        over = ((name, ratio) for name, ratio in ratios.items() if ratio > (SIZE if "MB" in name else LATENCY))
        missed += [f"{which}, {name}: {ratio:.1f} times" for name, ratio in over]
    return found | {"missed": missed}


def main() -> None:
    """Measure, print, and tell whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--place", type=Path, default=Path(), help="where the stores are made: a disk, no tmpfs")
    given = parser.parse_args()
    found = run(given.count, given.place)
    print(json.dumps(found, indent=1))
    sys.exit(1 if found["missed"] else 0)


if __name__ == "__main__":
    main()
