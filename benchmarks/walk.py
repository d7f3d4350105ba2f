"""Walks beside their peers on one ConceptNet-shaped graph; writes the walk section of docs/performance.md.

Run with ``make bench-walk``. Options: ``--nodes`` and ``--edges`` for other sizes, ``--dry`` to write nothing.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numba
import numpy as np

from kgmm.graph import GraphView, threads

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- walk:begin (written by make bench-walk) -->", "<!-- walk:end -->"
RESTART, TOL = 0.15, 1e-8


def conceptnet_shaped(nodes: int, edges: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return ends of *edges* random statements: every node once, the rest by a power law (exponent 2.3)."""
    random = np.random.default_rng(seed)
    share = np.cumsum((np.arange(nodes) + 10.0) ** (-1 / 1.3))
    share /= share[-1]
    shuffled = random.permutation(nodes)
    subject, target = (shuffled[np.searchsorted(share, random.random(edges))] for _ in range(2))
    subject[:nodes] = np.arange(nodes)
    keep = subject != target
    return subject[keep].astype(np.int32), target[keep].astype(np.int32)


Timed = tuple[float, float]


def best_of(job: Callable[[], Any], runs: int = 3) -> tuple[Timed, Any]:
    """Return the shortest wall time and CPU time (all threads) of some runs, and the last result."""
    wall, cpu, result = np.inf, np.inf, None
    for _ in range(runs):
        start, used = time.perf_counter(), time.process_time()
        result = job()
        wall = min(wall, time.perf_counter() - start)
        cpu = min(cpu, time.process_time() - used)
    return (wall, cpu), result


def in_turns(*jobs: Callable[[], Any], rounds: int = 8) -> list[tuple[Timed, Any]]:
    """Return what :func:`best_of` does for each of *jobs*, run one after the other again and again.

    What else the machine does in the meantime slows all of them.
    """
    best = [best_of(job, 1) for job in jobs]
    for _ in range(rounds - 1):
        for at, job in enumerate(jobs):
            (wall, cpu), result = best_of(job, 1)
            best[at] = (min(wall, best[at][0][0]), min(cpu, best[at][0][1])), result
    return best


def power_iteration(matrix: Any, seed: int, tol: float) -> tuple[np.ndarray, int]:
    """SciPy: x <- (1 - c) P x + c e until the L1 residual / c is at most *tol*."""
    return power_steps(transition_of(matrix), seed, tol)


def transition_of(matrix: Any) -> Any:
    """Return the matrix whose columns are the steps of a walk."""
    transition = matrix.astype(np.float64)
    transition.data /= np.asarray(matrix.sum(axis=0)).ravel()[transition.indices]
    return transition


def power_steps(transition: Any, seed: int, tol: float) -> tuple[np.ndarray, int]:
    x = np.zeros(transition.shape[0])
    x[seed] = 1
    steps = 0
    while True:
        new = transition @ x
        new *= 1 - RESTART
        new[seed] += RESTART
        steps += 1
        if np.abs(new - x).sum() / RESTART * (1 - RESTART) <= tol:
            return new, steps
        x = new


@numba.njit(nogil=True, fastmath=True)
def total(numbers: np.ndarray) -> float:
    result = 0.0
    for number in numbers:
        result += number
    return result


def bandwidth() -> float:
    """Return bytes a second that the machine reads from memory, on all threads walks use."""
    many = np.ones(60_000_000)
    bounds = np.linspace(0, len(many), threads.count() + 1).astype(np.int64)
    parts = [many[a:b] for a, b in itertools.pairwise(bounds)]

    def read() -> None:
        threads.in_parallel([partial(total, part) for part in parts])

    read()
    return many.nbytes / best_of(read)[0][0]


def peers(view: GraphView, seed: int, exact: np.ndarray) -> list[tuple[str, Timed, float]]:
    """Return (name, seconds, L1 error) for the peers that can take the whole graph."""
    import igraph
    from scipy.sparse import csr_matrix
    from sknetwork.ranking import PageRank

    matrix = view.to_scipy()
    rows = []
    upper = matrix.tocoo()
    keep = upper.row <= upper.col
    graph = igraph.Graph(len(view), np.stack((upper.row[keep], upper.col[keep]), axis=1))
    weights = upper.data[keep].astype(float).tolist()
    seconds, ranks = best_of(
        lambda: graph.personalized_pagerank(
            damping=1 - RESTART, reset_vertices=[seed], weights=weights, directed=False
        ),
        2,
    )
    rows.append(("igraph PRPACK", seconds, float(np.abs(np.array(ranks) - exact).sum())))
    ranking = PageRank(damping_factor=1 - RESTART, solver="piteration", n_iter=60, tol=1e-9)
    seconds, ranks = best_of(lambda: ranking.fit_predict(csr_matrix(matrix), weights={seed: 1}), 2)
    rows.append(("scikit-network (piteration)", seconds, float(np.abs(ranks - exact).sum())))
    return rows


def small_peers(nodes: int, edges: int) -> list[tuple[str, Timed, float, Timed]]:
    """Return (name, seconds, L1 error, our seconds) on a graph that networkx and PyG can take."""
    import networkx as nx
    import torch
    from torch_geometric.utils import get_ppr

    view = GraphView.from_edges(*conceptnet_shaped(nodes, edges))
    seed = view.require("7")
    exact = view.walk("7", RESTART, 1e-12).array
    ours, _ = best_of(lambda: view.walk("7", RESTART, TOL))
    graph = nx.from_scipy_sparse_array(view.to_scipy())
    seconds, ranks = best_of(
        lambda: nx.pagerank(graph, 1 - RESTART, personalization={seed: 1}, tol=1e-9 / nodes, max_iter=500), 1
    )
    rows = [("networkx", seconds, float(sum(abs(ranks[i] - exact[i]) for i in range(nodes))), ours)]
    single = GraphView.from_edges(*(np.unique(np.stack(conceptnet_shaped(nodes, edges)), axis=1)))
    exact = single.walk("7", RESTART, 1e-12).array
    ours, _ = best_of(lambda: single.walk("7", RESTART, TOL))
    coo = single.to_scipy().tocoo()
    ends = torch.from_numpy(np.stack((coo.row, coo.col)).astype(np.int64))
    target = torch.tensor([single.require("7")])
    get_ppr(ends, RESTART, 1e-3, target, nodes)
    seconds, (reached, values) = best_of(lambda: get_ppr(ends, RESTART, 1e-7, target, nodes), 1)
    found = np.zeros(nodes)
    found[reached[1].numpy()] = values.numpy()
    rows.append(("PyG get_ppr (eps 1e-7)", seconds, float(np.abs(found - exact).sum()), ours))
    return rows


def report(nodes: int, edges: int) -> str:
    """Measure everything and return the section as Markdown."""
    subject, target = conceptnet_shaped(nodes, edges)
    (build, _), view = best_of(lambda: GraphView.from_edges(subject, target), 2)
    rows = view.adjacency
    rate = bandwidth()
    name = "4711"
    seed = view.require(name)
    view.walk(name)
    exact, _ = power_iteration(view.to_scipy(), seed, 1e-12)
    transition = transition_of(view.to_scipy())
    seeds = [str(i) for i in range(100, 164)]
    list(view.walk_many(seeds[:16], RESTART, 1e-2))

    def all_seeds() -> None:
        for _ in view.walk_many(seeds, RESTART, TOL):
            pass

    (took_us, scores), (power, (x, steps)), (batch, _) = in_turns(
        lambda: view.walk(name, RESTART, TOL), lambda: power_steps(transition, seed, TOL), all_seeds
    )
    seconds, cpu = took_us
    error = float(np.abs(scores.array - exact).sum())
    layers = view.layers
    core, outside = layers.core, layers.linked - layers.core
    # read in order by a step: edges twice before the fringe, row bounds and cuts, vectors of 8 and of 4 bytes
    busy = int(rows.indptr[core])
    streamed = rows.indices.itemsize * (busy + len(rows.indices)) + 4 * (3 * core + 2 * outside)
    streamed += 8 * (9 * core + outside) + 4 * (11 * core + outside)
    gathered = 4 * len(rows.indices)
    step = seconds / scores.iterations
    lines = [
        f"Graph: {len(view):,} nodes, {len(rows.indices):,} directed edges (both ways of {view.edge_count:,} statements),",
        f"power law; restart {RESTART}, L1 error ≤ {TOL:g} against a reference at 1e-12. {threads.count()} threads, load",
        f"{os.getloadavg()[0]:.1f} before the run; our walks, SciPy's and blocks of 64 run in turns, the best of eight. Making the view and its node order: {build:.2f} s, once per",
        "view and not in the figures below.",
        *_busy(),
        "",
        "| one seed | seconds | CPU seconds | L1 error | ours is faster by | in CPU seconds |",
        "|---|---|---|---|---|---|",
        f"| kgmm ({scores.iterations} steps) | {seconds:.3f} | {cpu:.3f} | {error:.1e} | | |",
    ]
    scipy = f"SciPy power iteration ({steps} steps)", power, float(np.abs(x - exact).sum())
    for peer, took, off in (scipy, *peers(view, seed, exact)):
        lines.append(_row(peer, took, off, took_us))
    small_nodes, small_edges = nodes // 20, edges // 20
    for peer, took, off, ours in small_peers(small_nodes, small_edges):
        lines.append(_row(f"{peer}, {small_nodes:,} nodes", took, off, ours))
    lines += [
        "",
        f"One step reads {streamed / 1e6:.0f} MB in order and gathers {gathered / 1e6:.0f} MB entry by entry in {1e3 * step:.1f} ms:",
        f"{(streamed + gathered) / step / 1e9:.1f} GB/s, {100 * (streamed + gathered) / step / rate:.0f} % of the"
        f" {rate / 1e9:.1f} GB/s measured for reading in order. The gathers, not the",
        "stream, set the pace: a cache line is fetched for each 4 bytes of it that are used.",
        "",
    ]
    wall, spent = batch[0] / len(seeds), batch[1] / len(seeds)
    lines += [
        f"64 seeds in blocks: {wall:.3f} s a walk ({spent:.3f} s of CPU), {seconds / wall:.1f}× the throughput of "
        f"single walks ({cpu / spent:.1f}× in CPU seconds).",
        "",
    ]
    lines += tops(view)
    held = rows.nbytes + sum(
        column.nbytes if column.strides[0] else 0  # one value for all takes no memory
        for column in (
            view.statements.subject,
            view.statements.object,
            view.statements.relation,
            view.statements.weight,
        )
    )
    # strengths; T, its reach and the cuts over the core: what walks keep
    held += 8 * len(view) + 3 * 4 * core
    walking, ranking = held + peak(lambda: view.walk(name)), held + peak(lambda: view.top(name, 20))
    lines += [
        f"Memory: CSR arrays {rows.nbytes / 1e6:.0f} MB; with statements and what walks keep {held / 1e6:.0f} MB; while walking "
        f"{walking / 1e6:.0f} MB, {walking / rows.nbytes:.1f}× the CSR arrays; while",
        f"ranking {(ranking + 8 * core) / 1e6:.0f} MB, {(ranking + 8 * core) / rows.nbytes:.1f}×, of which {8 * core / 1e6:.0f} MB"
        " are kept for later rankings.",
    ]
    return "\n".join(lines)


def peak(job: Callable[[], Any]) -> int:
    """Return the most bytes of arrays that *job* holds at once; what is in compiled code, some MB of pushes, is not seen."""
    tracemalloc.start()
    try:
        job()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _busy() -> list[str]:
    """Return what a reader must know if other programs ran beside this one."""
    if os.getloadavg()[0] < 0.5 * threads.count():
        return []
    return [
        "The machine was busy with other work: walks wait for a core and for memory, and programs of one thread wait less."
        " CPU seconds",
        "compare what was computed, and are inflated by shared caches, too.",
    ]


def _row(peer: str, took: Timed, error: float, ours: Timed) -> str:
    wall, cpu = took
    return f"| {peer} | {wall:.3f} | {cpu:.3f} | {error:.1e} | {wall / ours[0]:.1f}× | {cpu / ours[1]:.1f}× |"


def tops(view: GraphView) -> list[str]:
    random = np.random.default_rng(1)
    seeds = [str(i) for i in random.integers(0, len(view), 51)]
    view.walk(seeds[0])
    start = time.perf_counter()
    view.top(seeds[0], 20)
    first = time.perf_counter() - start
    rankings = [partial(view.top, seed, 20) for seed in seeds[1:]]
    best = in_turns(*rankings, rounds=3)
    took, used = zip(*(timed for timed, _ in best), strict=True)
    passes = [ranking.edges_read / len(view.adjacency.indices) for _, ranking in best]
    certified = sum(ranking.certified for _, ranking in best)
    middle, least, most = 1e3 * np.median(took), 1e3 * min(took), 1e3 * max(took)
    return [
        f"Certified top 20 from {len(took)} random concepts, each the best of three in turns: median {middle:.0f} ms ({least:.0f} to {most:.0f}; "
        f"{1e3 * np.median(used):.0f} ms of CPU, {np.median(passes):.1f} passes over the edges),",
        f"{certified} of {len(took)} certified. The first ranking on a view prepares for the others: {first:.2f} s.",
        "",
    ]


def write(section: str) -> None:
    """Put *section* between the markers of docs/performance.md."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Performance\n"
    if BEGIN not in page:
        page = f"{page.rstrip()}\n\n## Walks\n\n{BEGIN}\n{END}\n"
    head, rest = page.split(BEGIN, 1)
    PAGE.write_text(f"{head}{BEGIN}\n{section}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=3_350_000, help="statements; twice as many directed edges")
    parser.add_argument("--dry", action="store_true", help="print only")
    options = parser.parse_args()
    section = report(options.nodes, options.edges)
    print(section)
    if not options.dry:
        write(section)


if __name__ == "__main__":
    main()
