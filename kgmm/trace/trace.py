"""A trace, and the answer it carries, with all that can be done to them: checked, compared, read, written, shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kgmm.store import LocalStore
from kgmm.trace.checks import verify
from kgmm.trace.counterfactuals import compute
from kgmm.trace.data import Check, Record
from kgmm.trace.diff import Difference, diff
from kgmm.trace.graphs import to_networkx, to_rdf
from kgmm.trace.page.render import fragment, write_page
from kgmm.trace.reading import read

if TYPE_CHECKING:
    import networkx
    import rdflib


class Trace(Record):
    """The full record of how an answer came about, and what one does with it; its fields are a Record's."""

    def verify(self, kb: LocalStore) -> list[Check]:
        """Look every citation up again; see :func:`kgmm.trace.checks.verify`."""
        return verify(self, kb)

    def precompute(self) -> Trace:
        """Fill ``counterfactuals`` so that pages and files know the answers without each fact; return the trace.

        Raises:
            KgmmError: if the trace is not attached to a store.
        """
        self.counterfactuals = compute(self)
        return self

    def diff(self, other: Record) -> Difference:
        """Return what differs between this trace and *other*, and why; see :func:`kgmm.trace.diff.diff`."""
        return diff(self, other)

    @classmethod
    def from_json(cls, source: str | Path) -> Trace:
        """Read a trace from a JSON document or file.

        Raises:
            BadInput: if it is not a trace of this schema; the message names the file and what is wrong.
            OSError: if the file cannot be read.
        """
        return read(source, cls)

    def to_html(self, path: str | Path) -> Path:
        """Write one self-contained HTML page that needs no network; return its path."""
        return write_page(self, Path(path))

    def to_networkx(self) -> networkx.MultiDiGraph:
        """Return the cited facts and their chains as a graph; see :func:`kgmm.trace.graphs.to_networkx`."""
        return to_networkx(self)

    def to_rdf(self) -> rdflib.Graph:
        """Return the trace in PROV-O; see :func:`kgmm.trace.graphs.to_rdf`."""
        return to_rdf(self)

    def _repr_html_(self) -> str:
        return fragment(self)


@dataclass(frozen=True)
class Answer:
    """An answer with its score in [0, 1], the next best ones, and the trace that carries it.

    Falsy, with ``text`` None, when the engine abstains.

    Example:
        >>> bool(Answer(None, 0.0, [], Trace("Why?"))), str(Answer("cat", 0.9, [], Trace("What?")))
        (False, 'cat')
    """

    text: str | None
    score: float
    alternatives: list[tuple[str, float]]
    trace: Trace

    def __bool__(self) -> bool:
        return self.text is not None

    def __str__(self) -> str:
        return self.text if self.text is not None else "I don't know"

    def _repr_html_(self) -> str:
        return self.trace._repr_html_()
