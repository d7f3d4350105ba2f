"""Recommenders measured: ratings' errors, rankings of all items, coverage, popularity; beside popularity and random scores."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.progress import Progress, silent
from kgmm.recommend import create, seeded
from kgmm.recommend.base import Recommender
from kgmm.recommend.ratings import Ratings
from kgmm.recommend.told import fit_told

SPLITS = ("ratio", "leave-one-out", "time")
DEPTHS = (10, 20, 50)


@dataclass(frozen=True, eq=False)
class Split:
    """Ratings to learn from and rows kept apart, by the numbers of what is learned from.

    Args:
        train: what is learned from.
        user: (m,) users of the kept rows, by their positions in ``train.users``.
        item: (m,) likewise.
        value: (m,).
        unknown: kept rows whose user or item is in no rating to learn from; they are left out.
        later: share of the ratings learned from that are later than the median kept one; None without times.
    """

    train: Ratings
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    value: NDArray[np.float32]
    unknown: int
    later: float | None


def split(
    ratings: Ratings, how: str = "ratio", *, size: float = 0.2, seed: int = 0, few: tuple[int, int] | None = None
) -> Split:
    """Part ratings into those to learn from and those kept apart.

    Args:
        ratings: all of them.
        how: ``ratio`` keeps a random share, drawn as Cornac's RatioSplit draws it; ``leave-one-out`` the last of each user with
            at least two (by time, else a random one); ``time`` the latest share of all, so that nothing later is learned from.
        size: the share, for ``ratio`` and ``time``.
        seed: of the draw.
        few: cut each user to a random number of ratings to learn from, within these bounds; who has fewer keeps them.

    Raises:
        KgmmError: if there is no such split, *size* is not within (0, 1), *few* is no range from 1, times are needed and
            missing, or a side is empty.

    Example:
        >>> apart = split(Ratings.of([("a", "x", 1, 1), ("a", "y", 2, 2), ("b", "x", 3, 3), ("b", "y", 3, 4)]), "time", size=0.25)
        >>> len(apart.train), apart.value.tolist(), apart.later
        (3, [3.0], 0.0)
    """
    if not 0 < size < 1:
        raise KgmmError(f"the share kept apart must be between 0 and 1, not {size}")
    if how == "ratio":
        order = np.random.RandomState(seed).permutation(len(ratings))
        kept = ceil(size * len(ratings))
        learn, apart = order[: len(ratings) - kept], order[len(ratings) - kept :]
    elif how == "leave-one-out":
        learn, apart = _last_ones(ratings, seed)
    elif how == "time":
        if ratings.time is None:
            raise KgmmError("a split by time needs the times of ratings")
        order = np.argsort(ratings.time, kind="stable")
        border = ratings.time[order[min(len(order) - 1, int(len(order) * (1 - size)))]]
        learn, apart = np.flatnonzero(ratings.time < border), np.flatnonzero(ratings.time >= border)
    else:
        raise KgmmError(f"no split {how!r}; there are: {', '.join(SPLITS)}")
    if not len(learn) or not len(apart):
        raise KgmmError(f"{len(ratings)} ratings are too few for a {how} split: a side is empty")
    if few is not None:
        learn = _cut(ratings, learn, few, seed)
    train = ratings.take(learn)
    user = np.array([train.user_number.get(ratings.users[u], -1) for u in ratings.user[apart]])
    item = np.array([train.item_number.get(ratings.items[i], -1) for i in ratings.item[apart]])
    known = (user >= 0) & (item >= 0)
    later = None
    if ratings.time is not None:
        later = float((ratings.time[learn] > np.median(ratings.time[apart])).mean())
    return Split(train, user[known], item[known], ratings.value[apart][known], int((~known).sum()), later)


def _cut(ratings: Ratings, learn: NDArray[np.int64], few: tuple[int, int], seed: int) -> NDArray[np.int64]:
    """Of each user's rows as many at random as a random number within the bounds says, in their order."""
    low, high = few
    if not 1 <= low <= high:
        raise KgmmError(f"users can be cut to from 1 to more ratings, not {low}-{high}")
    rng = np.random.default_rng(seed)
    most = rng.integers(low, high + 1, len(ratings.users))
    order = learn[np.lexsort((rng.random(len(learn)), ratings.user[learn]))]
    user = ratings.user[order]
    place = np.arange(len(order)) - np.searchsorted(user, user)
    return np.sort(order[place < most[user]])


def _last_ones(ratings: Ratings, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    when = np.random.default_rng(seed).random(len(ratings)) if ratings.time is None else ratings.time
    order = np.lexsort((when, ratings.user))
    last = np.append(ratings.user[order][1:] != ratings.user[order][:-1], True)
    counts = np.bincount(ratings.user, minlength=len(ratings.users))
    apart = order[last & (counts[ratings.user[order]] > 1)]
    mask = np.ones(len(ratings), bool)
    mask[apart] = False
    return np.flatnonzero(mask), np.sort(apart)


def evaluate(
    ratings: Ratings,
    method: str = "bpr",
    how: str = "ratio",
    *,
    size: float = 0.2,
    seed: int = 0,
    threshold: float | None = None,
    few: tuple[int, int] | None = None,
    knowledge: Any = None,
    contents: Any = None,
    progress: Progress = silent,
    **options: Any,
) -> dict[str, Any]:
    """Fit a recommender and measure it, beside popularity and random scores on the same ratings.

    Rankings are of all items that were learned from, without those the user liked there; what was liked (a value of at least
    *threshold*) in the kept ratings counts as right, each user alike, as in Cornac. Ratings' errors are means over users, as
    Cornac's, and over all kept ratings (``_ratings``), predictions held within the scale.

    Args:
        ratings: all of them.
        method: one of :func:`kgmm.recommend.methods`.
        how: see :func:`split`.
        size: see :func:`split`.
        seed: of the split, and of the method where it has one.
        threshold: the lowest value that is liking [4 where the highest is 5, else four fifths of the scale].
        few: see :func:`split`.
        knowledge: what is known of items, for the walk and for methods by contents.
        contents: what items are, likewise: :func:`kgmm.recommend.told.fit_told` says what it may be.
        progress: told the methods done.
        **options: the method's own.

    Returns:
        rmse, mae, rmse_ratings, mae_ratings (None where scores are no ratings), auc, map, mrr, ndcg@k, recall@k, precision@k, hit@k for k of 10, 20, 50,
        coverage@10 (share of items recommended to anyone), popularity@10 (mean popularity rank of what is recommended: 0 the
        least, 1 the most popular), users, ratings, split, later, warning; ``popularity`` and ``random`` with the same
        figures; ``ahead_of_popularity_p``: how likely the users' NDCG@10 would differ so much by chance (a sign-flip test).

    Raises:
        KgmmError: as :func:`split`; if no kept rating is liked, or the method cannot use knowledge.
    """
    apart = split(ratings, how, size=size, seed=seed, few=few)
    low, high = ratings.scale
    liking = threshold if threshold is not None else 4.0 if high == 5 else low + 0.8 * (high - low)
    found: dict[str, Any] = {"method": method, "split": how, "seed": seed, "threshold": liking}
    if few is not None:
        found["few"] = list(few)
    found |= {"train": len(apart.train), "test": len(apart.value), "unknown": apart.unknown, "later": apart.later}
    if apart.later is not None and apart.later > 0.01:
        found["warning"] = (
            f"{apart.later:.0%} of the ratings learned from are later than half of those kept apart: this split lets the "
            "future into training; --split time does not"
        )
    own = seeded(method, seed, **options)
    models: dict[str, Recommender | None] = {"popularity": create("popularity").fit(apart.train), "random": None}
    models[method] = fit_told(own, apart.train, knowledge=knowledge, contents=contents)
    per_user: dict[str, NDArray[np.float64]] = {}
    for name, model in models.items():
        figures, ndcg = measure(model, apart, liking, seed)
        per_user[name] = ndcg
        if name in ("popularity", "random"):
            found[name] = figures
        if model is own:
            found |= figures
        progress(len(per_user), len(models), name)
    found["ahead_of_popularity_p"] = sign_flip(per_user[method] - per_user["popularity"], seed)
    return found


def measure(
    model: Recommender | None, apart: Split, liking: float, seed: int = 0
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Return a model's figures on what was kept apart, and each user's NDCG@10; None scores at random."""
    train = apart.train
    figures: dict[str, Any] = dict.fromkeys(("rmse", "mae", "rmse_ratings", "mae_ratings"))
    rng = np.random.default_rng(seed)
    starts, items, values = train.by_user
    frequency = np.bincount(train.item, minlength=len(train.items))
    popular = frequency.argsort(kind="stable").argsort() / max(1, len(frequency) - 1)
    order = np.argsort(apart.user, kind="stable")
    users, first = np.unique(apart.user[order], return_index=True)
    bounds = np.append(first, len(order))
    errors, rows, shown = [], [], []
    for at in range(0, len(users), 256):
        block = users[at : at + 256]
        scores = rng.random((len(block), len(train.items))) if model is None else model.all_scores(block.tolist())
        for n, user in enumerate(block):
            mine = order[bounds[at + n] : bounds[at + n + 1]]
            if model is not None and model.rates:
                errors.append(np.clip(scores[n][apart.item[mine]], *train.scale) - apart.value[mine])
            good = apart.item[mine][apart.value[mine] >= liking]
            if not len(good):
                continue
            span = slice(starts[user], starts[user + 1])
            open_to = np.ones(len(train.items), bool)
            open_to[items[span][values[span] >= liking]] = False
            open_to[good] = True
            row, best = _ranking(scores[n], good, open_to)
            rows.append(row)
            shown.append(best[:10])
    if errors:
        every = np.concatenate(errors).astype(np.float64)
        figures["rmse"] = float(np.mean([np.sqrt((off.astype(np.float64) ** 2).mean()) for off in errors]))
        figures["mae"] = float(np.mean([np.abs(off).mean() for off in errors]))
        figures |= {"rmse_ratings": float(np.sqrt((every**2).mean())), "mae_ratings": float(np.abs(every).mean())}
    if not rows:
        raise KgmmError(f"no kept rating is at least {liking}: nothing was liked that could be ranked")
    figures |= {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    recommended = np.concatenate(shown)
    figures |= {
        "coverage@10": len(np.unique(recommended)) / len(train.items),
        "popularity@10": float(popular[recommended].mean()),
    }
    figures["users"] = len(rows)
    return figures, np.array([row["ndcg@10"] for row in rows])


def _ranking(
    scores: NDArray[Any], good: NDArray[Any], open_to: NDArray[np.bool_]
) -> tuple[dict[str, float], NDArray[Any]]:
    candidates = np.flatnonzero(open_to)
    order = candidates[np.argsort(-scores[candidates], kind="stable")]
    right = np.isin(order, good)
    ranks = np.flatnonzero(right) + 1
    others = np.sort(scores[order[~right]])
    below = np.searchsorted(others, scores[good], "left")
    row = {
        "auc": float(below.mean() / len(others)) if len(others) else 1.0,
        "map": float((np.arange(1, len(ranks) + 1) / ranks).mean()),
        "mrr": float(1 / ranks[0]),
    }
    gains = 1 / np.log2(np.arange(2, max(DEPTHS) + 2))
    for k in DEPTHS:
        hits = ranks[ranks <= k]
        # as many of the best places as there are right ones, at most k
        row[f"ndcg@{k}"] = float(gains[hits - 1].sum() / gains[: min(k, len(good))].sum())
        row[f"recall@{k}"] = len(hits) / len(good)
        row[f"precision@{k}"] = len(hits) / k
        row[f"hit@{k}"] = float(len(hits) > 0)
    return row, order


def sign_flip(differences: NDArray[np.float64], seed: int = 0, draws: int = 2000) -> float:
    """Return the two-sided p of a mean difference over users, by flipping signs at random.

    Example:
        >>> sign_flip(np.ones(20)) < 0.01, sign_flip(np.array([1.0, -1.0])) > 0.4
        (True, True)
    """
    signs = np.random.default_rng(seed).integers(0, 2, (draws, len(differences))) * 2 - 1
    reached = np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12
    return float((reached.sum() + 1) / (draws + 1))


def table(found: dict[str, Any]) -> str:
    """Return the figures as lines for people."""
    names = [name for name in (found["method"], "popularity", "random") if name == found["method"] or name in found]
    columns = {name: found if name == found["method"] else found[name] for name in dict.fromkeys(names)}
    lines = ["".ljust(14) + "".join(name.rjust(13) for name in columns)]
    wanted = (
        "rmse",
        "mae",
        "auc",
        "map",
        "mrr",
        "ndcg@10",
        "recall@10",
        "hit@10",
        "ndcg@20",
        "recall@50",
        "coverage@10",
        "popularity@10",
    )
    for figure in wanted:
        cells = [column[figure] for column in columns.values()]
        lines.append(figure.ljust(14) + "".join(("-" if cell is None else f"{cell:.4f}").rjust(13) for cell in cells))
    lines.append(
        f"{found['train']} ratings learned from, {found['test']} kept ({found['split']}), {found['users']} users ranked"
    )
    if "ahead_of_popularity_p" in found and found["method"] != "popularity":
        lines.append(f"NDCG@10 differs from popularity's with p = {found['ahead_of_popularity_p']:.4f} over users")
    if "warning" in found:
        lines.append(f"warning: {found['warning']}")
    return "\n".join(lines)
