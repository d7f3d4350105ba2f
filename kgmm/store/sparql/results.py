"""What SPARQL queries return: rows and statements of stored terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, overload

from kgmm.language.names import LOCAL, from_iri, iri, is_literal

if TYPE_CHECKING:
    import polars
    import rdflib

Row = dict[str, str | None]
BLOCK = 4096  #: rows whose terms are spelled at once


class Late(Sequence[tuple[str | None, ...]]):
    """Rows whose terms are spelled when they are looked at, a block at a time, and not kept.

    Args:
        size: how many there are.
        block: given where some begin and end, returns these.
    """

    def __init__(self, size: int, block: Callable[[int, int], list[tuple[str | None, ...]]]) -> None:
        self._size, self._block = size, block

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[tuple[str | None, ...]]:
        for start in range(0, self._size, BLOCK):
            yield from self._block(start, min(start + BLOCK, self._size))

    @overload
    def __getitem__(self, at: int) -> tuple[str | None, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[tuple[str | None, ...], ...]: ...
    def __getitem__(self, at: Any) -> Any:
        places = range(self._size)[at]
        if isinstance(places, int):
            return self._block(places, places + 1)[0]
        if places.step == 1:
            return tuple(self._block(places.start, places.stop)) if len(places) else ()
        return tuple(self._block(i, i + 1)[0] for i in places)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    def __hash__(self) -> int:
        return hash((self._size, self[0] if self._size else None))


@dataclass(frozen=True)
class Solutions(Sequence[Row]):
    """The rows of a SELECT query: variable to stored term or None; ``truncated`` tells that the row limit cut them.

    Many rows are held as numbers; their terms are spelled as they are looked at.
    """

    variables: tuple[str, ...]
    rows: Sequence[tuple[str | None, ...]]
    truncated: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return map(self._named, self.rows)

    def _named(self, row: Sequence[str | None]) -> Row:
        return dict(zip(self.variables, row, strict=True))

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        return [*map(self._named, self.rows[at])] if isinstance(at, slice) else self._named(self.rows[at])

    def column(self, variable: str) -> list[str | None]:
        """Return the terms of one variable; KeyError if the query has no such variable."""
        if variable.lstrip("?") not in self.variables:
            raise KeyError(variable)
        at = self.variables.index(variable.lstrip("?"))
        return [row[at] for row in self.rows]

    def to_polars(self) -> polars.DataFrame:
        """Return a data frame; columns that hold numbers only become numeric."""
        import polars

        columns = {name: python_values(self.column(name)) for name in self.variables}
        return polars.DataFrame(columns, strict=False)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.variables)
        body = "".join("<tr>" + "".join(f"<td>{escape(t or '')}</td>" for t in row) + "</tr>" for row in self.rows[:50])
        return f"<table><tr>{head}</tr>{body}</table><p>{len(self)} rows</p>"


@dataclass(frozen=True)
class Triples(Sequence[tuple[str, str, str]]):
    """The statements of a CONSTRUCT or DESCRIBE query, as stored terms."""

    rows: tuple[tuple[str, str, str], ...]
    truncated: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        return iter(self.rows)

    @overload
    def __getitem__(self, at: int) -> tuple[str, str, str]: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[tuple[str, str, str], ...]: ...
    def __getitem__(self, at: Any) -> Any:
        return self.rows[at]

    def to_polars(self) -> polars.DataFrame:
        """Return a data frame with a row a statement."""
        import polars

        names = ("subject", "predicate", "object")
        return polars.DataFrame(list(self.rows), schema=dict.fromkeys(names, polars.String), orient="row")

    def to_ntriples(self) -> str:
        """Return the statements as N-Triples."""
        parts = (f"{ntriples(s)} {ntriples(p, True)} {ntriples(o)} .\n" for s, p, o in self.rows)
        return "".join(parts)

    def to_rdflib(self) -> rdflib.Graph:
        """Return the statements as an rdflib graph."""
        import rdflib

        return rdflib.Graph().parse(data=self.to_ntriples(), format="nt")


Result = Solutions | Triples | bool  #: what a query is answered with: SELECT, CONSTRUCT and DESCRIBE, ASK


def ntriples(term: str, predicate: bool = False) -> str:
    """Return a stored term in N-Triples form."""
    if is_literal(term) or term.startswith(("_:", "<<(")):
        return term
    return f"<{iri(term, predicate=predicate)}>"


def ntriples_of(term: object) -> str | None:
    """Return an RDF term in N-Triples form; a triple term in its double brackets."""
    if term is None:
        return None
    return f"<<( {term} )>>" if type(term).__name__ == "Triple" else str(term)


def stored(term: str | None) -> str | None:
    """Return the stored term of an RDF term in N-Triples form.

    >>> stored("<http://conceptnet.io/r/UsedFor>"), stored('"Hund"@de')
    ('UsedFor', '"Hund"@de')
    """
    if term is None or term[0] != "<" or term[1:2] == "<":
        return term
    return from_iri(term[1:-1])


def stored_relation(term: str) -> str | None:
    """Return a predicate's stored form: those of our own vocabulary keep their IRI, as in a store."""
    return term[1:-1] if term.startswith(f"<{LOCAL}") else stored(term)


_NUMBER = re.compile(r'"([^"]*)"\^\^<http://www\.w3\.org/2001/XMLSchema#(integer|int|long|decimal|double|float)>')


def python_values(terms: Sequence[str | None]) -> list[Any]:
    """Return a column's terms, as numbers if all of them are, as texts if all are plain strings."""
    matches = [None if t is None else _NUMBER.fullmatch(t) for t in terms]
    numbers = [m for m in matches if m]
    if not numbers or len(numbers) < len(terms) - terms.count(None):
        return list(terms)
    kind = int if all(m[2] in ("integer", "int", "long") for m in numbers) else float
    return [kind(m[1]) if m else None for m in matches]
