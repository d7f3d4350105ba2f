"""Ten nearest of a million 128-bit codes: our index beside FAISS called directly, in the same run.

python benchmarks/codes.py [--codes 1000000] [--queries 200] [--json]
"""

from __future__ import annotations

import argparse
import json
import time

import faiss
import numpy as np

from kgmm.hashing.index import CodeIndex


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (options.codes, 16), dtype=np.uint8)
    queries = rng.integers(0, 256, (options.queries, 16), dtype=np.uint8)
    direct = faiss.IndexBinaryFlat(128)
    direct.add(codes)
    ours = CodeIndex(codes)
    times: dict[str, list[float]] = {"faiss": [], "ours": []}
    for _ in range(5):
        for name, search in (("faiss", lambda: direct.search(queries, 10)), ("ours", lambda: ours.search(queries, 10))):
            start = time.perf_counter()
            search()
            times[name].append(time.perf_counter() - start)
    best = {name: min(t) for name, t in times.items()}
    figures = {
        "codes": options.codes,
        "queries": options.queries,
        "ms_a_query": round(1e3 * best["ours"] / options.queries, 3),
        "speed_of_direct_faiss": round(best["faiss"] / best["ours"], 3),
    }
    print(json.dumps(figures, indent=2) if options.json else figures)


if __name__ == "__main__":
    main()
