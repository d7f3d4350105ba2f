"""Train every model of the family on every data set with several seeds, and write the table into docs/models.md.

Run: ``python benchmarks/models.py [--seeds 3] [--epochs 5] [--fvqa DIR --distractors TSV] [--small]``. What lies
between the two table markers of docs/models.md is replaced; nothing in the table is typed by hand.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import mean, stdev

from kgmm.nn.vqa import JOINS
from kgmm.reason.shapes import ShapesProblem, parts
from kgmm.train import Recipe, fit

START, END = "<!-- table: python benchmarks/models.py -->", "<!-- end of table -->"
PAGE = Path(__file__).parents[1] / "docs" / "models.md"


def shapes_rows(data: str, names: list[str], seeds: int, epochs: int, small: bool) -> list[str]:
    split, rows = parts(data, small), []
    for name in names:
        figures = []
        for seed in range(seeds):
            problem = ShapesProblem(name, data, seed=seed, split=split)
            with tempfile.TemporaryDirectory() as out:
                fit(problem, out, Recipe(epochs=epochs, batch=128, rate=4e-3, weight_decay=1e-4, seed=seed))
            figures.append(problem.accuracy(split[2])["all"])
        rows.append(f"| {data} | {name} | {shown(figures)} |")
        print(rows[-1], flush=True)
    return [*rows, f"| {data} | majority answer | {problem.majority(split[2]):.4f} |"]


def fvqa_rows(folder: str, distractors: str | None, seeds: int, epochs: int) -> list[str]:
    from kgmm.reason.fvqa_problem import FvqaProblem

    rows = []
    for label, options in (
        ("kdmn", {}),
        ("kdmn, one episode", {"network": {"episodes": 1}}),
        ("kdmn, mean pooling", {"network": {"episodes": 0}}),
        ("kdmn, shuffled knowledge", {"knowledge": "shuffled"}),
        ("kdmn, empty knowledge", {"knowledge": "empty"}),
        ("kdmn, seen names hidden from the network", {"blind": True}),
    ):
        figures = []
        for seed in range(seeds):
            problem = FvqaProblem(folder, distractors, seed=seed, **options)
            with tempfile.TemporaryDirectory() as out:
                figures.append(
                    fit(problem, out, Recipe(epochs=epochs, batch=64, rate=2e-3, seed=seed)).figures["top1"]
                )
        rows.append(f"| fvqa (held-out images) | {label} | {shown(figures)} |")
        print(rows[-1], flush=True)
    return rows


def shown(figures: list[float]) -> str:
    return f"{mean(figures):.4f}" + (f" ± {stdev(figures):.4f}" if len(figures) > 1 else " (one seed)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data", nargs="*", default=["easy-vqa", "clevr"])
    parser.add_argument("--models", nargs="*", default=["modules", *JOINS])
    parser.add_argument("--fvqa")
    parser.add_argument("--distractors")
    parser.add_argument("--small", action="store_true")
    a = parser.parse_args()
    rows = [row for data in a.data for row in shapes_rows(data, a.models, a.seeds, a.epochs, a.small)]
    if a.fvqa:
        rows += fvqa_rows(a.fvqa, a.distractors, a.seeds, a.epochs)
    table = "\n".join(["| data | model | accuracy / top1 |", "|---|---|---|", *rows])
    head, rest = PAGE.read_text().split(START)
    PAGE.write_text(f"{head}{START}\n{table}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
