"""SPARQL's functions of terms (SPARQL 1.1 Query, sections 17.4 and 17.5)."""

from __future__ import annotations

import math
import random
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urljoin

import pyarrow as pa

from kgmm.store.sparql.engine.algebra import LANG_STRING, STRING, XSD, Blank, Iri, Lit, Quoted, Term, Unsupported
from kgmm.store.sparql.engine.values import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DOUBLE,
    FLOAT,
    INTEGER,
    NUMERIC,
    Wrong,
    calculate,
    decimal,
    effective,
    equal,
    kind,
    literal,
    number,
    time_of,
    truth,
    valid,
)

_NONE = Lit("")
LONGEST = 1 << 22  #: characters a text may be made of
_LIKE_IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|\\^`]*')


def text_of(term: Term | None) -> Lit:
    """Return a literal that is a string, with or without a language; Wrong if it is none."""
    if type(term) is Lit and (term.datatype == STRING or term.datatype == LANG_STRING):
        return term
    raise Wrong


def like(model: Lit, text: str) -> Lit:
    """Return a text with the language of another."""
    if len(text) > LONGEST:
        raise Wrong
    return Lit(text, model.datatype, model.lang)


def _pair(a: Any, b: Any) -> tuple[str, str]:
    """Return two texts whose languages allow to compare them."""
    x, y = text_of(a), text_of(b)
    if y.lang and y.lang != x.lang:
        raise Wrong
    return x.text, y.text


def _quoted(a: Any) -> Quoted:
    if isinstance(a, Quoted):
        return a
    raise Wrong


def _triple(s: Any, p: Any, o: Any) -> Quoted:
    if isinstance(s, Iri | Blank) and isinstance(p, Iri):
        return Quoted(s, p, o)
    raise Wrong


def _str(a: Any) -> Lit:
    if isinstance(a, Iri | Lit):
        return Lit(a.text)
    raise Wrong


def _literal(a: Any) -> Lit:
    if type(a) is not Lit:
        raise Wrong
    return a


def _lang_matches(a: Any, b: Any) -> Lit:
    tag, wanted = text_of(a).text.lower(), text_of(b).text.lower()
    return truth(bool(tag) if wanted == "*" else tag == wanted or tag.startswith(f"{wanted}-"))


def _round(how: str) -> Callable[[Any], Lit]:
    def rounded(a: Any) -> Lit:
        value, wide = number(a), kind(a)
        if wide == 0:
            return literal(abs(value) if how == "ABS" else value, 0)
        if wide == 1:
            ways = {"CEIL": ROUND_CEILING, "FLOOR": ROUND_FLOOR}
            if how == "ABS":
                return literal(abs(value), 1)
            if how == "ROUND":
                return literal((value + Decimal("0.5")).to_integral_value(ROUND_FLOOR), 1)
            return literal(value.to_integral_value(ways[how]), 1)
        if how == "ABS" or math.isinf(value) or math.isnan(value):
            return literal(abs(value) if how == "ABS" else value, wide)
        return literal(
            {"CEIL": math.ceil, "FLOOR": math.floor, "ROUND": lambda v: math.floor(v + 0.5)}[how](value), wide
        )

    return rounded


def _substr(a: Any, start: Any, length: Any = None) -> Lit:
    text = text_of(a)
    first = float(number(start))
    if math.isnan(first):
        return like(text, "")
    low = math.floor(first + 0.5)
    high = math.inf if length is None else low + math.floor(float(number(length)) + 0.5)
    stop = len(text.text) if math.isinf(high) else max(int(high) - 1, 0)
    return like(text, text.text[max(low - 1, 0) : stop])


def _before(a: Any, b: Any) -> Lit:
    text, part = _pair(a, b)
    at = text.find(part)
    return Lit("") if at < 0 else like(a, text[:at])


def _after(a: Any, b: Any) -> Lit:
    text, part = _pair(a, b)
    at = text.find(part)
    return Lit("") if at < 0 else like(a, text[at + len(part) :])


def _concat(*parts: Any) -> Lit:
    texts = [text_of(p) for p in parts]
    kinds = {(t.datatype, t.lang) for t in texts}
    joined = "".join(t.text for t in texts)
    if len(joined) > LONGEST:
        raise Wrong
    return Lit(joined, *kinds.pop()) if len(kinds) == 1 else Lit(joined)


@lru_cache(256)
def expression(pattern: str, flags: str) -> str:
    """Return an XPath regular expression as RE2 writes it, which takes no more than linear time."""
    if set(flags) - set("imsxq"):
        raise Wrong
    if "q" in flags:
        pattern = re.sub(r"([^\w\s])", r"\\\1", pattern)
    elif "x" in flags:
        pattern = re.sub(r"\s+", "", pattern)
    chosen = "".join(f for f in "ims" if f in flags)
    return f"(?{chosen}){pattern}" if chosen else pattern


def matches(texts: list[str], pattern: str, flags: str) -> list[bool]:
    """Tell of each text whether a regular expression finds something in it; Wrong if it is none."""
    import pyarrow.compute as pc

    try:
        column = pa.array(texts, pa.large_string())
        return list(pc.match_substring_regex(column, expression(pattern, flags)).to_pylist())
    except (pa.ArrowInvalid, UnicodeEncodeError):
        raise Wrong from None


def _regex(a: Any, pattern: Any, flags: Any = _NONE) -> Lit:
    return truth(matches([text_of(a).text], text_of(pattern).text, text_of(flags).text)[0])


def _replace(a: Any, pattern: Any, by: Any, flags: Any = _NONE) -> Lit:
    import pyarrow.compute as pc

    text, wanted = text_of(a), text_of(by).text
    found = re.sub(r"\\(?![\\$])", r"\\\\", wanted)
    found = re.sub(r"\$(\d)", r"\\\1", found).replace("\\$", "$")
    try:
        done = pc.replace_substring_regex(
            pa.array([text.text], pa.large_string()), expression(text_of(pattern).text, text_of(flags).text), found
        )
    except (pa.ArrowInvalid, UnicodeEncodeError):
        raise Wrong from None
    return like(text, done[0].as_py())


def _digest(name: str) -> Callable[[Any], Lit]:
    def digest(a: Any) -> Lit:
        import hashlib  # 5 ms, for which a process's first query would wait

        return Lit(hashlib.new(name, text_of(a).text.encode("utf-8", "surrogatepass")).hexdigest())

    return digest


def _part(name: str) -> Callable[[Any], Lit]:
    def part(a: Any) -> Lit:
        moment = _moment(a)
        if name == "second":
            return literal(Decimal(moment.second) + Decimal(moment.microsecond) / 1000000, 1)
        return literal(getattr(moment, name), 0)

    return part


def _moment(a: Any) -> Any:
    if type(a) is not Lit or a.datatype not in (DATETIME, DATE):
        raise Wrong
    return time_of(a)[0]


def _zone(a: Any) -> Lit:
    _moment(a)
    moment, zoned = time_of(a)
    if not zoned:
        raise Wrong
    shift = moment.utcoffset() or timedelta()
    seconds = int(shift.total_seconds())
    sign, rest = ("-" if seconds < 0 else ""), abs(seconds)
    hours, minutes = rest // 3600, rest % 3600 // 60
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return Lit(f"{sign}PT{clock or '0S'}", f"{XSD}dayTimeDuration")


def _tz(a: Any) -> Lit:
    _moment(a)
    found = re.search(r"(Z|[+-]\d\d:\d\d)$", a.text.strip()) if time_of(a)[1] else None
    return Lit(found[0] if found else "")


def _iri(a: Any, base: str) -> Iri:
    if isinstance(a, Iri):
        return a
    text = text_of(a)
    if text.lang:
        raise Wrong
    found = text.text if _LIKE_IRI.fullmatch(text.text) else urljoin(base, text.text) if base else ""
    if not _LIKE_IRI.fullmatch(found):
        raise Wrong
    return Iri(found)


def _str_lang(a: Any, b: Any) -> Lit:
    text, tag = text_of(a), text_of(b).text
    if text.lang or not re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", tag):
        raise Wrong
    return Lit(text.text, LANG_STRING, tag.lower())


def _str_dt(a: Any, b: Any) -> Lit:
    if text_of(a).lang or not isinstance(b, Iri):
        raise Wrong
    return Lit(a.text, b.text)


def _numeric(a: Any) -> Lit:
    try:
        number(a)
    except Wrong:
        return truth(False)
    return truth(True)


def cast(target: str, a: Any) -> Lit:
    """Return a term cast to a datatype (section 17.5)."""
    if target == STRING:
        return _str(a)
    source = _literal(a)
    text = source.text.strip()
    if source.datatype == LANG_STRING:
        raise Wrong
    if target == BOOLEAN:
        if source.datatype in NUMERIC:
            return truth(effective(a))
        if text not in ("true", "false", "0", "1") or source.datatype not in (STRING, BOOLEAN):
            raise Wrong
        return truth(text in ("true", "1"))
    if target in (INTEGER, DECIMAL, DOUBLE, FLOAT):
        if source.datatype == BOOLEAN:
            value: Any = int(effective(a))
        elif source.datatype in NUMERIC:
            value = number(a)
        elif source.datatype == STRING:
            value = number(Lit(text, target))
        else:
            raise Wrong
        wide = kind(Lit("", target))
        if wide < 2 and isinstance(value, float):
            if math.isnan(value) or math.isinf(value):
                raise Wrong
            value = Decimal(value)
        if wide == 0:
            return literal(int(value), 0)
        return literal(float(value), wide) if wide > 1 else Lit(decimal(Decimal(value)), DECIMAL)
    if target in (DATETIME, DATE) and source.datatype in (STRING, target):
        found = Lit(text, target)
        valid(found)
        return found
    raise Unsupported(f"a cast to <{target}>")


def _datatype(a: Any) -> Iri:
    return Iri(_literal(a).datatype)


TABLE: dict[str, Callable[..., Term]] = {
    "STR": _str,
    "LANG": lambda a: Lit(_literal(a).lang),
    "LANGMATCHES": _lang_matches,
    "DATATYPE": _datatype,
    "CONCAT": _concat,
    "STRLEN": lambda a: literal(len(text_of(a).text), 0),
    "UCASE": lambda a: like(text_of(a), a.text.upper()),
    "LCASE": lambda a: like(text_of(a), a.text.lower()),
    "ENCODE_FOR_URI": lambda a: Lit(quote(text_of(a).text, safe="~")),
    "CONTAINS": lambda a, b: truth((lambda t: t[1] in t[0])(_pair(a, b))),
    "STRSTARTS": lambda a, b: truth((lambda t: t[0].startswith(t[1]))(_pair(a, b))),
    "STRENDS": lambda a, b: truth((lambda t: t[0].endswith(t[1]))(_pair(a, b))),
    "STRBEFORE": _before,
    "STRAFTER": _after,
    "SUBSTR": _substr,
    "REPLACE": _replace,
    "REGEX": _regex,
    "YEAR": _part("year"),
    "MONTH": _part("month"),
    "DAY": _part("day"),
    "HOURS": _part("hour"),
    "MINUTES": _part("minute"),
    "SECONDS": _part("second"),
    "TIMEZONE": _zone,
    "TZ": _tz,
    "UUID": lambda: Iri(f"urn:uuid:{uuid.uuid4()}"),
    "STRUUID": lambda: Lit(str(uuid.uuid4())),
    "RAND": lambda: literal(random.random(), 3),
    "STRLANG": _str_lang,
    "STRDT": _str_dt,
    "SAMETERM": lambda a, b: truth(a == b),
    "TRIPLE": _triple,
    "SUBJECT": lambda a: _quoted(a).s,
    "PREDICATE": lambda a: _quoted(a).p,
    "OBJECT": lambda a: _quoted(a).o,
    "ISTRIPLE": lambda a: truth(isinstance(a, Quoted)),
    "ISIRI": lambda a: truth(isinstance(a, Iri)),
    "ISURI": lambda a: truth(isinstance(a, Iri)),
    "ISBLANK": lambda a: truth(isinstance(a, Blank)),
    "ISLITERAL": lambda a: truth(isinstance(a, Lit)),
    "ISNUMERIC": _numeric,
    "positive": lambda a: literal(number(a), kind(a)),
    "negative": lambda a: literal(-number(a), kind(a)),
    "=": lambda a, b: truth(equal(a, b)),
    "!=": lambda a, b: truth(not equal(a, b)),
}
TABLE |= {how: _round(how) for how in ("ABS", "CEIL", "FLOOR", "ROUND")}
TABLE |= {name: _digest(name.lower()) for name in ("MD5", "SHA1", "SHA256", "SHA384", "SHA512")}
TABLE |= {sign: (lambda a, b, s=sign: calculate(s, a, b)) for sign in "+-*/"}
IRI_OF = _iri
