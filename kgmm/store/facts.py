"""Facts as people see them and as columns: what every look-up returns."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, needed
from kgmm.language import names

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]
    import polars
    import rdflib

Ids = NDArray[np.uint32]
Term = str | None  #: a part of a pattern: a term as people write it or its number, None for any
Number = int | None

DEFAULT_GRAPH = "facts"  #: the graph of facts that name none
ANY = frozenset((None, "?", "-", ""))  #: what a look-up takes for "any"


def only_named(*pattern: Term) -> None:
    """Refuse what a look-up takes for "any" where facts are destroyed: there only None fits anything.

    Args:
        pattern: subject, predicate, object and graph.

    Raises:
        BadInput: naming the part.
    """
    for place, part in zip(("subject", "predicate", "object", "graph"), pattern, strict=True):
        if part is not None and part in ANY:
            raise BadInput(place, f"{part!r} would remove facts of any {place}; say so: None, --all or all=true")


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement: subject, predicate, object, how strongly it holds, in which graph, said by whom.

    Words become concepts and relations take their stored form, so that two spellings of a fact are equal.

    Raises:
        BadInput: if an end is empty or nothing RDF can write, or the weight is not a finite number.

    Example:
        >>> Fact("dog", "/r/CapableOf", "bark")
        Fact(subject='/c/en/dog', predicate='CapableOf', object='/c/en/bark', weight=1.0, graph='facts', source='')
    """

    subject: str
    predicate: str
    object: str
    weight: float = 1.0
    graph: str = DEFAULT_GRAPH
    source: str = ""

    def __post_init__(self) -> None:
        try:
            named = [str(self.graph)] + [str(self.predicate)] * ("://" in str(self.predicate))
            for reason in (*map(names.unusable, (str(self.subject), str(self.object))), *map(no_name, named)):
                if reason:
                    raise ValueError(reason)
            subject = node(self.subject)
            predicate = names.relation(self.predicate)
            target = node(self.object)
            weight = float(self.weight)
            f"{subject}{predicate}{target}{self.graph}{self.source}".encode()  # no lone surrogates
        except (ValueError, TypeError, AttributeError) as error:
            raise BadInput("fact", f"{self.subject!r} {self.predicate!r} {self.object!r}: {error}") from None
        if predicate.startswith('"'):
            raise BadInput("fact", f"a literal cannot be a relation: {predicate[:80]}")
        if not predicate or not math.isfinite(weight):
            raise BadInput("fact", f"{subject} needs a relation and a finite weight, has {predicate!r}, {weight}")
        if names.is_literal(subject):
            raise BadInput("fact", f"a literal cannot be a subject: {subject[:80]}")
        object.__setattr__(self, "subject", subject)
        object.__setattr__(self, "predicate", predicate)
        object.__setattr__(self, "object", target)
        object.__setattr__(self, "weight", weight)
        object.__setattr__(self, "graph", str(self.graph or DEFAULT_GRAPH))


def no_name(name: str) -> str:
    """Return why a text names no graph or relation, or an empty string: RDF names them by IRIs and blank nodes."""
    if names.is_literal(name):
        return f"{name[:40]!r} is a literal, which is no name"
    if name.encode(errors="replace").decode() != name:
        return f"{name[:40]!r} holds half a character"
    return names.unusable(name)


def node(text: str) -> str:
    """Return the stored form of a subject or object: a literal as it is, anything else as a concept.

    Example:
        >>> node("Ice cream"), node('"Hund"@de')
        ('/c/en/ice_cream', '"Hund"@de')
    """
    if text.startswith("/c/"):
        return text
    if names.is_literal(text):
        return names.literal(text)
    return names.concept(text)


def seed_nodes(seeds: str | Iterable[str], hops: int, limit: int) -> list[str]:
    """Return the nodes that a neighborhood begins at, each once.

    Raises:
        BadInput: if *hops* or *limit* is negative, or a seed is nothing.
    """
    if hops < 0 or limit < 0:
        raise BadInput("neighborhood", f"hops and limit must not be negative, they are {hops} and {limit}")
    try:
        return list(dict.fromkeys(node(seed) for seed in ([seeds] if isinstance(seeds, str) else seeds)))
    except ValueError as error:
        raise BadInput("neighborhood", f"a seed is nothing: {error}") from None


def is_general(graph: str) -> bool:
    """Tell whether a graph holds general knowledge, and not what one scene or story shows or what was mined and not accepted.

    Example:
        >>> is_general("facts"), is_general("scene/1"), is_general("story/week"), is_general("mined/rules")
        (True, False, False, False)
    """
    return not graph.startswith(("scene/", "story/", "mined/"))


def single(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return weights in single precision, of those beyond its reach the nearest that are finite and not zero.

    Example:
        >>> single(np.array([1e300, -1e300, 1e-300, 0.0, 2.5])).tolist()
        [3.4028234663852886e+38, -3.4028234663852886e+38, 1.401298464324817e-45, 0.0, 2.5]
    """
    reach = np.finfo(np.float32)
    found = np.clip(weights, reach.min, reach.max).astype(np.float32)
    lost = (found == 0) & (weights != 0)
    found[lost] = np.copysign(reach.smallest_subnormal, weights[lost])
    return found


class Columns(NamedTuple):
    """Statements as arrays of equal length: term ids (uint32) and weights (float32)."""

    subject: Ids
    predicate: Ids
    object: Ids
    graph: Ids
    weight: NDArray[np.float32]


@dataclass(frozen=True)
class LoadReport:
    """What one load did: statements read, added, known before; lines left out and the file that lists them."""

    format: str
    read: int
    added: int
    duplicates: int
    rejected: int
    rejects: str | None
    seconds: float
    version: int


class Rows(NamedTuple):
    """Undecoded statements: columns of ids and weights, and the sources by position."""

    columns: Columns
    weight: NDArray[np.float64]
    source: Callable[[int], str]


class Facts(Sequence[Fact]):
    """The result of a look-up: its length is known at once, facts are decoded when they are asked for.

    Example:
        >>> facts = kb.find("dog", "IsA")                                              # doctest: +SKIP
        >>> len(facts), facts[0].object                                                # doctest: +SKIP
        (7, '/c/en/animal')
    """

    __slots__ = ("_length",)

    def __init__(self, length: int) -> None:
        self._length = length

    @abstractmethod
    def rows(self, start: int, stop: int) -> Rows:
        """Return the statements *start* … *stop*, undecoded."""

    @abstractmethod
    def _decode(self, start: int, stop: int) -> list[Fact]:
        """Return the statements *start* … *stop*."""

    @abstractmethod
    def name(self, term: int) -> str:
        """Return the term of an id."""

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Fact]:
        start, size = 0, 16
        while start < self._length:
            yield from self._decode(start, min(start + size, self._length))
            start, size = start + size, min(size * 8, 1 << 16)

    @overload
    def __getitem__(self, at: int) -> Fact: ...
    @overload
    def __getitem__(self, at: slice) -> list[Fact]: ...
    def __getitem__(self, at: int | slice) -> Fact | list[Fact]:
        if isinstance(at, slice):
            start, stop, step = at.indices(self._length)
            if step == 1:
                return self._decode(start, max(start, stop))
            return [self[i] for i in range(start, stop, step)]
        index = at + self._length if at < 0 else at
        if not 0 <= index < self._length:
            raise IndexError(f"no fact {at} of {self._length}")
        return self._decode(index, index + 1)[0]

    @property
    def ids(self) -> Columns:
        """The facts as arrays of term ids and weights."""
        return self.rows(0, self._length).columns

    def to_polars(self) -> polars.DataFrame:
        """Return a data frame with a row a fact."""
        import polars

        kinds: dict[str, Any] = {f: polars.Float64 if f == "weight" else polars.String for f in Fact.__match_args__}
        return polars.DataFrame({f: [getattr(fact, f) for fact in self] for f in kinds}, schema=kinds)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a pandas data frame with a row a fact.

        Raises:
            MissingExtra: if pandas is not installed.
        """
        with needed("pandas", "notebook"):
            import pandas

        return pandas.DataFrame(self.to_polars().to_dict(as_series=False))

    def to_rdf(self) -> rdflib.Dataset:
        """Return the facts as an rdflib dataset of named graphs; weights and sources are left out."""
        import rdflib
        from rdflib.util import from_n3

        def node(term: str, predicate: bool = False) -> Any:
            return from_n3(term) if names.is_literal(term) else rdflib.URIRef(names.iri(term, predicate=predicate))

        dataset = rdflib.Dataset()
        for fact in self:
            triple = node(fact.subject), node(fact.predicate, True), node(fact.object)
            dataset.graph(node(fact.graph)).add(triple)
        return dataset

    def __repr__(self) -> str:
        shown = [f"{f.subject} {f.predicate} {f.object}" for f in self[:5]]
        more = f", … {self._length - 5} more" if self._length > 5 else ""
        return f"<{self._length} facts: {', '.join(shown)}{more}>"

    def _repr_html_(self) -> str:
        cells = [(f.subject, f.predicate, f.object, f"{f.weight:g}", f.graph, f.source) for f in self[:50]]
        body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in cells)
        head = "".join(f"<th>{field}</th>" for field in Fact.__match_args__)
        return f"<table><tr>{head}</tr>{body}</table><p>{self._length} facts</p>"


class _Draft:
    """A fact that can still be written to: it has the same slots and becomes one by taking its class."""

    __slots__ = Fact.__match_args__


_new = object.__new__


def stored_fact(subject: str, predicate: str, target: str, weight: float, graph: str, source: str) -> Fact:
    """Make a fact of values that are in stored form already, skipping their normalization.

    Writing to a draft takes 0.12 µs, six ``object.__setattr__`` on the frozen fact 0.48 µs.
    """
    fact: Any = _new(_Draft)
    fact.subject, fact.predicate, fact.object = subject, predicate, target
    fact.weight, fact.graph, fact.source = weight, graph, source
    fact.__class__ = Fact
    return fact  # type: ignore[no-any-return]
