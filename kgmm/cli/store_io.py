"""Commands that ask a store in SPARQL and write it to a file."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, PLACE, WHOLE, Number, at_option, emit, json_option, progress_bar, say
from kgmm.cli.unknown import unknown
from kgmm.errors import BadInput
from kgmm.store import LocalStore


@click.command()
@click.argument("kb")
@click.argument("query")
@click.option("--timeout", default=60.0, type=Number(0, min_open=True), help="Seconds the query may take.")
@click.option("--limit", type=COUNT, help="Most rows to print.")
@click.option("--version", type=WHOLE, help="Ask this version instead of the newest.")
@click.option("--engine", type=click.Choice(["own", "oxigraph"]), help="What answers; own unless told otherwise.")
@click.option("--explain", is_flag=True, help="Print the plan with estimates, rows and times instead of the answer.")
@at_option
@json_option
def sparql(
    kb: str,
    query: str,
    timeout: float,
    limit: int | None,
    version: int | None,
    engine: str | None,
    explain: bool,
    at: str | None,
    as_json: bool,
) -> None:
    """Run a SPARQL QUERY (or @FILE, or - for stdin) on the store KB, or on an endpoint's address.

    The prefixes c: (English concepts), r: (relations), kgmm: and others are declared already.
    """
    from kgmm.store.sparql.results import Solutions

    text = _text(query)
    store: Any
    seen: Any
    if kb.startswith(("http://", "https://")):
        from kgmm.store.remote import endpoint as remote

        if at is not None:
            raise BadInput("--at", "an endpoint's facts have no times")
        if engine is not None or explain:
            raise BadInput("--explain" if explain else "--engine", "an endpoint answers by its own engine")
        store = seen = remote.RemoteStore(kb)
    else:
        store = LocalStore(kb, create=False, version=version)
        seen = store.as_of(at)
    how: dict[str, Any] = {} if engine is None else {"engine": engine}
    how |= {"explain": True} if explain else {}
    with store, seen:
        result = seen.sparql(text, timeout=timeout, limit=limit, **how)
    if explain:
        say(as_json, result.to_dict(), str(result))
        return
    if isinstance(result, bool):
        say(as_json, {"answer": result}, "yes" if result else "no")
        return
    if as_json:
        table = isinstance(result, Solutions)
        found = {"variables": result.variables, "rows": list(result)} if table else {"triples": result.rows}
        emit({**found, "truncated": result.truncated})
        return
    if isinstance(result, Solutions):
        click.echo("\t".join(f"?{name}" for name in result.variables))
        for row in result.rows:
            click.echo("\t".join(term or "" for term in row))
    else:
        click.echo(result.to_ntriples(), nl=False)
    if result.truncated:
        click.echo(f"kgmm: cut after {limit} rows; raise --limit for more", err=True)


def _text(query: str) -> str:
    if query != "-" and not query.startswith("@"):
        return query
    try:
        return sys.stdin.read() if query == "-" else Path(query[1:]).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(query.removeprefix("@"), f"not UTF-8 at byte {error.start + 1}") from error


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("file", type=PLACE)
@click.option(
    "--format",
    help="nquads, ntriples, turtle, trig, rdfxml, jsonld, nanopub, parquet, jsonl, kgtk, tsv, csv or graphml.",
)
@click.option("--graph", help="Write only this graph.")
@click.option("--version", type=WHOLE, help="Write this version instead of the newest.")
@click.option("--rdf12", is_flag=True, help="Say weights, sources and assertions as annotations of RDF 1.2.")
@click.option("--base", default="https://w3id.org/np/", help="What the IRIs of nanopublications begin with.")
@json_option
def export(kb: Path, file: Path, version: int | None, as_json: bool, **how: Any) -> None:
    """Write the store KB, with what is said of its facts, to FILE, which appears whole or not at all."""
    with LocalStore(kb, create=False, version=version) as store, progress_bar("facts") as progress:
        if missing := unknown(store, graphs=(how["graph"],)):
            raise missing
        report = store.export(file, progress=progress, **how)
    if as_json:
        emit(asdict(report))
    else:
        click.echo(f"{file}: {report.format}, {report.facts:,} facts, {report.bytes:,} bytes")
