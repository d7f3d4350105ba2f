"""Statements on their way into a store: rows collected into Arrow batches, rejects beside them."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from kgmm.store.formats._base import Rejects
from kgmm.store.formats._stream import Line

BATCH = 1 << 16  #: Rows in one batch.
SCHEMA = pa.schema(
    [
        ("graph", pa.string()),
        ("subject", pa.string()),
        ("predicate", pa.string()),
        ("object", pa.string()),
        ("weight", pa.float64()),
        ("source", pa.string()),
        ("surface", pa.string()),
    ]
)


def schema_of(names: Iterable[str]) -> pa.Schema:
    """Return the types of some columns."""
    return pa.schema([SCHEMA.field(name) for name in names])


#: what a reader may say of a fact, as the table's columns are called
SAID = pa.schema(
    [
        *((name, pa.string()) for name in ("contributor", "valid_from", "valid_to", "method", "licence", "rests_on")),
        ("polarity", pa.int8()),
        ("confidence", pa.float64()),
    ]
)
_NOTHING: Mapping[str, Any] = {}


#: One statement: graph (None: the load's), subject, predicate, object, weight, source, surface.
Row = tuple[str | None, str, str, str, float, str, str | None]


class Rows:
    """Statements and rejects collected until they are worth handing on.

    >>> rows = Rows()
    >>> rows.add("/c/en/dog", "IsA", "/c/en/animal")
    >>> [batch.num_rows for batch in rows.flush()]
    [1]
    """

    def __init__(self, asserting: bool = False) -> None:
        self.rows: list[Row] = []
        #: what is said of each row's fact, by the names of :data:`SAID`; None if nothing can be. Its columns come with those
        #: batches of which something is said
        self.said: list[Mapping[str, Any]] | None = [] if asserting else None
        self._rejects = Rejects([], [], [])

    def add(
        self,
        subject: str,
        predicate: str,
        object: str,
        weight: float = 1.0,
        graph: str | None = None,
        source: str = "",
        surface: str | None = None,
        said: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Add one statement, and what is said of it where that is collected."""
        self.rows.append((graph, subject, predicate, object, weight, source, surface))
        if self.said is not None:
            self.said.append(said)

    def reject(self, line: int, reason: str, raw: str) -> None:
        """Note a part of the file that was left out."""
        self._rejects.add(line, reason, raw)

    @property
    def full(self) -> bool:
        """Tell whether a batch is worth handing on."""
        return len(self.rows) >= BATCH or len(self._rejects.lines) >= BATCH

    def flush(self, keep: int = 0) -> Iterator[pa.RecordBatch | Rejects]:
        """Hand on what was collected, but for the last *keep* statements."""
        cut = max(len(self.rows) - keep, 0)
        ready, self.rows = self.rows[:cut], self.rows[cut:]
        rejects, self._rejects = self._rejects, Rejects([], [], [])
        if ready:
            columns = zip(*ready, strict=True)
            arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
            schema = SCHEMA
            if self.said is not None:
                said, self.said = self.said[:cut], self.said[cut:]
                if any(said):
                    arrays += [pa.array([about.get(f.name) for about in said], f.type) for f in SAID]
                    schema = pa.schema([*SCHEMA, *SAID])
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        if rejects.lines:
            yield rejects


def weight_of(text: str) -> float:
    """Return a finite weight; ValueError if *text* is not a finite number."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"weight {text[:40]!r} is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"weight {text[:40]!r} is not finite")
    return value


def rows_of(
    stream: Iterable[Line], add: Callable[[Rows, str], None], asserting: bool = False
) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the statements *add* takes from each line but comments; one for which it raises ValueError is rejected.

    With *asserting*, also what it says of them.
    """
    rows = Rows(asserting)
    for number, text, problem in stream:
        if problem:
            rows.reject(number, problem, text)
        elif text.strip() and not text.startswith("#"):
            try:
                add(rows, text)
            except ValueError as error:
                rows.reject(number, str(error), text)
        if rows.full:
            yield from rows.flush()
    yield from rows.flush()
