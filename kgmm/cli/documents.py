"""``kgmm read``: documents into a store, and out of it."""

from __future__ import annotations

from pathlib import Path

import click

from kgmm.cli.ending import nothing
from kgmm.cli.output import COUNT, PLACE, json_option, local, only_if_filled, progress_bar, say


@click.command()
@click.argument("kb", type=click.Path())
@click.argument("files", nargs=-1, metavar="FILE|DIR|-...")
@click.option("--remove", "gone", multiple=True, metavar="ID", help="Remove this document (repeatable).")
@click.option("--list", "listed", is_flag=True, help="List the documents' ids.")
@click.option("--vectors", is_flag=True, help="Make vectors of all passages, which questions are compared with.")
@click.option("--facts", is_flag=True, help="Take facts out of all documents, from now on, where patterns are sure.")
@click.option("--entities", is_flag=True, help="Link names of one thing across all documents, from now on.")
@click.option(
    "--tagger", metavar="spacy[:MODEL]", help="Also look for names that spaCy finds, from now on; none ends that."
)
@json_option
def read(
    kb: str,
    files: tuple[str, ...],
    gone: tuple[str, ...],
    listed: bool,
    vectors: bool,
    facts: bool,
    entities: bool,
    tagger: str | None,
    as_json: bool,
) -> None:
    """Take documents into KB, made if need be: text, Markdown, HTML, PDF, EPUB, DOCX, subtitles, corpora in JSONL and CSV.

    All are taken or none. A document read again takes the place of what it was.
    """
    if not (files or gone or listed or vectors or facts or entities or tagger):
        raise click.UsageError(
            "name files or folders to read, - for standard input, --remove ID, --list, --vectors, --facts, --entities or --tagger"
        )
    told: dict[str, object] = {}
    lines: list[str] = []
    with only_if_filled(kb), local(kb, create=bool(files)) as store:
        if gone:
            told["removed"] = store.remove_documents(gone)
            lines.append(f"removed {told['removed']:,} documents")
        if files or facts or entities or tagger:
            with progress_bar("files") as progress:
                report = store.read(files, facts=facts, entities=entities, tagger=tagger, progress=progress)
            told |= report.to_dict() | ({"removed": report.removed + len(gone)} if gone else {})
            lines.append(
                f"{report.documents:,} documents: {report.added:,} added, {report.changed:,} changed, "
                f"{report.unchanged:,} unchanged; {report.passages:,} passages in {kb}, {report.seconds:.1f} s"
            )
            lines += [f"not a document by its ending: {name}" for name in report.skipped]
            lines += [f"without a word, not kept: {name}" for name in report.empty]
        if report_facts := told.get("facts"):
            lines.append(f"{report_facts:,} facts in the graph documents are new")
        if vectors:
            with progress_bar("passages") as progress:
                told["vectors"] = store.read([], vectors=True, progress=progress).passages
            lines.append(f"vectors of {told['vectors']:,} passages")
        if listed:
            told["ids"] = ids = store.documents()
            lines += ids
    say(as_json, told, "\n".join(lines))


@click.command()
@click.argument("kb", type=PLACE)
@click.option("--count", default=8, type=COUNT, help="Topics shown.")
@json_option
def overview(kb: Path, count: int, as_json: bool) -> int:
    """Say what the documents in KB are about: names that are spoken of together, with sentences that say so."""
    with local(kb, create=False) as store:
        topics = store.overview(count)
    say(as_json, {"topics": [topic.to_dict() for topic in topics]}, "\n".join(map(str, topics)))
    return 0 if topics else nothing(f"no two names are spoken of together in the documents of {kb}")


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("name", required=False)
@click.option("--limit", default=20, type=COUNT, help="Show at most so many.")
@json_option
def entities(kb: Path, name: str | None, limit: int, as_json: bool) -> int:
    """Show what the documents in KB name by several names or in several documents; of NAME the evidence and the facts too.

    kgmm same KB A B says that two names are one, with --not that they are not, and kgmm remove undoes what was said.
    """
    with local(kb, create=False) as store:
        found = store.entities(name, limit)
    lines: list[str] = []
    for one in found:
        lines.append(str(one))
        lines += [f"  {said.kind}: {said.name} / {said.other}  [{said.document}] {said.words}" for said in one.evidence]
        lines += [f"  {fact.subject} {fact.predicate} {fact.object}  [{fact.source}]" for fact in one.facts]
    say(as_json, {"entities": [one.to_dict() for one in found]}, "\n".join(lines))
    return 0 if found else nothing(f"the documents of {kb} name nothing {'by that name' if name else 'in common'}")
