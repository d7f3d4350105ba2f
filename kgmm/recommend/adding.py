"""Items that came after the fit: who rated them places them, or what they are; nothing is learned again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError, UnknownConcept
from kgmm.recommend.ratings import Ratings

if TYPE_CHECKING:
    from kgmm.recommend.base import FactorRecommender, Recommender, Rows
    from kgmm.recommend.recommenders.walk import Walk


class NewItems(NamedTuple):
    """Names, and of each the known users that rated it and how: rows ``starts[i]:starts[i + 1]`` of users and values."""

    names: tuple[str, ...]
    starts: NDArray[np.int64]
    users: NDArray[np.int32]
    values: Rows

    def raters(self, number: int) -> tuple[NDArray[np.int32], Rows]:
        """Return who rated an item, and how."""
        span = slice(self.starts[number], self.starts[number + 1])
        return self.users[span], self.values[span]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many rated each."""
        return np.diff(self.starts)


def new_items(model: Recommender, ratings: Any, contents: Sequence[Mapping[str, Any]]) -> NewItems:
    """Return the items of ratings and contents, rated ones first.

    Raises:
        BadInput: if a rating is none.
        UnknownConcept: if the model does not know a user.
        KgmmError: if it knows an item already, or none is given.
    """
    rated = None if ratings is None else Ratings.of(ratings)
    names = tuple(dict.fromkeys((*(rated.items if rated else ()), *(str(item) for kind in contents for item in kind))))
    if not names:
        raise KgmmError("no item is given: add_items(ratings, contents=…)")
    if known := [name for name in names if name in model._item_number]:
        raise KgmmError(f"the recommender knows the item {known[0]!r} already; only new ones can be added")
    if rated is None:
        return NewItems(names, np.zeros(len(names) + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    for name in rated.users:
        if name not in model._user_number:
            raise UnknownConcept(name, get_close_matches(name, model.users, 3), "the ratings", "user")
    place = np.array([model._user_number[name] for name in rated.users], np.int32)
    starts, users, values = rated.by_item
    filled = np.concatenate([starts, np.full(len(names) - len(rated.items), starts[-1])])
    return NewItems(names, filled, place[users], values)


def seen_with(model: Recommender, new: NewItems, first: int) -> None:
    """Put new items, numbered from *first*, in the rows of what users have seen."""
    item = np.repeat(np.arange(len(new.names), dtype=np.int32) + first, new.counts)
    order = np.lexsort((item, new.users))
    who = new.users[order]
    ends = model.seen_starts[who + 1]
    model.seen_items = np.insert(model.seen_items, ends, item[order]).astype(np.int32)
    model.seen_values = np.insert(model.seen_values, ends, new.values[order]).astype(np.float32)
    more = np.bincount(who, minlength=len(model.seen_starts) - 1)
    model.seen_starts = model.seen_starts + np.concatenate([[0], np.cumsum(more)])


def item_placed(
    model: FactorRecommender, users: NDArray[np.int32], values: Rows, weight: float, biased: bool = True
) -> tuple[Rows, float]:
    """Return vector and bias of a new item: ridge regression of its ratings on the users' vectors, ridge *weight*."""
    rows = model.user_factors[users].astype(np.float64)
    if biased:
        rows = np.column_stack([rows, np.ones(len(rows))])
    left = values - model.mean[0] - model.user_bias[users]
    found = np.linalg.solve(rows.T @ rows + max(weight, 1e-9) * np.eye(rows.shape[1]), rows.T @ left)
    return (found[:-1].astype(np.float32), float(found[-1])) if biased else (found.astype(np.float32), 0.0)


def pairwise_placed(model: FactorRecommender, users: NDArray[np.int32], weight: float) -> tuple[Rows, float]:
    """Return vector and bias of an item that *users* chose, by Newton's steps on what training draws of it, all else held.

    Σ over its users of the mean of ln σ(x_un - x_uj) over items j they did not choose, and Σ over the others' choices i of
    ln σ(x_ui - x_un) / (items - choices), less the weight's share in each draw.
    """
    U = np.column_stack([model.user_factors, np.ones(len(model.user_factors))]).astype(np.float64)
    V, b = model.item_factors.astype(np.float64), model.item_bias.astype(np.float64)
    counts = np.diff(model.seen_starts)
    owner = np.repeat(np.arange(len(counts)), counts)
    mine = np.zeros(len(U), bool)
    mine[users] = True
    others = ~mine[owner] & (counts[owner] < len(V))
    owner, chosen = owner[others], model.seen_items[others]
    drawn = 1 / (len(V) + 1 - counts[owner])  # the chance that the new item stands against a choice
    theirs = np.einsum("nk,nk->n", U[owner, :-1], V[chosen]) + b[chosen]
    ridge = weight * (len(users) + float(drawn.sum()))
    theta = np.zeros(U.shape[1])
    for _ in range(12):
        slope, curve = np.zeros(len(U)), np.zeros(len(U))
        for at in range(0, len(users), 256):
            block = users[at : at + 256]
            z = 1 / (1 + np.exp(np.clip((U[block] @ theta)[:, None] - U[block, :-1] @ V.T - b, -30, 30)))
            for row, user in enumerate(block):
                z[row, model.seen_items[model.seen_starts[user] : model.seen_starts[user + 1]]] = 0
            free = np.maximum(len(V) - counts[block], 1)
            slope[block] = z.sum(1) / free
            curve[block] = (z * (1 - z)).sum(1) / free
        z = 1 / (1 + np.exp(np.clip(theirs - (U @ theta)[owner], -30, 30)))
        slope -= np.bincount(owner, drawn * z, len(U))
        curve += np.bincount(owner, drawn * z * (1 - z), len(U))
        step = np.linalg.solve((U.T * curve) @ U + ridge * np.eye(len(theta)), slope @ U - ridge * theta)
        theta += step
        if np.abs(step).max() < 1e-9:
            break
    return theta[:-1].astype(np.float32), float(theta[-1])


def walk_added(model: Walk, new: NewItems, first: int) -> None:
    """Join new items to those who rated them in a walk's graph, items from *first* on; concepts move up."""
    border = len(model.users) + first
    ends = []
    for end in (model.edge_subject, model.edge_object):
        ends.append(np.where(end >= border, end + len(new.names), end).astype(np.int32))
    item = np.repeat(np.arange(len(new.names), dtype=np.int32) + border, new.counts)
    weights = model._weights(new.values)
    model.edge_subject = np.concatenate([ends[0], new.users]).astype(np.int32)
    model.edge_object = np.concatenate([ends[1], item]).astype(np.int32)
    model.edge_relation = np.concatenate([model.edge_relation, np.zeros(len(item), np.int32)])
    model.edge_weight = np.concatenate([model.edge_weight, weights]).astype(np.float32)
    model.item_count = np.concatenate([model.item_count, new.counts]).astype(np.float32)
    model._graph()
    ratings = model.edge_relation == 0
    owner, rated, mass = model.edge_subject[ratings], model.edge_object[ratings], model.edge_weight[ratings]
    mass = mass / np.bincount(owner, mass)[owner]
    count = len(model.items)
    sums = np.bincount(rated - len(model.users), mass, count)
    model.everybody = model._walk(np.arange(count), sums)
