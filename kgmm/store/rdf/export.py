"""Writing a store to one file that a load reads back: RDF, Parquet, or a table."""

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Any, TypeVar
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.parquet as pq
import pyoxigraph as ox

from kgmm.errors import BadInput
from kgmm.files import whole
from kgmm.language.names import concept
from kgmm.progress import Progress, silent
from kgmm.store.facts import Fact, Facts
from kgmm.store.index.found import find
from kgmm.store.index.state import Opened
from kgmm.store.rdf.terms import PARTS, PREFIXES, STATEMENT, full_iri, reifier_iri
from kgmm.store.rdf.text import PART, document, portable, quoted

#: endings that name a format beside those that are its name
ENDINGS = {"nq": "nquads", "nt": "ntriples", "ttl": "turtle", "txt": "tsv"}
ENDINGS |= dict.fromkeys(("rdf", "xml", "owl"), "rdfxml")
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
    rdf12: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a version's facts, or those of one graph, to a file that appears whole or not at all.

    N-Quads, TriG, JSON-LD, Parquet, TSV, CSV and GraphML keep graphs; N-Triples, Turtle and RDF/XML are for one graph
    or the union of all. All keep weights and sources, RDF as statements about an ``rdf:Statement`` (RDF 1.1's
    reification, https://www.w3.org/TR/rdf11-mt/#reification) or, with *rdf12*, as annotations of RDF 1.2, which
    fewer programs read. A name that ends in ``.gz`` is compressed.

    Args:
        opened: the version to write.
        path: the file; its ending names the format if *format* does not.
        format: ``nquads``, ``ntriples``, ``turtle``, ``trig``, ``rdfxml``, ``jsonld``, ``parquet``, ``tsv``, ``csv``
            or ``graphml``.
        graph: only this graph.
        rdf12: whether RDF's annotations are those of RDF 1.2 (N-Quads, N-Triples, Turtle, TriG).
        progress: told the facts written.

    Raises:
        BadInput: if the format is unknown, cannot say a fact, or the folder does not exist.

    Example:
        >>> kb.export("knowledge.nq.gz").facts                                         # doctest: +SKIP
        101200
    """
    path = Path(path)
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()[1:]
    name = (format or ENDINGS.get(ending, ending)).lower().replace("-", "")
    if name not in _WRITERS:
        raise BadInput(path, f"no export format {format or path.suffix!r}; known: {', '.join(_WRITERS)}")
    if rdf12 and name in ("rdfxml", "jsonld"):
        raise BadInput(path, f"{name} has no annotations of RDF 1.2; without --rdf12 weights and sources are kept too")
    if not path.absolute().parent.is_dir():
        raise BadInput(path, "its folder does not exist")
    parts = [find(opened, graph)]
    if name == "trig" and graph is None:  # one block a graph, not one a change of graph
        parts = [find(opened, g) for g in opened.counted("graph")]
    packed = path.suffix == ".gz" and name != "parquet"
    opener: Any = partial(gzip.open, compresslevel=6) if packed else open
    with whole(path, durable=True) as draft, opener(draft, "wb") as file:
        file.write(_HEADS.get(name, b""))
        try:
            for facts in parts:
                _WRITERS[name](facts, file, progress or silent, not rdf12)
        except ValueError as error:
            raise BadInput(path, f"cannot be said in {name}: {error}") from error
    return ExportReport(name, sum(map(len, parts)), path.stat().st_size, str(path))


def _parts(facts: Facts) -> Iterator[list[Fact]]:
    return (facts[start : start + PART] for start in range(0, len(facts), PART))


def _told(parts: Iterable[T], total: int, progress: Progress) -> Iterator[T]:
    """Hand parts on, telling how many facts are done when the next is asked for."""
    for number, part in enumerate(parts, 1):
        yield part
        progress(min(number * PART, total), total, "facts")


def _quads(facts: Facts, progress: Progress, reified: bool) -> Iterator[bytes]:
    return _told(document(facts, reified=reified, spell=portable), len(facts), progress)


def _nquads(facts: Facts, file: IO[bytes], progress: Progress, reified: bool) -> None:
    file.writelines(_quads(facts, progress, reified))


_GRAPH = re.compile(rb" (?:<[^<>]*>|_:\S+) \.\n")


def _ntriples(facts: Facts, file: IO[bytes], progress: Progress, reified: bool) -> None:
    file.writelines(_GRAPH.sub(b" .\n", part) for part in _quads(facts, progress, reified))


def _serialized(facts: Facts, file: IO[bytes], progress: Progress, reified: bool, syntax: ox.RdfFormat) -> None:
    quads = (quad for part in _quads(facts, progress, reified) for quad in ox.parse(part, ox.RdfFormat.N_QUADS))
    ox.serialize(quads if syntax.supports_datasets else map(_in_xml, quads), output=file, format=syntax)


def _in_xml(quad: ox.Quad) -> ox.Triple:
    if isinstance(quad.object, ox.Literal):
        _xml(quad.object.value)
    if not re.search(r"[^\W\d][\w.-]*$", quad.predicate.value):
        raise ValueError(f"{quad.predicate} does not end in a name")
    return quad.triple


def _turtle(facts: Facts, file: IO[bytes], progress: Progress, reified: bool, graphs: bool = False) -> None:
    """Write Turtle, or with *graphs* TriG: facts of one graph, in a block for each part."""
    for part in _told(_parts(facts), len(facts), progress):
        name = part[0].graph
        name = f"<{full_iri(name)}>" if name.startswith('"') else _short(name)
        file.write(f"{name} {{\n".encode() if graphs else b"")
        file.writelines(_statement(fact, reified) for fact in part)
        file.write(b"}\n" if graphs else b"")


def _statement(fact: Fact, reified: bool) -> bytes:
    terms = _short(fact.subject), _short(fact.predicate, True), _short(fact.object)
    triple = " ".join(terms)
    said = [f'kgmm:weight "{fact.weight!r}"^^xsd:double'] if fact.weight != 1.0 else []
    said += [f"kgmm:source {quoted(fact.source)}"] if fact.source else []
    if not said:
        return f"{triple} .\n".encode()
    if not reified:
        return f"{triple} {{| {' ; '.join(said)} |}} .\n".encode()
    parts = [f"{part} {term}" for part, term in zip(PARTS, terms, strict=True)]
    about = reifier_iri(fact.graph, fact.subject, fact.predicate, fact.object)
    return f"{triple} .\n<{about}> {' ; '.join([f'a {STATEMENT}', *parts, *said])} .\n".encode()


_LOCAL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


def _short(term: str, predicate: bool = False) -> str:
    """Return a term in Turtle, with a prefix where its name needs no escape."""
    if not predicate:
        prefix, _, name = term.rpartition("/")
        if prefix == "/c/en" and _LOCAL_NAME.fullmatch(name):
            return f"c:{name}"
        return portable(term)
    if _LOCAL_NAME.fullmatch(term):
        return f"r:{term}"
    return f"<{full_iri(term, True)}>"


def _cells(facts: Facts, progress: Progress) -> Iterator[tuple[str, ...]]:
    for part in _told(_parts(facts), len(facts), progress):
        yield from ((f.subject, f.predicate, f.object, repr(f.weight), f.source, f.graph) for f in part)


#: what a reader of tables takes for something else: ends of cells and lines, spaces around a word or in a relation,
#: half a quotation, and what :func:`_plain` writes
_NOT_PLAIN = re.compile(r"[\0-\x1f\x7f\x85\u2028\u2029]|^\s|\s$|^urn:kgmm:|^https?://(?:\w+\.)?conceptnet\.io/|\"$")


def _plain(term: str, predicate: bool = False) -> str:
    """Return a term as a cell that a load reads back: as it is, or, where that is misread, as its IRI."""
    if term.startswith('"') or not (_NOT_PLAIN.search(term) or (predicate and re.search(r"\s", term))):
        return term
    return full_iri(term, predicate)


def _plain_node(term: str) -> str:
    """Return a subject or object as a cell: a name of ours that is no concept would be read as a word."""
    return full_iri(term) if term and not term.startswith('"') and concept(term) != term else _plain(term)


def _spellings() -> dict[str, Callable[[str], str]]:
    """Return how each column's terms are told in a table, each term worked out once."""
    name, node, relation = (lru_cache(1 << 16)(f) for f in (_plain, _plain_node, partial(_plain, predicate=True)))
    return {"subject": node, "predicate": relation, "object": node, "graph": name}


def _rows(facts: Facts, progress: Progress, lost: str) -> Iterator[tuple[str, ...]]:
    """Yield facts as rows of a table, or raise ValueError if a source holds one of the characters *lost* in it."""
    told = _spellings()
    for subject, predicate, obj, weight, source, graph in _cells(facts, progress):
        if any(character in source for character in lost):
            said = f"the source {source[:40]!r} of {subject} {predicate} {obj}"
            raise ValueError(f"{said} has a tab or line end; nquads and parquet hold it")
        ends = told["subject"](subject), told["predicate"](predicate), told["object"](obj)
        yield *ends, weight, source, told["graph"](graph)


def _tsv(facts: Facts, file: IO[bytes], progress: Progress, reified: bool) -> None:
    file.writelines(("\t".join(row) + "\n").encode() for row in _rows(facts, progress, "\t\n\r\0"))


def _csv(facts: Facts, file: IO[bytes], progress: Progress, reified: bool) -> None:
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    csv.writer(text, lineterminator="\n").writerows(_rows(facts, progress, "\r\0"))
    text.detach()


def _graphml(facts: Facts, file: IO[bytes], progress: Progress, reified: bool) -> None:
    """Write GraphML (Brandes et al., GD 2001): a node a term, an edge a fact."""
    seen: set[str] = set()
    for cells in _cells(facts, progress):
        for end in (cells[0], cells[2]):
            if end not in seen:
                seen.add(end)
                file.write(f"<node id={quoteattr(_xml(end))}/>\n".encode())
        keys = zip(("predicate", "weight", "source", "graph"), (cells[1], *cells[3:]), strict=True)
        data = "".join(f'<data key="{key}">{escape(_xml(value))}</data>' for key, value in keys)
        ends = f"source={quoteattr(_xml(cells[0]))} target={quoteattr(_xml(cells[2]))}"
        file.write(f"<edge {ends}>{data}</edge>\n".encode())
    file.write(b"</graph></graphml>\n")


def _xml(text: str) -> str:
    """Return a text that XML can hold, or raise ValueError if it holds a control character."""
    if found := re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", text):
        raise ValueError(f"{text[:40]!r} holds the character U+{ord(found[0]):04X}, which XML has not")
    return text


def _parquet(facts: Facts, file: IO[bytes], progress: Progress, reified: bool) -> None:
    kinds = [pa.string()] * 4 + [pa.float64(), pa.string()]
    schema = pa.schema(list(zip(_COLUMNS, kinds, strict=True)))
    told = _spellings()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in _told(_parts(facts), len(facts), progress):
            columns = {c: [told[c](getattr(f, c)) if c in told else getattr(f, c) for f in part] for c in _COLUMNS}
            writer.write_table(pa.table(columns, schema=schema))


_PREFIXES = "".join(f"@prefix {p}: <{PREFIXES[p]}> .\n" for p in ("c", "r", "kgmm", "xsd")).encode()
_TABLE = ("subject", "predicate", "object", "weight", "source", "graph")
_GRAPHML = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n' + "".join(
    f'<key id="{key}" for="edge" attr.name="{key}" attr.type="{kind}"/>\n'
    for key, kind in (("predicate", "string"), ("weight", "double"), ("source", "string"), ("graph", "string"))
)
_HEADS = {"tsv": ("\t".join(_TABLE) + "\n").encode(), "csv": (",".join(_TABLE) + "\n").encode()}
_HEADS |= {"turtle": _PREFIXES, "trig": _PREFIXES, "graphml": f'{_GRAPHML}<graph edgedefault="directed">\n'.encode()}
_WRITERS: dict[str, Callable[[Facts, IO[bytes], Progress, bool], None]] = {
    "nquads": _nquads,
    "ntriples": _ntriples,
    "turtle": _turtle,
    "trig": partial(_turtle, graphs=True),
    "rdfxml": partial(_serialized, syntax=ox.RdfFormat.RDF_XML),
    "jsonld": partial(_serialized, syntax=ox.RdfFormat.JSON_LD),
    "parquet": _parquet,
    "tsv": _tsv,
    "csv": _csv,
    "graphml": _graphml,
}
