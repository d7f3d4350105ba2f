"""Triples as numbers, what is known of each question (one end and a relation), and how often ends are seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError

Ints = NDArray[np.int64]
Triple = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class Triples:
    """Distinct triples of named entities and relations.

    A *question* is an entity and a relation, numbered below ``len(relations)`` where the object is asked for and that much higher
    where the subject is.

    Args:
        entities: their names; those no triple has may be among them.
        relations: likewise.
        rows: (n, 3) subject, relation, object by position.
    """

    entities: tuple[str, ...]
    relations: tuple[str, ...]
    rows: Ints

    @classmethod
    def of(cls, triples: Iterable[Sequence[str]], *, also: Iterable[Sequence[str]] = ()) -> Triples:
        """Return triples given by names (subject, relation, object), each once.

        Args:
            triples: that are learned from.
            also: triples whose entities get numbers too.

        Raises:
            KgmmError: if there is none.

        Example:
            >>> known = Triples.of([("ann", "knows", "bob"), ("bob", "knows", "cy"), ("ann", "knows", "bob")])
            >>> known.entities, known.rows.tolist()
            (('ann', 'bob', 'cy'), [[0, 0, 1], [1, 0, 2]])
        """
        given = list(triples)
        if not given:
            raise KgmmError("no triples to learn from")
        others = list(also)
        names = sorted({end for row in (*given, *others) for end in (row[0], row[2])})
        relations = sorted({row[1] for row in given})
        made = cls(tuple(names), tuple(relations), np.empty((0, 3), np.int64))
        rows = made.numbered(given)
        return cls(made.entities, made.relations, np.unique(rows, axis=0))

    def numbered(self, triples: Iterable[Sequence[str]]) -> Ints:
        """Return the rows of triples by names, (n, 3); those with an entity or relation that has no number are left out."""
        entity, relation = self.entity_number, self.relation_number
        found = [(entity.get(s, -1), relation.get(r, -1), entity.get(o, -1)) for s, r, o in triples]
        rows = np.array(found, np.int64).reshape(-1, 3)
        return rows[(rows >= 0).all(1)]

    @cached_property
    def entity_number(self) -> dict[str, int]:
        """Position of each entity."""
        return {name: at for at, name in enumerate(self.entities)}

    @cached_property
    def relation_number(self) -> dict[str, int]:
        """Position of each relation."""
        return {name: at for at, name in enumerate(self.relations)}

    @property
    def questions(self) -> int:
        """Number of relations, each either way."""
        return 2 * len(self.relations)

    def asked(self, rows: Ints) -> tuple[Ints, Ints, Ints]:
        """Return both questions of each row, (2n,) each: the entity given, the relation (either way), the answer."""
        subject, relation, target = rows.T
        turned = relation + len(self.relations)
        return (
            np.concatenate([subject, target]),
            np.concatenate([relation, turned]),
            np.concatenate([target, subject]),
        )

    @cached_property
    def degree(self) -> Ints:
        """(entities,) how many ends of triples each is."""
        return np.bincount(self.rows[:, [0, 2]].ravel(), minlength=len(self.entities))

    @cached_property
    def frequency(self) -> NDArray[np.float32]:
        """(questions, entities) how often each entity answers a relation, either way."""
        _, relation, answer = self.asked(self.rows)
        counts = np.zeros((self.questions, len(self.entities)), np.float32)
        np.add.at(counts, (relation, answer), 1)
        return counts

    @cached_property
    def sizes(self) -> Ints:
        """(questions,) how many rows each relation has, the same either way."""
        return np.tile(np.bincount(self.rows[:, 1], minlength=len(self.relations)), 2)

    @cached_property
    def known(self) -> Known:
        """The answers that the rows give."""
        return Known(self, self.rows)


class Known:
    """The answers of questions, from rows of several sets.

    >>> known = Triples.of([("ann", "knows", "bob"), ("ann", "knows", "cy")])
    >>> Known(known, known.rows).answers(0, 0).tolist()
    [1, 2]
    """

    def __init__(self, triples: Triples, *rows: Ints) -> None:
        self.questions = triples.questions
        entity, relation, answer = triples.asked(np.concatenate([np.asarray(r).reshape(-1, 3) for r in rows]))
        keys = entity * self.questions + relation
        order = np.lexsort((answer, keys))
        self.keys, self.found = keys[order], answer[order]

    def answers(self, entity: int, relation: int) -> Ints:
        """Return what answers a question, ascending; empty if nothing does."""
        key = int(entity) * self.questions + int(relation)
        low, high = np.searchsorted(self.keys, [key, key + 1])
        return self.found[low:high]
