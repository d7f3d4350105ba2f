"""What is said of a fact as properties in RDF, and back: those of ours, and those that others use for the same.

In a store's own documents an assertion is a reifier of its triple with the properties of :data:`OWN`. What others say of a
statement is understood where it is one of :data:`FOREIGN`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import pyoxigraph as ox

from kgmm.errors import BadInput
from kgmm.language.names import LOCAL, is_iri
from kgmm.store.assertion import Assertion, checked_confidence, keys_of, unwritable
from kgmm.store.facts import Fact
from kgmm.store.rdf import terms as rdf
from kgmm.store.times import FIRST, LAST, instant, period, span

_XSD = rdf.PREFIXES["xsd"]
_DCT, _DC = "http://purl.org/dc/terms/", "http://purl.org/dc/elements/1.1/"
_PROV, _PAV, _SCHEMA = "http://www.w3.org/ns/prov#", "http://purl.org/pav/", "schema.org/"
#: where the assertions lie that do not stand for their fact
ASSERTION = f"{LOCAL}assertion/"
#: our properties of an assertion, by what they say
OWN = {
    "weight": rdf.WEIGHT,
    "source": rdf.SOURCE,
    **{
        field: ox.NamedNode(LOCAL + name)
        for field, name in (
            ("surface", "text"),
            ("contributor", "contributor"),
            ("polarity", "polarity"),
            ("confidence", "confidence"),
            ("valid_from", "validFrom"),
            ("valid_to", "validTo"),
            ("method", "method"),
            ("licence", "licence"),
            ("rests_on", "restsOn"),
        )
    },
}
#: the first and the last second of the valid time, for queries; not read back
BEGINS, ENDS = ox.NamedNode(f"{LOCAL}begins"), ox.NamedNode(f"{LOCAL}ends")
#: what others call it
FOREIGN: dict[str, str] = {
    **dict.fromkeys(
        (f"{_PROV}wasAttributedTo", f"{_DCT}creator", f"{_DC}creator", f"{_DCT}contributor"), "contributor"
    ),
    **dict.fromkeys((f"{_PAV}authoredBy", f"{_PAV}createdBy"), "contributor"),
    **dict.fromkeys((f"{_PROV}wasDerivedFrom", f"{_PROV}hadPrimarySource", f"{_PROV}wasQuotedFrom"), "source"),
    **dict.fromkeys((f"{_DCT}source", f"{_DC}source", f"{_PAV}retrievedFrom"), "source"),
    **dict.fromkeys((f"{_DCT}license", f"{_DCT}rights", "http://creativecommons.org/ns#license"), "licence"),
    f"{_PROV}wasGeneratedBy": "method",
    "http://www.w3.org/ns/oa#exact": "surface",
    "http://www.w3.org/2005/11/its/rdf#taConfidence": "confidence",
    "http://persistence.uni-leipzig.org/nlp2rdf/ontologies/nif-core#confidence": "confidence",
    **{
        f"http{s}://{_SCHEMA}{name}": field
        for s in ("", "s")
        for name, field in (
            *(("startDate", "valid_from"), ("validFrom", "valid_from"), ("endDate", "valid_to")),
            *(
                ("validThrough", "valid_to"),
                ("license", "licence"),
                ("author", "contributor"),
                ("creator", "contributor"),
            ),
        )
    },
}
_FIELDS = {**FOREIGN, **{node.value: field for field, node in OWN.items()}}
Value = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
_ZONE = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")


def field_of(iri: str) -> str | None:
    """Return what a property says of an assertion, in our words or others'; None if it says something else.

    >>> field_of("urn:kgmm:validFrom"), field_of("http://purl.org/dc/terms/creator"), field_of("http://example.org/p")
    ('valid_from', 'contributor', None)
    """
    return _FIELDS.get(iri)


def told(said: Assertion, weighed: bool = False, bounds: bool = False) -> Iterator[tuple[ox.NamedNode, ox.Literal]]:
    """Yield what an assertion says of its fact, as properties of a reifier.

    Args:
        said: the assertion. One that is more than bare says for or against; so it is told from a bare one.
        weighed: say the weight also where it is 1.
        bounds: say the first and the last second of its time too, as dates that can be compared.

    Example:
        >>> from kgmm.store import Assertion, Fact
        >>> ann = Assertion(Fact("bonn", "CapitalOf", "germany"), "ann", valid=("1949", None))
        >>> [(name.value.removeprefix("urn:kgmm:"), value.value) for name, value in told(ann)]
        [('contributor', 'ann'), ('polarity', '1'), ('validFrom', '1949'), ('method', 'told')]
    """
    if weighed or said.fact.weight != 1.0:
        yield OWN["weight"], rdf.weight_literal(said.fact.weight)
    texts = {"source": said.source, "surface": said.text, "contributor": said.contributor}
    yield from ((OWN[field], ox.Literal(text)) for field, text in texts.items() if text)
    if not said.bare:
        yield OWN["polarity"], ox.Literal(str(said.polarity), datatype=ox.NamedNode(f"{_XSD}integer"))
    if said.confidence is not None:
        yield OWN["confidence"], rdf.weight_literal(said.confidence)
    held = said.span
    for field, bound in (("valid_from", held.start), ("valid_to", held.end)):
        if bound is not None:
            yield OWN[field], time_literal(bound)
    texts = {"method": said.method, "licence": said.licence}
    yield from ((OWN[field], ox.Literal(text)) for field, text in texts.items() if text)
    if said.rests_on:
        yield OWN["rests_on"], ox.Literal(json.dumps(said.rests_on, ensure_ascii=False))
    if bounds and held.first != FIRST:
        yield BEGINS, _second(held.first)
    if bounds and held.last != LAST:
        yield ENDS, _second(held.last)


Reifier = tuple[str, list[tuple[ox.NamedNode, ox.Literal]]]  #: the IRI of one, and what it says


def reifiers(fact: Fact, said: Sequence[Assertion] = (), bounds: bool = False) -> list[Reifier]:
    """Return what stands for what is said of a fact: the first of its assertions by the fact's IRI, others by their own.

    A bare one that stands beside others says its weight, so that it is told from none.

    Args:
        fact: the fact.
        said: its assertions, the one that stands for it first; none if all there is to say are its weight and source.
        bounds: as :func:`told` takes it.
    """
    if not said:
        parts = list(told(Assertion(fact))) if fact.source or fact.weight != 1.0 else []
        return [(rdf.reifier_iri(fact.graph, fact.subject, fact.predicate, fact.object), parts)] if parts else []
    found: list[Reifier] = []
    for place, one in enumerate(said):
        stands = place == 0 and one.polarity > 0
        parts = list(told(one, one.bare and len(said) > 1, bounds))
        iri = (
            rdf.reifier_iri(fact.graph, fact.subject, fact.predicate, fact.object) if stands else f"{ASSERTION}{one.id}"
        )
        if parts:
            found.append((iri, parts))
    return found


def time_literal(text: str) -> ox.Literal:
    """Return a bound of valid time as a literal of its precision; of hours and minutes, which XSD has not, as a text.

    >>> time_literal("+12019-05").value, time_literal("1949-05-23").datatype.value
    ('12019-05', 'http://www.w3.org/2001/XMLSchema#date')
    """
    spelled, signed = text.removeprefix("+"), text[1:] if text[:1] in "+-" else text
    kinds = {0: "gYear", 1: "gYearMonth", 2: "date"}
    kind = kinds[signed.count("-")] if "T" not in signed else "dateTime" if signed.count(":") == 2 else ""
    return ox.Literal(spelled, datatype=ox.NamedNode(_XSD + kind)) if kind else ox.Literal(text)


def _second(second: int) -> ox.Literal:
    return ox.Literal(instant(second).removeprefix("+"), datatype=ox.NamedNode(f"{_XSD}dateTime"))


def name(kind: str, text: str) -> ox.NamedNode:
    """Return who or what a text names as an IRI: itself if it is one, else one of ours.

    >>> name("contributor", "Ann").value, name("source", "http://example.org/a").value
    ('urn:kgmm:contributor/Ann', 'http://example.org/a')
    """
    if is_iri(text) and not text.startswith(LOCAL):
        try:
            return ox.NamedNode(text)
        except ValueError:
            pass  # what only looks like one is named as any text
    return ox.NamedNode(f"{LOCAL}{kind}/{quote(text, safe='')}")


def text_of(value: Value, kind: str = "") -> str:
    """Return the text of a literal or an IRI; inverse of :func:`name` for names of a kind.

    Raises:
        NotRdf: if it is neither, such as a blank node, which names nothing outside of its document, or cannot be kept.
    """
    if isinstance(value, ox.BlankNode | ox.Triple):
        raise rdf.NotRdf(f"the {kind or 'property'} of an assertion is neither a text nor an IRI: {str(value)[:80]}")
    text = value.value
    if isinstance(value, ox.NamedNode) and kind and text.startswith(f"{LOCAL}{kind}/"):
        text = unquote(text.removeprefix(f"{LOCAL}{kind}/"))
    if reason := unwritable(text):
        raise rdf.NotRdf(f"{kind or 'property'}: {reason}")
    return text


def time_of(value: Value) -> str:
    """Return a bound of valid time as it is kept; NotRdf if it is no time.

    >>> time_of(ox.Literal("1949-05-23Z", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")))
    '1949-05-23'
    """
    text = text_of(value).strip()
    kind = value.datatype.value.removeprefix(_XSD) if isinstance(value, ox.Literal) else ""
    if kind in ("gYear", "gYearMonth", "date"):
        text = _ZONE.sub("", text)
    if re.match(r"\d{5,}(?:-|$)", text):
        text = f"+{text}"
    try:
        return period(text).text
    except BadInput as error:
        raise rdf.NotRdf(error.reason) from None


def check(field: str, value: Value) -> None:
    """Refuse a value that cannot be what it is to say.

    Raises:
        NotRdf: with the reason.
    """
    if field == "weight":
        _weight(value.value if isinstance(value, ox.Literal) else "")
    elif not (field == "source" and isinstance(value, ox.Literal)):
        lines({field: [value]})


class Line(NamedTuple):
    """What is said in one row of the table beside the fact: weight, source, text, and the columns of an assertion."""

    weight: float | None
    source: str
    surface: str | None
    about: Mapping[str, Any]


Values = dict[str, list[Value]]  #: what is said, field by field


def lines(values: Values) -> list[Line]:
    """Return what is said of a statement by one reifier as rows: one for each contributor and source it names.

    Raises:
        NotRdf: if a value is none of its kind.
    """
    about: dict[str, Any] = {}
    for field in ("valid_from", "valid_to"):
        if field in values:
            about[field] = time_of(values[field][0])
    try:
        span((about.get("valid_from"), about.get("valid_to")))
        if "confidence" in values:
            about["confidence"] = checked_confidence(text_of(values["confidence"][0]))
        if "rests_on" in values:
            keys = keys_of([tuple(key) for value in values["rests_on"] for key in json.loads(text_of(value))])
            about["rests_on"] = json.dumps(keys, ensure_ascii=False)
    except BadInput as error:
        raise rdf.NotRdf(f"{error.source}: {error.reason}") from None
    except (ValueError, TypeError) as error:
        raise rdf.NotRdf(f"what it rests on is no list of facts: {error}") from None
    if "polarity" in values:
        about["polarity"] = _polarity(text_of(values["polarity"][0]))
        about["method"] = "loaded"  # that it speaks for or against makes it more than a bare fact
    about |= {field: text_of(values[field][0], field) for field in ("method", "licence") if field in values}
    weight = _weight(text_of(values["weight"][-1])) if "weight" in values else None
    surface = text_of(values["surface"][-1]) if "surface" in values else None
    whose: list[list[str]] = [
        list(dict.fromkeys(text_of(value, field) for value in values.get(field, ()))) or [""]
        for field in ("contributor", "source")
    ]
    return [
        Line(weight, source, surface, {**about, "contributor": who} if who else about)
        for who, source in product(*whose)
    ]


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise rdf.NotRdf(f"weight {text[:40]!r} is not a finite number")
    return value


def _polarity(text: str) -> int:
    known = {"1": 1, "+1": 1, "for": 1, "-1": -1, "against": -1}
    if text.strip().lower() not in known:
        raise rdf.NotRdf(f"polarity {text[:40]!r} is neither 1 (for) nor -1 (against)")
    return known[text.strip().lower()]
