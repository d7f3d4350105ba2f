"""The process that evaluates SPARQL queries, so that one that takes too long can be killed.

Reads one JSON request a line (``{"index": folder, "query": text, "limit": rows or null, …}``) and answers with JSON
lines: a head, batches of rows, an end. Started by :mod:`kgmm.store.sparql.query`, not by people.
"""

import json
import os
import sys
from itertools import islice
from typing import Any

import pyoxigraph as ox

from kgmm.store.sparql.results import ntriples_of

BATCH = 1000  #: rows in one line of an answer


def main() -> None:
    """Answer requests until the input ends or who asks is gone."""
    stores: dict[str, ox.Store] = {}
    try:
        for line in sys.stdin:
            try:
                answer(stores, json.loads(line))
            except SyntaxError as error:
                send(error="syntax", reason=str(error.args[0] if error.args else error), line=error.lineno)
            except (ValueError, OSError, RuntimeError) as error:
                send(error="failed", reason=str(error))
    except BrokenPipeError:  # what is left to write goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def answer(stores: dict[str, ox.Store], request: dict[str, Any]) -> None:
    """Evaluate one query and write its result."""
    index = request["index"]
    if index not in stores:
        stores.clear()  # one snapshot is enough: files of older ones can go
        stores[index] = ox.Store.read_only(index)
    how = {"prefixes": request["prefixes"], "use_default_graph_as_union": request["union"]}
    if request["default_graphs"] or request["named_graphs"]:
        how["default_graph"] = [ox.NamedNode(graph) for graph in request["default_graphs"]]
        how["named_graphs"] = [ox.NamedNode(graph) for graph in request["named_graphs"]]
    found = stores[index].query(request["query"], **how)
    if isinstance(found, ox.QueryBoolean):
        send(kind="ask", value=bool(found))
        return
    if isinstance(found, ox.QuerySolutions):
        names = [v.value for v in found.variables]
        send(kind="select", variables=names)
        rows: Any = ([ntriples_of(s[n]) for n in range(len(names))] for s in found)
    else:
        send(kind="graph")
        rows = ([ntriples_of(t.subject), ntriples_of(t.predicate), ntriples_of(t.object)] for t in found)
    limit = request["limit"]
    wanted = islice(rows, limit)
    while batch := list(islice(wanted, BATCH)):
        send(rows=batch)
    send(end=True, truncated=next(rows, None) is not None)


def send(**message: Any) -> None:
    """Write one line and hand it over at once."""
    sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    main()
