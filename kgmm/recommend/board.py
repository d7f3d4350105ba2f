"""A board of recommendations as one HTML page: posters where there are pictures, scores, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.recommend.base import Recommendation
from kgmm.scene.images import read_image
from kgmm.scene.show import picture_uri
from kgmm.templates import templates

#: the relation of a store's facts that name an item's picture, and the folder in a store that holds those
PICTURE, OWN = "picture", "pictures"
#: what a poster's file may be called, after the item's name
ENDS = (".jpg", ".jpeg", ".png", ".webp")
TALL = 300  #: pixels of a poster's longer side


def board(
    user: str,
    method: str,
    found: Sequence[Recommendation],
    *,
    labels: Mapping[str, str] | None = None,
    pictures: str | Path | None = None,
    files: Mapping[str, str] | None = None,
) -> str:
    """Return a page that needs no other file and no network; all that is put into it is escaped.

    Args:
        user: whom it is for.
        method: by which method.
        found: best first.
        labels: item -> what people call it.
        pictures: folder with a picture of an item under its name (the last part of a path): ``alien.jpg``.
        files: item -> its picture's file within that folder, as :func:`posters` reads it from a store; one that leads out
            of the folder is not shown.

    Raises:
        BadInput: if *pictures* is no folder.

    Example:
        >>> "&lt;b&gt;" in board("ann", "walk", [Recommendation("<b>", 1.0, ("because",))])
        True
    """
    folder = None if pictures is None else Path(pictures)
    if folder is not None and not folder.is_dir():
        raise BadInput(folder, "is no folder of pictures")
    named = labels or {}
    highest = max((one.score for one in found), default=1.0)
    cards = [
        {
            "item": one.item,
            "name": named.get(one.item),
            "score": one.score,
            "width": round(100 * max(0.0, one.score) / highest) if highest > 0 else 0,
            "reasons": one.reasons,
            "image": _poster(folder, one.item, (files or {}).get(one.item)),
        }
        for one in found
    ]
    page = templates(Path(__file__).with_name("templates")).get_template("board.html")
    return page.render(user=user, method=method, cards=cards)


def posters(store: Any, items: Sequence[str]) -> dict[str, str]:
    """Return the files of items' pictures that a store names: facts (item, picture, "alien.jpg"), the first of each.

    Args:
        store: any that has ``find``.
        items: wanted ones.
    """
    wanted, found = set(items), dict[str, str]()
    for fact in store.find(None, PICTURE, None):
        if fact.subject in wanted and names.is_literal(fact.object):
            found.setdefault(fact.subject, names.label(fact.object))
    return found


def _poster(folder: Path | None, item: str, named: str | None) -> str:
    """An item's picture as a data address, '' if there is none that can be read; never one outside of the folder."""
    name = item.rstrip("/").rpartition("/")[2]
    if folder is None or not name:
        return ""
    for tried in [named] if named else [f"{name}{end}" for end in ENDS]:
        if len(tried.encode()) > 200 or "\\" in tried or "\0" in tried or not tried.lower().endswith(ENDS):
            continue
        file = folder / tried
        if file.is_file() and file.resolve().is_relative_to(folder.resolve()):
            from PIL import Image

            try:
                return picture_uri(Image.fromarray(read_image(file, max_side=TALL).pixels))
            except BadInput:  # a damaged picture: the item is shown without
                return ""
    return ""
