"""Ratings with planted tastes."""

import numpy as np
import pytest

from kgmm.recommend import Ratings


@pytest.fixture(scope="session")
def tastes() -> Ratings:
    """60 users and 40 items of two kinds; a user rates most of one kind, 4 or 5, and few of the other, 1 or 2."""
    rng = np.random.default_rng(0)
    pairs = np.arange(60 * 40)
    alike = pairs // 40 % 2 == pairs % 2
    user, item = np.divmod(pairs[rng.random(len(pairs)) < np.where(alike, 0.6, 0.15)], 40)
    value = np.where(user % 2 == item % 2, rng.integers(4, 6, len(user)), rng.integers(1, 3, len(user)))
    liked = rng.permutation(len(user))
    return Ratings.of(
        [
            (f"u{u}", f"i{i}", float(v), float(t))
            for u, i, v, t in zip(user[liked], item[liked], value[liked], liked, strict=True)
        ]
    )
