"""Values of literals: numbers, times, truth, and how they compare (SPARQL 1.1 Query, section 17)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from kgmm.store.sparql.engine.algebra import LANG_STRING, STRING, XSD, Blank, Iri, Lit, Quoted, Term

INTEGERS = frozenset(
    XSD + name
    for name in "integer int long short byte nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger "
    "unsignedInt unsignedLong unsignedShort unsignedByte".split()
)
INTEGER, DECIMAL, FLOAT, DOUBLE = (XSD + name for name in ("integer", "decimal", "float", "double"))
BOOLEAN, DATETIME, DATE = XSD + "boolean", XSD + "dateTime", XSD + "date"
NUMERIC = INTEGERS | {DECIMAL, FLOAT, DOUBLE}
EXACT = Context(prec=40)
LONGEST = 4000  #: digits a number may be computed with
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")


class Wrong(Exception):
    """An expression that has no value: a type error, an unbound variable."""


TRUE, FALSE = Lit("true", BOOLEAN), Lit("false", BOOLEAN)


def truth(value: bool) -> Lit:
    """Return a boolean as a literal."""
    return TRUE if value else FALSE


def number(term: Term | None) -> Any:
    """Return a numeric literal's value: int, Decimal or float; Wrong if it is none."""
    if type(term) is not Lit or term.datatype not in NUMERIC:
        raise Wrong
    text = term.text.strip()
    if len(text) > LONGEST:
        raise Wrong
    if term.datatype in INTEGERS:
        if _WHOLE.fullmatch(text):
            return int(text)
    elif term.datatype == DECIMAL:
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
    elif _DOUBLE.fullmatch(text):
        return float(text)
    raise Wrong


def kind(term: Lit) -> int:
    """Return how wide a number's type is: 0 integer, 1 decimal, 2 float, 3 double."""
    return 0 if term.datatype in INTEGERS else (DECIMAL, FLOAT, DOUBLE).index(term.datatype) + 1


def literal(value: Any, wide: int) -> Lit:
    """Return a number as a literal of the type that *wide* names, as in :func:`kind`."""
    if wide == 0:
        if abs(value) >= 10**LONGEST:
            raise Wrong
        return Lit(str(int(value)), INTEGER)
    if wide == 1:
        return Lit(decimal(Decimal(value)), DECIMAL)
    return Lit(double(float(value)), FLOAT if wide == 2 else DOUBLE)


def decimal(value: Decimal) -> str:
    """Return a decimal number without an exponent or needless zeros."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if text not in ("", "-0", "-") else "0"


def double(value: float) -> str:
    """Return a floating-point number as XSD writes it, the shortest that reads back."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def aligned(a: Lit, b: Lit) -> tuple[Any, Any, int]:
    """Return two numbers in the wider of their types, and that type."""
    x, y, wide = number(a), number(b), max(kind(a), kind(b))
    try:
        if wide > 1:
            return float(x), float(y), wide
    except OverflowError:
        raise Wrong from None
    return (Decimal(x), Decimal(y), wide) if wide == 1 else (x, y, wide)


def calculate(operator: str, a: Term | None, b: Term | None) -> Lit:
    """Return the sum, difference, product or quotient of two numbers."""
    if type(a) is not Lit or type(b) is not Lit:
        raise Wrong
    x, y, wide = aligned(a, b)
    value: Any
    try:
        if operator == "/":
            if wide < 2:
                quotient = EXACT.divide(Decimal(x), Decimal(y))
                return literal(quotient.quantize(Decimal(1).scaleb(-18), context=EXACT), 1)
            if y == 0:
                value = math.nan if x == 0 or math.isnan(x) else math.copysign(math.inf, x) * math.copysign(1, y)
            else:
                value = x / y
        elif wide == 1:
            value = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply}[operator](x, y)
        else:
            value = x + y if operator == "+" else x - y if operator == "-" else x * y
    except (InvalidOperation, ArithmeticError):
        raise Wrong from None
    return literal(value, wide)


def time_of(term: Lit) -> tuple[datetime, bool]:
    """Return a dateTime's or date's moment, and whether it says its time zone; Wrong if it is none."""
    match = _TIME.fullmatch(term.text.strip())
    if match is None or (match[4] is None) != (term.datatype == DATE):
        raise Wrong
    zone = match[8]
    shift = timedelta()
    if zone and zone != "Z":
        shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    clock = [int(match[i] or 0) for i in (4, 5, 6)]
    micro = int(float(match[7] or 0) * 1e6)
    try:
        extra = timedelta(days=clock[0] == 24)
        year, month, day = (int(match[i]) for i in (1, 2, 3))
        moment = datetime(year, month, day, clock[0] % 24, clock[1], clock[2], micro, timezone(shift))
        return moment + extra, bool(zone)
    except (ValueError, OverflowError):
        raise Wrong from None


def _moments(a: Lit, b: Lit) -> int:
    (x, zoned), (y, also) = time_of(a), time_of(b)
    x, y = x.astimezone(UTC), y.astimezone(UTC)
    if zoned != also and abs(x - y) <= timedelta(hours=14):
        raise Wrong
    return (x > y) - (x < y)


def compare(a: Term | None, b: Term | None) -> int | None:
    """Return -1, 0 or 1 as the first is less, equal or greater, None for NaN; Wrong if they do not compare."""
    if type(a) is not Lit or type(b) is not Lit:
        raise Wrong
    if a.datatype in NUMERIC and b.datatype in NUMERIC:
        x, y, _ = aligned(a, b)
        return None if x != x or y != y else (x > y) - (x < y)
    if a.datatype == b.datatype:
        if a.datatype == STRING or (a.datatype == LANG_STRING and a.lang == b.lang):
            return (a.text > b.text) - (a.text < b.text)
        if a.datatype == BOOLEAN:
            return int(effective(a)) - int(effective(b))
        if a.datatype in (DATETIME, DATE):
            return _moments(a, b)
    raise Wrong


_COMPARABLE = NUMERIC | {STRING, LANG_STRING, BOOLEAN, DATETIME, DATE}


def equal(a: Term | None, b: Term | None) -> bool:
    """Tell whether two terms are equal in value; Wrong if that cannot be known."""
    if a is None or b is None:
        raise Wrong
    if type(a) is not Lit or type(b) is not Lit:
        return a == b
    if a.datatype in NUMERIC and b.datatype in NUMERIC and not (a == b and _ill(a)):
        return compare(a, b) == 0
    if a == b:
        return True
    if LANG_STRING in (a.datatype, b.datatype):
        return False
    if a.datatype == b.datatype and a.datatype in _COMPARABLE:
        return compare(a, b) == 0
    if a.datatype in _COMPARABLE and b.datatype in _COMPARABLE:
        valid(a)
        valid(b)
        return False
    raise Wrong


def _ill(term: Lit) -> bool:
    """Tell whether a number's text is none: it is equal to itself, and compares with nothing else."""
    try:
        number(term)
    except Wrong:
        return True
    return False


def valid(term: Lit) -> None:
    """Raise Wrong if a literal's text is none of its type."""
    if term.datatype in NUMERIC:
        number(term)
    elif term.datatype in (DATETIME, DATE):
        time_of(term)
    elif term.datatype == BOOLEAN and term.text not in ("true", "false", "0", "1"):
        raise Wrong


def effective(term: Term | None) -> bool:
    """Return a term's effective boolean value; Wrong if it has none."""
    if type(term) is not Lit:
        raise Wrong
    if term.datatype == BOOLEAN:
        return term.text in ("true", "1")
    if term.datatype in (STRING,):
        return term.text != ""
    if term.datatype == LANG_STRING:
        return term.text != ""
    if term.datatype in NUMERIC:
        try:
            value = number(term)
        except Wrong:
            return False
        return bool(value == value and value != 0)
    raise Wrong


def sort_key(term: Term | None) -> tuple[Any, ...]:
    """Return what orders terms as ORDER BY does: unbound, blank nodes, IRIs, literals by value."""
    if term is None:
        return (0,)
    if isinstance(term, Blank):
        return (1, term.text)
    if isinstance(term, Iri):
        return (2, term.text)
    if isinstance(term, Quoted):
        return (4, *map(sort_key, term))
    try:
        if term.datatype in NUMERIC:
            value = number(term)
            return (3, 1, -math.inf if value != value else value, "")
        if term.datatype == BOOLEAN:
            return (3, 0, int(effective(term)), "")
        if term.datatype in (DATETIME, DATE):
            return (3, 2, time_of(term)[0].timestamp(), "")
    except (Wrong, OverflowError, ValueError):
        pass
    if term.datatype in (STRING, LANG_STRING):
        return (3, 3, term.text, term.lang)
    return (3, 4, term.datatype, term.text)
