"""Moments and spans of valid time: from years to seconds, before our era and beyond year 9999, in whole seconds."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from kgmm.errors import BadInput

#: a bound or a moment as people give it: ISO 8601 of any precision, ``44 BC``, a year as a number, a date or datetime
Moment: TypeAlias = "str | int | date | datetime | None"
#: when a fact held: from and to, both inclusive, None for open; one moment alone stands for both ends
Valid: TypeAlias = "tuple[Moment, Moment] | list[Moment] | Moment"

FIRST, LAST = -(1 << 62), 1 << 62  #: seconds that stand for "since ever" and "for ever"
MOST_YEARS = 100_000_000_000  #: years of either sign that are taken: their seconds fit into 62 bits
DAY = 86_400
_ISO = re.compile(
    r"(?P<year>\d{4}|[+-]\d{4,12})"
    r"(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:[T ](?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII,
)
_ERA = re.compile(r"(?P<year>\d{1,11}) ?(?P<era>BCE|BC|CE|AD)", re.ASCII | re.IGNORECASE)
_WANTED = (
    "write a year of four digits (more with a sign: +12021), 2021-05, 2021-05-03, 2021-05-03T10:00:00Z, -0043 or 44 BC"
)


class Period(NamedTuple):
    """The seconds a moment covers, first and last, counted from 1970 (UTC, proleptic Gregorian), and how it is written.

    Example:
        >>> period("2019"), period("44 BC").text
        (Period(first=1546300800, last=1577836799, text='2019'), '-0043')
    """

    first: int
    last: int
    text: str


def period(moment: Moment) -> Period:
    """Return the seconds a moment covers: a year all of its seconds, a day all of that day's.

    Years are counted as ISO 8601 does: 0000 is 1 BC. Without a zone a time is UTC; parts of a second are cut.

    Raises:
        BadInput: if it is no moment of the calendar.

    Example:
        >>> period("2021-02").last - period("2021-02").first == 28 * DAY - 1
        True
        >>> period("2021-02-30")
        Traceback (most recent call last):
        kgmm.errors.BadInput: time: '2021-02-30': there is no day 30 in 2021-02
    """
    if isinstance(moment, bool) or moment is None:
        raise BadInput("time", f"{moment!r} is no moment; {_WANTED}")
    if isinstance(moment, int):
        moment = _year(moment)
    elif isinstance(moment, datetime):
        moment = moment.isoformat(timespec="seconds")
    elif isinstance(moment, date):
        moment = moment.isoformat()
    elif not isinstance(moment, str):
        raise BadInput("time", f"{moment!r} is no moment; {_WANTED}")
    return _period(moment)


@lru_cache(1 << 16)
def _period(given: str) -> Period:
    text = given.strip()
    if era := _ERA.fullmatch(text):
        year = int(era["year"])
        if year == 0:
            raise BadInput("time", f"{given!r}: there is no year 0 in this era")
        return _period(_year(1 - year if era["era"].upper().startswith("B") else year))
    found = _ISO.fullmatch(text)
    if found is None:
        raise BadInput("time", f"{given[:60]!r} is no moment; {_WANTED}")
    year = int(found["year"])
    if abs(year) > MOST_YEARS:
        raise BadInput("time", f"{given[:60]!r}: years go from {-MOST_YEARS:,} to {MOST_YEARS:,}")
    named = _year(year)
    month, day, hour, minute, second = (
        None if found[part] is None else int(found[part]) for part in ("month", "day", "hour", "minute", "second")
    )
    if month is None:
        return Period(_days(year, 1, 1) * DAY, _days(year + 1, 1, 1) * DAY - 1, named)
    if not 1 <= month <= 12:
        raise BadInput("time", f"{given!r}: there is no month {month}")
    named += f"-{month:02}"
    start, after = _days(year, month, 1), _days(year + month // 12, month % 12 + 1, 1)
    if day is None:
        return Period(start * DAY, after * DAY - 1, named)
    if not 1 <= day <= after - start:
        raise BadInput("time", f"{given!r}: there is no day {day} in {named}")
    named, first = f"{named}-{day:02}", (start + day - 1) * DAY
    if hour is None:
        return Period(first, first + DAY - 1, named)
    if hour > 23 or (minute or 0) > 59 or (second or 0) > 59:
        raise BadInput("time", f"{given!r}: hours go to 23, minutes and seconds to 59")
    zone = found["zone"] or "Z"
    offset = 0 if zone == "Z" else (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 60 + int(zone[-2:])) * 60
    if abs(offset) > 18 * 3600 or int(zone[-2:] if zone != "Z" else 0) > 59:
        raise BadInput("time", f"{given!r}: there is no zone {zone}")
    first += hour * 3600 + (minute or 0) * 60 + (second or 0) - offset
    length = 3600 if minute is None else 60 if second is None else 1
    if offset % length:
        raise BadInput("time", f"{given!r}: with the zone {zone} an hour needs its minutes")
    return Period(first, first + length - 1, instant(first, length))


def _year(year: int) -> str:
    """Return a year as ISO 8601 writes it: four digits, more with a sign."""
    return f"{year:04}" if 0 <= year <= 9999 else f"{'-' if year < 0 else '+'}{abs(year):04}"


def instant(second: int, length: int = 1) -> str:
    """Return the UTC second, minute or hour (by its *length*) that begins at a second.

    >>> instant(-1), instant(0, 3600)
    ('1969-12-31T23:59:59Z', '1970-01-01T00Z')
    """
    days, rest = divmod(second, DAY)
    year, month, day = _civil(days)
    clock = f"{rest // 3600:02}"
    if length < 3600:
        clock += f":{rest // 60 % 60:02}"
    if length < 60:
        clock += f":{rest % 60:02}"
    return f"{_year(year)}-{month:02}-{day:02}T{clock}Z"


def _days(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a date of the proleptic Gregorian calendar (Hinnant's ``days_from_civil``)."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil(days: int) -> tuple[int, int, int]:
    """Return the date that lies so many days after 1970-01-01; the inverse of :func:`_days`."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + era * 400 + (month <= 2), month, day


class Span(NamedTuple):
    """When something held: the bounds as written (None: open), and the seconds they reach from and to."""

    start: str | None
    end: str | None
    first: int
    last: int


ALWAYS = Span(None, None, FIRST, LAST)


def span(valid: Valid) -> Span:
    """Return a span of valid time; both ends are inclusive, and a coarse one covers all of its period.

    Raises:
        BadInput: if a bound is no moment, or the span ends before it begins.

    Example:
        >>> span(("2019", None)).first == period("2019-01-01").first, span("2019").last == period("2019-12-31").last
        (True, True)
    """
    if valid is None:
        return ALWAYS
    if not isinstance(valid, (tuple, list)):
        valid = (valid, valid)
    if len(valid) != 2:
        raise BadInput("valid", f"{valid!r} is no pair (from, to); leave an end open with None")
    start, end = (None if bound is None or bound == "" else period(bound) for bound in valid)
    first, last = FIRST if start is None else start.first, LAST if end is None else end.last
    if first > last:
        raise BadInput("valid", f"{valid[0]} to {valid[1]} ends before it begins")
    return Span(start and start.text, end and end.text, first, last)


class Spans:
    """When a fact held under all that supports it: what an index keeps of it as one text, ``first/last;…`` in seconds.

    An empty end is open. All are kept, in order, also those inside others: each may be ended by a later value, or end one.
    """

    @staticmethod
    def text(pairs: list[tuple[int, int]]) -> str:
        """Return the text of some spans.

        >>> Spans.text([(5, LAST), (1, 2), (5, LAST)]), Spans.text([(1, 2), (FIRST, LAST)])
        ('1/2;5/', '/;1/2')
        """
        shown = (
            f"{'' if first == FIRST else first}/{'' if last == LAST else last}" for first, last in sorted(set(pairs))
        )
        return ";".join(shown)

    @staticmethod
    def pairs(text: str) -> list[tuple[int, int]]:
        """Return the spans of a text."""
        found = []
        for part in text.split(";"):
            first, _, last = part.partition("/")
            found.append((int(first) if first else FIRST, int(last) if last else LAST))
        return found
