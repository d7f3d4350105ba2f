"""The mention that answers: of the kind a question asks for, in the sentence that says most of what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kgmm.documents import spans
from kgmm.documents.mentions import mentions
from kgmm.documents.parting import sentences
from kgmm.documents.passage import Passage
from kgmm.documents.roots import relation, root
from kgmm.language.words import STOP, lemma
from kgmm.store import Fact

COVERED = 0.75  #: share of a question's words that a sentence and its title must have
AHEAD = 0.1  #: by how much it must be ahead of the next one that answers otherwise
_WORDS_OF = re.compile(
    r"\b(?:who|whom|whose|when|where|which|what|how|many|much|did|does|do|was|is|were|are|year|long|old|far)\b", re.I
)
#: a question of somebody's kin is about them, who are not named
_KIN = (
    "father|mother|parent|son|daughter|child|children|husband|wife|spouse|widow|brother|sister|sibling|uncle|aunt|cousin|nephew|niece"
    "|grandfather|grandmother|grandson|granddaughter"
)
_OF_KIN = re.compile(
    rf"['’]s? (?:\w+ ){{0,2}}(?:{_KIN})s?\b(?! of)|\b(?:{_KIN})s? of\b|\b(?:his|her|their) (?:{_KIN})\b", re.I
)
#: bodies and times, which are *in* without being places
_NO_PLACE = re.compile(
    r"(?:the )?(?:\w+ )?(?:Parliament|Congress|Senate|Diet|Bundestag|Knesset|Duma|Cabinet|Council|Commons|Lords|Army|Navy|Air Force|Government"
    r"|League|Cup|Olympics?|Games|Championships?|Party|War|Spring|Summer|Autumn|Winter|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday"
    r"|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|English|French|German|Latin|Spanish)"
)
_CLAUSE = re.compile(
    r"[;:]|,? (?:and|but|while|whereas|before|after|who|which|when)\b"
)  #: where another statement begins
_NOT = re.compile(r"\b(?:not|never|no|nobody|denied|if|whether|might|would|could)\b|n['’]t\b", re.I)


@dataclass(frozen=True)
class Spotted:
    """A mention that answers, its score, and the sentence it stands in."""

    text: str
    score: float
    words: str
    quote: Fact


def kind(question: str) -> str:
    """Return which kind of mention a question asks for, or an empty string.

    >>> kind("When was it sold?"), kind("How many people came?"), kind("Why?")
    ('date', 'number', '')
    """
    said = question.strip().lower()
    if re.match(r"(?:when|in (?:what|which) year|(?:what|which) year)\b", said):
        return "date"
    if re.match(r"how (?:many|much)\b|what (?:is|was) the (?:population|number|price|cost|area|height)\b", said):
        return "number"
    if re.match(r"who(?:m)?\b", said):
        return "person"
    if re.match(r"(?:where|in (?:what|which) (?:city|country|town|place))\b", said):
        return "place"
    return ""


def _root(word: str) -> str:
    return root(lemma(word))


def spotted(
    question: str, found: list[Passage], exclude: frozenset[tuple[str, str, str]], said: Callable[[Passage, str], Fact]
) -> Spotted | None:
    """Return the mention that surely answers, or None.

    The sentence itself must say what is asked: three quarters of the question's words that are in no name, or words for the
    same relation; the title may only name whom it is about. Of somebody's kin nothing is said by a sentence about them.

    Args:
        question: what is asked.
        found: passages, best first.
        exclude: quotations taken away.
        said: makes the statement that a passage says some words.
    """
    sought = kind(question)
    asked = {_root(w) for _, _, w in spans.words(_WORDS_OF.sub(" ", question)) if w not in STOP}
    if not sought or len(asked) < 2 or _OF_KIN.search(question):
        return None
    spoken = [(a, b) for a, b, _, _ in spans.capitalized(question)]
    named = [spans.key(question[a:b]) for a, b in spoken]
    plain = "".join(c for at, c in enumerate(question) if not any(a <= at < b for a, b in spoken))
    relations = {relation(w) for _, _, w in spans.words(_WORDS_OF.sub(" ", plain)) if w not in STOP}
    best: list[Spotted] = []
    for place, passage in enumerate(found):
        title = {_root(w) for _, _, w in spans.words(passage.title)}
        for start, end in sentences(passage.text):
            words = passage.text[start:end]
            held = {_root(w) for _, _, w in spans.words(words)}
            share = len(asked & (held | title)) / len(asked)
            about = f"{spans.key(words)} {spans.key(passage.title)}"
            stated = len(relations & {relation(w) for _, _, w in spans.words(words)})
            if stated < COVERED * len(relations):
                continue
            if share < COVERED or not all(name in about for name in named) or _NOT.search(words) or words.endswith("?"):
                continue
            quote = said(passage, words)
            if (quote.subject, quote.predicate, quote.object) in exclude:
                continue
            score = share * (1 - 0.03 * place)
            best += [
                Spotted(text, round(score * near, 4), words, quote)
                for text, near in _candidates(words, sought, asked, relations, question)
            ]
    best.sort(key=lambda one: -one.score)
    if not best or any(other.text != best[0].text and best[0].score - other.score < AHEAD for other in best[1:]):
        return None
    return best[0]


def _candidates(
    words: str, sought: str, asked: set[str], relations: set[str], question: str
) -> list[tuple[str, float]]:
    """Return mentions of a kind, each with how near it stands to the question's words; places, where no clause parts them."""
    said = [(start, end) for start, end, word in spans.words(words) if relation(word) in relations]
    kinds = {"date": ("date",), "number": ("number",)}.get(sought, ("name", "title", "label", "short"))
    anchors = [start for start, _, word in spans.words(words) if _root(word) in asked]
    counted = re.match(r"how (?:many|much) ([a-z]+)", question.strip(), re.I)
    found = []
    for m in mentions(words):
        if m.kind not in kinds or any(root(w) in asked for _, _, w in spans.words(m.text) if w not in STOP):
            continue
        if sought == "place" and (
            not re.search(r"\b(?:in|at|from|near) (?:the )?$", words[: m.start])
            or _NO_PLACE.fullmatch(m.text)
            or not any(_CLAUSE.search(words, min(end, m.end), max(start, m.start)) is None for start, end in said)
        ):
            continue
        if sought == "number" and counted:
            after = [_root(w) for _, _, w in spans.words(words[m.end : m.end + 40])][:3]
            if counted[1].lower() not in STOP and _root(counted[1].lower()) not in after:
                continue
        away = min((abs(m.start - at) for at in anchors), default=200)
        end = m.end
        while sought == "place" and (more := re.match(r", ([A-Z][\w-]+(?: [A-Z][\w-]+)*)(?=[,.;)]|$)", words[end:])):
            end += more.end()
        found.append((_whole(words, m.start, end), 1 - min(away, 200) / 1000))
    return found


def _whole(words: str, start: int, end: int) -> str:
    """Return a mention with the sign of a currency before it and the scale behind it."""
    low = start - 1 if start and words[start - 1] in "$£€" else start
    m = re.match(r"(?:bn|m|%| (?:million|billion|trillion|thousand))\b", words[end:])
    return words[low : end + (m.end() if m else 0)]
