"""RDF in any syntax as statements: terms shortened, weight and source taken from annotations."""

import io
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyoxigraph as ox
import xxhash

from kgmm.errors import BadInput
from kgmm.language.names import LOCAL
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rows import Row, Rows
from kgmm.store.formats._stream import BLOCK, lines, open_stream
from kgmm.store.formats._wikidata import HOST, PROPERTY, Wikidata
from kgmm.store.rdf import foreign, saying
from kgmm.store.rdf import terms as rdf
from kgmm.store.rdf.depth import DEPTH_LIMIT, Nesting

WINDOW = 4096  #: Statements held back for an annotation that may follow them.
_FAR = "annotation of a statement that is not asserted near it"
_MADE_UP = re.compile("[a-f][0-9a-f]{15,31}")  #: A name the parser gives to a blank node that has none, such as ``[]``.
#: Characters that a document's statements may hold, and beyond those how many for each byte of it.
EXPANDED, AMPLIFIED = 16 << 20, 100
_LINES = 4096  #: Lines parsed in one go.
_REIFIES, _PARTS = rdf.REIFIES.value, tuple(part.value for part in rdf.PARTS)
_ANNOTATIONS = (rdf.WEIGHT.value, rdf.SOURCE.value)  #: what may be said of bare facts
_STANDING = (rdf.FACT, saying.ASSERTION)  #: how the reifiers of our exports begin


Key = tuple[str | None, str, str, str]  #: graph (None: the load's), subject, relation, object
_ABOUT = ("valid_from", "valid_to", "polarity", "confidence", "contributor", "method", "licence", "rests_on")


class Statements:
    """Turns quads into rows; annotations on a statement at most :data:`WINDOW` statements back count."""

    def __init__(self, path: Path, options: ReadOptions, named: bool) -> None:
        self._rows, self._options, self._path = Rows(asserting=True), options, path
        #: names of blank nodes the parser made up, unless the file names all of its own
        self._made: dict[str, str] | None = None if named else {}
        self._recent: dict[Key, int] = {}
        #: the statements of reifiers, by their names
        self._reified: dict[str, Key] = {}
        self._parts: dict[str, dict[str, Any]] = {}
        #: annotations that came before their reifier
        self._early: dict[str, list[ox.Quad]] = {}
        #: what each reifier of a statement says, the statements of these that did not come yet
        self._said: dict[Key, dict[str, saying.Values]] = {}
        self._ahead: set[Key] = set()
        self._wikidata: Wikidata | None = None

    def reject(self, line: int, reason: str, raw: str) -> None:
        """Note a line that was left out."""
        self._rows.reject(line, reason, raw)

    def add(self, quad: ox.Quad, line: int = 0) -> None:
        """Take one quad; what the store cannot hold is rejected."""
        try:
            predicate, subject = quad.predicate.value, quad.subject  # each look makes a new object
            name = subject.value if isinstance(subject, ox.NamedNode) else f"_:{getattr(subject, 'value', subject)}"
            if (self._wikidata is not None or predicate.startswith(PROPERTY) or name.startswith(HOST)) and (
                self._of_wikidata(quad)
            ):
                return
            own = name.startswith(_STANDING)
            if predicate == _REIFIES and isinstance(triple := quad.object, ox.Triple):
                self._reifier(name, triple, quad.graph_name)
            elif own and (predicate in _PARTS or (predicate == rdf.TYPE.value and quad.object == rdf.STATEMENT)):
                self._part(name, predicate, quad)
            elif (
                predicate in _ANNOTATIONS
                or (own and predicate.startswith(LOCAL))
                or (name in self._reified and saying.field_of(predicate))
            ):
                self._annotation(name, predicate, quad)
            else:
                self._plain(quad)
        except ValueError as error:
            self._rows.reject(line, str(error), str(quad))

    def _of_wikidata(self, quad: ox.Quad) -> bool:
        """Tell whether a quad is part of what Wikidata says of a statement, and take it then."""
        if self._wikidata is None:
            self._wikidata = Wikidata()
        return self._wikidata.took(quad)

    def _reifier(self, name: str, triple: ox.Triple, graph: object) -> None:
        self._reified[name] = self._key(triple, graph)
        if self._early:
            for waiting in self._early.pop(name, ()):
                self._annotate(name, waiting.predicate.value, waiting)

    def _part(self, name: str, predicate: str, quad: ox.Quad) -> None:
        """Take a part of an ``rdf:Statement`` that an export wrote."""
        if predicate in _PARTS:
            parts = self._parts.setdefault(name, {})
            parts[predicate] = quad.object
            if len(parts) == len(_PARTS):
                del self._parts[name]
                self._reifier(name, ox.Triple(*(parts[part] for part in _PARTS)), quad.graph_name)

    def _key(self, triple: ox.Quad | ox.Triple, graph: object) -> Key:
        named = self._options.graph is None and not isinstance(graph, ox.DefaultGraph)
        name = self._term(graph) if named and not self._is_source(graph) else None
        return name, self._term(triple.subject), rdf.predicate_term(triple.predicate.value), self._term(triple.object)

    def _is_source(self, graph: object) -> bool:
        """Tell whether a graph is to be the source of what it states."""
        return self._options.references and isinstance(graph, ox.NamedNode) and not graph.value.startswith(LOCAL)

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
        if isinstance(quad.graph_name, ox.NamedNode) and self._is_source(quad.graph_name):
            by_graph: saying.Values = {"source": [quad.graph_name], "method": [ox.Literal("loaded")]}
            self._said.setdefault(key, {})[quad.graph_name.value] = by_graph
        self._recent[key] = len(self._rows.rows)
        self._rows.add(key[1], key[2], key[3], 1.0, key[0])
        self._ahead.discard(key)

    def _annotation(self, name: str, predicate: str, quad: ox.Quad) -> None:
        if name in self._reified:
            self._annotate(name, predicate, quad)
        elif len(self._early) < WINDOW:
            self._early.setdefault(name, []).append(quad)
        else:
            raise rdf.NotRdf(_FAR)

    def _annotate(self, name: str, predicate: str, quad: ox.Quad) -> None:
        field, value = saying.field_of(predicate), quad.object
        if field is None:
            return  # of ours, and made of the others
        if predicate in _ANNOTATIONS and not isinstance(value, ox.Literal):
            raise rdf.NotRdf("annotation is no literal")
        saying.check(field, value)  # refused by itself, if it must be
        key = self._reified[name]
        if key not in self._recent and key not in self._ahead:
            if len(self._ahead) >= WINDOW:
                raise rdf.NotRdf(_FAR)
            self._ahead.add(key)
        self._said.setdefault(key, {}).setdefault(name, {}).setdefault(field, []).append(value)

    def flush(self, last: bool = False) -> Iterator[pa.RecordBatch | Rejects]:
        """Hand on what no annotation can change any more."""
        if self._wikidata is not None and (last or self._wikidata.full):
            self._wikidata.hand_on(self, last)
        if last:
            for waiting in (q for quads in self._early.values() for q in quads):
                self.plain(waiting)
            for name in self._parts:
                self._rows.reject(0, "a statement of which not all parts are told", name)
        if not last and not self._rows.full:
            return
        keep = 0 if last else WINDOW
        keep = self._settle(keep)
        if last:
            self._denied()
        yield from self._rows.flush(keep)
        self._recent = {(row[0], *row[1:4]): i for i, row in enumerate(self._rows.rows)}
        self._reified = dict(list(self._reified.items())[-WINDOW:])

    def _settle(self, keep: int) -> int:
        """Put what is said of the rows but the last *keep* into them, in more rows where need be; return how many are last."""
        rows, said = self._rows.rows, self._rows.said
        cut = max(len(rows) - keep, 0)
        if not self._said or not cut or said is None:
            return keep
        ready: list[tuple[Row, Mapping[str, Any]]] = []
        for place, (row, about) in enumerate(zip(rows[:cut], said[:cut], strict=True)):
            key = (row[0], *row[1:4])
            if about or key not in self._said:
                ready.append((row, about))
            elif self._recent.get(key) == place:  # of a statement made twice in the window the last counts
                ready += self._told(key, self._said.pop(key), stated=True)
        self._rows.rows = [row for row, _ in ready] + rows[cut:]
        self._rows.said = [about for _, about in ready] + said[cut:]
        return len(rows) - cut

    def _told(self, key: Key, reifiers: dict[str, saying.Values], stated: bool) -> list[tuple[Row, Mapping[str, Any]]]:
        """Return the rows of one statement: a bare one, if it is stated and no assertion stands for it, and its assertions."""
        graph, subject, relation, obj = key
        if stated and len(reifiers) == 1:
            (values,) = reifiers.values()
            if values.keys() <= {"weight", "source"}:  # most are so
                weight, source = values.get("weight"), values.get("source")
                told = 1.0 if weight is None else float(weight[-1].value)  # type: ignore[union-attr]
                return [((*key, told, "" if source is None else saying.text_of(source[-1]), None), {})]
        first = [name for name in reifiers if name.startswith(rdf.FACT)]
        bare: saying.Values = {}
        found: list[saying.Line] = []
        place = 0
        for name in [*first, *(name for name in reifiers if name not in first)]:
            values = reifiers[name]
            if values.keys().isdisjoint(_ABOUT):
                place = place if bare else len(found)
                bare |= values
                continue
            try:
                found += saying.lines(values)
            except rdf.NotRdf as error:
                self._rows.reject(0, str(error), " ".join(key[1:]))
        if not stated:
            found = [line for line in found if line.about.get("polarity") == -1]
        elif bare or not any(line.about.get("polarity") != -1 for line in found):
            found[place:place] = saying.lines(bare)[:1]
        return [
            ((graph, subject, relation, obj, 1.0 if weight is None else weight, source, surface), about)
            for weight, source, surface, about in found
        ]

    def _denied(self) -> None:
        """Keep what is said against statements that the file does not make; anything else said of them is rejected."""
        for key, reifiers in self._said.items():
            if not (rows := self._told(key, reifiers, stated=False)):
                self._rows.reject(0, _FAR, " ".join(key[1:]))
            for row, about in rows:
                self._rows.add(*row[1:5], row[0], *row[5:], about)
        self._said.clear()

    def state(self, subject: object, predicate: str, obj: object, graph: object, line: saying.Line) -> None:
        """Add an assertion of a statement that was put together from others."""
        name = None if self._options.graph is not None or isinstance(graph, ox.DefaultGraph) else self._term(graph)
        ends = self._term(subject), rdf.predicate_term(predicate), self._term(obj)
        weight = 1.0 if line.weight is None else line.weight
        self._rows.add(*ends, weight, name, line.source, line.surface, line.about)

    def plain(self, quad: ox.Quad) -> None:
        """Keep a quad as the fact it is, such as a weight or source of something that is no statement."""
        try:
            self._plain(quad)
        except ValueError as error:
            self._rows.reject(0, str(error), str(quad))


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
    for quad in parsed(path, options, syntax):
        rows.add(quad)
        yield from rows.flush()
    yield from rows.flush(last=True)


def parsed(path: Path, options: ReadOptions, syntax: ox.RdfFormat) -> Iterator[ox.Quad]:
    """Yield the quads of a file, parsed in a process of its own; raises as :func:`read_document`."""
    base = path.resolve().as_uri()
    with open_stream(path, options.progress) as opened:
        stream = _Bounded(path, opened)
        try:
            for quad in foreign.parse(stream, syntax, base, options.bounds):
                stream.told(quad)
                yield quad
        except foreign.TooMuch as error:
            raise BadInput(path, str(error)) from error
        except foreign.Refused as error:
            raise BadInput(path, f"not {syntax.name}: {error}", error.line) from error
        except OSError as error:
            raise BadInput(path, f"cannot be parsed: {error}") from error


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
