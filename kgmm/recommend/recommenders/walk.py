"""Recommendation by random walk over one graph of users, items, ratings, knowledge and likeness."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, KgmmError
from kgmm.graph import GraphView
from kgmm.recommend.adding import NewItems, walk_added
from kgmm.recommend.around import around, liked_alike
from kgmm.recommend.base import SEEN, Recommendation, Recommender, Rows
from kgmm.recommend.explain import Reason, walked
from kgmm.recommend.knowledge import ItemKnowledge
from kgmm.recommend.ratings import Ratings

LEAST = 1e-12  #: the share of a walk of what it does not reach


class Walk(Recommender):
    """Score = everybody(i) (user(i) / everybody(i))^lift (1 + raters(i))^popularity, of two walks with restart.

    Users, items and concepts are nodes; ratings, statements, likeness and sameness of users are edges. ``user`` walks from
    what the user rated, ``everybody`` from what all users rated, each user alike: what the first visits more often than the
    second is this user's taste. With few ratings the quotient is uncertain, so it counts with a small power. Known and new
    users are served alike, by one walk; nothing is learned but the graph. The defaults were tuned on MovieLens-100K's
    training ratings, users cut to one to nine of them.

    Args:
        restart: probability of jumping back to what the user rated.
        lift: power of the user's own taste; higher with many ratings.
        popularity: power of the number of ratings of an item.
        knowledge: weight of a statement, beside 1 for the highest rating.
        hubs: statements of a concept with n of them weigh n^-hubs.
        hops: how many statements from an item are kept.
        near: how many most alike items each item is joined to, where likeness is given.
        tol: bound of a walk's L1 error.

    Example:
        >>> rated = [("ann", "Alien", 5), ("bob", "Alien", 5), ("bob", "Aliens", 5), ("cy", "Emma", 4), ("cy", "Persuasion", 5)]
        >>> made = [("Emma", "by", "Austen"), ("Sanditon", "by", "Austen"), ("Persuasion", "by", "Austen")]
        >>> model = Walk().fit(rated, knowledge=made, link={"Sanditon": "Sanditon"})
        >>> [one.item for one in model.recommend("ann", k=1)], [one.item for one in model.recommend({"Emma": 5}, k=2)]
        (['Aliens'], ['Persuasion', 'Sanditon'])
    """

    learned = ("edge_subject", "edge_object", "edge_relation", "edge_weight", "texts", "item_count", "everybody")
    edge_subject: NDArray[np.int32]
    edge_object: NDArray[np.int32]
    edge_relation: NDArray[np.int32]
    edge_weight: Rows
    texts: NDArray[np.uint8]
    item_count: Rows
    everybody: Rows
    view: GraphView
    labels: Mapping[str, str]
    nodes: list[str]  #: as the edges number them

    def __init__(
        self, restart: float = 0.15, lift: float = 0.2, popularity: float = 1.0, knowledge: float = 0.1,
        hubs: float = 0.5, hops: int = 2, near: int = 5, tol: float = 1e-6,
    ) -> None:  # fmt: skip
        self.restart, self.lift, self.popularity = restart, lift, popularity
        self.knowledge, self.hubs, self.hops, self.near, self.tol = knowledge, hubs, hops, near, tol

    def fit(
        self,
        ratings: Any,
        knowledge: Any = None,
        link: Mapping[Any, str] | None = None,
        *,
        likeness: Mapping[Any, Any] | None = None,
        same: Iterable[tuple[Any, Any]] = (),
        labels: Mapping[Any, str] | None = None,
    ) -> Self:
        """Make the graph.

        Args:
            ratings: as for every recommender.
            knowledge: what is known of items: :class:`~kgmm.recommend.knowledge.ItemKnowledge`, or what its ``of`` takes.
            link: item -> concept; linked items that nobody has rated can be recommended too.
            likeness: item -> vector of its text or picture; each is joined to the most alike.
            same: pairs of users that are one person.
            labels: item or concept -> what people call it.

        Raises:
            BadInput: as for every recommender; if knowledge is malformed, vectors differ in length, or *same* names nobody.
        """
        rated = Ratings.of(ratings)
        known = ItemKnowledge.of(knowledge, link, labels=labels)
        vectors = {str(item): np.asarray(vector, np.float32).ravel() for item, vector in (likeness or {}).items()}
        items = tuple(dict.fromkeys((*rated.items, *known.link, *vectors)))
        self._given = (known, vectors, items, [(str(a), str(b)) for a, b in same])
        try:
            return super().fit(rated)
        finally:
            del self._given

    def _fit(self, ratings: Ratings) -> None:
        known, vectors, items, same = getattr(self, "_given", (ItemKnowledge.of(None), {}, ratings.items, []))
        users = ratings.users
        self._names(users, items)
        starts, rated, values = ratings.by_user
        owner = np.repeat(np.arange(len(users), dtype=np.int32), np.diff(starts))
        concepts, facts = around(known, items, self.hops, self.hubs)
        kinds = ["rated", "alike", "SameAs", *facts.relations]
        alike = liked_alike(vectors, self._item_number, self.near)
        try:
            pairs = np.array([[self._user_number[name] for name in pair] for pair in same], np.int32).reshape(-1, 2)
        except KeyError as error:
            raise BadInput("same", f"no user {error} has rated anything") from None
        first = len(users)  # items follow users, concepts follow items
        columns = (
            (owner, first + rated, 0, self._weights(values)),
            (first + facts.head, first + facts.tail, 3 + facts.relation, self.knowledge * facts.weight),
            (first + alike[0], first + alike[1], 1, self.knowledge * alike[2]),
            (pairs[:, 0], pairs[:, 1], 2, np.ones(len(pairs))),
        )
        self.edge_subject, self.edge_object = (
            np.concatenate([c[at] for c in columns]).astype(np.int32) for at in (0, 1)
        )
        self.edge_relation = np.concatenate([np.broadcast_to(c[2], len(c[0])) for c in columns]).astype(np.int32)
        self.edge_weight = np.concatenate([c[3] for c in columns]).astype(np.float32)
        nodes = {*items, *concepts}
        told = {"kinds": kinds, "concepts": concepts, "labels": {n: x for n, x in known.labels.items() if n in nodes}}
        self.texts = np.frombuffer(json.dumps(told).encode(), np.uint8)
        self.item_count = np.bincount(ratings.item, minlength=len(items)).astype(np.float32)
        self._graph()
        mass = self.edge_weight[: len(rated)] / np.bincount(owner, self.edge_weight[: len(rated)])[owner]
        self.everybody = self._walk(np.arange(len(items)), np.bincount(rated, mass, len(items)))

    def _graph(self) -> None:
        told = json.loads(self.texts.tobytes())
        self.nodes = [f"/user/{name}" for name in self.users] + [f"/item/{name}" for name in self.items]
        self.nodes += [f"/known/{name}" for name in told["concepts"]]
        self.kinds, self.labels = told["kinds"], told["labels"]
        kinds = [self.kinds[code] for code in self.edge_relation.tolist()]
        ends = self.edge_subject, self.edge_object
        self.view = GraphView.from_edges(*ends, kinds, self.edge_weight, concepts=self.nodes)
        place = {name: at for at, name in enumerate(self.view.concepts)}
        self.item_place = np.array([place[f"/item/{name}"] for name in self.items])

    def _added(self, new: NewItems, kinds: list[dict[str, Any]]) -> None:
        walk_added(self, new, len(self.items) - len(new.names))

    def _check(self, path: str | Path) -> None:
        super()._check(path)
        try:
            told = json.loads(self.texts.tobytes())
            size = len(self.users) + len(self.items) + len(told["concepts"])
            edges = [self.edge_subject, self.edge_object, self.edge_relation, self.edge_weight]
            fits = len({len(column) for column in edges}) == 1
            bounds = (size, size, len(told["kinds"]))
            fits &= all(((c >= 0) & (c < most)).all() for c, most in zip(edges[:3], bounds, strict=True))
            if not fits or not {len(self.item_count), len(self.everybody)} == {len(self.items)}:
                raise BadInput(path, "the edges of its graph do not fit its names")
            self._graph()
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(path, f"its graph cannot be made: {error}") from error

    def _weights(self, values: Rows) -> Rows:
        low, high = float(self.scale[0]), float(self.scale[1])
        if high <= low:
            return np.ones(len(values), np.float32)
        weights: Rows = (0.2 + 0.8 * np.clip((values - low) / (high - low), 0, 1)).astype(np.float32)
        return weights

    def _seeds(self, items: NDArray[Any], masses: Rows) -> dict[str, float]:
        return {f"/item/{self.items[i]}": float(m) for i, m in zip(items, masses, strict=True) if m > 0}

    def _walk(self, items: NDArray[Any], masses: Rows) -> Rows:
        walk = self.view.walk(self._seeds(items, masses), self.restart, self.tol)
        found: Rows = np.maximum(walk.array[self.item_place], LEAST)
        return found

    def _mixed(self, own: Rows) -> Rows:
        prior = (1 - self.lift) * np.log(self.everybody) + self.popularity * np.log1p(self.item_count)
        scores: Rows = np.exp(self.lift * np.log(own) + prior).astype(np.float32)
        return scores

    def _known(self, user: int) -> Rows:
        return self._new(*self._seen(user))

    def _new(self, items: NDArray[np.int32], values: Rows) -> Rows:
        return self._mixed(self._walk(items, self._weights(values)))

    def all_scores(self, users: Sequence[int]) -> Rows:
        """Return the scores (users, items) of known users by their positions, several walks at a time."""
        seen = [self._seen(user) for user in users]
        seeds = [self._seeds(items, self._weights(values)) for items, values in seen]
        walks = self.view.walk_many(seeds, self.restart, self.tol)
        return np.stack([self._mixed(np.maximum(walk.array[self.item_place], LEAST)) for walk in walks])

    def similar(self, item: Any, k: int = 10) -> list[Recommendation]:
        """Return the items that a walk from an item visits most often, beside what everybody's walk does.

        Raises:
            UnknownConcept: if the item is not known.
        """
        number = self._item(item)
        return self._nearest(number, self._walk(np.array([number]), np.ones(1)) / np.sqrt(self.everybody), k)

    def _reasons(self, items: NDArray[np.int32], values: Rows, item: int, k: int) -> list[Reason]:
        return walked(self, items, self._weights(values), item, k)

    def without(self, reason: Reason) -> Walk:
        """Return the recommender without the edges of a reason's path, all else as it was.

        Raises:
            KgmmError: if a step of the path is no edge of the graph.
        """
        number = {name: at for at, name in enumerate(self.nodes)}
        kept = np.ones(len(self.edge_weight), bool)
        for a, b in zip(reason.nodes, reason.nodes[1:], strict=False):
            ends = number.get(a, -1), number.get(b, -1)
            gone = (self.edge_subject == ends[0]) & (self.edge_object == ends[1])
            gone |= (self.edge_subject == ends[1]) & (self.edge_object == ends[0])
            if not gone.any():
                raise KgmmError(f"there is no edge between {a} and {b} to take away")
            kept &= ~gone
        other = Walk(**self.options())
        other._names(self.users, self.items)
        for name in (*self.learned, *SEEN):
            setattr(other, name, getattr(self, name))
        for name in ("edge_subject", "edge_object", "edge_relation", "edge_weight"):
            setattr(other, name, getattr(self, name)[kept])
        other._graph()
        return other


METHOD = Walk
