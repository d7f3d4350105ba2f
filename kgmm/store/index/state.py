"""The index beside the table: which files belong to which version, and how they are opened and replaced.

Everything here is derived from the table and the list of terms; ``current.json``, replaced in one step, names
the files that count. Files it does not name are left over from an interrupted writer and are swept up.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Hashable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh64_hexdigest

from kgmm.errors import BadInput
from kgmm.files import publish
from kgmm.language import names
from kgmm.store.facts import ANY, Columns, node
from kgmm.store.index import terms as dictionary
from kgmm.store.index.base import Base, Statements
from kgmm.store.index.mapped import view
from kgmm.store.index.ordering import write_base
from kgmm.store.index.snapshot import Overlay, Selection, Snapshot
from kgmm.store.index.terms import Terms

T = TypeVar("T")
LAYOUT = 2  #: raised when the layout of the files changes; an index of another layout is built anew


@dataclass(frozen=True)
class State:
    """What ``current.json`` says: the version and the files that make it up."""

    version: int
    terms: int
    sources: int
    base: str
    sizes: dict[str, Any]
    overlay: str | None = None
    overlay_sum: str = ""
    layout: int = LAYOUT
    #: the table's :func:`kgmm.store.table.delta.identity` at the version; empty in an index of before there was one
    commit: str = ""
    sums: str = ""  #: checksums of the dictionaries of terms and sources
    #: whether the table holds assertions, so that an addition has to look for them; None where an older program, which
    #: knows of none, made the index
    said: bool | None = None

    def on(self, base: str, sizes: dict[str, Any]) -> State:
        """Return the state of a new base that holds everything."""
        return replace(self, base=base, sizes=sizes, overlay=None, overlay_sum="")


UNKNOWN = 0xFFFFFFFF  #: a number that no term has: patterns with it find nothing
REMEMBERED = 1 << 14  #: terms of which a version remembers spelling and number


class Remembered(dict[Any, Any]):
    """A function's answers by argument; all are forgotten when they become too many.

    Half the time of an ``lru_cache`` where the answer is known, and look-ups ask for few microseconds in all.
    """

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        super().__init__()
        self._answer = answer

    def __missing__(self, key: Any) -> Any:
        if len(self) >= REMEMBERED:
            self.clear()
        found = self[key] = self._answer(key)
        return found


class Opened:
    """One version, mapped, with a memory of the terms that were asked for and decoded last."""

    def __init__(self, state: State, terms: Terms, sources: Terms, snapshot: Snapshot) -> None:
        self.state: State = state
        self.terms: Terms = terms
        self.sources: Terms = sources
        self.snapshot: Snapshot = snapshot
        self.names: Remembered = Remembered(terms.name)
        base = snapshot.base
        self.source_names: Remembered = Remembered(sources.name)
        #: by row of the base: subject, object, codes of predicate, graph, weight, source; then by number or code:
        #: terms, predicates, graphs, weights, sources
        self.columns: tuple[Any, ...] = (
            *base.items,
            self.names,
            Remembered(lambda code: terms.name(int(base.predicate.values[code]))),
            Remembered(lambda code: terms.name(int(base.graph.values[code]))),
            view(base.weight.values),
            Remembered(lambda code: sources.name(int(base.source.values[code]))),
        )
        #: what was made of this version, by name; see :meth:`kgmm.store.handle.Handle.derived`
        self.derived: dict[Hashable, Any] = {}
        self.remember()

    def remember(self) -> None:
        """Begin to remember the numbers of the terms that are asked for."""
        terms = self.terms
        self._nodes = Remembered(lambda text: _number(terms, text, node))
        self._relations = Remembered(lambda text: _number(terms, text, names.relation))
        self._graphs = Remembered(lambda text: _number(terms, text, str))

    def made(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what was made of this version under a name, made when first asked for."""
        if name not in self.derived:
            self.derived[name] = make()
        return cast(T, self.derived[name])

    def select(self, s: str | None, p: str | None, o: str | None, g: str | None) -> Selection:
        """Return the rows of a pattern as people write it; BadInput if a part cannot be the spelling of a term."""
        try:
            ids = self._nodes[s], self._relations[p], self._nodes[o], self._graphs[g]
        except (ValueError, TypeError, AttributeError) as error:
            raise BadInput("pattern", f"{s!r} {p!r} {o!r}: {error}") from None
        return self.snapshot.select(*ids)

    def find_ids(self, s: int | None, p: int | None, o: int | None, g: int | None) -> Columns:
        """Return the statements of a pattern of term ids."""
        selection = self.snapshot.select(s, p, o, g)
        return self.snapshot.statements(selection, 0, len(selection)).columns()

    def sums(self) -> str:
        """Return the checksums of the dictionaries."""
        return f"{self.terms.checksum()} {self.sources.checksum()}"

    def counted(self, column: str) -> dict[str, int]:
        """Return how many statements each ``predicate`` or ``graph`` has, most frequent first."""
        counts = ((self.terms.name(i), n) for i, n in self.snapshot.counts(column).items())
        return dict(sorted(counts, key=lambda item: (-item[1], item[0])))


def _number(terms: Terms, text: Any, stored: Callable[[str], str]) -> int | None:
    """Return the number of a term as people write it, None for any, :data:`UNKNOWN` for one that is not there."""
    if text in ANY:
        return None
    found = terms.id(stored(text))
    return UNKNOWN if found is None else found


def read_state(folder: Path) -> State | None:
    """Return what the index says of itself, or None if it is missing, damaged or of another layout."""
    try:
        text, _, said = (folder / "current.json").read_bytes().partition(b"\n")
        state = State(**json.loads(text))
    except (OSError, ValueError, TypeError):
        return None
    return state if state.layout == LAYOUT and said in (b"", xxh64_hexdigest(text).encode()) else None


def publish_state(folder: Path, state: State, commit: str = "") -> Opened:
    """Make a state, of a commit of the table, the one that counts and map its files."""
    opened = _mapped(folder, replace(state, commit=commit, said=bool(state.said)))
    opened.state = state = replace(opened.state, sums=opened.sums())
    text = json.dumps(asdict(state)).encode()
    publish(folder / "current.json", text + b"\n" + xxh64_hexdigest(text).encode())
    return opened


def start(folder: Path) -> Opened:
    """Make an empty index of version 0."""
    folder.mkdir(parents=True, exist_ok=True)
    dictionary.create(folder / "terms")
    dictionary.create(folder / "sources")
    return publish_state(folder, State(0, 0, 0, *new_base(folder, Statements.empty(), 0)))


def new_base(folder: Path, rows: Statements, terms: int, in_order: bool = False) -> tuple[str, dict[str, Any]]:
    """Write statements as a new base; return its folder's name and its sizes."""
    name = f"base-{uuid.uuid4().hex[:12]}"
    return name, write_base(folder / name, rows, terms, in_order)


def open_state(folder: Path, state: State) -> Opened:
    """Map a state's files; OSError or ValueError if one is missing, or small or rewritten ones are damaged."""
    opened = _mapped(folder, state)
    opened.snapshot.base.verify(state.sizes["sums"])
    if state.sums not in ("", opened.sums()):
        raise ValueError(f"{folder}: the checksum of a dictionary is wrong")
    opened.terms.verify()
    opened.sources.verify()
    return opened


def _mapped(folder: Path, state: State) -> Opened:
    base = Base(folder / state.base, state.sizes)
    overlay = read_overlay(folder, state) if state.overlay else None
    terms, sources = Terms(folder / "terms", state.terms), Terms(folder / "sources", state.sources)
    return Opened(state, terms, sources, Snapshot(base, overlay))


_OVERLAY = np.dtype([("s", "u4"), ("p", "u4"), ("o", "u4"), ("g", "u4"), ("c", "u4"), ("w", "f8")])
#: with a field more, where facts have assertions; the file's name says so
_OVERLAY_WHEN, _WHEN = np.dtype([*_OVERLAY.descr, ("v", "u4")]), "overlay-when-"


def write_overlay(folder: Path, added: Statements, removed: NDArray[np.uint32]) -> tuple[str, str]:
    """Write what changed since the base; return the file's name and checksum."""
    timed = bool(added.when.any())
    rows = np.empty(len(added.subject), _OVERLAY_WHEN if timed else _OVERLAY)
    for field, column in zip("spogwcv" if timed else "spogwc", added, strict=timed):
        rows[field] = column
    data = np.uint64(len(rows)).tobytes() + rows.tobytes() + removed.astype(np.uint32).tobytes()
    name = f"{_WHEN if timed else 'overlay-'}{uuid.uuid4().hex[:12]}"
    publish(folder / name, data)
    return name, xxh64_hexdigest(data)


def read_overlay(folder: Path, state: State) -> Overlay:
    """Read what changed since the base; ValueError if the file's checksum is wrong."""
    data = (folder / str(state.overlay)).read_bytes()
    if xxh64_hexdigest(data) != state.overlay_sum:
        raise ValueError(f"{folder / str(state.overlay)}: checksum is wrong")
    count = int(np.frombuffer(data, np.uint64, 1)[0])
    timed = str(state.overlay).startswith(_WHEN)
    rows = np.frombuffer(data, _OVERLAY_WHEN if timed else _OVERLAY, count, 8)
    removed = np.frombuffer(data, np.uint32, -1, 8 + rows.nbytes)
    columns = [np.ascontiguousarray(rows[field]) for field in ("spogwcv" if timed else "spogwc")]
    return Overlay(Statements(*columns, *([] if timed else [np.zeros(count, np.uint32)])), removed)


def sweep(folder: Path, state: State) -> None:
    """Delete what neither *state* nor any reader opened from now on needs."""
    for entry in folder.iterdir():
        if entry.name in (state.base, state.overlay):
            continue
        if entry.name.startswith("base-"):
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name.startswith("overlay-") or entry.name.endswith(".tmp"):
            entry.unlink(missing_ok=True)
