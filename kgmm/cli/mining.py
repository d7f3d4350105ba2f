"""``kgmm mine``: rules over a store's facts, itemsets and rules of a file's rows."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgmm.cli.output import COUNT, FILE, FOLDER, Number, json_option, local, progress_bar, say
from kgmm.errors import StoreError
from kgmm.files import whole

if TYPE_CHECKING:
    import polars as pl

SHARE = Number(0, 1)


@click.command()
@click.argument("kb", type=click.Path())
@click.option("--max-atoms", type=click.IntRange(2, 3), default=3, help="Atoms of head and body together.")
@click.option("--min-support", type=COUNT, default=10, help="Pairs that body and head join at least.")
@click.option("--min-confidence", type=SHARE, default=0.1, help="Least PCA confidence.")
@click.option("--min-head-coverage", type=SHARE, default=0.01, help="Least share of the head's facts.")
@click.option("--relation", "relations", multiple=True, help="Only these relations (repeatable).")
@click.option("--head", "heads", multiple=True, help="Only rules that imply these relations (repeatable).")
@click.option("--graph", "graphs", multiple=True, help="Only facts of these graphs (repeatable).")
@click.option("--constants", is_flag=True, help="Also rules with named ends: IsA(x, dog) ⇒ CapableOf(x, bark).")
@click.option("--write", metavar="GRAPH", help="Write what they conclude as candidates, in the graph mined/GRAPH.")
@click.option("--top", type=COUNT, default=40, help="Rules shown; --json has all.")
@json_option
def rules(
    kb: str,
    max_atoms: int,
    min_support: int,
    min_confidence: float,
    min_head_coverage: float,
    relations: tuple[str, ...],
    heads: tuple[str, ...],
    graphs: tuple[str, ...],
    constants: bool,
    write: str | None,
    top: int,
    as_json: bool,
) -> None:
    """Find the rules that the facts of KB keep to, the surest first, each with its support and an exception.

    With --write what they conclude becomes candidates: kgmm mine candidates shows, accepts and rejects them.
    """
    from kgmm.patterns import conclude

    options: dict[str, Any] = {
        "min_confidence": min_confidence,
        "min_head_coverage": min_head_coverage,
        "constants": constants,
    }
    options |= {"relations": list(relations) or None, "heads": list(heads) or None, "graphs": list(graphs) or None}
    with local(kb) as store, progress_bar("bodies") as progress:
        found = store.rules(max_atoms, min_support, progress=progress, **options)
        written = conclude(store, found, write) if write else 0
    lines = [
        f"{row['pca_confidence']:.3f}  {row['support']:>7,} of {row['body_size']:,}  {row['rule']}"
        + (f"   (not {row['exception']})" if row["exception"] else "")
        for row in found.head(top).iter_rows(named=True)
    ]
    _told(as_json, "rules", found.to_dicts(), [*lines, _counted(len(found), "rules", top)], written, write)


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--min-support", type=Number(0, min_open=True), default=0.1, help="Share of the rows; from 2 up a number of rows."
)
@click.option("--all", "every", is_flag=True, help="All frequent sets, not the closed ones alone.")
@click.option("--max-length", type=COUNT, help="Items of a set at most.")
@click.option("--rules", "confidence", type=SHARE, help="Rules of at least this confidence instead of sets.")
@click.option("--consequent", multiple=True, help="Only rules that lead to this item (repeatable).")
@click.option("--column", help="Which column of a Parquet file has the lists.")
@click.option("--top", type=COUNT, default=40, help="How many are shown; --json has all.")
@json_option
def itemsets(
    file: Path,
    min_support: float,
    every: bool,
    max_length: int | None,
    confidence: float | None,
    consequent: tuple[str, ...],
    column: str | None,
    top: int,
    as_json: bool,
) -> None:
    """Find sets of items that are together in many rows of FILE, or rules among them.

    FILE is Parquet with a column of lists, JSON Lines of lists, or text: a row a line, items parted by tabs, commas or spaces.
    """
    from kgmm.patterns import itemsets as find
    from kgmm.patterns import rules as lead

    support = _support(min_support)
    if confidence is None:
        if consequent:
            raise click.UsageError("--consequent is for --rules CONFIDENCE")
        with progress_bar("items") as progress:
            found = find(file, support, closed=not every, max_length=max_length, column=column, progress=progress)
        lines = [f"{row['support']:.4f}  {_said(row['itemsets'])}" for row in found.head(top).iter_rows(named=True)]
    else:
        wanted = list(consequent) or None
        found = lead(file, support, confidence, consequent=wanted, max_length=max_length, column=column)
        lines = _rules(found, top)
    kind = "sets" if confidence is None else "rules"
    say(as_json, found.to_dicts(), "\n".join([*lines, _counted(len(found), kind, top)]))


@click.command()
@click.argument("kb", type=click.Path())
@click.option("--kind", type=click.Choice(["scene", "story"]), default="scene", help="Scenes or stories.")
@click.option("--min-support", type=Number(0, min_open=True), default=0.1, help="Share of them; from 2 up a number.")
@click.option("--min-confidence", type=SHARE, default=0.5, help="Least confidence.")
@click.option("--max-length", type=click.IntRange(2), default=3, help="Things of a rule at most.")
@click.option("--write", metavar="GRAPH", help="Write pairs as candidates LocatedNear, in the graph mined/GRAPH.")
@click.option("--top", type=COUNT, default=40, help="How many are shown; --json has all.")
@json_option
def scenes(
    kb: str,
    kind: str,
    min_support: float,
    min_confidence: float,
    max_length: int,
    write: str | None,
    top: int,
    as_json: bool,
) -> None:
    """Find what goes with what in the scenes (or stories) that KB holds."""
    from kgmm.patterns import conclude_near, together

    with local(kb) as store:
        found = together(store, kind, _support(min_support), min_confidence, max_length)
        written = conclude_near(store, found, write) if write else 0
    lines = _rules(found, top)
    _told(as_json, "rules", found.to_dicts(), [*lines, _counted(len(found), "rules", top)], written, write)


def _support(given: float) -> float:
    """Return a share, or a whole number of rows."""
    return int(given) if given >= 2 and given == int(given) else given


def _said(items: list[object]) -> str:
    return ", ".join(map(str, items))


def _rules(found: pl.DataFrame, top: int) -> list[str]:
    """Return the first rules as lines."""
    return [
        f"{row['confidence']:.3f}  {row['support']:.4f}  {_said(row['antecedents'])} ⇒ {_said(row['consequents'])}"
        for row in found.head(top).iter_rows(named=True)
    ]


def _counted(count: int, what: str, top: int) -> str:
    return f"{count:,} {what}" + (f", {top} shown" if count > top else "")


def _told(as_json: bool, what: str, found: list[Any], lines: list[str], written: int, graph: str | None) -> None:
    """Say what was found and, where it was to be written, how many candidates it made."""
    document: Any = found
    if graph:
        document = {what: found, "written": written}
        lines = [*lines, f"{written:,} candidates written to mined/{graph}"]
    say(as_json, document, "\n".join(lines))


@click.command()
@click.argument("kb", type=click.Path())
@click.option("--graph", help="Only those of this graph, such as rules.")
@click.option("--least", type=SHARE, default=0.0, help="Only those at least so sure.")
@click.option("--accept", "verdict", flag_value="accept", help="Make them general knowledge.")
@click.option("--reject", "verdict", flag_value="reject", help="Take them out for good.")
@click.option("--fact", nargs=3, metavar="S P O", help="Only this one.")
@click.option("--by", default="", help="Who accepts or rejects them.")
@click.option("--top", type=COUNT, default=40, help="How many are shown; --json has all.")
@json_option
def candidates(
    kb: str,
    graph: str | None,
    least: float,
    verdict: str | None,
    fact: tuple[str, str, str] | None,
    by: str,
    top: int,
    as_json: bool,
) -> None:
    """Show what was mined in KB and awaits a verdict, the surest first; accept or reject it."""
    from kgmm.patterns import accept, reject
    from kgmm.patterns import candidates as awaiting
    from kgmm.store import Fact

    with local(kb) as store:
        found = awaiting(store, graph, least=least)
        if fact is not None:
            wanted = Fact(*fact)
            parts = (wanted.subject, wanted.predicate, wanted.object)
            found = [one for one in found if (one.subject, one.predicate, one.object) == parts]
            if not found:
                raise StoreError(f"no candidate {' '.join(parts)} in {kb}")
        if verdict:
            count = (accept if verdict == "accept" else reject)(store, found, by)
            say(as_json, {verdict + "ed": count}, f"{verdict}ed {count:,} candidates")
            return
    lines = [f"{one.weight:.3f}  {one.subject} {one.predicate} {one.object}   ({one.source})" for one in found[:top]]
    say(as_json, [asdict(one) for one in found], "\n".join([*lines, _counted(len(found), "candidates", top)]))


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--captions", required=True, type=FILE, help="JSONL, CSV or TSV: file, caption[, class].")
@click.option("--classes", type=FILE, help="The same with the class in the second place.")
@click.option(
    "--min-confidence", type=SHARE, default=0.8, help="Least share of a pattern's pictures that are of the class."
)
@click.option(
    "--min-support", type=Number(0, 1, min_open=True), help="Least share of all pictures; ten of them if left out."
)
@click.option(
    "--html", "place", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with cut-outs here."
)
@click.option(
    "--write", nargs=2, metavar="KB GRAPH", help="Write patterns as candidates into KB, in the graph mined/GRAPH."
)
@json_option
def pictures(
    folder: Path,
    captions: Path,
    classes: Path | None,
    min_confidence: float,
    min_support: float | None,
    place: Path | None,
    write: tuple[str, str] | None,
    as_json: bool,
) -> None:
    """Find what pictures in FOLDER and their captions have in common, class by class: named and placed."""
    from kgmm.patterns.folder import conclude_visual, page, read_pictures
    from kgmm.patterns.visual import mine_pictures

    read = read_pictures(folder, captions, classes)
    names = [path.relative_to(folder.resolve()).as_posix() for path in read.paths]
    with progress_bar("pictures") as progress:
        bounds: dict[str, Any] = {"min_confidence": min_confidence, "min_support": min_support}
        found = mine_pictures(read.paths, read.captions, read.classes, progress=progress, **bounds)
    if place is not None:
        with whole(place) as draft:
            draft.write_text(page(found, read.paths, names), encoding="utf-8")
    written = 0
    if write is not None:
        with local(write[0], create=True) as store:
            written = conclude_visual(store, found, names, write[1])
    told = [{**asdict(p), "pictures": [names[i] for i in p.pictures]} for p in found]
    lines = [f"{p.support:.3f}  {p.confidence:.3f}  {p.label}: {p.name}   ({len(p.pictures)} pictures)" for p in found]
    lines.append(f"{len(found):,} patterns in {len(names):,} pictures")
    _told(as_json, "patterns", told, lines, written, write[1] if write else None)
