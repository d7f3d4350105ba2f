"""Recommenders of two domains measured on users whose ratings of the one are all taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.evaluate.recommend import sign_flip
from kgmm.recommend import create, crossing, seeded, takes_source
from kgmm.recommend.base import Recommender
from kgmm.recommend.contents import ContentRecommender
from kgmm.recommend.ratings import Ratings


@dataclass(frozen=True, eq=False)
class ColdErrors:
    """What was predicted for cold users, less what they rated.

    Args:
        users: how many were made cold.
        user: (m,) the user of every kept rating.
        off: for each method (m,) errors.
    """

    users: int
    user: NDArray[np.int64]
    off: dict[str, NDArray[np.float64]]

    def rmse(self, method: str) -> float:
        """Root of the mean squared error over all kept ratings."""
        return float(np.sqrt((self.off[method] ** 2).mean()))

    def ahead_p(self, method: str, other: str, seed: int = 0) -> float:
        """How likely the users' root mean squared errors of both would differ so much by chance (a sign-flip test)."""
        numbers = np.unique(self.user, return_inverse=True)[1]
        count = np.bincount(numbers)
        own, others = (np.sqrt(np.bincount(numbers, self.off[name] ** 2) / count) for name in (method, other))
        return sign_flip(own - others, seed)


def cold_errors(
    domains: tuple[Ratings, Ratings],
    methods: Mapping[str, Recommender],
    *,
    share: float = 0.2,
    seed: int = 0,
    contents: Any = None,
) -> ColdErrors:
    """Take all target ratings of a share of the users of both domains away, and predict them from the source (Man et al. 2017).

    Beside the methods stand ``item-mean`` of the target, which knows nothing of these users, and ``both-means``: damped means of
    the items and users of both domains at once, which carries over only how high a user rates.

    Args:
        domains: the target's ratings and the source's.
        methods: what to call them -> recommenders of two domains, to be fitted.
        share: of the users of both whose target ratings are kept apart.
        seed: of the draw.
        contents: what items are, for methods that learn from it.

    Returns:
        Errors over the kept ratings of items learned from.

    Raises:
        KgmmError: if too few users are in both domains, or none of the kept ratings' items is learned from.
    """
    target, source = domains
    both = np.array([u for u, name in enumerate(target.users) if name in source.user_number], np.int64)
    cold = np.random.default_rng(seed).permutation(both)[: round(share * len(both))]
    apart = np.isin(target.user, cold)
    if not apart.any() or apart.all():
        raise KgmmError(f"{len(both)} users are in both domains: too few to keep {share:.0%} of them apart")
    train = target.take(~apart)
    rows = [r for r in np.flatnonzero(apart) if target.items[target.item[r]] in train.item_number]
    if not rows:
        raise KgmmError("no item that the users kept apart have rated is rated by anyone else")
    names = [target.users[target.user[r]] for r in rows]
    items = [train.items[train.item_number[target.items[target.item[r]]]] for r in rows]
    known = {"item-mean": create("item-mean").fit(train), "both-means": create("item-mean").fit(_joined(train, source))}
    off = {}
    for name, model in {**known, **methods}.items():
        told = {"contents": contents} if isinstance(model, ContentRecommender) else {}
        if name not in known:
            model.fit(train, source=source, **told)
        who, what = ({n: at for at, n in enumerate(side)} for side in (model.users, model.items))
        usual = np.zeros(len(what)) + train.value.mean() + (model.item_bias if name == "item-mean" else 0)
        predicted = {n: model.all_scores([who[n]])[0] for n in dict.fromkeys(names) if n in who}
        scores = np.array([predicted.get(n, usual)[what[i]] for n, i in zip(names, items, strict=True)])
        off[name] = np.clip(scores, *train.scale).astype(np.float64) - target.value[rows]
    return ColdErrors(len(cold), target.user[rows].astype(np.int64), off)


def _joined(one: Ratings, other: Ratings) -> Ratings:
    """The ratings of both domains as one; users and items of the same name are the same."""
    rows = [(r.users[u], r.items[i], v) for r in (one, other) for u, i, v in zip(r.user, r.item, r.value, strict=True)]
    return Ratings.of(rows)


def cold_users(
    domains: tuple[Ratings, Ratings],
    methods: Sequence[str],
    *,
    share: float = 0.2,
    seed: int = 0,
    contents: Any = None,
    **options: Any,
) -> dict[str, Any]:
    """Measure recommenders of two domains on cold users by :func:`cold_errors`.

    Args:
        domains: the target's ratings and the source's.
        methods: names of recommenders of two domains.
        share: of the users of both whose target ratings are kept apart.
        seed: of the draw, and of the methods.
        contents: what items are, for methods that learn from it.
        **options: the methods' own.

    Returns:
        ``users``, ``ratings`` kept apart, and for each method, ``item-mean`` and ``both-means`` rmse and mae; for a method also
        ``ahead_of_item_mean_p`` and ``ahead_of_both_means_p``, of :meth:`ColdErrors.ahead_p`.

    Raises:
        KgmmError: as :func:`cold_errors`, or if a method does not learn from two domains.
    """
    made = {name: seeded(name, seed, **options) for name in methods}
    for name, model in made.items():
        if not takes_source(model):
            raise KgmmError(
                f"the recommender {name} does not learn from a source; those that do: {', '.join(crossing())}"
            )
    errors = cold_errors(domains, made, share=share, seed=seed, contents=contents)
    found: dict[str, Any] = {"users": errors.users, "ratings": len(errors.user)}
    for name, off in errors.off.items():
        found[name] = {"rmse": errors.rmse(name), "mae": float(np.abs(off).mean())}
        if name in made:
            found[name]["ahead_of_item_mean_p"] = errors.ahead_p(name, "item-mean", seed)
            found[name]["ahead_of_both_means_p"] = errors.ahead_p(name, "both-means", seed)
    return found
