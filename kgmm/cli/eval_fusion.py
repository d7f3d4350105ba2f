"""``kgmm eval fusion``: fusion levels and shared spaces on a cross-modal data set, in one table."""

from __future__ import annotations

from pathlib import Path

import click

from kgmm.cli.output import COUNT, PLACE, json_option, progress_bar, say


@click.command()
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option("--seeds", default=3, type=COUNT, help="Runs to average.")
@click.option("--components", default=10, type=COUNT, help="Dimension of the spaces of CCA, kernel CCA and PLS.")
@json_option
def fusion(folder: Path, seeds: int, components: int, as_json: bool) -> None:
    """Fit on the training pairs of DIR; classify its test pairs, and search its training items with them.

    DIR is laid out as for `kgmm eval hashing`. Prints a Markdown table: accuracy of the category of pairs, and
    mean average precision of search across modalities by cosine.
    """
    from kgmm.data.cross_modal import read_cross_modal
    from kgmm.evaluate.fusion import evaluate, table

    data = read_cross_modal(folder)
    with progress_bar("rows") as progress:
        found = evaluate(data, seeds=range(seeds), components=components, progress=progress)
    say(as_json, found, table(found))
