"""Our store beside Oxigraph, DuckDB, SQLite and rdflib on one ConceptNet-shaped dump; writes docs/performance.md.

Run: make bench-store, or at full size python benchmarks/store.py --edges 3400000.
Every engine runs in its own process, so that peak memory is its own. Oxigraph and rdflib load the same facts from
N-Triples, without weights and sources, which ours keeps; rdflib holds them in memory. What ConceptNet's size takes:
python benchmarks/store.py --edges 34000000 --only kgmm, which loads a compressed dump and writes a section of its own.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- store: written by make bench-store -->", "<!-- store: end -->"
LARGE = "<!-- large store: written by benchmarks/store.py --only kgmm -->", "<!-- large store: end -->"
ENGINES = ("kgmm", "oxigraph", "duckdb", "sqlite", "rdflib")
PATTERNS = ("s", "o", "sp", "so", "po", "spo")
LOOKS = 300
FIELDS = ["assertion", "relation", "start", "end", "about"]


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def timed(work: Callable[..., Any], cases: list[tuple[Any, ...]]) -> tuple[float, float]:
    """Return the median and the 99th percentile in microseconds."""
    took = sorted(seconds(lambda c=case: work(*c))[0] * 1e6 for case in cases)
    return took[len(took) // 2], took[int(len(took) * 0.99)]


def middle(work: Callable[[], Any]) -> float:
    """Return the median of five runs in milliseconds."""
    return sorted(seconds(work)[0] * 1e3 for _ in range(5))[2]


def size(path: Path) -> float:
    if path.is_file():
        return path.stat().st_size / 1e6
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) / 1e6


def plain(dump: Path) -> Any:
    """Return the dump's edges as a frame: what engines that read no ConceptNet get, by Polars."""
    import polars as pl

    frame = pl.read_csv(dump, separator="\t", has_header=False, quote_char=None, new_columns=FIELDS)
    weight = pl.col("about").str.extract(r'"weight": ([0-9.]+)', 1).cast(pl.Float64)
    return frame.select(s="start", p=pl.col("relation").str.slice(3), o="end", w=weight)


def cases(dump: Path, count: int, edges: int) -> list[tuple[str, str, str]]:
    """Return the ends and the relation of edges from all over a dump, read in parts."""
    found, part = [], max(325 * edges // count, 4096)
    with gzip.open(dump, "rb") if dump.suffix == ".gz" else dump.open("rb") as file:
        while file.read(part) and (line := file.readline() and file.readline()):
            _, relation, start, end, _ = line.decode().split("\t")
            found.append((start, relation[3:], end))
    return found


def write_triples(dump: Path, path: Path) -> None:
    """Write a dump's edges as N-Triples, for engines that read no ConceptNet."""
    import polars as pl

    node, link = "<http://conceptnet.io", "<http://conceptnet.io/r/"
    line = node + pl.col("s") + "> " + link + pl.col("p") + "> " + node + pl.col("o") + "> ."
    plain(dump).select(line).write_csv(path, include_header=False, quote_style="never")


def asked(pattern: str, rows: list[tuple[str, str, str]]) -> list[tuple[str | None, str | None, str | None]]:
    return [tuple(v if k in pattern else None for k, v in zip("spo", row, strict=True)) for row in rows]  # type: ignore[misc]


def measure(find: Callable[..., Any], decode: Callable[..., Any], rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    found = {f"find {p}": timed(find, asked(p, rows)) for p in PATTERNS}
    return found | {f"10 facts {p}": timed(decode, asked(p, rows)) for p in ("s", "po")}


def run_kgmm(dump: Path, place: Path, rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    import dump as shape

    from kgmm.store import LocalStore
    from kgmm.store.load import bulk  # noqa: F401  (compiled code is loaded before the clock starts)

    small = place.parent / "small.csv"
    shape.write(small, 300_000)
    LocalStore(place.parent / "warm").load(small)
    LocalStore(place)
    took = seconds(lambda: LocalStore(place).load(dump))[0]
    result = {"load s": took, "disk MB": size(place), **memory()}
    if dump.suffix != ".gz":
        times = [(took, polars_parse(dump))]  # one after the other, since the machine is not always equally quick
        for i in range(2):
            times.append((seconds(lambda i=i: LocalStore(place.parent / f"{i}").load(dump))[0], polars_parse(dump)))
            shutil.rmtree(place.parent / f"{i}")
        result["load s"], result["bare s"] = (sorted(column)[1] for column in zip(*times, strict=True))
    opened, kb = seconds(lambda: LocalStore(place))
    result["open ms"] = opened * 1e3
    result |= measure(kb.find, lambda s, p, o: kb.find(s, p, o, limit=10)[:10], rows)
    seeds = [kb.terms.ids([r[0] for r in rows[i : i + 10]]) for i in range(0, len(rows) - 10, 10)]
    kb.neighborhood_ids(seeds[0])
    result["2 hops"] = timed(lambda ids: kb.neighborhood_ids(ids, 2, 500), [(s,) for s in seeds])
    new = [([(f"new {i} {j}", "IsA", "thing") for j in range(10)],) for i in range(20)]
    result["add 10"] = timed(kb.add, new)
    query = "SELECT ?a ?c { ?a r:UsedFor ?b . ?b r:IsA ?c } LIMIT 1000"
    result["sparql s"] = seconds(lambda: kb.sparql("ASK { ?s ?p ?o }"))[0]
    result["sparql MB"] = size(kb.cache_dir("sparql"))
    result["join ms"] = middle(lambda: len(kb.sparql(query)))
    kb.close()
    return result


def run_oxigraph(dump: Path, place: Path, rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    import pyoxigraph as ox

    triples = place.parent / "facts.nt"
    write_triples(dump, triples)

    def load() -> Any:
        store = ox.Store(str(place))
        store.bulk_load(path=str(triples), format=ox.RdfFormat.N_TRIPLES)
        store.flush()
        return store

    took, store = seconds(load)
    store.optimize()
    del store
    triples.unlink()
    opened, store = seconds(lambda: ox.Store.read_only(str(place)))

    def terms(s: str | None, p: str | None, o: str | None) -> tuple[Any, ...]:
        ends = [None if t is None else ox.NamedNode(f"http://conceptnet.io{t}") for t in (s, o)]
        return ends[0], None if p is None else ox.NamedNode(f"http://conceptnet.io/r/{p}"), ends[1], None

    def find(s: str | None, p: str | None, o: str | None) -> Any:
        return next(store.quads_for_pattern(*terms(s, p, o)), None)

    def decode(s: str | None, p: str | None, o: str | None) -> Any:
        found = store.quads_for_pattern(*terms(s, p, o))
        return [(q.subject.value, q.predicate.value, q.object.value) for q, _ in zip(found, range(10), strict=False)]

    def around(*seeds: str) -> int:
        front, edges = [ox.NamedNode(f"http://conceptnet.io{s}") for s in seeds], set()
        for _ in range(2):
            reached = []
            for n in front:
                for pattern in ((n, None, None, None), (None, None, n, None)):
                    for q in store.quads_for_pattern(*pattern):
                        edges.add(q)
                        reached += [q.subject, q.object]
                        if len(edges) == 500:
                            return 500
            front = reached
        return len(edges)

    result = {"load s": took, "disk MB": size(place), "open ms": opened * 1e3, **measure(find, decode, rows)}
    result["2 hops"] = timed(around, [tuple(r[0] for r in rows[i : i + 10]) for i in range(0, len(rows) - 10, 30)])
    query = "PREFIX r: <http://conceptnet.io/r/> SELECT ?a ?c { ?a r:UsedFor ?b . ?b r:IsA ?c } LIMIT 1000"
    list(store.query("SELECT * { ?s ?p ?o } LIMIT 1"))
    result["join ms"] = middle(lambda: len(list(store.query(query))))
    return result


JOIN = "SELECT a.s, b.o FROM f a JOIN f b ON a.o = b.s WHERE a.p = 'UsedFor' AND b.p = 'IsA' LIMIT 1000"


def _sql(connection: Any, rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    def ask(limit: int, s: str | None, p: str | None, o: str | None) -> Any:
        given = [(k, v) for k, v in zip("spo", (s, p, o), strict=True) if v is not None]
        where = " AND ".join(f"{k} = ?" for k, _ in given)
        return connection.execute(f"SELECT * FROM f WHERE {where} LIMIT {limit}", [v for _, v in given]).fetchall()

    result = measure(lambda *p: ask(1, *p), lambda *p: ask(10, *p), rows)
    result["join ms"] = middle(lambda: connection.execute(JOIN).fetchall())
    return result


def run_duckdb(dump: Path, place: Path, rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    import duckdb

    def load() -> None:
        connection = duckdb.connect(str(place))
        connection.execute(
            "CREATE TABLE f AS SELECT column2 s, column1[4:] p, column3 o, "
            "CAST(regexp_extract(column4, '\"weight\": ([0-9.]+)', 1) AS DOUBLE) w "
            f"FROM read_csv('{dump}', delim='\\t', header=false, quote='', escape='', auto_detect=false, "
            "columns={'column0':'VARCHAR','column1':'VARCHAR','column2':'VARCHAR','column3':'VARCHAR','column4':'VARCHAR'})"
        )
        connection.close()

    took, _ = seconds(load)
    opened, connection = seconds(lambda: duckdb.connect(str(place), read_only=True))
    return {"load s": took, "disk MB": size(place), "open ms": opened * 1e3, **_sql(connection, rows[:60])}


def run_sqlite(dump: Path, place: Path, rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    import sqlite3

    def load() -> None:
        connection = sqlite3.connect(place)
        connection.execute("PRAGMA journal_mode=off")
        connection.execute("CREATE TABLE f (s TEXT, p TEXT, o TEXT, w REAL)")
        connection.executemany("INSERT INTO f VALUES (?, ?, ?, ?)", plain(dump).iter_rows())
        for index in ("s, p, o", "p, o", "o, s"):
            connection.execute(f"CREATE INDEX [{index}] ON f ({index})")
        connection.commit()
        connection.close()

    took, _ = seconds(load)
    opened, connection = seconds(lambda: sqlite3.connect(place))
    return {"load s": took, "disk MB": size(place), "open ms": opened * 1e3, **_sql(connection, rows)}


def run_rdflib(dump: Path, place: Path, rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    import rdflib

    graph, triples = rdflib.Graph(), place.parent / "facts.nt"
    write_triples(dump, triples)
    node, link = rdflib.Namespace("http://conceptnet.io"), rdflib.Namespace("http://conceptnet.io/r/")
    took, _ = seconds(lambda: graph.parse(triples, format="nt"))
    count = len(graph)

    def ask(limit: int, s: str | None, p: str | None, o: str | None) -> Any:
        pattern = (s and node[s], p and link[p], o and node[o])
        return [t for t, _ in zip(graph.triples(pattern), range(limit), strict=False)]  # type: ignore[arg-type]

    result = measure(lambda *p: ask(1, *p), lambda *p: ask(10, *p), rows)
    return {"load s": took, "facts": count, **result}


def memory() -> dict[str, float]:
    """Return this process's and its children's greatest memory so far."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return {"peak GB": sum(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1e6}


def engine(name: str, dump: Path, place: Path, looks: Path) -> None:
    rows = [tuple(row) for row in json.loads(looks.read_text())]
    result = globals()[f"run_{name}"](dump, place, rows)
    result = memory() | result
    print(json.dumps(result))


def polars_parse(dump: Path) -> float:
    """Time a bare Polars parse plus dictionary encoding of the three columns."""
    import polars as pl

    def work() -> Any:
        frame = pl.read_csv(dump, separator="\t", has_header=False, quote_char=None, columns=[1, 2, 3, 4])
        return [frame[c].cast(pl.Categorical) for c in frame.columns[:3]]

    return seconds(work)[0]


def cell(result: dict[str, Any], name: str) -> str:
    value = result.get(name)
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return " / ".join(f"{v:,.1f}" if v < 10 else f"{v:,.0f}" for v in value)
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


ROWS = {
    "load s": "load, s",
    "disk MB": "on disk, MB",
    "peak GB": "peak memory, GB",
    "open ms": "open, ms",
    **{f"find {p}": f"find {p}, µs (p50 / p99)" for p in PATTERNS},
    **{f"10 facts {p}": f"10 decoded facts, {p}, µs" for p in ("s", "po")},
    "2 hops": "2 hops of 10 seeds, 500 edges (ours the best, Oxigraph's the first), µs",
    "add 10": "add 10 facts, durable, µs",
    "sparql s": "SPARQL index, made by the first query, s",
    "sparql MB": "SPARQL index on disk, MB",
    "join ms": "two-join query, ms (median of five)",
}


def page(edges: int, results: dict[str, dict[str, Any]]) -> str:
    ours, other, bare = results["kgmm"], results["oxigraph"], results["kgmm"]["bare s"]
    lines = [
        BEGIN,
        "## The store",
        f"{edges:,} edges shaped like ConceptNet's, {os.cpu_count()} CPUs seen, load average "
        f"{os.getloadavg()[0]:.1f} when it ended. `find` is to a first result; every pattern asks for the same {LOOKS} edges in turn, so "
        "that from the third row on engines know the terms and blocks. kgmm and DuckDB keep the weights, kgmm sources and "
        "surface texts too; Oxigraph and rdflib (in memory) load the bare facts from N-Triples. Memory of the others includes "
        "the writing of their input.",
        "",
        "| | " + " | ".join(ENGINES) + " |",
        "|---|" + "---:|" * len(ENGINES),
    ]
    lines += [
        f"| {label} | " + " | ".join(cell(results[e], key) for e in ENGINES) + " |" for key, label in ROWS.items()
    ]
    quicker = ", ".join(f"{p} {other[f'find {p}'][0] / ours[f'find {p}'][0]:.1f}×" for p in PATTERNS)
    decoded = ", ".join(f"{p} {other[f'10 facts {p}'][0] / ours[f'10 facts {p}'][0]:.1f}×" for p in ("s", "po"))
    lines += [
        "",
        f"Against Oxigraph: load {other['load s'] / ours['load s']:.1f}× faster, disk {ours['disk MB'] / other['disk MB']:.2f} of it, "
        f"find {quicker} faster, 10 decoded facts {decoded}. Against rdflib: load {results['rdflib']['load s'] / ours['load s']:.0f}× faster "
        f"({results['rdflib']['facts']:,} facts). Load against a bare Polars parse plus dictionary encoding of relation, start and "
        f"end (medians of three, taken in turns: {bare:.1f} s): {ours['load s'] / bare:.1f}×.",
        END,
    ]
    return "\n".join(lines) + "\n"


def large_page(edges: int, bytes_read: int, ours: dict[str, Any]) -> str:
    lines = [
        LARGE[0],
        "### At ConceptNet's size",
        f"{edges:,} edges from a dump of {bytes_read / 1e9:.1f} GB (`.csv.gz`), {os.cpu_count()} CPUs seen, load average "
        f"{os.getloadavg()[0]:.1f} when it ended. Peak memory is that of the load, children included.",
        "",
        "| | kgmm |",
        "|---|---:|",
    ]
    lines += [f"| {label} | {cell(ours, key)} |" for key, label in ROWS.items() if key in ours]
    return "\n".join([*lines, LARGE[1]]) + "\n"


def publish(text: str, begin: str, end: str) -> None:
    old = PAGE.read_text("utf-8") if PAGE.exists() else "# Performance\n\n"
    if begin in old:
        head, rest = old.split(begin, 1)
        text = head + text + rest.split(end, 1)[1].removeprefix("\n")
    else:
        text = old.rstrip("\n") + "\n\n" + text
    PAGE.write_text(text, "utf-8")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--edges", type=int, default=340_000)
    options.add_argument("--only", choices=["kgmm"], help="Measure ours alone, from a compressed dump.")
    options.add_argument("--dump", type=Path, help="A dump that is there already.")
    options.add_argument("--folder", type=Path, help="Where to work; a temporary folder by default.")
    options.add_argument("--engine", nargs=4, metavar=("NAME", "DUMP", "PLACE", "LOOKS"), help=argparse.SUPPRESS)
    options.add_argument(
        "--write", action=argparse.BooleanOptionalAction, default=True, help="Write docs/performance.md."
    )
    given = options.parse_args()
    if given.engine:
        engine(given.engine[0], *map(Path, given.engine[1:]))
        return
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        text, marks = compared(given, folder)
        print(text)
        if given.write:
            publish(text, *marks)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compared(given: argparse.Namespace, folder: Path) -> tuple[str, tuple[str, str]]:
    """Measure and return the section of the page with its marks."""
    import dump as shape

    edges, dump = given.edges, given.dump
    if dump is None:
        dump = folder / ("dump.csv.gz" if given.only else "dump.csv")
        edges = shape.write(dump, edges)
    looks = folder / "looks.json"
    looks.write_text(json.dumps(cases(dump, LOOKS, edges)))
    results = {}
    for name in [given.only] if given.only else ENGINES:
        place = folder / name
        place.mkdir()
        command = [sys.executable, __file__, "--engine", name, str(dump), str(place / "db"), str(looks)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        results[name] = json.loads(done.stdout.splitlines()[-1])
        print(name, json.dumps(results[name]), flush=True)
        shutil.rmtree(place)
    if given.only:
        return large_page(edges, dump.stat().st_size, results["kgmm"]), LARGE
    return page(edges, results), (BEGIN, END)


if __name__ == "__main__":
    main()
