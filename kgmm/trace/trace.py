"""A trace, and the answer it carries, with all that can be done to them: checked, compared, read, written, shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kgmm.trace import checks, diff, graphs, reading
from kgmm.trace.counterfactuals import compute
from kgmm.trace.data import Record
from kgmm.trace.page import render


class Trace(Record):
    """The full record of how an answer came about, and what one does with it; its fields are a Record's.

    What it does stands in modules of its own, each a function of a trace.
    """

    verify: Final = checks.verify
    diff: Final = diff.diff
    to_html: Final = render.write_page
    to_networkx: Final = graphs.to_networkx
    to_rdf: Final = graphs.to_rdf
    _repr_html_: Final = render.fragment

    @classmethod
    def from_json(cls, source: str | Path) -> Trace:
        """Read a trace from a JSON document or file; see :func:`kgmm.trace.reading.read`."""
        return reading.read(source, cls)

    def precompute(self) -> Trace:
        """Fill ``counterfactuals`` so that pages and files know the answers without each fact; return the trace."""
        self.counterfactuals[:] = compute(self)
        return self


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
