"""Measure policies of trust beside crowd-kit's on crowds whose truth is known, ours on made-up ones, and how long a million claims take.

Run: ``python benchmarks/crowd.py CROWD… [--slow] [--claims 1000000]``; each CROWD as for ``kgmm eval crowd``. crowd-kit is no
part of kgmm: without it only ours are run. Its GLAD, MACE and MMSR take minutes on the larger sets and run with ``--slow``.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.data.crowd import Crowd, read_crowd
from kgmm.evaluate.crowd import evaluate
from kgmm.trust import infer, policies

QUICK, SLOW = ("MajorityVote", "DawidSkene", "OneCoinDawidSkene"), ("GLAD", "MACE", "MMSR")


def crowd_kit(slow: bool) -> dict[str, Callable[[], Any]]:
    try:
        import crowdkit.aggregation.classification as kit
    except ImportError:
        print("crowd-kit is not installed; only ours are run")
        return {}
    made: dict[str, Callable[[], Any]] = {name: getattr(kit, name) for name in (*QUICK, *(SLOW if slow else ()))}
    for name in ("DawidSkene", "OneCoinDawidSkene"):
        made[name] = lambda name=name: getattr(kit, name)(n_iter=100)
    return made


def accuracy_of(policy: Any, crowd: Crowd) -> float:
    import pandas as pd

    table = pd.DataFrame({"task": crowd.item, "worker": crowd.contributor, "label": crowd.value})
    found = policy.fit_predict(table)
    known = {item: truth for item, truth in crowd.truth.items() if item in found.index}
    return float(np.mean([str(found[item]) == truth for item, truth in known.items()]))


#: items, contributors, values, answers an item: from crowds that tables can be filled from to such that they cannot
SHAPES = ((500, 60, 2, 3), (800, 100, 4, 10), (500, 100, 4, 5), (1000, 300, 3, 3), (400, 60, 6, 5), (600, 400, 5, 3))


def made_up(items: int, people: int, values: int, each: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """A crowd of which everyone has a table of their own, around a skill and a bias that all share; few answer most."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(values, items, p=rng.dirichlet(np.full(values, 3.0)))
    bias, skill = rng.dirichlet(np.ones(values), values), rng.beta(4, 2, people)
    mean = skill[:, None, None] * np.eye(values) + (1 - skill[:, None, None]) * bias
    tables = rng.standard_gamma(3 * values * mean + 0.05)
    tables /= tables.sum(2, keepdims=True)
    often = 1 / (1 + np.arange(people))
    item = np.repeat(np.arange(items), each)
    who = np.concatenate([rng.choice(people, each, replace=False, p=often / often.sum()) for _ in range(items)])
    drawn = rng.random((len(item), 1))
    said = (tables[who, truth[item]].cumsum(1) < drawn).sum(1).clip(0, values - 1)
    return [item, who, said], truth


def made_up_rows(seeds: int = 20) -> None:
    print("made up: items, contributors, values, answers an item;", ", ".join(policies()))
    for shape in SHAPES:
        right: dict[str, list[float]] = {policy: [] for policy in policies()}
        for seed in range(1000, 1000 + seeds):
            said, truth = made_up(*shape, seed)
            for policy, values in right.items():
                belief = infer(*said, policy=policy)
                values.append(float((belief.values[belief.best()] == truth[belief.items]).mean()))
        print(*(f"{n:4}" for n in shape), *(f"{np.mean(values):.4f}" for values in right.values()))


def million(claims: int) -> None:
    rng = np.random.default_rng(0)
    items, people, values = claims // 5, max(claims // 500, 1), 4
    truth, skill = rng.integers(0, values, items), rng.beta(4, 2, people)
    item, who = np.repeat(np.arange(items), 5), rng.integers(0, people, items * 5)
    said = np.where(rng.random(len(item)) < skill[who], truth[item], rng.integers(0, values, len(item)))
    for policy in policies():
        infer(item[:100], who[:100], said[:100], policy=policy)  # compiled before it is timed
        for open in (False, True):
            start = time.perf_counter()
            infer(item, who, said, policy=policy, open=open)
            print(f"{policy:20} {'open' if open else '':5} {len(item):,} claims {time.perf_counter() - start:6.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crowds", nargs="*", type=Path, metavar="CROWD")
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--claims", type=int, default=1_000_000)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    crowds = [read_crowd(place) for place in given.crowds]
    rows: dict[str, list[float]] = {}
    for crowd in crowds:
        for policy, value in evaluate(crowd)["accuracy"].items():
            rows.setdefault(policy, []).append(value)
    for name, make in (crowd_kit(given.slow) if crowds else {}).items():
        for crowd in crowds:
            try:
                value = accuracy_of(make(), crowd)
            except Exception as error:  # a policy for two values only, say; the row says so
                print(f"crowd-kit {name}: {type(error).__name__}: {error}")
                value = float("nan")
            rows.setdefault(f"crowd-kit {name}", []).append(value)
    for name, values in rows.items():
        print(f"{name:28}", *(f"{value:.4f}" for value in values), f" mean {np.mean(values):.4f}")
    made_up_rows()
    million(given.claims)


if __name__ == "__main__":
    main()
