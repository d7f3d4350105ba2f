"""Every hashing method on a cross-modal data set: mAP both ways, mean ± deviation over seeds, as a table.

python benchmarks/hashing.py DIR [--methods scm-seq cvh …] [--bits 16 32 64 128] [--seeds 0 1 2] [--runs FILE] [--write]

Each run is a line of FILE as soon as it is done, so that a killed benchmark goes on where it was. The three switches are
stated in every row: the cut-off (all, and 50), how database items are coded (own: by their modality's function; unified:
the pair's joint code, for methods that have one), and that the training items are the database. ``--write`` puts the
table between the markers of docs/hashing.md.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.data.cross_modal import read_cross_modal
from kgmm.evaluate.hashing import evaluate
from kgmm.hashing import create, methods

PAGE = Path(__file__).parents[1] / "docs" / "hashing.md"
BEGIN, END = "<!-- table: python benchmarks/hashing.py -->", "<!-- end of table -->"
#: methods whose pairs have a joint code that the literature reports
UNIFIED = ("cmfh", "seph")
LINEAR = ("cvh", "cca-itq", "imh", "scm-orth", "scm-seq", "cmfh", "qch", "crh")
HEAD = "| method | bits | codes | image→text @all | @50 | text→image @all | @50 | fit, s |\n|---|---|---|---|---|---|---|---|"


def key(run: dict[str, Any]) -> tuple[str, int, str, int]:
    return run["method"], run["bits"], run["codes"], run["seed"]


def measured(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return all runs, those that *options.runs* lacks made now."""
    runs = [json.loads(line) for line in options.runs.read_text().splitlines()] if options.runs.exists() else []
    done = {key(run) for run in runs}
    data = read_cross_modal(options.folder)
    for method in options.methods:
        for codes in ("own", "unified") if method in UNIFIED else ("own",):
            for bits in options.bits:
                for seed in options.seeds:
                    if (method, bits, codes, seed) in done:
                        continue
                    runs.append(evaluate(data, method, bits, codes, seed))
                    with options.runs.open("a") as lines:
                        lines.write(json.dumps(runs[-1]) + "\n")
                print(method, codes, bits, flush=True)
    return runs


def table(runs: list[dict[str, Any]], options: argparse.Namespace) -> str:
    rows = [HEAD]
    for method in options.methods:
        for codes in ("own", "unified"):
            for bits in options.bits:
                same = [r for r in runs if key(r)[:3] == (method, bits, codes) and r["seed"] in options.seeds]
                if not same:
                    continue
                cells = [
                    f"{np.mean(values):.3f} ± {np.std(values):.3f}"
                    for way in ("image_to_text", "text_to_image")
                    for values in ([r[way][k] for r in same] for k in ("map", "map50"))
                ]
                fit = np.mean([r["fit_seconds"] for r in same])
                rows.append(f"| {method} | {bits} | {codes} | {' | '.join(cells)} | {fit:.1f} |")
    return "\n".join(rows)


def rates(bits: int = 64, items: int = 200_000, dim: int = 128) -> str:
    """Return how many items a second linear methods encode, of *dim* float32 features."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 1000, dim)).astype(np.float32)
    labels = np.eye(10)[random.integers(0, 10, 1000)]
    many = random.normal(size=(items, dim)).astype(np.float32)
    said = []
    for method in LINEAR:
        hasher = create(method, bits=bits, seed=0).fit(x, y, labels)
        hasher.encode(many[:1000], "image")
        start = time.perf_counter()
        hasher.encode(many, "image")
        said.append(f"{method} {items / (time.perf_counter() - start) / 1e6:.1f}")
    return f"Million items of {dim} numbers encoded a second, {bits} bits: {', '.join(said)}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--methods", nargs="+", default=methods())
    parser.add_argument("--bits", nargs="+", type=int, default=[16, 32, 64, 128])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("hashing-runs.jsonl"), help="one line a run")
    parser.add_argument("--write", action="store_true", help="put the table into docs/hashing.md")
    options = parser.parse_args()
    runs = measured(options)
    text = f"{table(runs, options)}\n\n{rates()}"
    print(text)
    if options.write:
        head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN, 1)
        PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
