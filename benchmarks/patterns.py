"""Frequent itemsets and rules beside mlxtend's fpgrowth and PAMI's, on generated data of two well-known kinds.

    python -m benchmarks.patterns                     # T10I4D100K-like and mushroom-like, mlxtend beside it
    python -m benchmarks.patterns --pami PYTHON       # and PAMI, by a Python that has it
    python -m benchmarks.patterns --memory --pami PYTHON      # the largest memory of each, in a process of its own
    python -m benchmarks.patterns --rows 10000000     # made rows over 1,000 items: time and memory

``quest`` follows Agrawal and Srikant (VLDB 1994): patterns of Poisson length whose items are partly those of the pattern before,
exponential weights, corruption levels of mean 0.5; ``mushroom`` draws one of a few values for each of 23 attributes, rows near one
of a few prototypes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.patterns.itemsets import itemsets, mine
from kgmm.patterns.transactions import Transactions

PAMI = """
import json, resource, sys, time
from PAMI.frequentPattern.basic import FPGrowth
from PAMI.frequentPattern.closed import CHARM
found = {}
for name, kind in (("fpgrowth", FPGrowth.FPGrowth), ("charm", CHARM.CHARM)):
    began = time.perf_counter()
    run = kind(sys.argv[1], int(sys.argv[2]), sep="\\t")
    run.mine()
    found[name] = [time.perf_counter() - began, len(run.getPatterns())]
    print(json.dumps({name: found[name], "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
"""

#: In a process of its own, from the same text file: megabytes before the file is read, the most after it, seconds, sets found.
MEASURED = """
import contextlib, io, json, sys, time
def now(what):
    with open("/proc/self/status") as told:
        return next(int(line.split()[1]) / 1024 for line in told if line.startswith(what))
{imports}
place, least, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open("/proc/self/clear_refs", "w") as reset:
    reset.write("5")
before, began = now("VmRSS"), time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    {work}
print(json.dumps([before, now("VmHWM"), time.perf_counter() - began, len(found)]))
"""
OURS = MEASURED.format(
    imports="from kgmm.patterns import itemsets\nitemsets([['a', 'b'], ['a', 'b'], ['a']], 1)",
    work="found = itemsets(place, least, closed=False)",
)
MLXTEND = MEASURED.format(
    imports="""
import pandas as pd
from mlxtend.frequent_patterns import fpgrowth
from mlxtend.preprocessing import TransactionEncoder
""",
    work="""
    with open(place) as lines:
        some = [line.rstrip("\\n").split("\\t") for line in lines]
    known = TransactionEncoder()
    frame = pd.DataFrame.sparse.from_spmatrix(known.fit(some).transform(some, sparse=True), columns=known.columns_)
    del some
    found = fpgrowth(frame, min_support=least / rows, use_colnames=True)
""".strip(),
)
PAMI_ALONE = MEASURED.format(
    imports="from PAMI.frequentPattern.basic import FPGrowth",
    work="""
    run = FPGrowth.FPGrowth(place, least, sep="\\t")
    run.mine()
    found = run.getPatterns()
""".strip(),
)


def quest(
    rows: int = 100_000, length: int = 10, pattern: int = 4, items: int = 870, patterns: int = 2000, seed: int = 0
) -> Transactions:
    """Return T10I4D100K-like transactions, drawn as Quest's generator draws them."""
    rng = np.random.default_rng(seed)
    made: list[np.ndarray] = []
    for _ in range(patterns):
        size = max(1, rng.poisson(pattern - 1) + 1)
        old = made[-1] if made else np.empty(0, np.int64)
        shared = min(len(old), size, round(min(rng.exponential(0.5), 1.0) * size))
        kept = rng.choice(old, shared, replace=False) if shared else np.empty(0, np.int64)
        new = rng.integers(0, items, size - shared)
        made.append(np.unique(np.concatenate([kept, new])))
    weight = rng.exponential(1.0, patterns)
    bounds = np.cumsum(weight / weight.sum())
    corruption = np.clip(rng.normal(0.5, np.sqrt(0.1), patterns), 0.0, 1.0)
    found_rows, found_items = [], []
    sizes = np.maximum(rng.poisson(length, rows), 1)
    for row in range(rows):
        taken: set[int] = set()
        for _ in range(50):
            at = min(int(np.searchsorted(bounds, rng.random())), patterns - 1)
            some = made[at]
            drop = 0
            while drop < len(some) and rng.random() < corruption[at]:
                drop += 1
            part = some if not drop else rng.permutation(some)[drop:]
            if len(taken) + len(part) > sizes[row] and taken and rng.random() < 0.5:
                break
            taken.update(part.tolist())
            if len(taken) >= sizes[row]:
                break
        found_rows += [row] * len(taken)
        found_items += sorted(taken)
    starts = np.concatenate([[0], np.cumsum(np.bincount(found_rows, minlength=rows))]).astype(np.int64)
    return Transactions(starts, np.array(found_items, np.int32), list(range(items)))


def mushroom(rows: int = 8124, attributes: int = 23, seed: int = 0) -> Transactions:
    """Return mushroom-like rows: each attribute has one of a few values."""
    rng = np.random.default_rng(seed)
    values = rng.integers(2, 9, attributes)
    first = np.concatenate([[0], np.cumsum(values)])
    prototypes = np.stack([rng.integers(0, values) for _ in range(12)])
    common = rng.integers(0, values)
    likely = rng.beta(2.0, 1.2, attributes)
    table = prototypes[rng.integers(0, len(prototypes), rows)]
    table = np.where(rng.random((rows, attributes)) < likely, common, table)
    noise = rng.random((rows, attributes)) < 0.08
    table = np.where(noise, rng.integers(0, values, (rows, attributes)), table)
    items = (table + first[:-1]).astype(np.int32).ravel()
    return Transactions(np.arange(rows + 1) * attributes, items, list(range(int(first[-1]))))


def wide(rows: int, items: int = 1000, length: int = 10, seed: int = 0) -> Transactions:
    """Return rows of about *length* items each, rare and frequent ones, with planted triples."""
    rng = np.random.default_rng(seed)
    weight = 1 / (np.arange(items) + 20.0)
    drawn = rng.choice(items, rows * length, p=weight / weight.sum()).astype(np.int32).reshape(rows, length)
    for planted in range(20):
        at = rng.random(rows) < 0.004
        drawn[at, :3] = [items - 1 - 3 * planted - k for k in range(3)]
    drawn.sort(axis=1)
    fresh = np.ones(drawn.shape, bool)
    fresh[:, 1:] = drawn[:, 1:] != drawn[:, :-1]
    starts = np.concatenate([[0], np.cumsum(fresh.sum(1))]).astype(np.int64)
    return Transactions(starts, drawn[fresh], list(range(items)))


def peak() -> float:
    """Return this process's largest memory so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def beside(name: str, data: Transactions, support: float, pami: str | None) -> None:
    """Print our times and the peers' on the same rows."""
    least = int(np.ceil(support * len(data)))
    itemsets(data.part(np.arange(len(data)) < 10), 2, max_length=2)  # compile, import
    told: dict[str, Any] = {"data": name, "rows": len(data), "support": support}
    for kind, closed in (("closed", True), ("all", False)):
        began = time.perf_counter()
        found = mine(data, least, closed=closed)
        told[kind] = [round(time.perf_counter() - began, 3), len(found)]
    began = time.perf_counter()
    table = itemsets(data, support, closed=False)
    told["table"] = round(time.perf_counter() - began, 3)
    told["mb"] = round(peak())
    print(json.dumps(told), flush=True)
    try:
        import pandas as pd
        from mlxtend.frequent_patterns import fpgrowth
        from scipy.sparse import csr_matrix
    except ImportError:
        print("mlxtend is not installed; it is left out")
    else:
        ones = np.ones(len(data.items), bool)
        sparse = csr_matrix((ones, data.items, data.starts), shape=(len(data), len(data.names)))
        frame = pd.DataFrame.sparse.from_spmatrix(sparse, columns=[str(n) for n in data.names])
        began = time.perf_counter()
        theirs = fpgrowth(frame, min_support=support, use_colnames=False)
        seconds = time.perf_counter() - began
        ours = {frozenset(s): c for s, c in zip(table["itemsets"].to_list(), table["support"].to_list(), strict=True)}
        same = ours == dict(zip(map(frozenset, theirs["itemsets"]), theirs["support"], strict=True))
        ratio = seconds / told["table"]
        print(
            f"  mlxtend fpgrowth {seconds:.2f} s, {len(theirs)} sets, the same: {same}; {ratio:.1f} times ours, {peak():.0f} MiB"
        )
    if pami:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "rows.tsv"
            written(data, place)
            run = subprocess.run(
                [pami, "-c", PAMI, str(place), str(least)], capture_output=True, text=True, check=False
            )
        for line in run.stdout.splitlines():
            if line.startswith("{"):
                said = json.loads(line)
                for kind, own in (("fpgrowth", "table"), ("charm", "closed")):
                    if kind in said:
                        ours_s = told[own] if own == "table" else told[own][0]
                        print(
                            f"  PAMI {kind} {said[kind][0]:.2f} s, {said[kind][1]} sets; {said[kind][0] / ours_s:.1f} times ours, {said['mb']:.0f} MiB"
                        )
        if run.returncode:
            print("  PAMI:", run.stderr.strip().splitlines()[-1:])


def written(data: Transactions, place: Path) -> None:
    """Write rows as text, a row a line, items parted by tabs."""
    bounds = zip(data.starts[:-1].tolist(), data.starts[1:].tolist(), strict=True)
    place.write_text("\n".join("\t".join(map(str, data.items[a:b].tolist())) for a, b in bounds) + "\n")


def memory(name: str, data: Transactions, support: float, pami: str | None) -> None:
    """Print the largest memory of each miner, all frequent sets, in a process of its own that reads the rows from text."""
    least = int(np.ceil(support * len(data)))
    print(f"{name}, {len(data):,} rows, support {support}")
    runs = [("ours", sys.executable, OURS), ("mlxtend fpgrowth", sys.executable, MLXTEND)]
    runs += [("PAMI FPGrowth", pami, PAMI_ALONE)] if pami else []
    ours: tuple[float, float] | None = None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "rows.tsv"
        written(data, place)
        for kind, python, program in runs:
            given = [python, "-c", program, str(place), str(least), str(len(data))]
            run = subprocess.run(given, capture_output=True, text=True, check=False)
            if run.returncode:
                print(f"  {kind}: {run.stderr.strip().splitlines()[-1:]}")
                continue
            before, most, seconds, sets = json.loads(run.stdout.splitlines()[-1])
            ours = ours or (most, most - before)
            part = f"ours is {ours[0] / most:.2f} of it and grew by {ours[1] / (most - before):.2f} of what it did"
            told = f"  {kind:17} {most:7.0f} MiB, grew by {most - before:6.0f} MiB, {seconds:6.2f} s, {sets:,} sets"
            print(told + ("" if kind == "ours" else f"; {part}"), flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pami", help="a Python that has PAMI")
    parser.add_argument("--memory", action="store_true", help="the largest memory of each instead of times")
    parser.add_argument("--rows", type=int, help="made rows over 1,000 items instead")
    parser.add_argument("--support", type=float)
    given = parser.parse_args()
    if given.rows and given.memory:
        memory("made rows of about ten items out of 1,000", wide(given.rows), given.support or 0.001, given.pami)
        return
    if given.rows:
        data = wide(given.rows)
        print(f"made, {peak():.0f} MiB", flush=True)
        began = time.perf_counter()
        found = mine(data, int((given.support or 0.001) * given.rows))
        print(f"{given.rows} rows: {time.perf_counter() - began:.1f} s, {len(found)} closed sets, {peak():.0f} MiB")
        return
    told = memory if given.memory else beside
    told("T10I4D100K-like", quest(), given.support or 0.002, given.pami)
    told("mushroom-like", mushroom(), given.support or 0.15, given.pami)


if __name__ == "__main__":
    main()
