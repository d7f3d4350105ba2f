"""``kgmm complete``: what a store leaves unsaid."""

from dataclasses import asdict
from pathlib import Path

import click

from kgmm.cli.output import COUNT, PLACE, Number, json_option, local, progress_bar, say


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("subject")
@click.argument("relation")
@click.option("-k", "count", type=COUNT, default=10, help="Candidates at most.")
@click.option("--keep", "kept", is_flag=True, help="Add those above their relation's threshold to the graph completed.")
@click.option("--seconds", type=Number(0, min_open=True), default=600.0, help="Learning takes at most.")
@json_option
def complete(kb: Path, subject: str, relation: str, count: int, kept: bool, seconds: float, as_json: bool) -> None:
    """Say what SUBJECT's RELATION may be that KB does not state, the likeliest first, with reasons.

    What is learned of KB is kept in its cache until KB changes. SUBJECT may be one that no fact has.
    """
    from kgmm.complete.completing import keep

    with local(kb) as store:
        with progress_bar("steps") as progress:
            found = store.complete(subject, relation, count, seconds=seconds, progress=progress)
        added = keep(store, found) if kept else 0
    lines = [
        f"{one.probability:.3f}{'*' if one.kept else ' '} {one.object}   ({one.reason})"
        + "".join(f"\n         {fact.subject} {fact.predicate} {fact.object}" for fact in one.facts)
        for one in found
    ]
    lines.append(f"{len(found)} candidates; * reaches the relation's threshold")
    document: object = [asdict(one) for one in found]
    if kept:
        lines.append(f"{added} facts added to the graph completed")
        document = {"completions": document, "added": added}
    say(as_json, document, "\n".join(lines))
