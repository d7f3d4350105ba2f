"""Made worlds of ratings: two domains whose users' tastes are planted, some users in both."""

from typing import NamedTuple

import numpy as np

from kgmm.errors import KgmmError
from kgmm.recommend.ratings import Ratings


class Domains(NamedTuple):
    """A target's and a source's ratings; users of both have the same names."""

    target: Ratings
    source: Ratings


def made_domains(
    users: int = 400, items: int = 200, overlap: float = 0.5, rated: float = 0.15, bend: float = 1.0, seed: int = 0
) -> Domains:
    """Draw two domains: users' tastes in the target are a bent map of those in the source.

    Args:
        users: of each domain.
        items: of each domain; none is in both.
        overlap: share of users that are in both.
        rated: share of pairs that are rated, 1 to 5 in half steps.
        bend: 0: the tastes of a user in both domains are a linear map of each other; 1: through a product of signs.
        seed: of the draw.

    Example:
        >>> two = made_domains(users=50, items=20, overlap=0.4)
        >>> len(set(two.target.users) & set(two.source.users))
        20
    """
    if not 0 <= overlap <= 1 or not 0 < rated <= 1:
        raise KgmmError(f"overlap {overlap} and rated {rated} are shares")
    rng = np.random.default_rng(seed)
    both = round(overlap * users)
    taste = rng.normal(size=(2 * users - both, 4))
    turned = taste @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    bent = np.column_stack(
        [turned[:, 0] * np.sign(turned[:, 1]), turned[:, 1], turned[:, 2] * np.sign(turned[:, 3]), turned[:, 3]]
    )
    tastes = {"source": taste[:users], "target": ((1 - bend) * turned + bend * bent)[users - both :]}
    found = {}
    for domain, mine in tastes.items():
        first = 0 if domain == "source" else users - both
        kinds = rng.normal(size=(items, 4))
        exact = 3 + mine @ kinds.T / 2 + 0.3 * rng.normal(size=(1, items)) + 0.25 * rng.normal(size=(users, items))
        values = np.clip(np.round(2 * exact) / 2, 1, 5)
        user, item = np.nonzero(rng.random(values.shape) < rated)
        order = rng.permutation(len(user))
        user, item = user[order], item[order]
        found[domain] = Ratings.from_columns(
            [f"u{u + first}" for u in user], [f"{domain[0]}{i}" for i in item], values[user, item]
        )
    return Domains(found["target"], found["source"])
