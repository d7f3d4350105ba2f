"""Writing a store to one file that a load reads back: RDF, Parquet, or a table."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kgmm.errors import BadInput
from kgmm.files import whole
from kgmm.progress import Progress, silent
from kgmm.store.facts import Facts
from kgmm.store.index.found import find
from kgmm.store.index.state import Opened
from kgmm.store.rdf.terms import PREFIXES, full_iri
from kgmm.store.rdf.text import PART, document, quoted, written

#: endings that name a format
SUFFIXES = {
    ".nq": "nquads",
    ".nquads": "nquads",
    ".nt": "ntriples",
    ".ttl": "turtle",
    ".turtle": "turtle",
    ".trig": "trig",
    ".parquet": "parquet",
    ".tsv": "tsv",
    ".txt": "tsv",
}
_COLUMNS = ("graph", "subject", "predicate", "object", "weight", "source")


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote: the format, the facts, the file's bytes."""

    format: str
    facts: int
    bytes: int
    path: str


def export(
    opened: Opened,
    path: str | Path,
    format: str | None = None,
    *,
    graph: str | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a version's facts, or those of one graph, to a file that appears whole or not at all.

    N-Quads, TriG, Parquet and TSV keep graphs; N-Triples and Turtle are for one graph or the union of all. All keep
    weights and sources, RDF as annotations. A name that ends in ``.gz`` is compressed.

    Args:
        opened: the version to write.
        path: the file; its ending names the format if *format* does not.
        format: ``nquads``, ``ntriples``, ``turtle``, ``trig``, ``parquet`` or ``tsv``.
        graph: only this graph.
        progress: told the facts written.

    Raises:
        BadInput: if the format is unknown or the folder does not exist.

    Example:
        >>> kb.export("knowledge.nq.gz").facts                                         # doctest: +SKIP
        101200
    """
    path = Path(path)
    name = (format or SUFFIXES.get(_suffix(path), "")).lower().replace("-", "")
    if name not in _WRITERS:
        raise BadInput(path, f"no export format {format or path.suffix!r}; known: {', '.join(_WRITERS)}")
    if not path.absolute().parent.is_dir():
        raise BadInput(path, "its folder does not exist")
    parts = [find(opened, graph)]
    if name == "trig" and graph is None:  # one block a graph, not one a change of graph
        parts = [find(opened, g) for g in opened.counted("graph")]
    packed = path.suffix == ".gz" and name != "parquet"
    with whole(path, durable=True) as draft, _file(draft, packed) as file:
        if name in _HEADS:
            file.write(_HEADS[name]())
        for facts in parts:
            _WRITERS[name](facts, file, progress or silent)
    return ExportReport(name, sum(map(len, parts)), path.stat().st_size, str(path))


def _suffix(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _file(path: Path, packed: bool) -> IO[bytes]:
    return gzip.open(path, "wb", compresslevel=6) if packed else path.open("wb")  # type: ignore[return-value]


def _nquads(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    done = 0
    for part in document(facts):
        file.write(part)
        done = min(done + PART, len(facts))
        progress(done, len(facts), "facts")


_GRAPH = re.compile(rb" <[^<>]*> \.\n")


def _ntriples(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    done = 0
    for part in document(facts):
        file.write(_GRAPH.sub(b" .\n", part))
        done = min(done + PART, len(facts))
        progress(done, len(facts), "facts")


def _turtle(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    for _, lines in _blocks(facts, progress, lambda _: None):
        file.writelines(lines)


def _trig(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    for graph, lines in _blocks(facts, progress, lambda row: row[0]):
        file.write(f"{_short(graph or '')} {{\n".encode())
        file.writelines(lines)
        file.write(b"}\n")


Row = tuple[str, str, str, str, float, str]


def _blocks(
    facts: Facts, progress: Progress, key: Callable[[Row], str | None]
) -> Iterator[tuple[str | None, list[bytes]]]:
    """Yield runs of facts of the same graph as Turtle statements with their annotations."""
    lines: list[bytes] = []
    current: str | None = None
    for row in _rows(facts, progress):
        if lines and (key(row) != current or len(lines) >= PART):
            yield current, lines
            lines = []
        current = key(row)
        lines.append(_statement(row))
    if lines:
        yield current, lines


def _statement(row: Row) -> bytes:
    _, subject, predicate, obj, weight, source = row
    said = [f"kgmm:weight {_number(weight)}"] if weight != 1.0 else []
    said += [f"kgmm:source {quoted(source)}"] if source else []
    note = f" {{| {' ; '.join(said)} |}}" if said else ""
    return f"{_short(subject)} {_short(predicate, True)} {_short(obj)}{note} .\n".encode()


def _number(weight: float) -> str:
    return f'"{weight!r}"^^xsd:double'


_LOCAL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


def _short(term: str, predicate: bool = False) -> str:
    """Return a term in Turtle, with a prefix where its name needs no escape."""
    if not predicate:
        prefix, _, name = term.rpartition("/")
        if prefix == "/c/en" and _LOCAL_NAME.fullmatch(name):
            return f"c:{name}"
        return written(term)
    if _LOCAL_NAME.fullmatch(term):
        return f"r:{term}"
    return f"<{full_iri(term, True)}>"


def _prefixes() -> bytes:
    return "".join(f"@prefix {p}: <{PREFIXES[p]}> .\n" for p in ("c", "r", "kgmm", "xsd")).encode()


def _rows(facts: Facts, progress: Progress) -> Iterator[Row]:
    for start in range(0, len(facts), PART):
        for fact in facts[start : start + PART]:
            yield fact.graph, fact.subject, fact.predicate, fact.object, fact.weight, fact.source
        progress(min(start + PART, len(facts)), len(facts), "facts")


def _tsv(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    for graph, subject, predicate, obj, weight, source in _rows(facts, progress):
        cells = (subject, predicate, obj, repr(weight), source, graph)
        file.write(("\t".join(_cell(cell) for cell in cells) + "\n").encode())


def _cell(text: str) -> str:
    return re.sub(r"[\t\n\r]", " ", text)


def _parquet(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [pa.string()] * 4 + [pa.float64(), pa.string()]
    schema = pa.schema(list(zip(_COLUMNS, kinds, strict=True)))
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for start in range(0, len(facts), PART):
            part = facts[start : start + PART]
            writer.write_table(pa.table({c: [getattr(f, c) for f in part] for c in _COLUMNS}, schema=schema))
            progress(min(start + PART, len(facts)), len(facts), "facts")


_HEADS: dict[str, Callable[[], bytes]] = {
    "turtle": _prefixes,
    "trig": _prefixes,
    "tsv": lambda: b"subject\tpredicate\tobject\tweight\tsource\tgraph\n",
}
_WRITERS: dict[str, Callable[[Facts, IO[bytes], Progress], None]] = {
    "nquads": _nquads,
    "ntriples": _ntriples,
    "turtle": _turtle,
    "trig": _trig,
    "parquet": _parquet,
    "tsv": _tsv,
}
