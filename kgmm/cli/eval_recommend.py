"""``kgmm eval recommend``: a recommender on ratings, beside popularity and random scores."""

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, PLACE, WHOLE, Number, emit, json_option, progress_bar


@click.command()
@click.argument("source", metavar="FILE|DIR", type=PLACE)
@click.option("--method", default="bpr", help="als, bpr, item-mean, mf, popularity, walk … (kgmm.recommend.methods()).")
@click.option(
    "--split", "how", default="ratio", type=click.Choice(["ratio", "leave-one-out", "time"]), help="What is kept apart."
)
@click.option(
    "--size", default=0.2, type=Number(0, 1, min_open=True, max_open=True), help="Share kept apart by ratio and time."
)
@click.option("--seed", default=0, type=WHOLE, help="Of the split and the method.")
@click.option("--threshold", type=Number(), help="The lowest rating that is liking [4 of 5].")
@click.option("--few", metavar="LOW-HIGH", help="Cut each user to a random number of ratings to learn from, as 1-9.")
@click.option("--knowledge", metavar="DIR", type=PLACE, help="Folder with .kg and .link files, for walk.")
@click.option("--factors", type=COUNT, help="Length of the vectors [the method's own].")
@click.option("--epochs", type=COUNT, help="Passes over the ratings [the method's own].")
@click.option(
    "--source", "other", type=PLACE, help="Ratings of a second domain: cold users of the target are predicted from it."
)
@click.option(
    "--cold",
    default=0.2,
    type=Number(0, 1, min_open=True, max_open=True),
    help="With --source: share of users of both made cold.",
)
@json_option
def recommend(
    source: Path,
    method: str,
    how: str,
    size: float,
    seed: int,
    threshold: float | None,
    few: str | None,
    knowledge: Path | None,
    factors: int | None,
    epochs: int | None,
    other: Path | None,
    cold: float,
    as_json: bool,
) -> None:
    """Learn from most ratings, rank and rate what was kept apart.

    With --source all target ratings of some users of both domains are taken away and predicted by the method (cbt, emcdr,
    latent-attributes, ridge, xptrans), beside damped means, which know nothing of them.

    FILE or DIR is as MovieLens, Amazon or RecBole release them, or any CSV, TSV or Parquet with user, item, rating, time.
    """
    from kgmm.data.item_knowledge import read_item_knowledge
    from kgmm.data.ratings import read_ratings
    from kgmm.evaluate.recommend import cold_users, evaluate, table

    options: dict[str, Any] = {
        name: value for name, value in (("factors", factors), ("epochs", epochs)) if value is not None
    }
    if other is not None:
        domains = read_ratings(source), read_ratings(other)
        cold_found = cold_users(domains, [method], share=cold, seed=seed, **options)
        if as_json:
            emit({"method": method, **cold_found, **cold_found[method]})
        else:
            click.echo(f"{cold_found['users']} cold users, {cold_found['ratings']} ratings kept apart")
            for name in (method, "item-mean"):
                click.echo(f"{name:18} RMSE {cold_found[name]['rmse']:.4f}   MAE {cold_found[name]['mae']:.4f}")
        return
    bounds = None
    if few is not None:
        low, _, high = few.partition("-")
        if not (low.isdecimal() and high.isdecimal() and len(few) < 20):
            raise click.BadParameter(f"{few!r} is no range as 1-9.", param_hint="--few")
        bounds = int(low), int(high)
    known = None if knowledge is None else read_item_knowledge(knowledge)
    chosen: dict[str, Any] = {"size": size, "seed": seed, "threshold": threshold, "few": bounds, "knowledge": known}
    with progress_bar("models") as progress:
        found = evaluate(read_ratings(source), method, how, progress=progress, **chosen, **options)
    if as_json:
        emit(found)
    else:
        click.echo(table(found))
