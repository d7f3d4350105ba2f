"""Forty queries over made ConceptNet-like facts: our SPARQL, Oxigraph, DuckDB on the same table, rdflib on the small ones.

make bench-sparql, or python benchmarks/sparql.py [--edges 3400000] [--runs 3] [--timeout 30] [--json] [--folder F]

Shapes are those of WatDiv (linear, star, snowflake, complex; Aluç et al., ISWC 2014) and BSBM (OPTIONAL, UNION, text
filters, aggregates; Bizer and Schultz, 2009), with the relations of ConceptNet and constants taken from the facts.
Every engine has a process of its own, and answers with all its rows in Python; a time is the best of the runs. Row
counts must agree. Four more queries are slow where an engine keeps the order in which they are written: each stands
beside the same query in its best order.
"""

from __future__ import annotations

import argparse
import inspect
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
import store as base

SMALL = 40_000  #: facts that rdflib, which holds all in memory and joins in Python, is asked over
ENGINES = ("own", "oxigraph", "duckdb")


class Query(NamedTuple):
    name: str
    sparql: str
    sql: str | None = None


def joined(name: str, shown: str, pattern: str, tail: str = "") -> Query:
    """Return a basic pattern ("?a IsA ?b . ?b UsedFor {0}") as SPARQL and as the joins one writes for it in SQL."""
    triples = [part.split() for part in pattern.split(" . ")]
    body = " . ".join(f"{_iri(s)} r:{p} {_iri(o)}" for s, p, o in triples)
    first: dict[str, str] = {}
    where = []
    for at, (s, p, o) in enumerate(triples):
        where.append(f"t{at}.p = '{p}'")
        for column, term in (("s", s), ("o", o)):
            place = f"t{at}.{column}"
            if not term.startswith("?"):
                where.append(f"{place} = '{term}'")
            elif first.setdefault(term, place) != place:
                where.append(f"{place} = {first[term]}")
    tables = ", ".join(f"f t{at}" for at in range(len(triples)))
    columns = ", ".join(first[v] for v in shown.split())
    return Query(
        name,
        f"SELECT {shown} {{ {body} }} {tail}",
        f"SELECT {columns} FROM {tables} WHERE {' AND '.join(where)} {tail}",
    )


def _iri(term: str) -> str:
    return term if term.startswith("?") else f"<http://conceptnet.io{term}>"


def workload(nodes: list[str]) -> list[Query]:
    """Return the forty queries; *nodes* are eight concepts that facts are about."""
    a, b, c, d, e, f, g, h = nodes
    iri = [_iri(n) for n in nodes]
    count = "SELECT count(*) FROM"
    return [
        joined("L1 chain of two from a node", "?x ?y", f"{a} RelatedTo ?x . ?x IsA ?y"),
        joined("L2 chain of two to a node", "?x ?y", f"?x UsedFor ?y . ?y IsA {b}"),
        joined("L3 chain of three from a node", "?x ?y ?z", f"{c} IsA ?x . ?x PartOf ?y . ?y UsedFor ?z"),
        joined("L4 two joined, cut", "?a ?c", "?a UsedFor ?b . ?b IsA ?c", "LIMIT 1000"),
        joined("L5 chain of three rare relations", "?a ?d", "?a MadeOf ?b . ?b PartOf ?c . ?c UsedFor ?d"),
        joined(
            "L6 chain of four rare relations",
            "?a ?e",
            "?a Entails ?b . ?b RelatedTo ?c . ?c RelatedTo ?d . ?d PartOf ?e",
        ),
        joined("S1 star of three around a node", "?x ?y ?z", f"{d} IsA ?x . {d} RelatedTo ?y . {d} FormOf ?z"),
        joined("S2 star of two, one end given", "?x ?y", f"?x IsA {e} . ?x UsedFor ?y"),
        joined("S3 star of three rare relations", "?x ?a ?b", "?x MadeOf ?a . ?x PartOf ?b . ?x UsedFor ?c"),
        joined(
            "S4 star of four, one end given", "?x ?a ?b", f"?x IsA {f} . ?x RelatedTo ?a . ?x UsedFor ?b . ?x PartOf ?c"
        ),
        joined("S5 star into one node", "?x ?y", f"?x RelatedTo {g} . ?y IsA {g}", "LIMIT 20000"),
        joined("S6 two ends given", "?x", f"?x RelatedTo {g} . ?x RelatedTo {h}"),
        joined("S7 star with a large relation last", "?x ?a", "?x CreatedBy ?a . ?x Entails ?b . ?x RelatedTo ?c"),
        joined("F1 snowflake", "?x ?y ?a ?b", "?x MadeOf ?y . ?x PartOf ?a . ?y IsA ?b . ?y UsedFor ?c"),
        joined("F2 snowflake, one end given", "?x ?y ?b", f"?x IsA {a} . ?x UsedFor ?y . ?y Causes ?b . ?x PartOf ?c"),
        joined("F3 two stars", "?x ?y", "?x Entails ?y . ?x RelatedTo ?a . ?y RelatedTo ?b . ?y UsedFor ?c"),
        joined(
            "F4 two stars, one end given",
            "?x ?y ?z",
            f"?x RelatedTo {b} . ?x Causes ?y . ?y HasProperty ?z . ?y PartOf ?w",
        ),
        joined("C1 triangle", "?a ?b ?c", "?a PartOf ?b . ?b RelatedTo ?c . ?a RelatedTo ?c"),
        joined("C2 square", "?a ?c", "?a PartOf ?b . ?b RelatedTo ?c . ?a RelatedTo ?d . ?d RelatedTo ?c"),
        joined("C3 cycle of two", "?a ?b", "?a IsA ?b . ?b IsA ?a"),
        Query("P1 all ends of a chain", f"SELECT ?x {{ {iri[0]} r:PartOf+ ?x }}"),
        Query("P2 all beginnings of a chain", f"SELECT ?x {{ ?x r:MadeOf+ {iri[1]} }}"),
        Query(
            "P3 a sequence with an inverse",
            f"SELECT DISTINCT ?x {{ {iri[2]} r:IsA/^r:UsedFor ?x }}",
            f"SELECT DISTINCT b.s FROM f a JOIN f b ON a.o = b.o WHERE a.s = '{c}' AND a.p = 'IsA' AND b.p = 'UsedFor'",
        ),
        Query(
            "P4 either relation",
            f"SELECT ?x {{ {iri[3]} (r:RelatedTo|r:Synonym) ?x }}",
            f"SELECT o FROM f WHERE s = '{d}' AND p IN ('RelatedTo', 'Synonym')",
        ),
        Query("P5 a path inside a join", f"SELECT ?x ?y {{ ?x r:IsA {iri[4]} . ?x r:PartOf* ?y }}"),
        Query(
            "O1 star with an optional part",
            f"SELECT ?x ?y {{ ?x r:IsA {iri[4]} OPTIONAL {{ ?x r:UsedFor ?y }} }}",
            f"SELECT a.s, b.o FROM f a LEFT JOIN f b ON a.s = b.s AND b.p = 'UsedFor' WHERE a.p = 'IsA' AND a.o = '{e}'",
        ),
        Query(
            "O2 two optional parts",
            "SELECT ?x ?y ?z { ?x r:MadeOf ?m OPTIONAL { ?x r:UsedFor ?y } OPTIONAL { ?x r:PartOf ?z } }",
            "SELECT a.s, b.o, c.o FROM f a LEFT JOIN f b ON a.s = b.s AND b.p = 'UsedFor' "
            "LEFT JOIN f c ON a.s = c.s AND c.p = 'PartOf' WHERE a.p = 'MadeOf'",
        ),
        Query(
            "O3 what has no such part",
            "SELECT ?x { ?x r:Entails ?y OPTIONAL { ?x r:IsA ?z } FILTER(!BOUND(?z)) }",
            "SELECT a.s FROM f a WHERE a.p = 'Entails' AND a.s NOT IN (SELECT s FROM f WHERE p = 'IsA')",
        ),
        Query(
            "O4 what is not so",
            "SELECT ?x { ?x r:MadeOf ?y MINUS { ?x r:IsA ?z } }",
            "SELECT a.s FROM f a WHERE a.p = 'MadeOf' AND a.s NOT IN (SELECT s FROM f WHERE p = 'IsA')",
        ),
        Query(
            "O5 what exists",
            "SELECT ?x ?y { ?x r:HasA ?y FILTER EXISTS { ?y r:UsedFor ?z } }",
            "SELECT a.s, a.o FROM f a WHERE a.p = 'HasA' AND a.o IN (SELECT s FROM f WHERE p = 'UsedFor')",
        ),
        Query(
            "U1 two relations of a node",
            f"SELECT ?y {{ {{ {iri[5]} r:IsA ?y }} UNION {{ {iri[5]} r:RelatedTo ?y }} }}",
            f"SELECT o FROM f WHERE s = '{f}' AND p IN ('IsA', 'RelatedTo')",
        ),
        Query(
            "U2 either end of a relation, joined",
            f"SELECT ?x ?y {{ {{ ?x r:IsA {iri[6]} }} UNION {{ {iri[6]} r:IsA ?x }} ?x r:UsedFor ?y }}",
            f"SELECT u.x, b.o FROM (SELECT s x FROM f WHERE p = 'IsA' AND o = '{g}' UNION ALL SELECT o FROM f WHERE "
            f"p = 'IsA' AND s = '{g}') u JOIN f b ON u.x = b.s AND b.p = 'UsedFor'",
        ),
        Query(
            "A1 facts of each relation",
            "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p",
            "SELECT p, count(*) FROM f GROUP BY p",
        ),
        Query(
            "A2 the twenty of most uses",
            "SELECT ?o (COUNT(*) AS ?n) { ?s r:UsedFor ?o } GROUP BY ?o ORDER BY DESC(?n) ?o LIMIT 20",
            "SELECT o, count(*) n FROM f WHERE p = 'UsedFor' GROUP BY o ORDER BY n DESC, o LIMIT 20",
        ),
        Query(
            "A3 how many join",
            "SELECT (COUNT(*) AS ?n) { ?a r:UsedFor ?b . ?b r:IsA ?c }",
            f"{count} f a JOIN f b ON a.o = b.s WHERE a.p = 'UsedFor' AND b.p = 'IsA'",
        ),
        Query(
            "A4 groups of a join, most of them left out",
            "SELECT ?a (COUNT(DISTINCT ?c) AS ?n) { ?a r:UsedFor ?b . ?b r:IsA ?c } GROUP BY ?a HAVING(COUNT(DISTINCT ?c) > 1)",
            "SELECT a.s, count(DISTINCT b.o) n FROM f a JOIN f b ON a.o = b.s WHERE a.p = 'UsedFor' AND b.p = 'IsA' "
            "GROUP BY a.s HAVING n > 1",
        ),
        Query(
            "A5 distinct subjects",
            "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s r:IsA ?o }",
            "SELECT count(DISTINCT s) FROM f WHERE p = 'IsA'",
        ),
        Query(
            "T1 names that hold a text",
            'SELECT ?s { ?s r:UsedFor ?o FILTER(CONTAINS(STR(?s), "kanba")) }',
            "SELECT s FROM f WHERE p = 'UsedFor' AND contains(s, 'kanba')",
        ),
        Query(
            "T2 names by a regular expression",
            'SELECT ?s ?o { ?s r:PartOf ?o FILTER(REGEX(STR(?o), "/en/[bk]a.*er[0-9]+$")) }',
            "SELECT s, o FROM f WHERE p = 'PartOf' AND regexp_matches(o, '/en/[bk]a.*er[0-9]+$')",
        ),
        Query(
            "T3 first names in order",
            "SELECT DISTINCT ?s { ?s r:UsedFor ?o } ORDER BY ?s LIMIT 50",
            "SELECT DISTINCT s FROM f WHERE p = 'UsedFor' ORDER BY s LIMIT 50",
        ),
    ]


def answering(kb: Any, nodes: list[str], timeout: float) -> list[list[str]]:
    """Return for each query eight concepts with which it has an answer: the most frequent in the first rows, *nodes* if none."""
    unknown = [f"?n{at}" for at in range(len(nodes))]
    found = []
    for query in workload(unknown):
        names = sorted(set(re.findall(r"\?n[0-7]\b", query.sparql)))
        body = query.sparql[query.sparql.index("{") : query.sparql.rindex("}") + 1]
        mine = list(nodes)
        if names:
            graph = " ".join(f"FILTER(ISIRI({name}))" for name in names)
            text = f"SELECT {' '.join(names)} {{ {body} {graph} }} LIMIT 5000"
            try:
                for row, _ in Counter(kb.sparql(text, timeout=timeout).rows).most_common(1):
                    for name, concept in zip(names, row, strict=True):
                        mine[int(name[2:])] = concept
            except Exception as error:  # then the query keeps the concepts it has
                print(f"  {query.name}: {str(error)[:150]}", file=sys.stderr)
        found.append(mine)
    return found


def chosen(of: list[list[str]]) -> list[Query]:
    """Return the forty queries, each with its own concepts."""
    return [workload(nodes)[at] for at, nodes in enumerate(of)]


def slow(nodes: list[str]) -> list[tuple[str, str, str]]:
    """Return the four shapes that are slow as written, each beside its best order."""
    a, b = _iri(nodes[4]), _iri(nodes[0])
    return [
        (
            "a required pattern after OPTIONAL",
            f"SELECT ?x ?y {{ ?x r:IsA ?o OPTIONAL {{ ?x r:UsedFor ?y }} ?x r:RelatedTo {a} }}",
            f"SELECT ?x ?y {{ ?x r:RelatedTo {a} . ?x r:IsA ?o OPTIONAL {{ ?x r:UsedFor ?y }} }}",
        ),
        (
            "UNION with an unbound join key",
            f"SELECT ?x ?y {{ {{ ?x r:IsA ?y }} UNION {{ ?x r:RelatedTo ?y }} ?x r:UsedFor {a} }}",
            f"SELECT ?x ?y {{ {{ ?x r:UsedFor {a} . ?x r:IsA ?y }} UNION {{ ?x r:UsedFor {a} . ?x r:RelatedTo ?y }} }}",
        ),
        (
            "OPTIONAL over a large right side",
            f"SELECT ?x ?z {{ ?x r:IsA {a} OPTIONAL {{ ?y r:RelatedTo ?z . ?x r:UsedFor ?y }} }}",
            f"SELECT ?x ?z {{ ?x r:IsA {a} OPTIONAL {{ ?x r:UsedFor ?y . ?y r:RelatedTo ?z }} }}",
        ),
        (
            "a type pattern left to the end",
            f"SELECT ?x ?z {{ ?x r:RelatedTo ?y . ?y r:RelatedTo ?z . ?x r:IsA {b} . ?x r:UsedFor {a} }}",
            f"SELECT ?x ?z {{ ?x r:UsedFor {a} . ?x r:IsA {b} . ?x r:RelatedTo ?y . ?y r:RelatedTo ?z }}",
        ),
    ]


def best(ask: Callable[[], Any], runs: int) -> tuple[float | None, int | None]:
    """Return the best time of some runs in ms and the number of rows; None if it fails, which is tried once."""
    times, rows = [], None
    for _ in range(runs):
        try:
            took, found = base.seconds(lambda: list(ask()))  # every row, whatever an engine leaves for later
        except Exception as error:  # what an engine does not know or do in time is a gap in the table
            print(f"  {type(error).__name__}: {str(error)[:150]}", file=sys.stderr)
            return None, None
        times.append(took * 1e3)
        rows = len(found)
        if took > 5:
            break
    return min(times), rows


def told(name: str, queries: list[tuple[str, Callable[[], Any]]], runs: int) -> dict[str, Any]:
    result = {}
    for query, ask in queries:
        result[query] = best(ask, runs)
        print(f"{name}: {query}: {result[query]}", file=sys.stderr, flush=True)
    return result


def run_kgmm(
    engine: str, place: Path, nodes: list[str], of: list[list[str]], runs: int, timeout: float
) -> dict[str, Any]:
    from kgmm.store import LocalStore
    from kgmm.store.sparql.query import query

    how = {"engine": engine} if "engine" in inspect.signature(query).parameters else {}
    if engine == "own" and not how:
        return {"times": {}, "missing": "kb.sparql has no engine of its own"}
    query_ = chosen(of)[0].sparql

    def first() -> Any:
        kb = LocalStore(place)
        query(kb, query_, **how)  # type: ignore[arg-type]
        return kb

    took, kb = base.seconds(first)
    before = peak()
    again = base.seconds(first)[0]

    def asking(text: str) -> Callable[[], Any]:
        return lambda: query(kb, text, timeout=timeout, **how)  # type: ignore[arg-type]

    times = told(engine, [(q.name, asking(q.sparql)) for q in chosen(of)], runs)
    shapes = {name: [best(asking(text), runs)[0], best(asking(good), runs)[0]] for name, text, good in slow(nodes)}
    kb.close()
    disk = base.size(place / "cache") if (place / "cache").is_dir() else 0.0
    facts = {"first query of a process ms": took * 1e3, "first query after opening again ms": again * 1e3}
    return {"times": times, "slow": shapes, **facts, "peak GB": peak(), "peak before GB": before, "derived MB": disk}


def peak() -> float:
    """Return the most memory this program has held, in GB; ru_maxrss would count what its parent held, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e9


def run_duckdb(place: Path, dump: Path, of: list[list[str]], runs: int, timeout: float) -> dict[str, Any]:
    import duckdb

    base.run_duckdb(dump, place, base.cases(dump, 60, 1000))
    connection = duckdb.connect(str(place), read_only=True)

    def asking(sql: str) -> Callable[[], Any]:
        def ask() -> Any:
            clock = threading.Timer(timeout, connection.interrupt)
            clock.start()
            try:
                return connection.execute(sql).fetchall()
            finally:
                clock.cancel()

        return ask

    times = told("duckdb", [(q.name, asking(q.sql)) for q in chosen(of) if q.sql], runs)
    return {"times": times, **base.memory(), "derived MB": base.size(place)}


def run_rdflib(dump: Path, nodes: list[str], folder: Path) -> dict[str, Any]:
    """Ask rdflib, in memory, and ours over the same few facts."""
    import rdflib

    from kgmm.store import LocalStore
    from kgmm.store.rdf.terms import PREFIXES
    from kgmm.store.sparql.query import query

    triples = folder / "small.nt"
    base.write_triples(dump, triples)
    graph = rdflib.Graph().parse(triples, format="nt")
    for prefix, name in PREFIXES.items():
        graph.bind(prefix, name, replace=True)
    kb = LocalStore(folder / "small")
    kb.load(dump)
    how = {"engine": "own"} if "engine" in inspect.signature(query).parameters else {}
    chosen_queries = [q for q in chosen(answering(kb, nodes, 30)) if re.match("[LSFOUA]", q.name)]
    theirs = told("rdflib", [(q.name, lambda q=q: list(graph.query(q.sparql))) for q in chosen_queries], 1)
    ours = told("ours", [(q.name, lambda q=q: query(kb, q.sparql, **how)) for q in chosen_queries], 3)
    kb.close()
    return {"rdflib": theirs, "ours": ours}


def ratios(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float]:
    """Return how many times as long others take, of queries that both answered."""
    both = [q for q in ours if ours[q][0] and theirs.get(q, (None,))[0]]
    return {q: theirs[q][0] / ours[q][0] for q in both}


def mean(values: list[float]) -> float | None:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def concepts(dump: Path, edges: int) -> list[str]:
    """Return eight concepts by how much is said of them: the ends of IsA and UsedFor, from frequent to seldom."""
    import polars as pl

    frame = base.plain(dump)
    ends = (
        frame.filter(pl.col("p").is_in(["IsA", "UsedFor"]))
        .group_by("o")
        .len()
        .sort(["len", "o"], descending=[True, False])
    )
    places = [min(int(ends.height ** (0.25 + i * 0.06)), ends.height - 1) for i in range(8)]
    return list(ends["o"].gather(places))


def child(given: list[str], runs: int, timeout: float) -> None:
    name, dump, place, nodes_ = given
    nodes, of = json.loads(nodes_)
    if name in ("own", "oxigraph"):
        found = run_kgmm(name, Path(place), nodes, of, runs, timeout)
    elif name == "duckdb":
        found = run_duckdb(Path(place).with_name("duck.db"), Path(dump), of, runs, timeout)
    else:
        found = run_rdflib(Path(dump), nodes, Path(place).parent)
    print(json.dumps(found))


def compared(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    import dump as shape

    from kgmm.store import LocalStore

    dump, place, small = folder / "dump.csv", folder / "kb", folder / "small.csv"
    edges = shape.write(dump, given.edges)
    shape.write(small, SMALL)
    with LocalStore(place) as kb:
        kb.load(dump)
        of = answering(kb, concepts(dump, edges), given.timeout)
    results: dict[str, Any] = {"facts": edges}
    how = ["--runs", str(given.runs), "--timeout", str(given.timeout)]
    for name in (*ENGINES, "rdflib"):
        source = small if name == "rdflib" else dump
        child_ = ["--engine", name, str(source), str(place), json.dumps([concepts(source, edges), of])]
        done = subprocess.run([sys.executable, __file__, *child_, *how], stdout=subprocess.PIPE, text=True, check=True)
        results[name] = json.loads(done.stdout.splitlines()[-1])
    return results


def summary(results: dict[str, Any]) -> dict[str, Any]:
    times = {name: results[name]["times"] for name in ENGINES}
    names = [q.name for q in workload(["/x"] * 8)]
    differ = [q for q in names if len({n for e in ENGINES if (n := times[e].get(q, (None, None))[1]) is not None}) > 1]
    told_: dict[str, Any] = {"row counts differ": differ}
    for other in ("oxigraph", "duckdb"):
        found = ratios(times["own"], times[other])
        told_[f"{other} / own, geometric mean of {len(found)}"] = mean(list(found.values()))
        told_[f"{other} / own, least"] = min(found.items(), key=lambda kv: kv[1]) if found else None
    few = results["rdflib"]
    told_["row counts differ from rdflib's"] = [q for q, r in few["rdflib"].items() if r[1] != few["ours"][q][1]]
    small = ratios(results["rdflib"]["ours"], results["rdflib"]["rdflib"])
    told_[f"rdflib / ours, {SMALL:,} facts, geometric mean of {len(small)}"] = mean(list(small.values()))
    return told_


def page(results: dict[str, Any]) -> str:
    def cell(value: Any) -> str:
        return "–" if not value or value[0] is None else f"{value[0]:,.1f}"

    lines = [f"{results['facts']:,} facts; ms, best of the runs", "", "| query | rows | " + " | ".join(ENGINES) + " |"]
    lines.append("|---|---:|" + "---:|" * len(ENGINES))
    for q in workload(["/x"] * 8):
        row = [results[e]["times"].get(q.name) for e in ENGINES]
        rows = next((r[1] for r in row if r and r[1] is not None), "–")
        lines.append(f"| {q.name} | {rows} | " + " | ".join(map(cell, row)) + " |")
    lines += ["", "| slow shape: as written / best order, ms | " + " | ".join(ENGINES[:2]) + " |", "|---|---:|---:|"]
    for name, *_ in slow(["/x"] * 8):
        pairs = [results[e].get("slow", {}).get(name, [None, None]) for e in ENGINES[:2]]
        lines.append(f"| {name} | " + " | ".join(f"{cell(p[:1])} / {cell(p[1:])}" for p in pairs) + " |")
    lines.append("")
    for e in ENGINES:
        rest = {k: v for k, v in results[e].items() if k not in ("times", "slow")}
        lines.append(
            f"{e}: " + ", ".join(f"{k} {v:,.2f}" if isinstance(v, float) else f"{k}: {v}" for k, v in rest.items())
        )
    return "\n".join([*lines, *(f"{k}: {v}" for k, v in results["summary"].items())])


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--edges", type=int, default=3_400_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--timeout", type=float, default=30.0)
    options.add_argument("--folder", type=Path, help="Where to work; a temporary folder by default.")
    options.add_argument("--json", action="store_true")
    options.add_argument("--engine", nargs=4, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.engine:
        child(given.engine, given.runs, given.timeout)
        return
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        results = compared(folder, given)
        results["summary"] = summary(results)
        print(json.dumps(results) if given.json else page(results))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
