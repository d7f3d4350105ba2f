"""``kgmm eval recommend``: a recommender on ratings, beside popularity and random scores."""

from contextlib import suppress
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
@click.option("--knowledge", metavar="DIR", type=PLACE, help="Folder with .kg and .link files, for walk and profile.")
@click.option(
    "--contents",
    metavar="FILE|DIR",
    multiple=True,
    type=PLACE,
    help="What items are: table, texts, pictures (repeatable).",
)
@click.option("--text-encoder", help="Texts by its vectors, not their words: minilm, glove, a folder [of walk minilm].")
@click.option("--image-encoder", default="efficientnet", help="Of pictures.")
@click.option("--factors", type=COUNT, help="Length of the vectors [the method's own].")
@click.option("--epochs", type=COUNT, help="Passes over the ratings [the method's own].")
@click.option("--backend", type=click.Choice(["local", "spark"]), default="local", help="Where als is learned.")
@click.option(
    "--source", "other", type=PLACE, help="Ratings of a second domain: cold users of the target are predicted from it."
)
@click.option(
    "--domains",
    metavar="FIELD:TARGET:SOURCE",
    help="Cut FILE|DIR in two domains by a field of its table of items, as class:Comedy:Drama or genres:Comedy:Drama.",
)
@click.option(
    "--cold",
    default=0.2,
    type=Number(0, 1, min_open=True, max_open=True),
    help="With two domains: share of users of both made cold.",
)
@click.option(
    "--set", "settings", metavar="NAME=VALUE", multiple=True, help="An option of the method, as mapping=linear."
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
    contents: tuple[Path, ...],
    text_encoder: str | None,
    image_encoder: str,
    factors: int | None,
    epochs: int | None,
    backend: str,
    other: Path | None,
    domains: str | None,
    cold: float,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Learn from most ratings, rank and rate what was kept apart.

    With --source or --domains all target ratings of some users of both domains are taken away and predicted by the method (cbt,
    emcdr, ridge, xptrans …), beside damped means of the target, which know nothing of them, and of both domains.

    FILE or DIR is as MovieLens, Amazon or RecBole release them, or any CSV, TSV or Parquet with user, item, rating, time.
    """
    from kgmm.data.item_knowledge import read_item_knowledge
    from kgmm.data.ratings import read_ratings
    from kgmm.evaluate.recommend import evaluate, table
    from kgmm.evaluate.recommend_cold import cold_users
    from kgmm.recommend import seeded

    options = dict(_setting(text) for text in settings)
    options |= {name: value for name, value in (("factors", factors), ("epochs", epochs)) if value is not None}
    options |= {} if backend == "local" else {"backend": backend}
    told = told_of(seeded(method, seed, **options), contents, text_encoder, image_encoder)
    if other is not None and domains is not None:
        raise click.UsageError("--source and --domains are two ways to name a second domain: give one.")
    if other is not None or domains is not None:
        two = (read_ratings(source), read_ratings(other)) if other is not None else _cut(source, str(domains))
        cold_found = cold_users(two, [method], share=cold, seed=seed, contents=told, **options)
        if as_json:
            emit({"method": method, **cold_found, **cold_found[method]})
        else:
            click.echo(f"{cold_found['users']} cold users, {cold_found['ratings']} ratings kept apart")
            for name in dict.fromkeys((method, "item-mean", "both-means")):
                click.echo(f"{name:18} RMSE {cold_found[name]['rmse']:.4f}   MAE {cold_found[name]['mae']:.4f}")
            beside = cold_found[method]["ahead_of_item_mean_p"], cold_found[method]["ahead_of_both_means_p"]
            click.echo(
                "over users it differs from item-mean with p = {:.4f}, from both-means with p = {:.4f}".format(*beside)
            )
        return
    bounds = None
    if few is not None:
        low, _, high = few.partition("-")
        if not (low.isdecimal() and high.isdecimal() and len(few) < 20):
            raise click.BadParameter(f"{few!r} is no range as 1-9.", param_hint="--few")
        bounds = int(low), int(high)
    known = None if knowledge is None else read_item_knowledge(knowledge)
    chosen: dict[str, Any] = {"size": size, "seed": seed, "threshold": threshold, "few": bounds, "knowledge": known}
    chosen["contents"] = told
    with progress_bar("models") as progress:
        found = evaluate(read_ratings(source), method, how, progress=progress, **chosen, **options)
    if as_json:
        emit(found)
    else:
        click.echo(table(found))


def told_of(maker: Any, contents: tuple[Path, ...], text_encoder: str | None, image_encoder: str) -> Any:
    """Contents of files in the form that a recommender takes; None without any, KgmmError if it has no use for them."""
    from kgmm.data.item_contents import read_contents
    from kgmm.recommend.told import prepared

    kinds = [kind for place in contents for kind in read_contents(place)]
    return prepared(maker, kinds, text_encoder, image_encoder) or None


def _cut(source: Path, domains: str) -> Any:
    """The two domains that a data set's items make, by ``field:target:source``."""
    from kgmm.data.item_fields import cut_by_field, read_item_fields
    from kgmm.data.ratings import read_ratings

    parts = domains.split(":")
    if len(parts) != 3 or not all(parts):
        raise click.BadParameter(f"{domains!r} is not FIELD:TARGET:SOURCE.", param_hint="--domains")
    return cut_by_field(read_ratings(source), read_item_fields(source if source.is_dir() else source.parent), *parts)


def _setting(text: str) -> tuple[str, Any]:
    """A method's option as ``name=value``: true, false, a number, else text."""
    name, found, value = text.partition("=")
    if not found or not name.isidentifier():
        raise click.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint="--set")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return name, kind(value)
    return name, value
