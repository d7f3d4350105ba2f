"""``kgmm recommend``: what a user may like, from ratings in a store or a file, and why."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgmm.cli.ending import nothing
from kgmm.cli.output import COUNT, FOLDER, PLACE, WHOLE, emit, json_option, local
from kgmm.errors import BadInput
from kgmm.language import names

if TYPE_CHECKING:
    from kgmm.knowledge import KnowledgeStore


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("user")
@click.option("--relation", default="rated", help="The relation that holds ratings, its facts' weights.")
@click.option("--ratings", metavar="FILE|DIR", type=PLACE, help="Ratings from a file instead of KB's relation.")
@click.option(
    "--knowledge", metavar="DIR", type=FOLDER, help="Knowledge from .kg and .link files instead of KB's facts."
)
@click.option(
    "--contents",
    metavar="FILE|DIR",
    multiple=True,
    type=PLACE,
    help="What items are: table, texts, pictures (repeatable).",
)
@click.option("--text-encoder", help="Texts by its vectors, not their words: minilm, glove, a folder [of walk minilm].")
@click.option("--image-encoder", default="efficientnet", help="Of pictures.")
@click.option("--method", default="walk", help="walk, bpr, als, mf, popularity …")
@click.option("--backend", type=click.Choice(["local", "spark"]), default="local", help="Where als is learned.")
@click.option("--model", type=PLACE, help="A saved recommender, instead of learning.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the recommender.")
@click.option("-k", "--count", default=10, type=COUNT, help="How many.")
@click.option("--seed", default=0, type=WHOLE, help="What random numbers begin with.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with posters and reasons.")
@click.option("--pictures", type=FOLDER, help="Folder of posters: alien.jpg, or as KB says [KB/pictures].")
@json_option
def recommend(
    kb: Path,
    user: str,
    relation: str,
    ratings: Path | None,
    knowledge: Path | None,
    contents: tuple[Path, ...],
    text_encoder: str | None,
    image_encoder: str,
    method: str,
    backend: str,
    model: Path | None,
    save: Path | None,
    count: int,
    seed: int,
    html: Path | None,
    pictures: Path | None,
    as_json: bool,
) -> int:
    """Say what USER may like, and why: from ratings in KB, what KB knows of the items, or a file of ratings.

    In KB a rating is a fact (USER, relation, item), its weight the rating.
    """
    from kgmm.recommend import load
    from kgmm.recommend.board import OWN, board, posters

    with local(kb) as store:
        read = contents, text_encoder, image_encoder
        learn = partial(_learned, store, method, relation, ratings, knowledge, read, seed, backend)
        maker = learn() if model is None else load(model)
        files = {} if html is None else posters(store, maker.items)
    who = user
    if user not in maker.users and any(letter.isalnum() for letter in user):
        who = names.concept(user)
    found = maker.recommend(who if who in maker.users else user, count, reasons=True)
    if save is not None:
        maker.save(save)
    labels = getattr(maker, "labels", {})
    if html is not None:
        from kgmm.files import whole

        with whole(html) as draft:
            folder = pictures or (kb / OWN if (kb / OWN).is_dir() else None)
            page = board(user, maker.name, found, labels=labels, pictures=folder, files=files)
            Path(draft).write_text(page, encoding="utf-8")
    if as_json:
        emit({"user": user, "method": maker.name, "items": [_told(one, labels) for one in found]})
    else:
        for place, one in enumerate(found, 1):
            click.echo(f"{place:3}  {one.score:9.4g}  {_name(one.item, labels)}")
            for reason in one.reasons:
                click.echo(f"     {reason}")
    return 0 if found else nothing(f"{user} has rated all there is")


def _learned(
    store: KnowledgeStore,
    method: str,
    relation: str,
    ratings: Path | None,
    knowledge: Path | None,
    read: tuple[tuple[Path, ...], str | None, str],
    seed: int,
    backend: str,
) -> Any:
    from kgmm.cli.eval_recommend import told_of
    from kgmm.data.item_knowledge import read_item_knowledge
    from kgmm.data.ratings import read_ratings
    from kgmm.recommend import seeded
    from kgmm.recommend.board import PICTURE
    from kgmm.recommend.knowledge import ItemKnowledge
    from kgmm.recommend.told import fit_told, takes

    facts = [] if ratings is not None else list(store.find(None, relation, None))
    if ratings is None and not facts:
        raise BadInput(relation, "no fact of this relation holds a rating; --relation or --ratings names others")
    rated: Any = [(f.subject, f.object, f.weight) for f in facts] if ratings is None else read_ratings(ratings)
    maker = seeded(method, seed, **({} if backend == "local" else {"backend": backend}))
    told = told_of(maker, *read)
    if told and ratings is None:  # items are concepts there, files are named as people write them
        told = [{names.concept(item): content for item, content in kind.items()} for kind in told]
    if knowledge is not None:
        return fit_told(maker, rated, knowledge=read_item_knowledge(knowledge), contents=told)
    if not takes(maker, "knowledge") and (told or not takes(maker, "contents")):
        return fit_told(maker, rated, contents=told)
    known = ItemKnowledge.of(store, leave_out={fact.predicate for fact in facts} | {PICTURE})
    return fit_told(maker, rated, knowledge=known, contents=told)


def _name(item: str, labels: dict[str, str]) -> str:
    return labels.get(item) or (names.label(item) if item.startswith("/c/") or "://" in item else item)


def _told(one: Any, labels: dict[str, str]) -> dict[str, Any]:
    return {**asdict(one), "label": _name(one.item, labels)}
