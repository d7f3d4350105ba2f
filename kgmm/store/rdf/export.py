"""Writing a store to one file that a load reads back: RDF, Parquet, or a table."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from kgmm.errors import BadInput
from kgmm.files import whole
from kgmm.progress import Progress, silent
from kgmm.store.facts import Fact, Facts
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
T = TypeVar("T")
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
    opener: Any = partial(gzip.open, compresslevel=6) if packed else open
    with whole(path, durable=True) as draft, opener(draft, "wb") as file:
        file.write(_HEADS.get(name, b""))
        for facts in parts:
            _WRITERS[name](facts, file, progress or silent)
    return ExportReport(name, sum(map(len, parts)), path.stat().st_size, str(path))


def _suffix(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _parts(facts: Facts) -> Iterator[list[Fact]]:
    return (facts[start : start + PART] for start in range(0, len(facts), PART))


def _told(parts: Iterable[T], total: int, progress: Progress) -> Iterator[T]:
    """Hand parts on, telling how many facts are done when the next is asked for."""
    for number, part in enumerate(parts, 1):
        yield part
        progress(min(number * PART, total), total, "facts")


def _nquads(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    file.writelines(_told(document(facts), len(facts), progress))


_GRAPH = re.compile(rb" <[^<>]*> \.\n")


def _ntriples(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    file.writelines(_GRAPH.sub(b" .\n", part) for part in _told(document(facts), len(facts), progress))


def _turtle(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    for part in _told(_parts(facts), len(facts), progress):
        file.writelines(map(_statement, part))


def _trig(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    for part in _told(_parts(facts), len(facts), progress):
        file.write(f"{_short(part[0].graph)} {{\n".encode())
        file.writelines(map(_statement, part))
        file.write(b"}\n")


def _statement(fact: Fact) -> bytes:
    said = [f'kgmm:weight "{fact.weight!r}"^^xsd:double'] if fact.weight != 1.0 else []
    said += [f"kgmm:source {quoted(fact.source)}"] if fact.source else []
    note = f" {{| {' ; '.join(said)} |}}" if said else ""
    return f"{_short(fact.subject)} {_short(fact.predicate, True)} {_short(fact.object)}{note} .\n".encode()


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


def _tsv(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    for part in _told(_parts(facts), len(facts), progress):
        for f in part:
            cells = (f.subject, f.predicate, f.object, repr(f.weight), f.source, f.graph)
            file.write(("\t".join(re.sub(r"[\t\n\r]", " ", cell) for cell in cells) + "\n").encode())


def _parquet(facts: Facts, file: IO[bytes], progress: Progress) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [pa.string()] * 4 + [pa.float64(), pa.string()]
    schema = pa.schema(list(zip(_COLUMNS, kinds, strict=True)))
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in _told(_parts(facts), len(facts), progress):
            writer.write_table(pa.table({c: [getattr(f, c) for f in part] for c in _COLUMNS}, schema=schema))


_PREFIXES = "".join(f"@prefix {p}: <{PREFIXES[p]}> .\n" for p in ("c", "r", "kgmm", "xsd")).encode()
_HEADS = {"turtle": _PREFIXES, "trig": _PREFIXES, "tsv": b"subject\tpredicate\tobject\tweight\tsource\tgraph\n"}
_WRITERS: dict[str, Callable[[Facts, IO[bytes], Progress], None]] = {
    "nquads": _nquads,
    "ntriples": _ntriples,
    "turtle": _turtle,
    "trig": _trig,
    "parquet": _parquet,
    "tsv": _tsv,
}
