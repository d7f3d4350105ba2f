"""SPARQL over a store: queries are evaluated on its own index, in this process; Oxigraph answers where it is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, overload

from kgmm.errors import BadInput
from kgmm.store.assertions.seeing import as_of
from kgmm.store.handle import Handle
from kgmm.store.sparql.results import Result
from kgmm.store.sparql.text import BadQuery, QueryCancelled, check, large, late, needs_annotations
from kgmm.store.times import Moment

if TYPE_CHECKING:
    from kgmm.store.sparql.engine.explaining import Plan

TIMEOUT = 60.0  #: Seconds a query may take unless told otherwise.
ENGINE = "own"  #: what answers queries unless told otherwise


@overload
def query(
    store: Handle,
    query: str,
    *,
    timeout: float = TIMEOUT,
    limit: int | None = None,
    memory: int | None = None,
    annotations: bool | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    raw: bool = False,
    at: Moment = None,
    engine: str | None = None,
    cancel: Event | None = None,
    explain: Literal[True],
) -> Plan: ...
@overload
def query(
    store: Handle,
    query: str,
    *,
    timeout: float = TIMEOUT,
    limit: int | None = None,
    memory: int | None = None,
    annotations: bool | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    raw: bool = False,
    at: Moment = None,
    engine: str | None = None,
    cancel: Event | None = None,
    explain: Literal[False] = False,
) -> Result: ...
def query(
    store: Handle,
    query: str,
    *,
    timeout: float = TIMEOUT,
    limit: int | None = None,
    memory: int | None = None,
    annotations: bool | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    raw: bool = False,
    at: Moment = None,
    engine: str | None = None,
    cancel: Event | None = None,
    explain: bool = False,
) -> Result | Plan:
    """Run a SPARQL query on a store's current version, or on what held at a time.

    Every graph of the store is a named graph, the default graph is the union of all. The prefixes ``c:``
    (English concepts), ``cn:`` (all concepts), ``r:`` (relations), ``kgmm:`` (graphs and our vocabulary), ``s:``,
    ``scene:``, ``rdf:``, ``rdfs:``, ``xsd:``, ``owl:``, ``skos:`` are declared already.

    Args:
        store: the store to ask.
        query: SELECT, ASK, CONSTRUCT or DESCRIBE.
        timeout: seconds after which the query is ended.
        limit: most rows to return; the result's ``truncated`` says whether there were more.
        memory: bytes the query may take; then it is ended.
        annotations: whether statements about facts (weight, source, contributor, valid time …) are visible; by default,
            if the query mentions them.
        default_graphs: IRIs of the graphs that make up the default graph, instead of the union.
        named_graphs: IRIs of the graphs that GRAPH may name, instead of all.
        raw: return terms in N-Triples form instead of stored terms.
        at: only what held at some moment of this time.
        engine: ``own`` evaluates the query in this process on the store's own index, without a copy of it; ``oxigraph``
            asks Oxigraph, in a process of its own, on a copy that is made first; None is :data:`ENGINE`.
        cancel: ends the query when another thread sets it.
        explain: return the plan as it was carried out instead: its steps as a tree, the rows each was expected to give
            and gave, its seconds; its ``result`` is the answer.

    Returns:
        Rows for SELECT, statements for CONSTRUCT and DESCRIBE, a bool for ASK; with *explain* a plan.

    Raises:
        BadQuery: if the query cannot be parsed or holds SERVICE.
        QueryTimeout: if it takes too long.
        QueryTooLarge: if it takes more memory than it may.
        QueryCancelled: if *cancel* was set.
        QueryFailed: if Oxigraph cannot evaluate it.

    Example:
        >>> query(kb, "SELECT ?s { ?s r:UsedFor c:cutting }")[0]                       # doctest: +SKIP
        {'s': '/c/en/knife'}
    """
    checked = check(query)
    if at is not None:
        store = as_of(store, at)
    annotated = needs_annotations(checked) if annotations is None else annotations
    chosen = engine or ENGINE
    if chosen not in ("own", "oxigraph"):
        raise BadInput("engine", f"no engine {chosen!r}; there are own and oxigraph")
    how: dict[str, Any] = {"timeout": timeout, "limit": limit, "memory": memory, "raw": raw, "cancel": cancel}
    how |= {"default_graphs": default_graphs, "named_graphs": named_graphs}
    if chosen == "own":
        return _own(store, checked, annotated, explain=explain, **how)
    if explain:
        raise BadInput("explain", "Oxigraph does not explain its plans; leave engine= out")
    from kgmm.store.sparql.process import ask

    return ask(store, checked, annotated, **how)


def _own(
    store: Handle, text: str, annotated: bool, *, timeout: float, memory: int | None, cancel: Event | None, **how: Any
) -> Result | Plan:
    """Answer a checked query in this process."""
    from kgmm.store.assertions.telling import telling
    from kgmm.store.rdf.terms import PREFIXES
    from kgmm.store.sparql.engine.algebra import Unsupported
    from kgmm.store.sparql.engine.limits import Cancelled, Limits, OutOfMemory, OutOfTime, TooDeep
    from kgmm.store.sparql.engine.running import run

    limits = Limits(timeout, memory, cancel)
    try:
        said = partial(telling, store) if annotated else None
        return run(store.opened, text, PREFIXES, limits, said=said, **how)
    except Unsupported as error:
        raise BadQuery("query", str(error), error.line) from None
    except TooDeep:
        raise BadQuery("query", "nested too deeply") from None
    except OutOfTime:
        raise late(timeout) from None
    except Cancelled:
        raise QueryCancelled from None
    except (OutOfMemory, MemoryError):
        raise large(limits.memory) from None
