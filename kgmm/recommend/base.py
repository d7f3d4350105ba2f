"""What all recommenders share: fit, recommend, score, similar, save; known users and new ones."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, KgmmError, UnknownConcept
from kgmm.files import file_at, read_arrays, whole
from kgmm.recommend.adding import NewItems, item_placed, new_items, seen_with
from kgmm.recommend.explain import Reason, taken_away
from kgmm.recommend.ratings import Ratings

FORMAT = "kgmm recommender 1"

#: what users have rated, how, and the scale: kept by every method beside what it learned
SEEN = ("scale", "seen_starts", "seen_items", "seen_values")

#: a user by name, or one never seen by what they rated (item -> value) or chose (items)
User = str | int | Mapping[Any, float] | Iterable[Any]

Rows = NDArray[Any]


@dataclass(frozen=True)
class Recommendation:
    """An item, its score (higher is better; a predicted rating where the method predicts ratings) and why."""

    item: str
    score: float
    reasons: tuple[str, ...] = ()


class Recommender(ABC):
    """A recommender; each method is one file with a subclass, named by ``METHOD`` there.

    Subclasses learn in :meth:`_fit` and score all items in :meth:`_known` (a user learned from) and :meth:`_new` (by ratings).
    What they learned are arrays, listed in :attr:`learned`.
    """

    #: names of the arrays that hold what was learned
    learned: tuple[str, ...] = ()
    #: whether scores are predicted ratings
    rates = False

    users: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    scale: Rows
    seen_starts: NDArray[np.int64]
    seen_items: NDArray[np.int32]
    seen_values: Rows

    @property
    def name(self) -> str:
        """The method's name, as :func:`kgmm.recommend.create` takes it."""
        return type(self).__module__.rsplit(".", 1)[-1].replace("_", "-")

    def options(self) -> dict[str, Any]:
        """Return the options it was made with."""
        import inspect

        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def fit(self, ratings: Any) -> Self:
        """Learn from ratings.

        Args:
            ratings: :class:`~kgmm.recommend.ratings.Ratings`, or whatever ``Ratings.of`` takes.

        Raises:
            BadInput: if there are no ratings, or one is no finite number.
        """
        rated = Ratings.of(ratings)
        self._names(rated.users, rated.items)
        self.seen_starts, self.seen_items, self.seen_values = rated.by_user
        self.scale = np.array(rated.scale, np.float32)
        self._fit(rated)
        return self

    def add_items(self, ratings: Any = None, *, contents: Any = None) -> Self:
        """Know items that came after the fit, without learning again: placed by who rated them, or by what they are.

        All else stays as it was learned: users' vectors, other items, the scale.

        Args:
            ratings: (user, new item[, rating]) of users it knows, or whatever ``Ratings.of`` takes.
            contents: new item -> text, tags or weights, for methods that were fitted with contents; a list where those were.

        Raises:
            BadInput: if a rating is no finite number.
            UnknownConcept: if a user is not known.
            KgmmError: if it has learned nothing, no item is given, one is known already, or the method cannot place it.

        Example:
            >>> from kgmm.recommend import create
            >>> model = create("popularity").fit([("ann", "Alien"), ("bob", "Emma")])
            >>> [one.item for one in model.add_items([("ann", "Aliens"), ("bob", "Aliens")]).recommend({"Alien": 5})]
            ['Aliens', 'Emma']
        """
        self._learned()
        given = [contents] if isinstance(contents, Mapping) else list(contents or ())
        kinds: list[dict[str, Any]] = [{str(item): content for item, content in kind.items()} for kind in given]
        new = new_items(self, ratings, kinds)
        if kinds:
            self._takes(kinds)
        elif not new.counts.all():
            raise KgmmError(f"nobody has rated {new.names[int(new.counts.argmin())]!r}")
        before = self.items
        self._names(self.users, (*before, *new.names))
        try:
            self._added(new, kinds)
        except BaseException:
            self._names(self.users, before)
            raise
        seen_with(self, new, len(before))
        return self

    def recommend(self, user: User, k: int = 10, *, seen: bool = False, reasons: bool = False) -> list[Recommendation]:
        """Rank items for a user.

        Args:
            user: a name the method learned from, or what a new user rated (item -> value) or liked (items).
            k: how many, at least 1.
            seen: whether items the user has rated may be among them.
            reasons: whether to say why; see :meth:`explain`.

        Raises:
            UnknownConcept: if the user, or one of the items, is not known.
            KgmmError: if it has learned nothing, a new user named nothing, or *k* is below 1.
        """
        if k < 1:
            raise KgmmError(f"k = {k}: at least one item must be asked for")
        scores, known = self._scores(user)
        allowed = np.isfinite(scores)
        if not seen:
            allowed[known] = False
        best = np.flatnonzero(allowed)
        best = best[np.lexsort((best, -scores[best]))][:k]
        if not reasons:
            return [Recommendation(self.items[i], float(scores[i])) for i in best]
        why = [tuple(str(reason) for reason in self.explain(user, self.items[i], 2)) for i in best]
        return [Recommendation(self.items[i], float(scores[i]), said) for i, said in zip(best, why, strict=True)]

    def explain(self, user: User, item: Any, k: int = 3) -> list[Reason]:
        """Return the rated items that speak most for an item, the strongest first; empty where all users get the same.

        A method that walks gives the path from each; others say how much lower the score were without that rating.

        Args:
            user: as for :meth:`recommend`.
            item: one that the method knows.
            k: how many at most, at least 1.

        Raises:
            UnknownConcept: if the user or an item is not known.
            KgmmError: if it has learned nothing, or *k* is below 1.
        """
        if k < 1:
            raise KgmmError(f"k = {k}: at least one reason must be asked for")
        number = self._item(item)
        return self._reasons(*self._rated(user), number, k)

    def score(self, users: Sequence[User] | User, items: Sequence[Any] | str) -> Rows:
        """Return scores (users, items), float32; of one user and one item given as text (1, 1).

        Raises:
            UnknownConcept: if a user or an item is not known.
        """
        who = [users] if isinstance(users, str | int | Mapping) else list(users)
        what = [items] if isinstance(items, str | int) else list(items)
        columns = [self._item(item) for item in what]
        return (
            np.stack([self._scores(user)[0][columns] for user in who]) if who else np.zeros((0, len(what)), np.float32)
        )

    def all_scores(self, users: Sequence[int]) -> Rows:
        """Return the scores (users, items) of known users by their positions."""
        return np.stack([self._known(int(user)) for user in users])

    def similar(self, item: Any, k: int = 10) -> list[Recommendation]:
        """Return the items that are nearest to an item, by the cosine of what was learned of them.

        Raises:
            UnknownConcept: if the item is not known.
            KgmmError: if the method learns nothing of single items.
        """
        vectors = self._vectors()
        number = self._item(item)
        lengths = np.linalg.norm(vectors, axis=1)
        return self._nearest(number, vectors @ vectors[number] / np.maximum(lengths * lengths[number], 1e-12), k)

    def _nearest(self, number: int, near: Rows, k: int) -> list[Recommendation]:
        """The *k* items that are nearest to one, by how *near* each is, itself left out."""
        near[number] = -np.inf
        best = np.lexsort((np.arange(len(near)), -near))[: min(k, len(near) - 1)]
        return [Recommendation(self.items[i], float(near[i])) for i in best]

    def save(self, path: str | Path) -> None:
        """Write what was learned as safetensors; :func:`kgmm.recommend.load` reads it, no ratings are needed.

        Raises:
            KgmmError: if it has learned nothing.
        """
        from safetensors.numpy import save_file

        self._learned()
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in (*self.learned, *SEEN)}
        for kind in ("users", "items"):
            arrays[kind] = np.frombuffer(json.dumps(getattr(self, kind)).encode(), np.uint8)
        told = {"format": FORMAT, "method": self.name, "options": json.dumps(self.options())}
        with whole(Path(path)) as draft:
            save_file(arrays, draft, metadata=told)

    def restore(self, arrays: dict[str, NDArray[Any]], path: str | Path = "model") -> Self:
        """Take what a saved model had learned; BadInput if an array is missing or has another length than names say."""
        try:
            users, items = (tuple(map(str, json.loads(arrays[kind].tobytes()))) for kind in ("users", "items"))
            self._names(users, items)
            for name in (*self.learned, *SEEN):
                setattr(self, name, arrays[name])
        except (KeyError, ValueError) as error:
            raise BadInput(path, f"what was learned is not complete: {error}") from error
        starts, seen = self.seen_starts, self.seen_items
        whole_rows = (
            len(starts) == len(users) + 1
            and starts[0] == 0
            and starts[-1] == len(seen) == len(self.seen_values)
            and (np.diff(starts) >= 0).all()
        )
        if not whole_rows or (len(seen) and not 0 <= seen.min() <= seen.max() < len(items)):
            raise BadInput(path, "what users have seen does not fit the names")
        self._check(path)
        return self

    def _check(self, path: str | Path) -> None:
        """Raise BadInput if an array whose name begins with a kind of thing is not as long as its names."""
        for name in self.learned:
            wanted = {"user_": len(self.users), "item_": len(self.items)}.get(name[:5])
            if wanted is not None and len(getattr(self, name)) != wanted:
                raise BadInput(path, f"{name} has {len(getattr(self, name))} rows for {wanted} names")

    def _names(self, users: tuple[str, ...], items: tuple[str, ...]) -> None:
        self.users, self.items = users, items
        self._user_number = {name: number for number, name in enumerate(users)}
        self._item_number = {name: number for number, name in enumerate(items)}

    def _learned(self) -> None:
        if not self.items:
            raise KgmmError(f"the recommender {self.name} has learned nothing yet: call fit first")

    def _item(self, item: Any) -> int:
        self._learned()
        number = self._item_number.get(str(item))
        if number is None:
            raise UnknownConcept(str(item), get_close_matches(str(item), self.items, 3), "the ratings", "item")
        return number

    def _scores(self, user: User) -> tuple[Rows, NDArray[np.int32]]:
        """Scores of all items, and the items the user has rated."""
        number, rated, values = self._user(user)
        return (self._new(rated, values) if number is None else self._known(number)), rated

    def _rated(self, user: User) -> tuple[NDArray[np.int32], Rows]:
        return self._user(user)[1:]

    def _seen(self, user: int) -> tuple[NDArray[np.int32], Rows]:
        """What a known user has rated, and how."""
        span = slice(self.seen_starts[user], self.seen_starts[user + 1])
        return self.seen_items[span], self.seen_values[span]

    def _user(self, user: User) -> tuple[int | None, NDArray[np.int32], Rows]:
        """A user's number, None of a new one, and what they rated and how."""
        self._learned()
        if isinstance(user, str | int | np.integer):
            number = self._user_number.get(str(user))
            if number is None:
                raise UnknownConcept(str(user), get_close_matches(str(user), self.users, 3), "the ratings", "user")
            return number, *self._seen(number)
        if not isinstance(user, Mapping):
            user = dict.fromkeys(user, float(self.scale[1]))
        if not user:
            raise KgmmError("a new user needs at least one item they rated or liked")
        numbers = np.array([self._item(item) for item in user], np.int32)
        values = np.array(list(user.values()), np.float32)
        if not np.isfinite(values).all():
            raise KgmmError("a rating of a new user is no finite number")
        return None, numbers, values

    def _reasons(self, items: NDArray[np.int32], values: Rows, item: int, k: int) -> list[Reason]:
        return taken_away(self, items, values, item, k)

    def _vectors(self) -> Rows:
        raise KgmmError(f"the recommender {self.name} learns nothing of single items that could be compared")

    def _takes(self, kinds: list[dict[str, Any]]) -> None:
        """Raise KgmmError unless items are placed by contents of these kinds."""
        raise KgmmError(f"the recommender {self.name} does not read contents: new items need ratings")

    @abstractmethod
    def _added(self, new: NewItems, kinds: list[dict[str, Any]]) -> None:
        """Put new items, whose names are known already, after the others in what was learned."""

    @abstractmethod
    def _fit(self, ratings: Ratings) -> None: ...

    @abstractmethod
    def _known(self, user: int) -> Rows: ...

    @abstractmethod
    def _new(self, items: NDArray[np.int32], values: Rows) -> Rows: ...


class FactorRecommender(Recommender):
    """A recommender whose score is ``mean + user_bias + item_bias + user_factors · item_factors``."""

    learned: tuple[str, ...] = ("mean", "user_bias", "item_bias", "user_factors", "item_factors")
    mean: Rows
    user_bias: Rows
    item_bias: Rows
    user_factors: Rows
    item_factors: Rows

    def _known(self, user: int) -> Rows:
        return self._with(self.user_factors[user], float(self.user_bias[user]))

    def all_scores(self, users: Sequence[int]) -> Rows:
        """Return the scores (users, items) of known users by their positions."""
        rows = np.asarray(users)
        return self._with(self.user_factors[rows], self.user_bias[rows, None])

    def _new(self, items: NDArray[np.int32], values: Rows) -> Rows:
        vector, bias = self._placed(items, values)
        return self._with(vector, bias)

    def _with(self, vectors: Rows, bias: Any) -> Rows:
        found: Rows = vectors @ self.item_factors.T + self.item_bias + self.mean[0] + bias
        return found

    def _vectors(self) -> Rows:
        return self.item_factors

    #: whether the weight of squares counts for each rating
    per_rating = True

    def _added(self, new: NewItems, kinds: list[dict[str, Any]]) -> None:
        found = [self._item_placed(*new.raters(number)) for number in range(len(new.names))]
        self._appended(np.stack([vector for vector, _ in found]), np.array([bias for _, bias in found]))

    def _appended(self, vectors: Rows, biases: Rows) -> None:
        self.item_factors = np.concatenate([self.item_factors, vectors]).astype(np.float32)
        self.item_bias = np.concatenate([self.item_bias, biases]).astype(np.float32)

    def _item_placed(self, users: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        """Return the factors and the bias of a new item from its ratings, users as they are."""
        weight = float(getattr(self, "weight", 0.05)) * (len(users) if self.per_rating else 1)
        return item_placed(self, users, values, weight)

    @abstractmethod
    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        """Return the factors and the bias of a new user from their ratings, items as they are."""


def read_model(path: str | Path) -> tuple[str, dict[str, Any], dict[str, NDArray[Any]]]:
    """Return a saved recommender's method, options and arrays; BadInput if it is none, or damaged."""
    place = file_at(path, "recommender")
    told, arrays = read_arrays(place, "a recommender")
    if told.get("format") != FORMAT:
        raise BadInput(place, f"is no recommender of kgmm (format {told.get('format')!r})")
    try:
        method, options = told["method"], json.loads(told["options"])
    except (KeyError, ValueError) as error:
        raise BadInput(place, f"cannot be read as a recommender: {error}") from error
    if not isinstance(options, dict):
        raise BadInput(place, "its options are no mapping")
    return method, options, arrays
