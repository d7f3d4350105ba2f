"""Rules for what a text names without knowing any name: dates, numbers, quotations, capitalized runs, abbreviations.

Each rule returns spans ``(start, end, kind, key)``; the key is what two mentions of the same thing share.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from kgmm.language.words import STOP

Span = tuple[int, int, str, str]

#: a word as names are made of: letters, marks and digits, with inner apostrophes, full stops and hyphens left out
WORD = re.compile(r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*")
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = (
    {name: at for at, name in enumerate(_MONTHS, 1)}
    | {name[:3]: at for at, name in enumerate(_MONTHS, 1)}
    | {"sept": 9}
)
_NAMED = (
    rf"(?P<month>{'|'.join(m.capitalize() for m in _MONTHS)}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
)
_YEAR = r"(?P<year>\d{3,4})(?!\d|[.,]\d)"
_DATES = [
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_NAMED},? {_YEAR}\b"),
    re.compile(rf"\b{_NAMED} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? {_YEAR}\b"),
    re.compile(rf"\b{_NAMED},? {_YEAR}\b"),
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(r"\b(?P<year>\d{3}0)s\b"),
    re.compile(r"(?<![\w$€£.,-])(?P<year>1\d{3}|20\d\d)(?![\w%]|[.,]\d)"),
    re.compile(
        r"\b(?:in|since|by|until|before|after|around|year|c\.|ca\.|b\.|d\.|died|born) (?P<year>[1-9]\d{2})(?![\w%]|[.,]\d)"
    ),
]
_NUMBER = re.compile(
    r"(?<![\w.])[-+−]?\d+(?:,\d{3})*(?:\.\d+)?(?P<scale> (?:thousand|million|billion|trillion))?(?![\w]|[.,]\d)%?"
)
_SCALE = {"": "", "thousand": "e3", "million": "e6", "billion": "e9", "trillion": "e12"}
_QUOTED = re.compile(
    r"\"([^\"\n]{2,120})\"|“([^”\n]{2,120})”|‘([^’\n]{2,120})’(?!\w)|«([^»\n]{2,120})»|„([^“”\n]{2,120})[“”]"
)
#: small words that stand within a name between two capitalized ones
_WITHIN = frozenset(
    "of the de la le las los del della delle di da do dos das du des van von der den zu zur af av ap ab y e i bin ibn ben bint"
    " al el ul mac for on in to and with without upon at a an et und".split()
)
#: at most so many of them in a row, and those that join two names as often as they are part of one never
_LOOSE = frozenset("and with without in on to at for et und y e i a an".split())
#: what begins sentences and is no name, beside the words that carry no content
_STARTERS = STOP | frozenset(
    "after also although among another because before both but despite during each either even every few first following"
    " furthermore given having he her here his however including indeed instead it its just last later like many meanwhile"
    " more moreover most much nearly neither never nevertheless no nor now only other others otherwise our over perhaps"
    " several she similarly since some soon still such then there therefore they though through throughout thus together"
    " too two three four five six seven eight nine ten under unlike until upon very we well were whether while within yes yet"
    " you your i'm don't click see note according along around being between beyond born made".split()
)
#: what a text that defines something begins with, before its verb or a parenthesis
_LEAD = re.compile(
    r"[\"“'‘]?\s*([^\s\"“”(][^\n\"“”(]{0,100}?)[\"”'’]?(?:,? (?:is|was|are|were|refers to|(?:may|can) refer to)\b|,?\s*(?P<paren>\())"
)
_TITLED = frozenset(
    "sir dame lord lady saint st general prince princess king queen dr professor colonel captain major count".split()
)
_CALENDAR = frozenset([*_MONTHS, *"monday tuesday wednesday thursday friday saturday sunday".split()])
_ABBREVIATED = re.compile(r"\(\s*([^\W\d_a-z][^\W_]{1,9}(?:[-&./][^\W_]{1,5})?)s?\s*(?:[;,][^)]*)?\)")
_CLOSES = re.compile(r"[.!?…:;]['\"”’)\]]*\s*$|\n\s*$")
_ROMAN = re.compile(r"[IVXLC]+")
_GAP_WITHIN = re.compile(r"(?:[ \u00a0]|\s?[&-]\s?|['’]|(?<=s)['’] |\. ?|, (?=(?:Jr|Sr)\b))")


@lru_cache(1 << 18)
def fold(word: str) -> str:
    """Return a word in lower case without accents, as keys are made of.

    >>> fold("Yeşim"), fold("Bråk")
    ('yesim', 'brak')
    """
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", word.casefold().replace("ø", "o").replace("ł", "l").replace("ı", "i"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def words(text: str) -> list[tuple[int, int, str]]:
    """Return where the words of a text lie, folded; a name's own form is these joined by spaces.

    >>> [word for _, _, word in words("O'Brien's U.S.-led Ærø")]
    ['o', 'brien', 's', 'u', 's', 'led', 'æro']
    """
    return [(m.start(), m.end(), fold(m[0])) for m in WORD.finditer(text)]


def key(name: str) -> str:
    """Return what names of the same thing share: folded words without a leading article and what is in parentheses last.

    >>> key("The Goose Woman"), key("Algiers (film)"), key("Declan O'Brien's"), key("The")
    ('goose woman', 'algiers', 'declan o brien', 'the')
    """
    parts = [word for _, _, word in words(bare(name))] or [word for _, _, word in words(name)]
    if len(parts) > 1 and parts[-1] == "s" and re.search(r"['’]s\W*$", name):
        parts = parts[:-1]
    return " ".join(parts[1:] if len(parts) > 1 and parts[0] in ("the", "a", "an") else parts)


def bare(title: str) -> str:
    """Return a title without the parenthesis that tells it from others.

    >>> bare("Dark River (2017 film)"), bare("(What's the Story) Morning Glory?")
    ('Dark River', "(What's the Story) Morning Glory?")
    """
    cut = re.sub(r"\s*\([^()]*\)\s*$", "", title)
    return cut if cut.strip() else title


def dates(text: str) -> Iterator[Span]:
    """Yield dates; the key is the ISO form as far as it is known.

    >>> [(span[3]) for span in dates("born 20 March 851, crowned in October 821; since 1990")]
    ['0851-03-20', '0821-10', '1990']
    """
    taken: list[tuple[int, int]] = []
    for rule in _DATES:
        for m in rule.finditer(text):
            part = m.groupdict()
            start = m.start("year") if set(part) == {"year"} else m.start()
            if any(start < b and a < m.end() for a, b in taken):
                continue
            said = part["year"].zfill(4)
            month = (part.get("month") or "").rstrip(".").lower()
            number = int(month) if month.isdigit() else _MONTH.get(month, 0)
            day = int(part.get("day") or 0)
            if number > 12 or day > 31 or (month and not number):
                continue
            said += f"-{number:02}" if number else ""
            said += f"-{day:02}" if day else ""
            if m[0].endswith("s"):
                said = f"{part['year']}s"
            taken.append((start, m.end()))
            yield start, m.end(), "date", said


def numbers(text: str) -> Iterator[Span]:
    """Yield numbers, with their thousands, millions and per cent.

    >>> [span[3] for span in numbers("1,250 of 3.5 million, 12%")]
    ['1250', '3.5e6', '12%']
    """
    for m in _NUMBER.finditer(text):
        scale = (m["scale"] or "").strip()
        figure = re.match(r"[-+−]?[\d,.]*\d", m[0])
        assert figure is not None
        plain = figure[0].replace(",", "").replace("−", "-").lstrip("+")
        yield m.start(), m.end(), "number", plain + _SCALE[scale] + ("%" if m[0].endswith("%") else "")


def quotations(text: str) -> Iterator[Span]:
    """Yield what stands in quotation marks, up to twelve words.

    >>> [span[3] for span in quotations('the song "Me and Bobby McGee" and “Go!”')]
    ['me and bobby mcgee', 'go']
    """
    for m in _QUOTED.finditer(text):
        group = next(at for at in range(1, 6) if m[at] is not None)
        said = m[group].strip(" ,.;:")
        if said and len(said.split()) <= 12 and (name := key(said)):
            start = m.start(group) + m[group].index(said)
            yield start, start + len(said), "quoted", name


def capitalized(text: str) -> Iterator[Span]:
    """Yield runs of capitalized words, with the small words that names have within.

    >>> [text[a:b] for text in ["In 849 Hugh of Tours met the Duke of Orange at St. Maurice's Abbey. Paris fell."]
    ...     for a, b, _, _ in capitalized(text)]
    ['Hugh of Tours', 'Duke of Orange', "St. Maurice's Abbey", 'Paris']
    """
    found = [(m.start(), m.end()) for m in WORD.finditer(text)]
    at = 0
    while at < len(found):
        if not text[found[at][0]].isupper():
            at += 1
            continue
        last = ahead = at
        while ahead + 1 < len(found) and _GAP_WITHIN.fullmatch(text, found[ahead][1], found[ahead + 1][0]):
            word = text[slice(*found[ahead + 1])]
            if text[found[ahead][1]] == "." and (not _initial(text, *found[ahead]) or word.lower() in _STARTERS):
                break
            ahead += 1
            if (
                word[0].isupper()
                or (ahead == last + 1 and (word.isdigit() and len(word) < 3))
                or _possessive(text, found[ahead])
            ):
                last = ahead
            elif word not in _WITHIN or ahead - last > 2 or word in _LOOSE:
                break
        first = at
        at = last + 1
        while first <= last and _no_name(text, found[first], found[last]):
            first += 1
        while first < last and text[slice(*found[first])] in _WITHIN:
            first += 1
        if first > last or not text[found[first][0]].isupper():
            continue
        while last > first and _possessive(text, found[last]):
            last -= 1
        name = " ".join(fold(text[a:b]) for a, b in found[first : last + 1])
        if len(name) > 1 and name not in _CALENDAR:
            yield found[first][0], found[last][1], "name", name


def _initial(text: str, start: int, end: int) -> bool:
    return end - start == 1 or text[start:end] in (
        "St",
        "Mr",
        "Mrs",
        "Ms",
        "Dr",
        "Prof",
        "Sr",
        "Jr",
        "Mt",
        "Ft",
        "Gen",
        "Col",
        "Sgt",
        "Lt",
        "Rev",
    )


def _possessive(text: str, span: tuple[int, int]) -> bool:
    return text[slice(*span)] == "s" and text[span[0] - 1] in "'’"


def _no_name(text: str, first: tuple[int, int], last: tuple[int, int]) -> bool:
    """Tell whether a run's first word is only capitalized because a sentence begins with it, or is no name anywhere."""
    word = text[slice(*first)].lower()
    if first == last and first[1] - first[0] > 1 and text[slice(*first)].isupper():
        return False  # WHO, US
    if word == "i" or (first[1] - first[0] > 1 and word in _STARTERS):
        return first == last or _begins(text, first[0]) or word not in ("the", "an", "a")
    if first != last or not _begins(text, first[0]) or _ROMAN.fullmatch(text, *first) or text[slice(*first)].isupper():
        return False
    return common(word)


def _begins(text: str, start: int) -> bool:
    before = text[max(start - 8, 0) : start]
    return not before.strip(" \t'\"“‘(") or _CLOSES.search(before.rstrip(" \t'\"“‘(") or before) is not None


@lru_cache(1 << 16)
def common(word: str) -> bool:
    """Tell whether a word is one of the language's, which a sentence may begin with, and no name in its dictionary."""
    import simplemma

    return bool(simplemma.is_known(word, "en")) and not simplemma.lemmatize(word, "en")[:1].isupper()


def lead(text: str) -> tuple[str, str]:
    """Return the keys of what a text without title is about, by its first words, and of a person's first and last name.

    >>> lead('"The Goose Woman" is a 1925 film.'), lead("Isaac Iosifovich Schwartz (May 13, 1923 – 2009) was a composer.")
    (('goose woman', ''), ('isaac iosifovich schwartz', 'isaac schwartz'))
    >>> lead("It rains in Rome."), lead("A polar bear is a bear.")
    (('', ''), ('polar bear', ''))
    """
    m = _LEAD.match(text)
    if m is None:
        return "", ""
    name = key(m[1])
    parts = [(m[1][a:b], word) for a, b, word in words(m[1])]
    if (
        not name
        or name in _STARTERS
        or (parts[0][1] in _STARTERS and parts[0][1] not in ("the", "a", "an") and not m["paren"])
    ):
        return "", ""
    person = "," not in m[1] and len(parts) > 2 and all(said[0].isupper() for said, _ in parts)
    person = person and parts[0][1] not in ("the", "a", "an")
    while person and len(parts) > 2 and parts[0][1] in _TITLED:
        parts = parts[1:]
    if not person or _ROMAN.fullmatch(parts[-1][0]) or len(parts) > 5:
        return name, ""
    return name, f"{parts[0][1]} {parts[-1][1]}"


def lead_end(text: str) -> int:
    """Return where the words end that a text begins with and speaks of, 0 if it does not begin so."""
    m = _LEAD.match(text)
    return m.end(1) if m is not None and lead(text)[0] else 0


def abbreviations(text: str) -> dict[str, tuple[int, int]]:
    """Return abbreviations that a text explains, and where the long form of each stands.

    The shortest words before the parenthesis that have the abbreviation's letters in order, its first one beginning a
    word (Schwartz & Hearst, PSB 2003).

    >>> text = "The World Health Organization (WHO) met."
    >>> {short: text[a:b] for short, (a, b) in abbreviations(text).items()}
    {'WHO': 'World Health Organization'}
    """
    found: dict[str, tuple[int, int]] = {}
    for m in _ABBREVIATED.finditer(text):
        short = m[1]
        if sum(c.isupper() for c in short) < 2 or short in found:
            continue
        low = max(m.start() - 12 * (len(short) + 5), 0)
        before = text[low : m.start()].rstrip()
        if cut := re.search(r".*[.;:!?()\n]", before, re.S):
            low, before = low + cut.end(), before[cut.end() :]
        begin = _long_form(short, before)
        if begin is not None and len(before) - begin > len(short):
            found[short] = low + begin, low + len(before)
    return found


def _long_form(short: str, before: str) -> int | None:
    letters = [c.lower() for c in short if c.isalnum()]
    at = len(before)
    for number in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= 0 and (
            before[at].lower() != letters[number] or (number == 0 and at > 0 and before[at - 1].isalnum())
        ):
            at -= 1
        if at < 0:
            return None
    words_of = len(before[at:].split())
    return at if words_of <= min(len(letters) + 5, 2 * len(letters)) else None
