"""``kgmm encode``: vectors of a store's facts and terms, before anyone asks."""

import time
from pathlib import Path

import click

from kgmm.cli.output import PLACE, json_option, local, progress_bar, say


@click.command()
@click.argument("kb", type=PLACE)
@click.option("--encoder", default="minilm", help="A text encoder's name.")
@json_option
def encode(kb: Path, encoder: str, as_json: bool) -> None:
    """Compute the vectors of all facts and terms of KB, which first questions would wait for.

    It may be stopped and begun again: what is done is kept.
    """
    from kgmm.retrieve.ahead import encode_all

    start = time.perf_counter()
    with local(kb) as store, progress_bar("texts") as progress:
        found = encode_all(store, encoder, progress)
    seconds = round(time.perf_counter() - start, 1)
    said = (
        f"{kb}: {found.facts:,} facts and {found.terms:,} terms have vectors, {found.new:,} of them new, {seconds:g} s"
    )
    say(as_json, {**found._asdict(), "seconds": seconds}, said)
