"""What every reader takes and gives: the options of one load, and the lines it could not use."""

from dataclasses import dataclass
from typing import NamedTuple

from kgmm.progress import Progress, silent
from kgmm.store.rdf.foreign import BOUNDS, Bounds

RAW = 500  #: Longest raw text kept of a rejected line.


@dataclass(frozen=True)
class ReadOptions:
    """How one file is to be read."""

    lang: str | None = None  #: only concepts of that language are kept; formats without languages ignore it
    graph: str | None = None  #: the graph all statements go to, else the file's own graphs
    progress: Progress = silent  #: told the bytes read
    references: bool = False  #: keep who says each statement, where a format tells; it costs time and room
    bounds: Bounds = BOUNDS  #: the time and memory that parsing RDF may take


class Rejects(NamedTuple):
    """Parts of a file that were left out: where they start, why, and what they say (shortened)."""

    lines: list[int]
    reasons: list[str]
    raw: list[str]

    def add(self, line: int, reason: str, raw: str) -> None:
        """Note one more part."""
        self.lines.append(line)
        self.reasons.append(reason)
        self.raw.append(raw[:RAW])
