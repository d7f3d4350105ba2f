"""A sentence about what happens as ordered clauses, and in each the words that may be its verb.

Nothing here knows parts of speech: a word may be a verb if it is bent like one and no article, possessive or preposition
stands before it. Which of these words the event is about is told by the events that are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from kgmm.language.words import lemma, tokens

DETERMINERS = frozenset(
    "a an the my your his her its our their this that these those some any no every each another both two three".split()
)
PRONOUNS = frozenset("i you he she it we they me him them us who which someone somebody herself himself itself".split())
PREPOSITIONS = frozenset(
    "of in into on onto at to for from with without by about under above behind near through against between across around"
    " along during inside like than upon toward towards past".split()
)
PARTICLES = frozenset("up off out down away over on in back".split())
AUXILIARIES = frozenset("will would can could shall should must may might do does did to let lets".split())
COPULAS = frozenset(
    "is are was were am be been being gets get got getting becomes become became feels feel felt seems".split()
)
PASSIVE = frozenset("is are was were am be been being gets get got".split())
NEGATIONS = frozenset("not never no n't cannot can't won't don't doesn't didn't isn't aren't wasn't couldn't".split())
#: verbs after which "to do" is not done, or simply done
FAILED = frozenset("forget refuse fail avoid neglect hesitate".split())
ASPECT = frozenset("start begin continue keep manage happen seem have".split())
_SPLITS = frozenset("and then but so while because when after before until as since once if".split())
_MOMENTS = frozenset("before after until since".split())
_EARLIER = frozenset("because when after since once if as".split())  #: what they bring in comes first
_PAST = dict(
    form.split(":")
    for form in (
        "left:leave saw:see felt:feel found:find fell:fall wound:wind lay:lie lost:lose bit:bite went:go caught:catch"
        " leaves:leave wakes:wake lives:live broke:break broken:break woke:wake tore:tear stole:steal threw:throw blew:blow"
        " rang:ring sang:sing swam:swim drank:drink ate:eat rode:ride drove:drive wrote:write spilt:spill lit:light bought:buy"
        " brought:bring thought:think taught:teach slept:sleep kept:keep met:meet sold:sell told:tell paid:pay made:make"
        " ran:run sat:sit won:win gave:give forgot:forget forgotten:forget hid:hide bent:bend lent:lend sent:send spent:spend"
        " stung:sting stuck:stick hung:hang dug:dig froze:freeze frozen:freeze shook:shake rose:rise burnt:burn cut:cut put:put"
        " hit:hit hurt:hurt shut:shut burst:burst split:split spread:spread quit:quit beat:beat bet:bet shed:shed lying:lie dying:die dies:die ties:tie lies:lie sees:see dropped:drop"
    ).split()
)


@dataclass(frozen=True)
class Clause:
    """One part of a sentence that may tell of one event: its words, and at which of them a verb may stand."""

    words: tuple[str, ...]
    verbs: tuple[int, ...]
    place: int  #: the how-manieth in time, from 0

    def planned(self, verb: int) -> float:
        """Return how surely the verb at a place is done: 1 done, between planned, 0 not done or denied.

        >>> [clauses("Tom does not eat")[0].planned(3), clauses("Tom wants to eat")[0].planned(3)]
        [0.0, 0.6]
        """
        if NEGATIONS & set(self.words[max(0, verb - 3) : verb]):
            return 0.0
        if verb and self.words[verb].endswith("ing") and forms(self.words[verb - 1]) & {"stop", "avoid"}:
            return 0.0
        if not verb or self.words[verb - 1] != "to":
            return 1.0
        before = [v for v in self.verbs if v < verb]
        said = forms(self.words[before[-1]]) if before else frozenset({"have"})
        if said & FAILED:
            return 0.0
        return 1.0 if said & ASPECT else 0.6

    def passive(self, verb: int) -> bool:
        """Tell whether what the verb at a place is done to stands before it: "the window is broken"."""
        word = self.words[verb]
        bent = word.endswith(("ed", "en", "n", "t")) or _PAST.get(word, word) != word
        return bent and bool(PASSIVE & set(self.words[max(0, verb - 2) : verb]))


def clauses(text: str) -> list[Clause]:
    """Split a text into clauses, in the order in which what they tell happens.

    >>> [" ".join(c.words) for c in clauses("Tom picks up his bag and goes out. He eats bread and milk after he wakes up.")]
    ['tom picks up his bag', 'tom goes out', 'he wakes up', 'he eats bread and milk']
    """
    ordered: list[tuple[str, ...]] = []
    for sentence in re.split(r"[.;!?:]+\s*", text):
        parts = _parts(sentence)
        told: list[tuple[str, ...]] = []
        for position, (by, words) in enumerate(parts):
            if position and by in _EARLIER:
                told.insert(len(told) - 1, words)
            else:
                told.append(words)
        ordered += told
    for at in range(1, len(ordered)):
        ordered[at] = _filled(ordered[at], ordered[at - 1])
    return [Clause(words, verbs(words), place) for place, words in enumerate(ordered)]


def _filled(words: tuple[str, ...], before: tuple[str, ...]) -> tuple[str, ...]:
    """Return a clause with what it leaves to the one before it: who does it, and what "it" is.

    >>> _filled(("chases", "it"), ("the", "dog", "sees", "a", "cat"))
    ('the', 'dog', 'chases', 'a', 'cat')
    """
    if not bent(before[-1]) and before[-1] not in PRONOUNS | PARTICLES:
        last = next((i for i in range(len(before) - 1, -1, -1) if before[i] in DETERMINERS), len(before) - 1)
        at = next((i for i, word in enumerate(words) if i and word in {"it", "them"}), None)
        if at is not None and len(before) - last <= 3:
            words = (*words[:at], *before[last:], *words[at + 1 :])
    opening = verbs(before)
    named = [i for i in opening if bent(before[i])]
    if bent(words[0]) and words[0] not in PRONOUNS and named and 0 < named[0] <= 4:
        return (*before[: named[0]], *words)
    return words


def _parts(sentence: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the clauses of one sentence as (the word that brings it in, words)."""
    pieces: list[tuple[str, list[str]]] = []
    for chunk in re.split(r",\s*", sentence):
        words: list[str] = []
        by = ","
        for word in tokens(chunk):
            if word in _SPLITS:
                pieces.append((by, words))
                words, by = [], word
            else:
                words.append(word)
        pieces.append((by, words))
    parts: list[tuple[str, tuple[str, ...]]] = []
    for by, words in pieces:
        if not words:
            if by in _EARLIER and parts:
                parts.append((by, ()))
            continue
        noun = by in _MOMENTS and len(words) == 1 and not bent(words[0])  # "before work"
        if parts and (noun or not _opens(words)):
            joined = (*parts[-1][1], *([by] if by == "and" or noun else []), *words)
            parts[-1] = (parts[-1][0], joined)
        else:
            parts.append((by, tuple(words)))
    return [(by, words) for by, words in parts if words]


def _opens(words: list[str]) -> bool:
    """Tell whether words that follow "and" or a comma begin a clause of their own: "goes out", "the dog barks", not "milk"."""
    first = words[0]
    if first in PRONOUNS:
        return True
    if bent(first) and (len(words) == 1 or words[1] in DETERMINERS | PREPOSITIONS | PARTICLES | PRONOUNS | COPULAS):
        return len(words) > 1 or not first.endswith("s") or first[:-1] != lemma(first) or first in _PAST
    return any(bent(word) for word in words[1:] if word not in DETERMINERS) and bool(
        [v for v in verbs(tuple(words)) if v]
    )


def bent(word: str) -> bool:
    """Tell whether a word is bent as verbs are: goes, went, going, or a form of be.

    >>> bent("goes"), bent("bag")
    (True, False)
    """
    if word in COPULAS or word in _PAST:
        return True
    return lemma(word) != word and word.endswith(("s", "ed", "ing", "t", "ght", "n", "w", "e", "g", "k", "d"))


def verbs(words: tuple[str, ...]) -> tuple[int, ...]:
    """Return where a verb may stand in a clause."""
    return tuple(i for i, word in enumerate(words) if _may_be_verb(words, i, word))


def _may_be_verb(words: tuple[str, ...], i: int, word: str) -> bool:
    before = words[i - 1] if i else ""
    if word in DETERMINERS | PRONOUNS | PREPOSITIONS | NEGATIONS or before in DETERMINERS | (PREPOSITIONS - {"to"}):
        return False
    if bent(word):
        return True
    plural = before in {"i", "you", "we", "they", "people", "children", "not"} or (before.endswith("s") and i > 0)
    return i == 0 or before in AUXILIARIES or plural


@cache
def forms(word: str) -> frozenset[str]:
    """Return the base forms that a word of a text may have as a noun or a verb.

    >>> sorted(forms("leaves")), "stop" in forms("stopped"), "make" in forms("making")
    (['leave'], True, True)
    """
    word = word.removesuffix("'s").removesuffix("’s")
    found = {lemma(word), word if not bent(word) else lemma(word)}
    if word in _PAST:
        found.add(_PAST[word])
    if word in COPULAS:
        found |= {"be", lemma(word)}
    if word.endswith("ies"):
        found.add(word[:-3] + "y")
    elif word.endswith("es") and len(word) > 3:
        found |= {word[:-1], word[:-2]} if word.endswith(("shes", "ches", "sses", "xes", "oes")) else {word[:-1]}
    elif word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        found.add(word[:-1])
    for ending in ("ed", "ing"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word.removesuffix(ending)
            found |= {stem, stem + "e"}
            if stem[-1:] == stem[-2:-1]:
                found.add(stem[:-1])
    return frozenset(found - {"leav", "leafe"})
