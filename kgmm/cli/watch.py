"""``kgmm watch``: a question that is kept an eye on while others edit the store."""

from itertools import islice
from typing import Any

import click

from kgmm.cli.ask import evidence
from kgmm.cli.output import FILE, PLACE, Number, at_option, awaited, emit, local


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="KB [IMAGE] QUESTION")
@click.option("--seconds", type=Number(0), help="Stop after so many seconds; for ever by default.")
@click.option("--every", type=Number(0.01), default=0.5, help="Look for edits every so many seconds.")
@click.option("--changes", type=click.IntRange(1), help="Stop after so many changes.")
@click.option("--citations", is_flag=True, help="Tell too when the answer stays and what it cites changes.")
@click.option("--reasoner", default="default", help="Which reasoner answers, or the folder of a trained model.")
@click.option("--choice", "choices", multiple=True, help="An answer to choose from; repeatable.")
@click.option("--threshold", type=Number(0, 1), help="Withhold answers less sure than this.")
@at_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document a line: the answer, then each change.")
def watch(
    words: tuple[str, ...],
    seconds: float | None,
    every: float,
    changes: int | None,
    as_json: bool,
    choices: tuple[str, ...],
    **how: Any,
) -> None:
    """Answer QUESTION about IMAGE (a picture, a scene's JSON file, or nothing), and tell when an edit of KB changes the answer, and why.

    An edit about nothing that the answer has read is passed over without asking again.
    """
    *given, question = words
    if not 1 <= len(given) <= 2:
        raise click.UsageError("give KB and QUESTION, with an IMAGE between them")
    image = FILE.convert(given[1], None, None) if len(given) > 1 else None
    with local(PLACE.convert(given[0], None, None)) as store:
        with awaited("reading models, and what a first question compiles and encodes"):
            watched = store.watch(image, question, choices=choices or None, **how)
        first = watched.answer
        if as_json:
            emit(
                {"version": watched.version, "answer": first.text, "score": first.score, "trace": first.trace.to_dict()}
            )
        else:
            click.echo(evidence(first))
        for change in islice(watched.follow(seconds, every), changes):
            emit(change.to_dict()) if as_json else click.echo(str(change))
