"""Commands on a store: load, info, find, add, remove, check, compact, vacuum."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kgmm.cli.ending import nothing, told
from kgmm.cli.output import (
    COUNT,
    PLACE,
    WHOLE,
    Number,
    at_option,
    emit,
    json_option,
    only_if_filled,
    progress_bar,
    say,
    together,
)
from kgmm.cli.unknown import unknown
from kgmm.errors import KgmmError, UnknownConcept
from kgmm.store import Fact, LoadReport, LocalStore
from kgmm.store.facts import ANY, Term

SHOWN = 100  #: facts that ``find`` prints unless told otherwise
PARTS = ("subject", "predicate", "object")


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("files", nargs=-1, required=True, type=PLACE)
@click.option("--format", help="The files' format, if looking at them does not tell.")
@click.option("--graph", help="The graph all facts go to.")
@click.option("--lang", help="Keep only concepts of this language, such as en.")
@click.option("--references", is_flag=True, help="Keep who says each fact, where the format tells (ConceptNet).")
@click.option("--strict", is_flag=True, help="Load nothing of a file if one of its lines cannot be used.")
@click.option(
    "--timeout", default=60.0, type=Number(0, min_open=True), help="Seconds parsing RDF may take, and one a megabyte."
)
@click.option("--memory", default=1024, type=COUNT, help="Megabytes of memory parsing RDF may take.")
@json_option
def load(kb: Path, files: tuple[Path, ...], as_json: bool, memory: int, **how: Any) -> int:
    """Load knowledge FILES into the store KB, which is made if need be."""
    reports: list[LoadReport] = []
    with only_if_filled(kb), LocalStore(kb) as store:
        for file in files:
            with progress_bar() as progress:
                report = store.load(file, progress=progress, memory=memory << 20, **how)
            reports.append(report)
            if not as_json:
                click.echo(_told(file, report))
        if as_json:
            loaded = [{"file": str(file), **asdict(report)} for file, report in zip(files, reports, strict=True)]
            emit({"store": str(store.path), "facts": len(store), "version": store.version, "loaded": loaded})
    empty = [str(file) for file, report in zip(files, reports, strict=True) if report.read == report.rejected]
    return nothing(KgmmError(f"nothing of {', '.join(empty)} can be used")) if empty else 0


def _told(file: Path, report: LoadReport) -> str:
    text = f"{file}: {report.format}, {report.read:,} read, {report.added:,} added, {report.duplicates:,} known"
    if report.rejected:
        text += f", {report.rejected:,} rejected (see {report.rejects})"
    return f"{text}, {report.seconds:.1f} s, version {report.version}"


@click.command()
@click.argument("kb", type=PLACE)
@click.option("--version", type=WHOLE, help="Show this version instead of the newest.")
@json_option
def info(kb: Path, version: int | None, as_json: bool) -> None:
    """Show what the store KB holds: graphs, relations, versions."""
    with LocalStore(kb, create=False, version=version) as store:
        about: dict[str, Any] = {"store": str(store.path), "version": store.version, "facts": len(store)}
        about |= {"terms": len(store.terms), "bytes": _bytes(store)}
        about |= {"graphs": store.graphs(), "relations": store.relations(), "versions": store.versions()}
    lines = [f"{about['store']}: {about['facts']:,} facts, {about['terms']:,} terms, {about['bytes']:,} bytes"]
    for title in ("graphs", "relations"):
        counts = about[title]
        lines += [f"{title}:", *(f"  {count:>12,}  {name}" for name, count in list(counts.items())[:20])]
        lines += [f"  … {len(counts) - 20:,} more"] if len(counts) > 20 else []
    latest = (f"  {entry['version']:>6}  {entry['time']}  {entry['operation']}" for entry in about["versions"][-10:])
    say(as_json, about, "\n".join([*lines, "versions:", *latest]))


def _bytes(store: LocalStore) -> int:
    return sum(p.stat().st_size for p in store.path.rglob("*") if p.is_file())


#: a store and a pattern of facts in it; what is left out at its end stands for any
_pattern = together(
    click.argument("kb", type=PLACE),
    *(click.argument(part, required=False) for part in PARTS),
    click.option("--graph", help="Only facts of this graph."),
)


def _why_none(store: LocalStore, s: Term, p: Term, o: Term, graph: Term) -> UnknownConcept | str:
    """Return why no fact fits a pattern."""
    return unknown(store, (s, o), (p,), (graph,)) or "no such fact"


@click.command()
@_pattern
@click.option("--limit", type=WHOLE, default=SHOWN, help="Print at most so many.")
@click.option("--version", type=WHOLE, help="Look in this version instead of the newest.")
@at_option
@json_option
def find(
    kb: Path, graph: str | None, limit: int, version: int | None, at: str | None, as_json: bool, **pattern: str | None
) -> int:
    """Look facts up in the store KB; - or ? stands for any subject, predicate or object."""
    with LocalStore(kb, create=False, version=version) as store:
        s, p, o = (pattern[part] for part in PARTS)
        count = store.count(s, p, o, graph=graph, at=at)
        facts = store.find(s, p, o, graph=graph, limit=limit, at=at)
        why = None if count else _why_none(store, s, p, o, graph)
        if as_json:
            found = {"count": count, "version": store.version, "facts": [asdict(fact) for fact in facts]}
            emit({**found, **(told(why) if why else {})})
        else:
            for fact in facts:
                click.echo(_row(fact))
            if count > len(facts):
                click.echo(f"{len(facts):,} of {count:,} facts; more with --limit", err=True)
    return nothing(why) if why else 0


def _row(fact: Fact) -> str:
    return "\t".join((fact.subject, fact.predicate, fact.object, f"{fact.weight:g}", fact.graph, fact.source))


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("subject")
@click.argument("predicate")
@click.argument("object")
@click.option("--weight", type=Number(), default=1.0, help="How strongly it holds.")
@click.option("--graph", default="facts", help="The graph it goes to.")
@click.option("--source", default="", show_default=False, help="The document it comes from, or who says so.")
@click.option("--from", "start", help="When it began to hold: 2019, 2019-05, 2019-05-03 …; ever if left out.")
@click.option("--to", "end", help="When it held last, all of that year, month or day; still if left out.")
@click.option("--contributor", default="", show_default=False, help="Who says so, of several.")
@click.option("--confidence", type=Number(0, 1), help="How sure they are.")
@click.option("--against", is_flag=True, help="They say that it does not hold.")
@click.option("--method", default="", show_default=False, help="How it was come by: told, loaded, mined, completed.")
@click.option("--licence", default="", show_default=False, help="Under which it may be used.")
@click.option("--text", default="", show_default=False, help="The words it was taken from.")
@json_option
def add(
    kb: Path,
    subject: str,
    predicate: str,
    object: str,
    weight: float,
    graph: str,
    source: str,
    start: str | None,
    end: str | None,
    against: bool,
    as_json: bool,
    **about: Any,
) -> None:
    """Add one fact to the store KB, which is made if need be; or what somebody says of it, and of which time."""
    fact = Fact(subject, predicate, object, weight, graph, source)
    valid = (start, end) if start or end else None
    with LocalStore(kb) as store:
        added = store.add(fact, valid=valid, polarity=-1 if against else None, **about)
        text = f"{'added' if added else 'known already'}, version {store.version}"
        say(as_json, {"added": added, "version": store.version, "fact": asdict(fact)}, text)


@click.command()
@_pattern
@click.option("--all", "every", is_flag=True, help="Let -, ? and an empty word stand for any.")
@json_option
def remove(kb: Path, graph: str | None, every: bool, as_json: bool, **pattern: str | None) -> int:
    """Remove the facts that fit a pattern from the store KB; what is left out at its end fits any."""
    with LocalStore(kb, create=False) as store:
        s, p, o = (None if every and pattern[part] in ANY else pattern[part] for part in PARTS)
        removed = store.remove(s, p, o, graph=graph)
        why = None if removed else _why_none(store, s, p, o, graph)
        about = {"removed": removed, "version": store.version, **(told(why) if why else {})}
        say(as_json, about, f"{removed:,} removed, version {store.version}")
    return nothing(why) if why else 0


@click.command()
@click.argument("kb", type=PLACE)
@json_option
def check(kb: Path, as_json: bool) -> None:
    """Verify the store KB: table, index, ids; repair what can be derived again; name what RDF cannot write."""
    with LocalStore(kb, create=False) as store:
        found = store.check()
        copies = _without_copies(store)
        count, odd = store.unwritable()
        unwritable = {"count": count, "facts": [asdict(fact) for fact in odd]}
        about = {"store": str(store.path), "version": store.version, "facts": len(store)}
        lines = [f"{store.path}: {len(store):,} facts, version {store.version}, {'repaired' if found else 'sound'}"]
        if count:
            said = f"{count:,} facts have a term that RDF cannot write; say them anew, the first are:"
            lines = [said, *map(_row, odd), *lines]
        told = {**about, "repaired": found, "unwritable": unwritable, "copies": copies}
        say(as_json, told, "\n".join([*found, *_of_copies(copies), *lines]))


@click.command()
@click.argument("kb", type=PLACE)
@json_option
def compact(kb: Path, as_json: bool) -> None:
    """Merge small updates of the store KB into its index and table."""
    with LocalStore(kb, create=False) as store:
        before = _bytes(store)
        store.compact()
        copies = _without_copies(store)
        after = _bytes(store)
        about = {"store": str(store.path), "version": store.version, "bytes_before": before, "bytes_after": after}
        line = f"{store.path}: {before:,} to {after:,} bytes, version {store.version}"
        say(as_json, {**about, "copies": copies}, "\n".join([*_of_copies(copies), line]))


def _without_copies(store: LocalStore) -> dict[str, int]:
    """Remove the copies that SPARQL made in Oxigraph before it answered without one."""
    from kgmm.store.sparql import copies

    count, size = copies.remove(store)
    return {"count": count, "bytes": size}


def _of_copies(copies: dict[str, int]) -> list[str]:
    said = f"{copies['count']:,} copies for Oxigraph removed, {copies['bytes']:,} bytes: SPARQL needs none any more"
    return [said] if copies["count"] else []


@click.command()
@click.argument("kb", type=PLACE)
@click.option("--keep", default="30d", help="How long replaced versions stay: 30d, 12h, 5m, 0s.")
@json_option
def vacuum(kb: Path, keep: str, as_json: bool) -> None:
    """Delete the files of the store KB that only versions replaced long ago need."""
    with LocalStore(kb, create=False) as store:
        freed = store.vacuum(keep)
        oldest = store.versions()[0]["version"]
        about = {"store": str(store.path), "version": store.version, "oldest": oldest, "bytes_freed": freed}
        say(as_json, about, f"{store.path}: {freed:,} bytes freed, versions {oldest} to {store.version}")
