"""Recommenders of two domains for users cold in one: made worlds, and MovieLens-100K cut into two genres.

``python -m benchmarks.recommend_domains [--data DIR] [--parts made,genres] [--methods emcdr,ridge,…]``; without DIR the wheel of
``recbole`` is fetched, as by ``benchmarks.recommend``. On MovieLens each method's settings are chosen by cold users among the
training users, whose own target ratings are the only ones it sees; in the made worlds they are the methods' own.
"""

import argparse
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recommend import movielens
from kgmm.data.item_fields import cut_by_field, read_item_fields
from kgmm.data.made_ratings import Domains, made_domains
from kgmm.data.ratings import read_ratings
from kgmm.evaluate.recommend_cold import ColdErrors, cold_errors
from kgmm.recommend import seeded
from kgmm.recommend.ratings import Ratings

PARTS = ("made", "genres")
PAIRS = (("Comedy", "Drama"), ("Action", "Drama"))
SHARES = (0.1, 0.3, 0.5)

#: a name -> the method, and what its settings are chosen from
METHODS: dict[str, tuple[str, dict[str, list[Any]]]] = {
    "emcdr": ("emcdr", {"factors": [10, 20], "weight": [0.02, 0.05, 0.1]}),
    "emcdr linear": (
        "emcdr",
        {"mapping": ["linear"], "factors": [10, 20], "weight": [0.02, 0.05, 0.1], "shrink": [0.01, 0.1]},
    ),
    "ridge": ("ridge", {"factors": [10, 20], "weight": [0.02, 0.05, 0.1], "shrink": [1.0, 10.0]}),
    "latent-attributes": (
        "latent-attributes",
        {"factors": [10, 20], "weight": [0.02, 0.05, 0.1], "sparsity": [0.01, 0.05]},
    ),
    "xptrans": ("xptrans", {"factors": [5], "source_factors": [5], "weight": [0.02, 1.0, 5.0]}),
    "tlrec": ("tlrec", {"factors": [5], "weight": [0.5, 2.0, 5.0, 10.0]}),
    "tpcf": ("tpcf", {"factors": [5], "weight": [1.0, 3.0, 6.0, 12.0]}),
    "consistency": ("consistency", {"factors": [5], "rounds": [2], "turns": [60], "weight": [1.0, 4.0, 10.0]}),
    "dca": ("dca", {"factors": [10, 20], "weight": [0.05, 0.1], "shrink": [0.01, 0.1]}),
}


def settings(grid: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """All combinations."""
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def without_cold(two: Domains, share: float, seed: int) -> Domains:
    """The domains without the target ratings of the users that :func:`cold_errors` makes cold."""
    both = np.array([u for u, name in enumerate(two.target.users) if name in two.source.user_number])
    cold = np.random.default_rng(seed).permutation(both)[: round(share * len(both))]
    return Domains(two.target.take(~np.isin(two.target.user, cold)), two.source)


def made(methods: list[str], seeds: list[int]) -> None:
    """The tables of made worlds: RMSE of cold users, means of seeds, settings as they are."""
    for rated, share in ((0.2, 0.3), (0.15, 0.2)):
        for bend in (0.0, 1.0):
            print(f"600 users, 150 items, overlap .5, rated {rated}, bend {bend}, share {share}, seeds {seeds}")
            figures: dict[str, list[float]] = {}
            for seed in seeds:
                two = made_domains(users=600, items=150, overlap=0.5, rated=rated, bend=bend, seed=seed)
                linear = {"mapping": "linear"}
                models = {
                    name: seeded(METHODS[name][0], seed, **(linear if name == "emcdr linear" else {}))
                    for name in methods
                }
                errors = cold_errors(two, models, share=share, seed=seed)
                for name in errors.off:
                    figures.setdefault(name, []).append(errors.rmse(name))
            for name, found in figures.items():
                print(f"  {name:18} {np.mean(found):.3f}   {' '.join(f'{f:.3f}' for f in found)}", flush=True)


def chosen(two: Domains, name: str, seed: int) -> dict[str, Any]:
    """The settings that predict cold users best among users whose target ratings may be learned from."""
    method, grid = METHODS[name]
    best, found = np.inf, {}
    for one in settings(grid):
        error = cold_errors(two, {name: seeded(method, seed, **one)}, share=0.3, seed=100 + seed).rmse(name)
        if error < best:
            best, found = error, one
    return found


def genres(ratings: Ratings, fields: dict[str, Any], methods: list[str], seeds: list[int]) -> None:
    """RMSE of cold users of one genre from their ratings of another, and whether users' errors differ by more than chance."""
    for target, source in PAIRS:
        two = cut_by_field(ratings, fields, "class", target, source)
        both = len(set(two.target.users) & set(two.source.users))
        print(f"{target} from {source}: {len(two.target)} and {len(two.source)} ratings, {both} users of both")
        picked: dict[tuple[str, int], dict[str, Any]] = {}
        for name, seed in product(methods, seeds):  # the users cold at .5 hold those of .3 and .1
            begun = time.process_time()
            picked[name, seed] = chosen(without_cold(two, max(SHARES), seed), name, seed)
            print(f"  chosen {name} {seed}: {picked[name, seed]} ({time.process_time() - begun:.0f} s)", flush=True)
        for share in SHARES:
            runs: list[ColdErrors] = []
            for seed in seeds:
                models = {name: seeded(METHODS[name][0], seed, **picked[name, seed]) for name in methods}
                runs.append(cold_errors(two, models, share=share, seed=seed))
            for name in runs[0].off:
                figures = [run.rmse(name) for run in runs]
                told = " ".join(f"{f:.4f}" for f in figures)
                beside = []
                for other in ("item-mean", "both-means", "emcdr linear"):
                    if other in runs[0].off and other != name:
                        ps = [run.ahead_p(name, other, seed) for run, seed in zip(runs, seeds, strict=True)]
                        beside.append(f"{other} {' '.join(f'{p:.3f}' for p in ps)}")
                print(f"  {share:.1f} {name:18} {np.mean(figures):.4f}   {told}   p: {'; '.join(beside)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seeds", default="0,1,2")
    given = parser.parse_args()
    parts, methods = given.parts.split(","), given.methods.split(",")
    if strange := {*parts, *methods} - {*PARTS, *METHODS}:
        parser.error(f"no {', '.join(sorted(strange))}; there are: {', '.join((*PARTS, *METHODS))}")
    seeds = [int(seed) for seed in given.seeds.split(",")]
    if "made" in parts:
        made(methods, seeds)
    if "genres" not in parts:
        return
    with movielens(given.data) as place:
        if place is None:
            sys.exit("the wheel of recbole cannot be had; --data names a folder with MovieLens-100K")
        genres(read_ratings(place / "ml-100k.inter"), read_item_fields(place), methods, seeds)


if __name__ == "__main__":
    main()
