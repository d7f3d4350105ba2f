"""``kgmm same``: two names for one thing, proposed and accepted."""

from dataclasses import asdict
from pathlib import Path

import click

from kgmm.cli.ending import nothing
from kgmm.cli.output import COUNT, PLACE, Number, json_option, say
from kgmm.store import LocalStore, Same


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("pair", nargs=-1, metavar="[A B]")
@click.option("--not", "apart", is_flag=True, help="Say that A and B are not the same.")
@click.option("--contributor", default="", show_default=False, help="Who says so; kgmm withdraw undoes it.")
@click.option("--least", default=0.5, type=Number(0, 1), help="The least score of a proposal.")
@click.option("--vectors", is_flag=True, help="Compare labels by vectors too (MiniLM; about 14 ms a concept).")
@click.option("--limit", default=20, type=COUNT, help="Show at most so many.")
@json_option
def same(
    kb: Path,
    pair: tuple[str, ...],
    apart: bool,
    contributor: str,
    least: float,
    vectors: bool,
    limit: int,
    as_json: bool,
) -> int:
    """Propose concepts of KB that may be the same thing; or, given A and B, say that they are."""
    if len(pair) not in (0, 2):
        raise click.UsageError("give two concepts, or none to see proposals")
    with LocalStore(kb, create=False) as store:
        if pair:
            added = store.accept(*pair, contributor=contributor, same=not apart)
            text = f"{'said' if added else 'said already'}, version {store.version}"
            say(as_json, {"added": added, "version": store.version}, text)
            return 0
        encoder = None
        if vectors:
            from kgmm.encode import text_encoder

            encoder = text_encoder()
        found = store.proposals(least, limit, encoder)
    lines = map(_line, found)
    if found or as_json:
        say(as_json, {"proposals": [asdict(one) for one in found]}, "\n".join(lines))
    return 0 if found else nothing("no two concepts seem to be the same")


def _line(one: Same) -> str:
    """Return a proposal as a line: its score, the two, what speaks for and against it, and what each adds."""
    parts = " ".join(f"{kind} {adds:+.2f}" for kind, adds in one.parts)
    return "\t".join((f"{one.score:.3f}", one.a, one.b, "; ".join(one.evidence + one.against), parts))
