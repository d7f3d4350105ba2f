"""Writing a store to one file that a load reads back: RDF, nanopublications, Parquet, JSON lines, or a table."""

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.parquet as pq
import pyoxigraph as ox

from kgmm.errors import BadInput
from kgmm.files import whole
from kgmm.language.names import LOCAL, concept
from kgmm.progress import Progress, silent
from kgmm.store.assertion import Assertion, key_of
from kgmm.store.assertions.telling import telling
from kgmm.store.facts import Fact
from kgmm.store.handle import Handle
from kgmm.store.index.found import find
from kgmm.store.rdf import saying
from kgmm.store.rdf.terms import PARTS, PREFIXES, REIFIES, STATEMENT, full_iri, reifier_iri
from kgmm.store.rdf.text import denials, document, portable, quoted
from kgmm.store.table.said import table_of
from kgmm.store.table.schema import SAID
from kgmm.store.writing.edges import KGTK_HEAD, jsonl, kgtk
from kgmm.store.writing.nanopublications import BASE as BASE
from kgmm.store.writing.nanopublications import NANOPUB_HEAD, checked_base, made, nanopub
from kgmm.store.writing.part import Part, told

#: endings that name a format beside those that are its name
ENDINGS = {"nq": "nquads", "nt": "ntriples", "ttl": "turtle", "txt": "tsv"}
ENDINGS |= dict.fromkeys(("rdf", "xml", "owl"), "rdfxml") | {"ndjson": "jsonl"}
_COLUMNS = ("graph", "subject", "predicate", "object", "weight", "source")


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote: the format, the facts, the file's bytes."""

    format: str
    facts: int
    bytes: int
    path: str


def export(
    store: Handle,
    path: str | Path,
    format: str | None = None,
    *,
    graph: str | None = None,
    rdf12: bool = False,
    base: str = BASE,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a version's facts, or those of one graph, to a file that appears whole or not at all.

    N-Quads, TriG, JSON-LD, Parquet, JSON lines, KGTK, TSV, CSV and GraphML keep graphs; N-Triples, Turtle and RDF/XML are
    for one graph or the union of all. All keep weights and sources, RDF as statements about an ``rdf:Statement`` (RDF
    1.1's reification, https://www.w3.org/TR/rdf11-mt/#reification) or, with *rdf12*, as annotations of RDF 1.2, which
    fewer programs read. All but TSV, CSV and GraphML keep what is said of the facts, by whom and of which time, too, but not
    what was withdrawn. A name that ends in ``.gz`` is compressed.

    Args:
        store: the store, as it is or was, to write.
        path: the file; its ending names the format if *format* does not.
        format: ``nquads``, ``ntriples``, ``turtle``, ``trig``, ``rdfxml``, ``jsonld``, ``nanopub``, ``parquet``, ``jsonl``,
            ``kgtk``, ``tsv``, ``csv`` or ``graphml``.
        graph: only this graph.
        rdf12: whether RDF's annotations are those of RDF 1.2 (N-Quads, N-Triples, Turtle, TriG).
        base: what the IRIs of nanopublications begin with; their checksum follows it.
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
    if rdf12 and name in ("rdfxml", "jsonld", "nanopub"):
        raise BadInput(path, f"{name} has no annotations of RDF 1.2; without --rdf12 weights and sources are kept too")
    if not path.absolute().parent.is_dir():
        raise BadInput(path, "its folder does not exist")
    parts = [find(store.opened, graph)]
    if name == "trig" and graph is None:  # one block a graph, not one a change of graph
        parts = [find(store.opened, g) for g in store.opened.counted("graph")] or parts
    said = None if name in _BARE else telling(store)
    how: dict[str, Any] = {"graph": graph, "reified": not rdf12, "progress": progress or silent, "said": said}
    if name == "nanopub":
        how |= {"base": checked_base(base), "made": made(store)}
    packed = path.suffix == ".gz" and name != "parquet"
    opener: Any = partial(gzip.open, compresslevel=6) if packed else open
    with whole(path, durable=True) as draft, opener(draft, "wb") as file:
        file.write(_HEADS.get(name, b""))
        try:
            for number, facts in enumerate(parts, 1):
                _WRITERS[name](Part(facts, last=number == len(parts), **how), file)
        except ValueError as error:
            raise BadInput(path, f"cannot be said in {name}: {error}") from error
    return ExportReport(name, sum(map(len, parts)), path.stat().st_size, str(path))


def _quads(part: Part) -> Iterator[bytes]:
    facts = document(part.facts, reified=part.reified, spell=portable, said=part.said)
    yield from told(facts, len(part.facts), part.progress)
    yield from (line.encode() for line in denials(part.denied(), part.reified, portable))


def _nquads(part: Part, file: IO[bytes]) -> None:
    file.writelines(_quads(part))


_GRAPH = re.compile(rb" (?:<[^<>]*>|_:\S+) \.\n")


def _ntriples(part: Part, file: IO[bytes]) -> None:
    file.writelines(_GRAPH.sub(b" .\n", lines) for lines in _quads(part))


def _serialized(part: Part, file: IO[bytes], syntax: ox.RdfFormat) -> None:
    quads = (quad for lines in _quads(part) for quad in ox.parse(lines, ox.RdfFormat.N_QUADS))
    ox.serialize(quads if syntax.supports_datasets else map(_in_xml, quads), output=file, format=syntax)


def _in_xml(quad: ox.Quad) -> ox.Triple:
    if isinstance(quad.object, ox.Literal):
        _xml(quad.object.value)
    if not re.search(r"[^\W\d][\w.-]*$", quad.predicate.value):
        raise ValueError(f"{quad.predicate} does not end in a name")
    return quad.triple


def _turtle(part: Part, file: IO[bytes], graphs: bool = False) -> None:
    """Write Turtle, or with *graphs* TriG: facts of one graph, in a block for each part."""
    for facts in part.facts_told():
        more = part.said.of(facts) if part.said is not None else {}
        with _block(facts[0].graph, file, graphs):
            file.writelines(_statement(fact, more.get(key_of(fact), []), part.reified) for fact in facts)
    for said in part.denied():
        with _block(said[0].fact.graph, file, graphs):
            fact = said[0].fact
            terms = _short(fact.subject), _short(fact.predicate, True), _short(fact.object)
            file.writelines(_about(one, terms, part.reified) for one in saying.reifiers(fact, said))


@contextmanager
def _block(graph: str, file: IO[bytes], graphs: bool) -> Iterator[None]:
    name = f"<{full_iri(graph)}>" if graph.startswith('"') else _short(graph)
    file.write(f"{name} {{\n".encode() if graphs else b"")
    yield
    file.write(b"}\n" if graphs else b"")


def _statement(fact: Fact, said: list[Assertion], reified: bool) -> bytes:
    terms = _short(fact.subject), _short(fact.predicate, True), _short(fact.object)
    if not said:
        return _plain_statement(fact, terms, reified)
    found = saying.reifiers(said[0].fact, said)
    if not found:
        return f"{' '.join(terms)} .\n".encode()
    first, more = found[0], found[1:]
    if reified or first[0].startswith(saying.ASSERTION):
        return f"{' '.join(terms)} .\n".encode() + b"".join(_about(one, terms, reified) for one in (first, *more))
    annotated = f"{' '.join(terms)} {{| {_properties(first)} |}} .\n".encode()
    return annotated + b"".join(_about(one, terms, reified) for one in more)


def _plain_statement(fact: Fact, terms: tuple[str, ...], reified: bool) -> bytes:
    """Return a fact of which nothing is said but weight and source, in a fifth of the time."""
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


def _properties(said: saying.Reifier) -> str:
    return " ; ".join(f"kgmm:{name.value.removeprefix(LOCAL)} {_typed(value)}" for name, value in said[1])


def _typed(value: ox.Literal) -> str:
    return str(value).replace(f"<{PREFIXES['xsd']}double>", "xsd:double")


def _about(said: saying.Reifier, terms: tuple[str, ...], reified: bool) -> bytes:
    if reified:
        parts = [f"a {STATEMENT}", *(f"{part} {term}" for part, term in zip(PARTS, terms, strict=True))]
    else:
        parts = [f"{REIFIES} <<( {' '.join(terms)} )>>"]
    return f"<{said[0]}> {' ; '.join([*parts, _properties(said)])} .\n".encode()


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


def _cells(part: Part) -> Iterator[tuple[str, ...]]:
    for facts in part.facts_told():
        yield from ((f.subject, f.predicate, f.object, repr(f.weight), f.source, f.graph) for f in facts)


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


def _rows(part: Part, lost: str) -> Iterator[tuple[str, ...]]:
    """Yield facts as rows of a table, or raise ValueError if a source holds one of the characters *lost* in it."""
    spelled = _spellings()
    for subject, predicate, obj, weight, source, graph in _cells(part):
        if any(character in source for character in lost):
            said = f"the source {source[:40]!r} of {subject} {predicate} {obj}"
            raise ValueError(f"{said} has a tab or line end; nquads and parquet hold it")
        ends = spelled["subject"](subject), spelled["predicate"](predicate), spelled["object"](obj)
        yield *ends, weight, source, spelled["graph"](graph)


def _tsv(part: Part, file: IO[bytes]) -> None:
    file.writelines(("\t".join(row) + "\n").encode() for row in _rows(part, "\t\n\r\0"))


def _csv(part: Part, file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    csv.writer(text, lineterminator="\n").writerows(_rows(part, "\r\0"))
    text.detach()


def _graphml(part: Part, file: IO[bytes]) -> None:
    """Write GraphML (Brandes et al., GD 2001): a node a term, an edge a fact."""
    seen: set[str] = set()
    for cells in _cells(part):
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


def _parquet(part: Part, file: IO[bytes]) -> None:
    kinds = [pa.string()] * 4 + [pa.float64(), pa.string()]
    schema = pa.schema(list(zip(_COLUMNS, kinds, strict=True)))
    if part.said is not None:
        schema = pa.schema([*schema, pa.field("surface", pa.string()), *(f for f in SAID if f.name in _KEPT)])
    spelled = _spellings()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for assertions in part.assertions():
            facts = [said.fact for said in assertions]
            columns = {
                c: [spelled[c](getattr(f, c)) if c in spelled else getattr(f, c) for f in facts] for c in _COLUMNS
            }
            rows = pa.table(columns, schema=pa.schema([schema.field(name) for name in _COLUMNS]))
            if part.said is not None:
                more = table_of(assertions)
                for field in list(schema)[len(_COLUMNS) :]:
                    rows = rows.append_column(field, more[field.name])
            writer.write_table(rows)


_PREFIXES = "".join(f"@prefix {p}: <{PREFIXES[p]}> .\n" for p in ("c", "r", "kgmm", "xsd")).encode()
_TABLE = ("subject", "predicate", "object", "weight", "source", "graph")
_GRAPHML = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n' + "".join(
    f'<key id="{key}" for="edge" attr.name="{key}" attr.type="{kind}"/>\n'
    for key, kind in (("predicate", "string"), ("weight", "double"), ("source", "string"), ("graph", "string"))
)
_HEADS = {"tsv": ("\t".join(_TABLE) + "\n").encode(), "csv": (",".join(_TABLE) + "\n").encode()}
_HEADS |= {
    "nanopub": NANOPUB_HEAD,
    "turtle": _PREFIXES,
    "trig": _PREFIXES,
    "kgtk": KGTK_HEAD,
    "graphml": f'{_GRAPHML}<graph edgedefault="directed">\n'.encode(),
}
#: formats of bare facts, and the columns of assertions that are kept
_BARE, _KEPT = ("tsv", "csv", "graphml"), {f.name for f in SAID} - {"role", "again"}
_WRITERS: dict[str, Callable[[Part, IO[bytes]], None]] = {
    "nquads": _nquads,
    "ntriples": _ntriples,
    "turtle": _turtle,
    "trig": partial(_turtle, graphs=True),
    "rdfxml": partial(_serialized, syntax=ox.RdfFormat.RDF_XML),
    "jsonld": partial(_serialized, syntax=ox.RdfFormat.JSON_LD),
    "nanopub": nanopub,
    "parquet": _parquet,
    "jsonl": jsonl,
    "kgtk": kgtk,
    "tsv": _tsv,
    "csv": _csv,
    "graphml": _graphml,
}
