"""Train every model of the family on every data set with several seeds, and write the table into docs/models.md.

Run: ``python benchmarks/models.py [--seeds 3] [--data easy-vqa clevr fvqa] [--models NAME …] [--fvqa DIR --distractors TSV]``.
Every finished run is a line of ``benchmarks/models.jsonl``, and is not run again unless ``--again`` is given: a killed
benchmark goes on where it stopped, and ``--table`` alone writes the table of what is there. What lies between the two markers of docs/models.md
is replaced; nothing in the table is typed by hand.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from functools import cache
from pathlib import Path
from statistics import mean, stdev
from typing import Any

START, END = "<!-- table: python benchmarks/models.py -->", "<!-- end of table -->"
PAGE = Path(__file__).parents[1] / "docs" / "models.md"
RUNS = Path(__file__).with_name("models.jsonl")
SHAPES = (
    "modules",
    "graph",
    "conventional",
    "san",
    "hiecoatt",
    "updown",
    "bilinear-full",
    "bilinear-mcb",
    "bilinear-mlb",
    "bilinear-mfb",
    "bilinear-mutan",
    "blind",
)
#: on FVQA: KDMN and its ablations as (settings of the problem, settings of the network)
FVQA: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "kdmn": ({}, {}),
    "kdmn, attention GRU": ({}, {"context": "gru"}),
    "kdmn, one episode": ({}, {"episodes": 1}),
    "kdmn, mean pooling": ({}, {"episodes": 0}),
    "kdmn, a vocabulary of 1,000 beside the pointer": ({"vocabulary": 1000}, {}),
    "kdmn, choosing among four as well": ({"choices": 4}, {}),
    "kdmn, seen names hidden from the network": ({"blind": True}, {}),
    "kdmn, trained on shuffled knowledge": ({"knowledge": "shuffled"}, {}),
}
#: on FVQA: networks that read no fact; the first sees the picture
FACTLESS = ("no facts", "blind")
#: on FVQA: reasoners as shipped, asked once
SHIPPED = ("explicit", "hybrid")
#: at most, but for modules, which take a tenth of graph's time an epoch
EPOCHS = {"easy-vqa": 8, "clevr": 4}
COLUMNS = ("accuracy", "empty", "shuffled", "majority")


def shapes_run(name: str, data: str, seed: int, split: Any) -> dict[str, float]:
    """Train and test one network on coloured shapes; also without picture and with another question's picture."""
    from kgmm.cli.train import DEFAULTS, SHAPES_DEFAULT
    from kgmm.train.fit import Recipe, fit
    from kgmm.train.shapes import ShapesProblem

    epochs, batch, rate, decay = DEFAULTS.get(name, SHAPES_DEFAULT)
    epochs = epochs if name == "modules" else min(epochs, EPOCHS[data])
    problem = ShapesProblem(name, data, seed=seed, split=split)
    with tempfile.TemporaryDirectory() as out:
        fit(problem, out, Recipe(epochs=epochs, batch=batch, rate=rate, weight_decay=decay, seed=seed))
    test = split[2]
    return {
        "accuracy": problem.accuracy(test)["all"],
        "empty": problem.accuracy(test, "empty")["all"],
        "shuffled": problem.accuracy(test, "shuffled")["all"],
        "majority": problem.majority(test)["all"],
    }


@cache
def fvqa_problem(folder: str, distractors: str | None, **settings: Any) -> Any:
    """Return FVQA with its memories, made once for all seeds."""
    from kgmm.train.kdmn import FvqaProblem

    return FvqaProblem(folder, distractors, **settings)


def fvqa_run(name: str, seed: int, epochs: int, folder: str, distractors: str | None) -> dict[str, float]:
    """Train KDMN, an ablation or a twin on FVQA; its figure is top1 on the held-out pictures.

    15 % of the training pictures choose the epoch and teach nothing; the held-out ones choose nothing.
    """
    from kgmm.data.fvqa import load_questions, split_by_image
    from kgmm.evaluate.kdmn import majority
    from kgmm.reason.kdmn.tensors import pack
    from kgmm.train.fit import Recipe, fit
    from kgmm.train.guided.base import Plain
    from kgmm.train.kdmn import predict, score, split_training
    from kgmm.train.memories import spoiled
    from kgmm.train.twins import TwinProblem

    settings, network = FVQA.get(name, ({}, {}))
    base = fvqa_problem(folder, distractors, **settings)
    split = split_training(base, folder)
    if name in FACTLESS:
        epochs = 20
        problem: Any = TwinProblem(base, split, seed=seed, blind=name == "blind")
    else:
        problem = Plain(base, split, seed=seed, network=network)
    with tempfile.TemporaryDirectory() as out:
        recipe = Recipe(epochs=epochs, batch=64, rate=2e-3, seed=seed, patience=epochs)
        figures = {"accuracy": fit(problem, out, recipe).figures["held_top1"]}
    parts = split_by_image(load_questions(Path(folder) / "questions-train.json"), 0.2, 1)
    figures["majority"] = majority(*parts)["all"]
    for knowledge in ("empty", "shuffled") if name not in FACTLESS else ():
        part = spoiled(base.held, knowledge, seed)
        logits = predict(problem.model, pack([e.memory for e in part], base.words))
        figures[knowledge] = score(part, logits, base.answers)["top1"]
    return figures


def reasoner_run(name: str, folder: str, distractors: str | None) -> dict[str, float]:
    """Ask a shipped reasoner FVQA's held-out questions; its figure is top1."""
    from kgmm.data.fvqa import fvqa_store, load_questions, split_by_image
    from kgmm.evaluate.fvqa import ask_all, score

    questions = split_by_image(load_questions(Path(folder) / "questions-train.json"), 0.2, 1)[1]
    with fvqa_store(Path(folder), Path(distractors) if distractors else None) as (store, stated):
        asked = ask_all(store, stated, questions, reasoner=name)
    return {"accuracy": score(questions, asked.rows)["top1"]}


def wanted(a: argparse.Namespace) -> list[tuple[str, str, int]]:
    """Return the runs asked for, all models of one seed before the next seed."""
    runs = []
    for seed in range(a.seeds):
        for data in a.data:
            names = [*FVQA, *FACTLESS, *(SHIPPED if seed == 0 else ())] if data == "fvqa" else SHAPES
            runs += [(data, name, seed) for name in names if not a.models or name in a.models]
    return runs


def finished() -> dict[tuple[str, str, int], dict[str, Any]]:
    """Return the runs there are; a line cut off by a kill is passed over and its run made again."""
    found = {}
    for line in RUNS.read_text().splitlines() if RUNS.exists() else ():
        if line.endswith("}"):
            run = json.loads(line)
            found[(run["data"], run["model"], run["seed"])] = run
    return found


def forget(a: argparse.Namespace) -> None:
    """Take the runs asked for out of the finished ones: a model or its data changed."""
    kept = [run for key, run in finished().items() if key not in wanted(a)]
    RUNS.write_text("".join(json.dumps(run) + "\n" for run in kept))


def train(a: argparse.Namespace) -> None:
    from kgmm.train.shapes import parts

    splits: dict[str, Any] = {}
    for data, name, seed in wanted(a):
        if (data, name, seed) in finished():
            continue
        if data != "fvqa" and data not in splits:
            splits[data] = parts(data)
        start = time.perf_counter()
        if data != "fvqa":
            figures = shapes_run(name, data, seed, splits[data])
        elif name in SHIPPED:
            figures = reasoner_run(name, a.fvqa, a.distractors)
        else:
            figures = fvqa_run(name, seed, a.epochs, a.fvqa, a.distractors)
        run = {"data": data, "model": name, "seed": seed, **{k: round(v, 4) for k, v in figures.items()}}
        run["seconds"] = round(time.perf_counter() - start, 1)
        with RUNS.open("a") as lines:
            lines.write(json.dumps(run) + "\n")
        print(json.dumps(run), flush=True)


def table() -> str:
    """Return the table of all finished runs: mean ± standard deviation over the seeds."""
    rows: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (data, name, _), run in sorted(finished().items(), key=lambda r: _order(*r[0])):
        for column in (*COLUMNS, "seconds"):
            if column in run:
                rows[data, name][column].append(run[column])
    lines = [
        "| data | model | seeds | accuracy / top1 | blind | majority | empty picture or memory | shuffled | seconds a run |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (data, name), row in rows.items():
        blind = rows.get((data, "blind"), {}).get("accuracy", [])
        cells = [row["accuracy"], blind, row["majority"], row["empty"], row["shuffled"]]
        shown = " | ".join(map(_cell, cells))
        lines.append(f"| {data} | {name} | {len(row['accuracy'])} | {shown} | {mean(row['seconds']):.0f} |")
    return "\n".join(lines)


def _order(data: str, name: str, seed: int) -> tuple[str, int, str, int]:
    known = [*SHIPPED, *FVQA, "no facts", *SHAPES]
    return data, known.index(name) if name in known else len(known), name, seed


def _cell(figures: list[float]) -> str:
    if not figures:
        return ""
    if len(figures) == 1 or max(figures) == min(figures):
        return f"{figures[0]:.4f}"
    return f"{mean(figures):.4f} ± {stdev(figures):.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5, help="of KDMN")
    parser.add_argument("--data", nargs="*", default=["easy-vqa", "clevr"])
    parser.add_argument("--models", nargs="*")
    parser.add_argument("--fvqa", help="folder with questions-train.json and facts.jsonl")
    parser.add_argument("--distractors")
    parser.add_argument("--again", action="store_true", help="forget the finished runs of --data and --models first")
    parser.add_argument("--table", action="store_true", help="train nothing, write the table")
    a = parser.parse_args()
    if "fvqa" in a.data and not a.fvqa:
        parser.error("--data fvqa needs --fvqa DIR")
    if a.again:
        forget(a)
    if not a.table:
        train(a)
    head, rest = PAGE.read_text().split(START)
    PAGE.write_text(f"{head}{START}\n{table()}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
