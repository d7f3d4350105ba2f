"""Measure what knowledge-guided fusion is worth to KDMN on FVQA, and write the table into docs/models.md.

Run: ``python benchmarks/fusion.py FVQA --distractors TSV [--seeds 3] [--shares 1 0.1 0.02] [--table]``.

Every network is trained on a share of the labels, 15 % of whose images (30 % of a smaller share) are not learned from
but choose the epoch and fit temperatures; the figures are those of the fifth of all images that nothing has seen. A
finished run is a line of ``benchmarks/fusion.jsonl`` and is not run again, so a killed benchmark goes on where it
stopped. KDMN has its default width of 64.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from typing import Any

START, END = "<!-- table: python benchmarks/fusion.py -->", "<!-- end of the fusion table -->"
ROOT = Path(__file__).parents[1]
PAGE, RUNS = ROOT / "docs" / "models.md", Path(__file__).with_suffix(".jsonl")
#: facts a memory holds where a policy picks them
K = 4
#: row → what it is compared with
ROWS = {
    "kdmn": "",
    "kdmn, prior": "kdmn",
    "kdmn, teacher": "kdmn",
    f"kdmn, {K} facts by cosine": "",
    f"kdmn, {K} facts by policy gradient": f"kdmn, {K} facts by cosine",
    f"kdmn, {K} facts, gold facts taught": f"kdmn, {K} facts by cosine",
    "no facts": "",
    "no facts, prior": "no facts",
    "no facts, teacher": "no facts",
    "question only": "",
}
#: share of the labels → (epochs of KDMN, of networks without facts, share kept for tuning)
EPOCHS = {1.0: (5, 20, 0.15), 0.1: (20, 20, 0.3), 0.02: (30, 30, 0.3)}
FIGURES = ("held_top1", "held_top3", "held_fact1")


class Bench:
    """FVQA with its memories, the store and the teacher's answers: made once, used by all runs."""

    def __init__(self, folder: str, distractors: str | None, taught: Path | None) -> None:
        from kgmm.encode import text_encoder
        from kgmm.train.guided.prior import Support
        from kgmm.train.kdmn import FvqaProblem
        from kgmm.train.memories import cache_folder, load_fact_base

        self.folder, self.distractors = folder, distractors
        self.problem = FvqaProblem(folder, distractors)
        more = Path(distractors) if distractors else None
        self.support = Support(load_fact_base(Path(folder), text_encoder("minilm"), cache_folder(), more))
        self.taught: list[dict[str, float]]
        if taught is not None and taught.exists():
            self.taught = json.loads(taught.read_text())
        else:
            self.taught = self._teacher()
            if taught is not None:
                taught.write_text(json.dumps(self.taught))

    def _teacher(self) -> list[dict[str, float]]:
        from kgmm.data.fvqa import fvqa_store, load_questions, split_by_image
        from kgmm.train.guided.teacher import teacher_answers

        questions = split_by_image(load_questions(Path(self.folder) / "questions-train.json"), 0.2, 1)[0]
        with fvqa_store(Path(self.folder), Path(self.distractors) if self.distractors else None) as (store, _):
            return teacher_answers(store, questions)

    def run(self, row: str, share: float, seed: int) -> dict[str, dict[str, float]]:
        """Train one row's network on a share of the labels; a row with a prior uses the weights of that without."""
        from kgmm.train.fit import Recipe, fit
        from kgmm.train.guided.base import Plain
        from kgmm.train.guided.policy import PolicyProblem
        from kgmm.train.guided.prior import PriorProblem, weigh
        from kgmm.train.guided.teacher import FactlessStudent, Lesson, StudentProblem
        from kgmm.train.kdmn import split_training
        from kgmm.train.twins import TwinProblem

        epochs, factless, tune = EPOCHS[share]
        split, p = split_training(self.problem, self.folder, share, tune), self.problem
        lesson = Lesson(0.3 if share == 1 else 0.5, temperature=1.0)
        make: dict[str, Callable[[], Any]] = {
            "kdmn": lambda: Plain(p, split, seed=seed),
            "kdmn, teacher": lambda: StudentProblem(p, split, self.taught, lesson, seed),
            "no facts": lambda: TwinProblem(p, split, seed=seed),
            "no facts, teacher": lambda: FactlessStudent(p, split, self.taught, lesson, seed),
            "question only": lambda: TwinProblem(p, split, seed=seed, blind=True),
        }
        for name, how in zip([*ROWS][3:6], ("cosine", "reinforce", "supervised"), strict=True):
            make[name] = lambda how=how: PolicyProblem(p, split, seed=seed, k=K, retrieval=how)  # type: ignore[misc]
        problem = make[row]()
        most = epochs if row.startswith("kdmn") else factless
        if row == "kdmn, teacher" and share < 1:
            most //= 2  # all questions are taught, labelled or not
        recipe = Recipe(epochs=most, batch=64, rate=2e-3, seed=seed, patience=most)
        with tempfile.TemporaryDirectory() as out:
            found = {row: fit(problem, out, recipe).figures}
        if row == "kdmn":
            weighed = PriorProblem(p, split, self.support, seed=seed)
            weighed.model = problem.model
            found["kdmn, prior"] = weighed.evaluate()
        if row == "no facts":
            found["no facts, prior"] = weigh(problem, self.support)
        kept = (*FIGURES, "power", "beta", "alpha")
        return {name: {k: v for k, v in figures.items() if k in kept} for name, figures in found.items()}


def finished() -> dict[tuple[float, str, int], dict[str, Any]]:
    """Return the runs there are."""
    lines = RUNS.read_text().splitlines() if RUNS.exists() else []
    runs = [json.loads(line) for line in lines if line.endswith("}")]
    return {(r["share"], r["row"], r["seed"]): r for r in runs}


def table() -> str:
    """Return the table of all finished runs: mean ± standard deviation over the seeds, and the mean paired difference."""
    runs = finished()
    found: dict[tuple[float, str], dict[int, dict[str, Any]]] = defaultdict(dict)
    for (share, row, seed), run in runs.items():
        found[share, row][seed] = run
    lines = ["| labels | network | seeds | top1 | top3 | fact1 | top1 against |", "|---|---|---|---|---|---|---|"]
    for share, row in sorted(found, key=lambda k: (-k[0], [*ROWS].index(k[1]))):
        mine, other = found[share, row], found.get((share, ROWS[row]), {})
        cells = [_cell([r[f] for r in mine.values() if f in r]) for f in FIGURES]
        gains = [mine[s]["held_top1"] - other[s]["held_top1"] for s in mine if s in other]
        against = f"{mean(gains):+.3f} ({ROWS[row]})" if gains else ""
        lines.append(f"| {share:.0%} | {row} | {len(mine)} | {' | '.join(cells)} | {against} |")
    return "\n".join(lines)


def _cell(figures: list[float]) -> str:
    if not figures:
        return ""
    return f"{mean(figures):.3f} ± {stdev(figures):.3f}" if len(figures) > 1 else f"{figures[0]:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fvqa", nargs="?", help="folder with questions-train.json and facts.jsonl")
    parser.add_argument("--distractors")
    parser.add_argument("--taught", type=Path, help="keep the teacher's answers, which take minutes, in this file")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shares", type=float, nargs="*", default=list(EPOCHS))
    parser.add_argument("--table", action="store_true", help="train nothing, write the table")
    a = parser.parse_args()
    wanted = [
        (share, row, seed)
        for seed in range(a.seeds)
        for share in a.shares
        for row in ROWS
        if not row.endswith(", prior")
    ]
    wanted = [] if a.table else [run for run in wanted if run not in finished()]
    if wanted and not a.fvqa:
        parser.error("name the folder of FVQA, or --table")
    bench = Bench(a.fvqa, a.distractors, a.taught) if wanted else None
    for share, row, seed in wanted:
        assert bench is not None
        start = time.perf_counter()
        for name, figures in bench.run(row, share, seed).items():
            seconds = round(time.perf_counter() - start, 1)
            rounded = {k: round(v, 4) for k, v in figures.items()}
            run = {"share": share, "row": name, "seed": seed, **rounded, "seconds": seconds}
            with RUNS.open("a") as lines:
                lines.write(json.dumps(run) + "\n")
            print(json.dumps(run), flush=True)
    head, rest = PAGE.read_text().split(START)
    PAGE.write_text(f"{head}{START}\n{table()}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
