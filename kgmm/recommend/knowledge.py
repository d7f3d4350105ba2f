"""What is known about items: statements between concepts, and which concept each item is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput

#: what the columns of a table of statements are called: ours, RecBole's, RDF's
COLUMNS = {
    "head": ("head", "subject", "head_id", "head_id:token", "s"),
    "relation": ("relation", "predicate", "relation_id", "relation_id:token", "p"),
    "tail": ("tail", "object", "tail_id", "tail_id:token", "o"),
}


@dataclass(frozen=True, eq=False)
class ItemKnowledge:
    """Statements between concepts, and which concept an item is.

    Args:
        concepts: names.
        head: (m,) positions in *concepts*.
        tail: (m,) likewise.
        relation: (m,) positions in *relations*.
        weight: (m,) positive.
        relations: names.
        link: item -> concept.
        labels: what items and concepts are called for people, where their names do not say it.

    Example:
        >>> known = ItemKnowledge.of([("Alien", "director", "Scott"), ("Gladiator", "director", "Scott")])
        >>> known.concepts, known.link
        (('Alien', 'Scott', 'Gladiator'), {})
    """

    concepts: tuple[str, ...]
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    relation: NDArray[np.int32]
    weight: NDArray[np.float32]
    relations: tuple[str, ...]
    link: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.head)

    @classmethod
    def of(
        cls,
        given: Any,
        link: Mapping[Any, str] | None = None,
        *,
        labels: Mapping[Any, str] | None = None,
        leave_out: Iterable[str] = (),
    ) -> ItemKnowledge:
        """Return knowledge from triples (with a weight, if any), a data frame, a store or a view of one.

        Args:
            given: what is known; None is nothing.
            link: item -> concept; items it lacks are the concepts of their own name.
            labels: item or concept -> what people call it.
            leave_out: relations that are none of the knowledge, as the one that holds the ratings.

        Raises:
            BadInput: if a row is no triple, or a weight is not positive and finite.
        """
        linked = {str(item): str(concept) for item, concept in (link or {}).items()}
        named = {str(name): str(label) for name, label in (labels or {}).items()}
        if isinstance(given, ItemKnowledge):
            return cls(
                given.concepts,
                given.head,
                given.tail,
                given.relation,
                given.weight,
                given.relations,
                {**given.link, **linked},
                {**given.labels, **named},
            )
        if hasattr(given, "view") and not hasattr(given, "statements"):
            given = given.view(split_senses=True)
        if hasattr(given, "statements"):
            table, concepts = given.statements, tuple(given.concepts)
            gone = [code for code, name in enumerate(table.relations) if name in set(leave_out)]
            kept = np.flatnonzero(~np.isin(table.relation, gone))
            ends = table.subject[kept].astype(np.int32), table.object[kept].astype(np.int32)
            codes, weights = table.relation[kept].astype(np.int32), table.weight[kept].astype(np.float32)
            return cls(concepts, *ends, codes, weights, tuple(table.relations), linked, named)
        rows = [row for row in _rows(given) if row[1] not in set(leave_out)]
        numbers: dict[str, int] = {}
        names: dict[str, int] = {}
        head = np.array([numbers.setdefault(number, len(numbers)) for row in rows for number in (row[0], row[2])])
        codes = np.array([names.setdefault(row[1], len(names)) for row in rows], np.int32)
        ends_of = head.reshape(-1, 2).astype(np.int32)
        weight = np.array([row[3] for row in rows], np.float32)
        return cls(tuple(numbers), ends_of[:, 0], ends_of[:, 1], codes, weight, tuple(names), linked, named)

    def concept_of(self, item: str) -> str:
        """Return the concept that an item is: the linked one, else that of its own name."""
        return self.link.get(item, item)


def _rows(given: Any) -> list[tuple[str, str, str, float]]:
    if given is None:
        return []
    names = getattr(given, "columns", None)
    if names is not None:
        plain = {str(name).strip().lower(): name for name in names}
        found = [next((plain[n] for n in known if n in plain), None) for known in COLUMNS.values()]
        if any(name is None for name in found):
            raise BadInput(
                "knowledge", f"expected columns head, relation, tail; there are {', '.join(map(str, names))}"
            )
        given = zip(*(given[name] for name in found), strict=True)
    made = []
    for number, row in enumerate(given, 1):
        parts = None if isinstance(row, str) else tuple(row)
        if parts is None or not 3 <= len(parts) <= 4 or any(part is None for part in parts):
            raise BadInput("knowledge", f"expected (head, relation, tail[, weight]), found {row!r}", number)
        try:
            weight = float(parts[3]) if len(parts) == 4 else 1.0
        except (TypeError, ValueError):
            raise BadInput("knowledge", f"the weight {parts[3]!r} is no number", number) from None
        if not (np.isfinite(weight) and weight > 0):
            raise BadInput("knowledge", f"the weight {weight} must be positive and finite", number)
        made.append((str(parts[0]), str(parts[1]), str(parts[2]), weight))
    return made
