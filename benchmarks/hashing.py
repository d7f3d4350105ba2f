"""Every hashing method on a cross-modal data set: mAP both ways, fit and encode time, as a table.

python benchmarks/hashing.py DIR [--methods scm-seq cvh …] [--bits 16 32 64 128] [--seeds 0 1 2] [--codes own|unified] [--json FILE]

The three switches are stated in every row: the cut-off (all, and 50), how database items are coded, and that the
training items are the database. Rows are printed as they are done.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from kgmm.encode.evaluate_hashing import evaluate, read_cross_modal
from kgmm.encode.hashing import methods


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--methods", nargs="+", default=methods())
    parser.add_argument("--bits", nargs="+", type=int, default=[16, 32, 64, 128])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--codes", choices=["own", "unified"], default="own")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    data = read_cross_modal(options.folder)
    print(
        "| method | bits | image→text @all | @50 | text→image @all | @50 | fit, s |\n|---|---|---|---|---|---|---|"
    )
    rows = []
    for method in options.methods:
        for bits in options.bits:
            runs = [evaluate(data, method, bits, options.codes, seed) for seed in options.seeds]
            rows += runs
            ways = [
                [np.mean([r[way][k] for r in runs]) for k in ("map", "map50")]
                for way in ("image_to_text", "text_to_image")
            ]
            (a, b), (c, d) = ways
            fit = np.mean([r["fit_seconds"] for r in runs])
            print(f"| {method} | {bits} | {a:.3f} | {b:.3f} | {c:.3f} | {d:.3f} | {fit:.2f} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
