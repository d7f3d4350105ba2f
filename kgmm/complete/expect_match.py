"""Which known events a clause tells of: by its verb and words, by what its things are, and by text vectors last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from kgmm.complete.expect_known import Event, Known
from kgmm.complete.expect_text import DETERMINERS, PARTICLES, PREPOSITIONS, PRONOUNS, Clause, bent, forms
from kgmm.language.names import concept, label
from kgmm.store import Fact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kgmm.encode.text import Encoder

#: verbs of which "it breaks" and "somebody breaks it" tell the same of it
_BOTH_WAYS = frozenset(
    "break open close shut melt burn boil freeze spill tear ring stop start crash dry heat cook drop move roll".split()
)
#: verbs that keep their meaning before a particle: running away is running
_MOTION = frozenset("run walk go jump fall climb drive ride swim fly hurry rush travel jog eat drink sleep cry".split())
#: verbs that mean something else with an object
_ALONE = frozenset("leave work run stop walk play ask wait".split())
#: verbs that alone mean something else than with one of these words behind them: who falls asleep does not fall
_TURNED = {
    "fall": frozenset("asleep ill sick silent pregnant apart love behind".split()),
    "lie": PREPOSITIONS | PARTICLES | frozenset("awake still asleep".split()),
    "go": frozenset("blind deaf mad crazy bankrupt wild bad sour viral wrong".split()),
    "break": frozenset("even free record promise news".split()),
    "catch": frozenset("fire cold flu".split()),
    "keep": frozenset("awake quiet secret".split()),
}
#: verbs of taking a thing or going to a place for what it is used for
_TAKING = frozenset("take get buy use go need fetch grab borrow visit bring walk drive run reach enter".split())
#: words behind which a thing does not go on
_ENDING = (
    PREPOSITIONS
    | PARTICLES
    | PRONOUNS
    | frozenset("and or again today yesterday tomorrow tonight alone together".split())
)
#: what an event's words may leave unsaid
_LOOSE = frozenset("to of at with".split())
_SAME = {"into": "in", "onto": "on"}
LEVEL = 0.85  #: how much surer a step is for a thing than for its kind
COVERED = 0.6  #: the share of a clause's words below which events that are like it are sought by text vectors
FEW = 10  #: the facts of the events that are told below which such events are sought too
NEIGHBOURS = 6  #: so many of them at most
THRESHOLD = 0.4  #: the cosine from which a clause is taken for an event whose words it does not use
MOST_VECTORS = 20_000  #: of more events than that none is sought by vectors


@dataclass(frozen=True)
class Match:
    """A clause taken for a known event."""

    event: Event
    sure: float  #: how surely, in (0, 1]
    told: frozenset[int]  #: the places of the clause's words that the event's words stand for
    facts: tuple[Fact, ...] = ()  #: what the things of the clause are, where the event tells of their kind
    #: node of the thing in the clause, and of the kind that the event tells of, if it tells of one
    thing: str = ""
    kind: str = ""
    swaps: tuple[tuple[str, str], ...] = ()  #: words of the event's facts and what they are here
    around: tuple[str, ...] = ()  #: nodes of the clause's things where it is not known which of them the event is about


def matches(known: Known, clause: Clause, vectors: bool = True) -> list[Match]:
    """Return the known events that a clause tells of, the most telling first.

    What a more telling match covers too is kept with less weight: dropping a glass is dropping.
    """
    found: dict[str, Match] = {}
    for verb in clause.verbs:
        planned = clause.planned(verb)
        if not planned:
            continue
        for event, here, same in _candidates(known, clause.words[verb]):
            match = _aligned(known, clause, verb, event, planned, here, same)
            if match and (event.node not in found or found[event.node].sure < match.sure):
                found[event.node] = match
    weighed = list(_weighed(found.values()))
    few = sum(len(known.of.get(m.event.node, ())) for m in weighed) < FEW
    if vectors and any(map(clause.planned, clause.verbs)) and (few or _covered(known, clause, weighed) < COVERED):
        weighed += [m for m in _like(known, clause) if m.event.node not in found]
    return sorted(weighed, key=lambda m: (-m.sure, -len(m.told), m.event.node))


def _covered(known: Known, clause: Clause, found: list[Match]) -> float:
    """Return how much of what a clause says is told by the match that tells most of it: a share of the words that are known."""
    said = {
        i
        for i, word in enumerate(clause.words)
        if word not in _ENDING and word not in DETERMINERS and any(form in known.by_word for form in forms(word))
    }
    return max((len(m.told & said) / max(1, len(said)) for m in found), default=0.0)


def _weighed(found: Iterable[Match]) -> Iterator[Match]:
    every = list(found)
    for match in every:
        better = [o for o in every if match.told < o.told or (match.told == o.told and len(match.facts) > len(o.facts))]
        factor = 0.6 ** min(2, max((len(o.told) - len(match.told) or 1 for o in better), default=0))
        yield Match(**{**match.__dict__, "sure": match.sure * factor})


def _candidates(known: Known, word: str) -> list[tuple[Event, frozenset[str], tuple[Fact, ...]]]:
    """Return the events a verb may be of: with its base forms, and with the verbs it is a manner of, and the facts that say so."""
    here = forms(word)
    found: dict[str, tuple[Event, frozenset[str], tuple[Fact, ...]]] = {}
    for form in sorted(here):
        for event in known.by_word.get(form, ()):
            found[event.node] = (event, here, ())
    for form in sorted(here):
        for fact in known.of.get(concept(form), ()):
            other = label(fact.object)
            if fact.predicate == "MannerOf" and " " not in other:
                for event in known.by_word.get(other, ()):
                    if len(event.words) > 1:  # the bare verb is reached by the fact itself
                        found.setdefault(event.node, (event, frozenset({other}), (fact,)))
    return list(found.values())


def _aligned(
    known: Known, clause: Clause, verb: int, event: Event, planned: float, here: frozenset[str], same: tuple[Fact, ...]
) -> Match | None:
    """Return how an event's words stand in a clause whose verb, as known by *here* and *same*, is at a place, or None."""
    at = next((i for i, word in enumerate(event.words) if word in here), None)
    if at is None or (len(event.words) == 1 and event.words[0] in {"be", "have", "do", "get", "go", "take", "make"}):
        return None
    before, after = list(range(verb)), list(range(verb + 1, len(clause.words)))
    if clause.passive(verb):
        by = next((i for i in after if clause.words[i] == "by"), len(clause.words))
        before, after = list(range(by, len(clause.words))), [*range(verb), *range(verb + 1, by)]
    elif event.words[at] in _BOTH_WAYS:
        if at == 0 and not _has_object(clause, verb):
            after = [*before, *after]
        elif at:
            before = [*before, *after]
    if not _particles_fit(clause, verb, event, at):
        return None
    turned = _TURNED.get(event.words[at], frozenset()) & set(clause.words[verb + 1 : verb + 3])
    if turned and not turned & set(event.words):
        return None
    told, sure, thing, kind = {verb}, planned * LEVEL ** len(same), "", ""
    facts: tuple[Fact, ...] = same
    swaps: tuple[tuple[str, str], ...] = ()
    for words, places in ((event.words[:at], before), (event.words[at + 1 :], after)):
        fitted = _fitted(known, clause, [w for w in words if w not in _LOOSE], places)
        if fitted is None:
            return None
        places_told, chain, node, general = fitted
        told |= places_told
        facts += chain
        sure *= LEVEL ** len(chain)
        if node:
            thing, kind = node, general
            swaps = ((label(kind), label(thing)),) if chain and kind != thing else ()
    bare = all(w in PARTICLES | PREPOSITIONS for i, w in enumerate(event.words) if i != at)
    done_to = _object(known, clause, verb) if bare else ""
    if not thing:
        thing = done_to or _subject(known, clause, before if not clause.passive(verb) else after, verb)
    if len(event.words) == 1 and _has_object(clause, verb):
        if event.words[0] in _ALONE:
            return None
        sure *= 0.8
    if bare:
        swaps = (("thing", label(done_to) or "something"),)
    return Match(event, sure, frozenset(told), facts, thing, kind, swaps)


def _has_object(clause: Clause, verb: int) -> bool:
    following = clause.words[verb + 1 :]
    return bool(following) and following[0] not in PREPOSITIONS | PARTICLES and not following[0].endswith("ly")


def _object(known: Known, clause: Clause, verb: int) -> str:
    """Return the thing a verb is done to: "a book" of "gives Tom a book", "the glass" of "the glass breaks"."""
    words = clause.words
    if clause.passive(verb) or (not _has_object(clause, verb) and forms(words[verb]) & _BOTH_WAYS):
        return _subject(known, clause, range(verb), verb)
    place = verb + 1
    while place < len(words) and words[place] in PARTICLES:
        place += 1
    last = -1
    while place < len(words) and words[place] not in _ENDING and not words[place].endswith("ly"):
        if words[place] not in DETERMINERS:
            last = place
        place += 1
    return _phrase(known, clause, last) if last > verb else ""


def _particles_fit(clause: Clause, verb: int, event: Event, at: int) -> bool:
    """Tell whether a particle right behind the clause's verb is in the event too, or changes nothing."""
    following = clause.words[verb + 1 : verb + 2]
    if not following or following[0] not in PARTICLES - {"in", "on", "over", "back"}:
        return True
    return following[0] in event.words or event.words[at] in _MOTION


def _fitted(
    known: Known, clause: Clause, words: list[str], places: Iterable[int]
) -> tuple[set[int], tuple[Fact, ...], str, str] | None:
    """Return where words stand among some places, the facts that make them fit, and the thing and kind they speak of."""
    free = list(places)
    told: set[int] = set()
    missing = []
    for word in words:
        place = next(
            (i for i in free if _SAME.get(clause.words[i], clause.words[i]) == word or word in forms(clause.words[i])),
            None,
        )
        if place is None:
            missing.append(word)
        else:
            told.add(place)
            free.remove(place)
    if not missing:
        nouns = [w for w in words if w not in PARTICLES | PREPOSITIONS]
        if not nouns:
            return told, (), "", ""
        last = max((i for i in told if nouns[-1] in forms(clause.words[i])), default=-1)
        return told, (), _phrase(known, clause, last) if last >= 0 else "", concept(" ".join(nouns))
    if any(w in PARTICLES | PREPOSITIONS for w in missing):
        return None
    wanted = concept(" ".join(missing))
    for place in free:
        if place and (clause.words[place] in DETERMINERS | PREPOSITIONS | PARTICLES):
            continue
        node = _phrase(known, clause, place)
        if node and (chain := known.kinds(node).get(wanted)) is not None:
            return {*told, place}, chain, node, wanted
    return None


def _phrase(known: Known, clause: Clause, last: int) -> str:
    """Return the longest known name that ends at a place: "broken lamp" rather than "lamp"."""
    for first in range(max(0, last - 2), last + 1):
        words = clause.words[first : last + 1]
        if any(w in DETERMINERS | PREPOSITIONS for w in words):
            continue
        for head in sorted(forms(words[-1]), key=lambda w: (len(w), w)):
            node = concept(" ".join([*words[:-1], head]))
            if known.is_known(node):
                return node
    return concept(sorted(forms(clause.words[last]))[0])


def _subject(known: Known, clause: Clause, places: Iterable[int], verb: int) -> str:
    """Return the thing that a verb without an object is said of."""
    nouns = [
        i
        for i in places
        if i < verb and clause.words[i] not in DETERMINERS | PREPOSITIONS and not bent(clause.words[i])
    ]
    return _phrase(known, clause, nouns[-1]) if nouns else ""


def things(known: Known, clause: Clause) -> Iterator[tuple[str, float]]:
    """Yield the things that a clause's verbs are done with or lead to: node, how surely."""
    for verb in clause.verbs[:2]:
        planned = clause.planned(verb)
        after = clause.words[verb + 1 :]
        if not planned or not forms(clause.words[verb]) & _TAKING:
            continue
        for place in range(verb + 1, verb + 1 + len(after)):
            word = clause.words[place]
            last = place + 1 == len(clause.words) or clause.words[place + 1] in DETERMINERS | PREPOSITIONS | PARTICLES
            if last and word not in DETERMINERS | PREPOSITIONS | PARTICLES and place not in clause.verbs[:1]:
                yield _phrase(known, clause, place), planned
                break


def _like(known: Known, clause: Clause) -> Iterator[Match]:
    """Yield the events whose words are nearest to a clause's in meaning, if any is near: what several bring is likelier."""
    from kgmm.encode.text import text_encoder
    from kgmm.errors import KgmmError

    events = known.telling
    if not 0 < len(events) <= MOST_VECTORS:
        return
    try:
        encoder = text_encoder()
    except KgmmError:  # its package is an extra: without it no clause is compared by meaning
        return
    asked = encoder.encode([_bare(known, clause)])[0]
    said = [i for i, w in enumerate(clause.words) if w not in _ENDING | DETERMINERS and i not in clause.verbs[:1]]
    around = tuple(dict.fromkeys(_phrase(known, clause, i) for i in said))
    cosines = _vectors(known, encoder, tuple(label(e.node) for e in events)) @ asked
    for place in cosines.argsort(kind="stable")[::-1][:NEIGHBOURS]:
        if cosines[place] < THRESHOLD:
            return
        yield Match(events[place], float(cosines[place]), frozenset(clause.verbs[:1]), around=around)


def _bare(known: Known, clause: Clause) -> str:
    """Return a clause as events are written: base forms, without articles, pronouns and the names of people."""
    said = [
        min(forms(w) & known.by_word.keys(), default=w, key=len)
        for w in clause.words
        if w not in DETERMINERS | PRONOUNS
    ]
    return " ".join(
        w for w in said if w in known.by_word or w in PREPOSITIONS | PARTICLES or known.is_known(concept(w))
    )


#: vectors of the events that were asked last: another store with the same ones need not compute them again
_latest: dict[tuple[str, tuple[str, ...]], NDArray[np.float32]] = {}


def _vectors(known: Known, encoder: Encoder, texts: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the vectors of events; those that were computed once lie in the store's folder."""
    from kgmm.encode.cache import VectorCache, encode_cached

    if (vectors := _latest.get((encoder.checksum, texts))) is None:
        cache = VectorCache(known.store.cache_dir("events"), encoder.dim, encoder.checksum)
        names = [int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") for text in texts]
        vectors = encode_cached(encoder, cache, np.array(names, np.uint64), lambda at: [texts[i] for i in at])
        _latest.clear()
        _latest[encoder.checksum, texts] = vectors
    return vectors
