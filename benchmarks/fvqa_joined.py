"""What the hybrid's answers to FVQA gain from KDMN and the graph network: logits added, weights fitted on other images.

    python -m benchmarks.fvqa_joined FVQA --distractors TRIPLES --kb KB

Questions about the images that all three held out in training (a fifth). Each of the hybrid's five best answers is
scored by every reasoner; the weights are fitted on half of the images and measured on the other, and the other way round.
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.data.fvqa import FvqaQuestion, fvqa_store, load_questions, right_answer, split_by_image
from kgmm.language.words import normal
from kgmm.reason import ask
from kgmm.reason.graph_network.model import SHIPPED, load_model
from kgmm.reason.kdmn.reasoner import read
from kgmm.reason.task import Task
from kgmm.retrieve.joint import joint_graph
from kgmm.store import LocalStore

BEST = 5  #: answers of the hybrid that are scored
LEAST = 1e-4  #: probability of an answer that a reasoner does not name
GRID = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5)
NAMES = ("hybrid", "kdmn", "graph network")

Row = dict[str, Any]


def collect(store: LocalStore, questions: list[FvqaQuestion]) -> list[Row]:
    """Return each question's answers with a log-probability by each reasoner, and which of them are right."""
    model, rows = load_model(SHIPPED), []
    for n, q in enumerate(questions, 1):
        scene = q.scene()
        said = ask(store, scene, q.question, threshold=0.0, top=BEST)
        answers = [said.text, *(text for text, _ in said.alternatives)] if said.text is not None else []
        first = [said.score, *(score for _, score in said.alternatives)]
        row: Row = {"image": q.image, "answers": answers, "right": [right_answer(a, q.answer) for a in answers]}
        if answers:
            pointed = {normal(a.text): a.probability for a in read(Task(store, scene, q.question)).answers()}
            graph = joint_graph(store, q.question, model.encoder, scene=scene, choices=answers)
            logits = model.scores([graph])[0]
            row["scores"] = [
                np.log(np.maximum(first, LEAST)).tolist(),
                [float(np.log(max(pointed.get(normal(a), 0.0), LEAST))) for a in answers],
                (logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()).tolist(),
            ]
        rows.append(row)
        print(f"\r{n} of {len(questions)}", end="", flush=True)
    print()
    return rows


def hits(rows: list[Row], weights: tuple[float, ...], best: int = 1) -> float:
    """Return the share of questions one of whose *best* answers is right."""
    found = 0
    for row in rows:
        if row["answers"]:
            total = np.array(weights) @ np.array(row["scores"])
            found += any(row["right"][i] for i in np.argsort(-total, kind="stable")[:best])
    return found / max(len(rows), 1)


def fitted(rows: list[Row], free: tuple[int, ...]) -> tuple[float, ...]:
    """Return the weights with the most right answers, of those reasoners that are free; the hybrid's is 1."""
    tried = []
    for values in product(GRID, repeat=len(free)):
        weights = [1.0, 0.0, 0.0]
        for at, value in zip(free, values, strict=True):
            weights[at] = value
        tried.append((hits(rows, tuple(weights)), -sum(values), tuple(weights)))
    return max(tried)[2]


def crossed(rows: list[Row], free: tuple[int, ...]) -> tuple[float, float, list[tuple[float, ...]]]:
    """Return the shares right at 1 and 3, each half by weights fitted on the other, and the weights."""
    images = sorted({row["image"] for row in rows})
    chosen = set(images[::2])
    halves = [row for row in rows if row["image"] in chosen], [row for row in rows if row["image"] not in chosen]
    used = [fitted(other, free) for other in reversed(halves)]
    at = [
        sum(hits(half, weights, best) * len(half) for half, weights in zip(halves, used, strict=True)) / len(rows)
        for best in (1, 3)
    ]
    return at[0], at[1], used


def main() -> None:
    """Collect, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--distractors", type=Path)
    parser.add_argument("--kb", type=Path)
    parser.add_argument("--keep", type=Path, help="keep what was collected in this file, and use it if it is there")
    given = parser.parse_args()
    questions = split_by_image(load_questions(given.folder / "questions-train.json"), 0.2, 1)[1]
    if given.keep is not None and given.keep.is_file():
        rows = json.loads(given.keep.read_text())
    else:
        with fvqa_store(given.folder, given.distractors, given.kb) as (store, _):
            rows = collect(store, questions)
        if given.keep is not None:
            given.keep.write_text(json.dumps(rows))
    print(f"{len(rows)} questions; one of the hybrid's {BEST} is right: {hits(rows, (1, 0, 0), BEST):.4f}")
    for weights in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)):
        print(f"weights {weights}: top1 {hits(rows, weights):.4f}, top3 {hits(rows, weights, 3):.4f}")
    for free in ((1,), (2,), (1, 2)):
        one, three, used = crossed(rows, free)
        print(f"hybrid with {' and '.join(NAMES[i] for i in free)}: top1 {one:.4f}, top3 {three:.4f}, weights {used}")


if __name__ == "__main__":
    main()
