"""``kgmm expect``: from a sentence about what happens to its effects, what it needed and what it is done for."""

from dataclasses import asdict
from pathlib import Path

import click

from kgmm.cli.ending import nothing
from kgmm.cli.output import COUNT, PLACE, Number, emit, json_option, local


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("text")
@click.option("--limit", default=24, type=COUNT, help="At most so many.")
@click.option("--threshold", default=0.25, type=Number(0, 1), help="Only what is at least so probable.")
@click.option("--by", type=click.Choice(["probability", "time"]), default="probability", help="The order.")
@click.option("--store-only", is_flag=True, help="Without the event facts that ship with kgmm.")
@click.option("--defeated", is_flag=True, help="With what an exception takes away, and the exception.")
@click.option("--reasons", is_flag=True, help="With the facts behind each, as sentences.")
@json_option
def expect(
    kb: Path,
    text: str,
    limit: int,
    threshold: float,
    by: str,
    store_only: bool,
    defeated: bool,
    reasons: bool,
    as_json: bool,
) -> int:
    """Say what is to be expected of what TEXT tells, from KB's facts about events and those that ship with kgmm."""
    with local(kb) as store:
        found = store.expect(text, limit=limit, threshold=threshold, own=not store_only, defeated=defeated)
    if by == "time":
        found = sorted(found, key=lambda e: (e.when, -e.probability, e.text))
    if as_json:
        emit([asdict(e) for e in found])
    width = max((len(e.text) for e in found), default=0)
    for e in found if not as_json else ():
        why = f"  {e.reason}" if reasons or e.defeated else ""
        click.echo(
            f"{e.probability:5.2f}  {e.kind:<12}  {e.text:<{width}}{'  not expected:' if e.defeated else ''}{why}".rstrip()
        )
    return 0 if found else nothing(f"nothing is known of what happens in {text!r}")
