"""Made worlds of ratings and contents: planted topics draw items' words and pictures' words, and decide what users like."""

from typing import NamedTuple

import numpy as np

from kgmm.recommend.ratings import Ratings


class Told(NamedTuple):
    """A target's and a source's ratings, and of all items a text and visual words."""

    target: Ratings
    source: Ratings
    contents: list[dict[str, str]]


def made_contents(
    users: int = 200, items: int = 80, topics: int = 6, overlap: float = 0.5, rated: float = 0.2, seed: int = 0
) -> Told:
    """Draw two domains with no item in both, whose users' tastes are over the same topics of words.

    Args:
        users: of each domain.
        items: of each domain.
        topics: how many.
        overlap: share of users that are in both.
        rated: share of pairs that are rated, 1 to 5 in half steps.
        seed: of the draw.

    Example:
        >>> told = made_contents(users=10, items=5)
        >>> sorted(told.contents[0]) == sorted({*told.target.items, *told.source.items})
        True
    """
    rng = np.random.default_rng(seed)
    both = round(overlap * users)
    taste = rng.normal(size=(2 * users - both, topics))
    books = [rng.dirichlet(np.full(words, 0.1), topics) for words in (150, 60)]
    contents: list[dict[str, str]] = [{}, {}]
    found = []
    for first, letter in ((users - both, "t"), (0, "s")):
        mixed = rng.dirichlet(np.full(topics, 0.3), items)
        exact = 3 + 1.2 * taste[first : first + users] @ mixed.T + 0.25 * rng.normal(size=(users, items))
        exact += 0.2 * rng.normal(size=(1, items))
        values = np.clip(np.round(2 * exact) / 2, 1, 5)
        user, item = np.nonzero(rng.random(values.shape) < rated)
        found.append(
            Ratings.from_columns([f"u{u + first}" for u in user], [f"{letter}{i}" for i in item], values[user, item])
        )
        for kind, (book, length) in enumerate(zip(books, (30, 12), strict=True)):
            for i in np.unique(item):
                drawn = rng.choice(book.shape[1], length, p=mixed[i] @ book)
                contents[kind][f"{letter}{i}"] = " ".join(f"{'wv'[kind]}{word}" for word in drawn)
    return Told(found[0], found[1], contents)
