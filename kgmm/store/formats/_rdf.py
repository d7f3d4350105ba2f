"""RDF in any syntax as statements: terms shortened, weight and source taken from annotations."""

import io
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyoxigraph as ox
import xxhash

from kgmm.errors import BadInput
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rows import Rows, weight_of
from kgmm.store.formats._stream import BLOCK, lines, open_stream
from kgmm.store.rdf import foreign
from kgmm.store.rdf import terms as rdf
from kgmm.store.rdf.depth import DEPTH_LIMIT, Nesting

WINDOW = 4096  #: Statements held back for an annotation that may follow them.
_FAR = "annotation of a statement that is not asserted near it"
_MADE_UP = re.compile("[a-f][0-9a-f]{15,31}")  #: A name the parser gives to a blank node that has none, such as ``[]``.
#: Characters that a document's statements may hold, and beyond those how many for each byte of it.
EXPANDED, AMPLIFIED = 16 << 20, 100
_LINES = 4096  #: Lines parsed in one go.


class Statements:
    """Turns quads into rows; annotations on a statement at most :data:`WINDOW` statements back count."""

    def __init__(self, path: Path, options: ReadOptions, named: bool) -> None:
        self._rows, self._options, self._path = Rows(), options, path
        #: names of blank nodes the parser made up, unless the file names all of its own
        self._made: dict[str, str] | None = None if named else {}
        self._recent: dict[tuple[str | None, str, str, str], int] = {}
        self._reified: dict[object, tuple[ox.Triple, object]] = {}
        self._parts: dict[object, dict[object, Any]] = {}
        #: annotations that came before their reifier, and before their statement
        self._early: dict[object, list[ox.Quad]] = {}
        self._ahead: dict[tuple[str | None, str, str, str], list[ox.Quad]] = {}

    def reject(self, line: int, reason: str, raw: str) -> None:
        """Note a line that was left out."""
        self._rows.reject(line, reason, raw)

    def add(self, quad: ox.Quad, line: int = 0) -> None:
        """Take one quad; what the store cannot hold is rejected."""
        try:
            if quad.predicate == rdf.REIFIES and isinstance(quad.object, ox.Triple):
                self._reifier(quad.subject, quad.object, quad.graph_name)
            elif isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(rdf.FACT) and _reifies(quad):
                self._part(quad)
            elif quad.predicate in (rdf.WEIGHT, rdf.SOURCE):
                self._annotation(quad)
            else:
                self._plain(quad)
        except ValueError as error:
            self._rows.reject(line, str(error), str(quad))

    def _reifier(self, name: object, triple: ox.Triple, graph: object) -> None:
        self._reified[name] = (triple, graph)
        for waiting in self._early.pop(name, ()):
            self._annotate(waiting)

    def _part(self, quad: ox.Quad) -> None:
        """Take a part of an ``rdf:Statement`` that an export wrote."""
        if quad.predicate in rdf.PARTS:
            parts = self._parts.setdefault(quad.subject, {})
            parts[quad.predicate] = quad.object
            if len(parts) == len(rdf.PARTS):
                del self._parts[quad.subject]
                self._reifier(quad.subject, ox.Triple(*(parts[part] for part in rdf.PARTS)), quad.graph_name)

    def _key(self, triple: ox.Quad | ox.Triple, graph: object) -> tuple[str | None, str, str, str]:
        named = self._options.graph is None and not isinstance(graph, ox.DefaultGraph)
        name = self._term(graph) if named else None
        return name, self._term(triple.subject), rdf.predicate_term(triple.predicate.value), self._term(triple.object)

    def _term(self, given: object) -> str:
        """Return a stored term; blank nodes keep the name an export gave them, others get one of this file's content."""
        if not isinstance(given, ox.BlankNode):
            return rdf.term_of(given)
        label = given.value
        if label.startswith(rdf.UNSCOPED):
            return f"_:{label.removeprefix(rdf.UNSCOPED)}"
        if rdf.SCOPED.fullmatch(label):
            return f"_:{label}"
        if self._made is not None and _MADE_UP.fullmatch(label):  # at random: numbered in the order of the file
            label = self._made.setdefault(label, f"-{len(self._made)}")
        return f"_:{self._scope}{label}"

    @cached_property
    def _scope(self) -> str:
        """A prefix for the file's blank nodes: the same for the same content, compressed or not, another for others."""
        content = xxhash.xxh3_64()
        with open_stream(self._path) as stream:
            while block := stream.read(BLOCK):
                content.update(block)
        return f"b{content.hexdigest()[:10]}x"

    def _plain(self, quad: ox.Quad) -> None:
        key = self._key(quad, quad.graph_name)
        self._recent[key] = len(self._rows.rows)
        self._rows.add(key[1], key[2], key[3], 1.0, key[0])
        for waiting in self._ahead.pop(key, ()):
            self._annotate(waiting)

    def _annotation(self, quad: ox.Quad) -> None:
        if quad.subject in self._reified:
            self._annotate(quad)
        elif len(self._early) < WINDOW:
            self._early.setdefault(quad.subject, []).append(quad)
        else:
            raise rdf.NotRdf(_FAR)

    def _annotate(self, quad: ox.Quad) -> None:
        key = self._key(*self._reified[quad.subject])
        place = self._recent.get(key)
        if place is None:
            if len(self._ahead) >= WINDOW:
                raise rdf.NotRdf(_FAR)
            self._ahead.setdefault(key, []).append(quad)
            return
        if not isinstance(quad.object, ox.Literal):
            raise rdf.NotRdf("annotation is no literal")
        graph, subject, relation, obj, weight, source, surface = self._rows.rows[place]
        if quad.predicate == rdf.WEIGHT:
            weight = weight_of(quad.object.value)
        else:
            source = quad.object.value
        self._rows.rows[place] = (graph, subject, relation, obj, weight, source, surface)

    def flush(self, last: bool = False) -> Iterator[pa.RecordBatch | Rejects]:
        """Hand on what no annotation can change any more."""
        if last:
            for waiting in (q for quads in self._early.values() for q in quads):
                self._plain_annotation(waiting)
            for name in self._parts:
                self._rows.reject(0, "a statement of which not all parts are told", str(name))
            for waiting in (q for quads in self._ahead.values() for q in quads):
                self._rows.reject(0, _FAR, str(waiting))
        if not last and not self._rows.full:
            return
        keep = 0 if last else WINDOW
        yield from self._rows.flush(keep)
        self._recent = {(row[0], *row[1:4]): i for i, row in enumerate(self._rows.rows)}
        recent_reified = list(self._reified.items())[-WINDOW:]
        self._reified = dict(recent_reified)

    def _plain_annotation(self, quad: ox.Quad) -> None:
        """Keep a weight or source of something that is no statement as the fact it is."""
        try:
            self._plain(quad)
        except ValueError as error:
            self._rows.reject(0, str(error), str(quad))


def _reifies(quad: ox.Quad) -> bool:
    return quad.predicate in rdf.PARTS or (quad.predicate == rdf.TYPE and quad.object == rdf.STATEMENT)


class _Bounded:
    """A document on its way to the parser, and the statements that come of it, held to what is no attack."""

    def __init__(self, path: Path, stream: io.RawIOBase) -> None:
        self._path, self._stream = path, stream
        self._nesting = Nesting()
        self._given, self._said = 0, 0
        self._last = ("", "")

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; BadInput if triple terms lie so deep that the parser would end the process."""
        block = self._stream.read(size) or b""
        self._given += len(block)
        if self._nesting.too_deep(block):
            raise BadInput(self._path, f"triple terms lie more than {DEPTH_LIMIT} deep in each other")
        return block

    def told(self, quad: ox.Quad) -> None:
        """Take note of a statement; BadInput if prefixes or entities make far more of the file than it holds."""
        subject, predicate = getattr(quad.subject, "value", ""), quad.predicate.value
        self._said += len(getattr(quad.object, "value", ""))
        self._said += len(subject) * (subject != self._last[0]) + len(predicate) * (predicate != self._last[1])
        self._last = subject, predicate
        if self._said > EXPANDED + AMPLIFIED * self._given:
            raise BadInput(
                self._path, f"its statements hold over {AMPLIFIED} times as many characters as the file has bytes"
            )


def read_document(path: Path, options: ReadOptions, syntax: ox.RdfFormat) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the statements of a file whose syntax spans lines; BadInput names an error's line, or what runs out."""
    rows = Statements(path, options, named=False)
    base = path.resolve().as_uri()
    with open_stream(path, options.progress) as opened:
        stream = _Bounded(path, opened)
        try:
            for quad in foreign.parse(stream, syntax, base, options.bounds):
                stream.told(quad)
                rows.add(quad)
                yield from rows.flush()
        except foreign.TooMuch as error:
            raise BadInput(path, str(error)) from error
        except foreign.Refused as error:
            raise BadInput(path, f"not {syntax.name}: {error}", error.line) from error
        except OSError as error:
            raise BadInput(path, f"cannot be parsed: {error}") from error
    yield from rows.flush(last=True)


def read_lines(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the statements of N-Triples or N-Quads; a malformed line is rejected alone."""
    rows = Statements(path, options, named=True)
    block: list[tuple[int, str]] = []
    for number, text, problem in lines(path, options.progress):
        if problem:
            rows.reject(number, problem, text)
        elif text.count("<<(") > DEPTH_LIMIT:
            rows.reject(number, f"triple terms lie more than {DEPTH_LIMIT} deep in each other", text)
        elif text and not text.isspace():
            block.append((number, text))
        if len(block) >= _LINES:
            _parse_block(block, rows)
            block = []
            yield from rows.flush()
    _parse_block(block, rows)
    yield from rows.flush(last=True)


def _parse_block(block: list[tuple[int, str]], rows: Statements) -> None:
    """Parse lines together, or one by one where one of them is wrong."""
    try:
        quads = list(ox.parse("\n".join(text for _, text in block), ox.RdfFormat.N_QUADS))
    except (SyntaxError, ValueError):
        quads = []
        for number, text in block:
            try:
                for quad in ox.parse(text, ox.RdfFormat.N_QUADS):
                    rows.add(quad, number)
            except (SyntaxError, ValueError) as error:
                rows.reject(number, _message(error), text)
    for quad in quads:
        rows.add(quad)


def _message(error: Exception) -> str:
    text = str(error.args[0]) if error.args else str(error)
    return re.sub(r"^Parser error at line \d+(?: column \d+| between columns \d+ and \d+)?: ", "", text)
