"""What is to be expected of an event: its effects, what it needed, what it is done for; with facts, certainty, exceptions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from kgmm.complete.expect_known import BACKWARD, EXCEPTIONS, FORWARD, Known, key
from kgmm.complete.expect_match import LEVEL, Match, matches, things
from kgmm.complete.expect_text import PARTICLES, clauses
from kgmm.errors import BadInput
from kgmm.language.names import label
from kgmm.language.phrase import phrase
from kgmm.language.words import lemma
from kgmm.store import Fact, LocalStore

Kind = Literal["effect", "precondition", "motive", "subevent"]
#: in time: what was needed and wanted first, then what belongs to it, then what comes of it
_PHASES = ("precondition", "motive", "subevent", "effect")
LONGEST = 2000  #: characters of a text that is asked about
CROWDED = 0.96  #: what each step taken leaves to the others of its clause and kind when not all have room
AGAIN = 0.6  #: what is left to a step that says another one in fewer or more words
CHAINED = 0.65  #: how much surer a step is than what follows from it


@dataclass(frozen=True)
class Expectation:
    """One thing to be expected.

    Attributes:
        text: what, in base form: "glass be broken".
        kind: effect, precondition, motive or subevent.
        probability: how sure, in (0, 1): of the facts' weights, how far the event is from what they say, how many agree.
        facts: the facts behind it, each to be found in the store or at the line of the bundled file its source names.
        reason: the facts as sentences.
        place: the how-manieth clause of the text it belongs to, from 0.
        defeated: the facts by which it is an exception and not expected; empty where it is expected.
    """

    text: str
    kind: Kind
    probability: float
    facts: tuple[Fact, ...]
    reason: str
    place: int
    defeated: tuple[Fact, ...] = ()

    @property
    def when(self) -> tuple[int, int]:
        """Where it lies in time, to sort by: the clause, then what precedes, is part of and follows its event."""
        return self.place, _PHASES.index(self.kind)


@dataclass
class _Step:
    """What speaks for one expectation while it is gathered."""

    text: str
    kind: Kind
    place: int
    ways: list[tuple[float, tuple[Fact, ...]]] = field(default_factory=list)
    exceptions: dict[Fact, None] = field(default_factory=dict)
    spared: bool = False  #: whether a way to it has no exception


def expect(
    store: LocalStore,
    text: str,
    *,
    limit: int = 24,
    threshold: float = 0.25,
    own: bool = True,
    vectors: bool = True,
    defeated: bool = False,
    exclude: Collection[tuple[str, str, str]] = (),
) -> list[Expectation]:
    """Return what is to be expected of what a text tells, the likeliest first; an empty list where nothing is known.

    Known events are those of the store's facts in ConceptNet's event relations and of the bundled ones. A clause is taken
    for an event by verb and words, by what its things are (IsA), and, where no word fits, by text vectors. Effects are
    followed two steps at most. A default gives way to an exception that is about something as special or more special
    (``penguin NotCapableOf fly`` against what scared birds do; specificity by paths of IsA, as in Touretzky 1986).

    Args:
        text: one or several sentences.
        limit: at most so many.
        threshold: only what is at least so probable.
        own: with the bundled event facts.
        vectors: with text vectors as the last resort, if their package is installed.
        defeated: with what an exception takes away too, its ``defeated`` naming the facts.
        exclude: facts (subject, predicate, object) taken to be unknown; nothing rests on them.

    Raises:
        BadInput: if the text is longer than 2,000 characters or *limit* or *threshold* cannot be.

    Example:
        >>> import tempfile
        >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
        >>> [(e.text, e.kind, e.probability) for e in expect(kb, "Ann opens her umbrella.", limit=2)]
        [('keep off rain', 'effect', 0.83), ('stay dry', 'effect', 0.83)]
    """
    if len(text) > LONGEST:
        raise BadInput("expect", f"the text has {len(text):,} characters; at most {LONGEST:,} are read")
    if limit < 1 or not 0 <= threshold <= 1:
        raise BadInput("expect", f"limit must be at least 1 and threshold in [0, 1]; they are {limit} and {threshold}")
    known = store.derived(("expect", own), partial(Known, store, own))
    steps: dict[tuple[str, frozenset[str]], _Step] = {}
    for clause in clauses(text):
        said = key(" ".join(clause.words))
        told = [(key(label(m.event.node)), s) for m in matches(known, clause, vectors) for s in _steps(known, m)]
        told += [(said, step) for node, sure in things(known, clause) for step in _uses(known, node, sure)]
        for event, (step, sure, facts, exceptions) in told:
            what = key(step[1])
            if exclude:
                if any((f.subject, f.predicate, f.object) in exclude for f in facts):
                    continue
                exceptions = tuple(f for f in exceptions if (f.subject, f.predicate, f.object) not in exclude)
            if what <= event or (what <= said and step[0] != "motive"):
                continue
            made = steps.setdefault((step[0], what), _Step(step[1], _kind(step[0]), clause.place))
            if exceptions:
                made.exceptions |= dict.fromkeys(exceptions)
                made.ways += [] if made.spared else [(sure, facts)]
                continue
            if not made.spared:
                made.ways, made.spared = [], True
            made.ways.append((sure, facts))
    found = [_made(step) for step in steps.values() if step.spared or defeated]
    found = [e for e in found if e.probability >= threshold]
    found.sort(key=lambda e: (-e.probability, e.when[0], -e.when[1], e.text))
    return found if len(found) <= limit else _varied(found, limit)


def _varied(found: list[Expectation], limit: int) -> list[Expectation]:
    """Return the likeliest of each clause and kind rather than the likeliest alone, and what says a new thing first.

    The probability of a step counts a little less for every one of its clause and kind that is taken, and less again if
    one that is taken says it in fewer or more words ("dress be wet" after "be wet"). Returned are the taken, as they were.
    """
    taken: list[int] = []
    counts: Counter[tuple[int, int]] = Counter()
    keys = [key(e.text) for e in found]
    again = [1.0] * len(found)
    while len(taken) < limit:
        best = max(
            (i for i in range(len(found)) if i not in taken),
            key=lambda i: found[i].probability * again[i] * CROWDED ** counts[found[i].when],
        )
        taken.append(best)
        counts[found[best].when] += 1
        for i, other in enumerate(keys):
            if other <= keys[best] or other >= keys[best]:
                again[i] = AGAIN
    return [found[i] for i in sorted(taken)]


def _kind(name: str) -> Kind:
    return next(kind for kind in ("effect", "precondition", "motive", "subevent") if kind == name)


def _made(step: _Step) -> Expectation:
    """Return an expectation of the ways that lead to it, by the best and a little of the others."""
    ways = sorted(step.ways, key=lambda way: -way[0])
    unlikely = 1.0
    for i, (sure, _) in enumerate(ways[:3]):
        unlikely *= 1 - sure * (1.0 if i == 0 else 0.3)
    facts = tuple(dict.fromkeys(fact for _, way in ways[:3] for fact in way))
    gone = () if step.spared else tuple(step.exceptions)
    reason = "; ".join(phrase(f.subject, f.predicate, f.object) for f in facts)
    if gone:
        reason += "; but " + "; ".join(phrase(f.subject, f.predicate, f.object) for f in gone)
    return Expectation(step.text, step.kind, round(min(1 - unlikely, 0.99), 2), facts, reason, step.place, gone)


_Found = tuple[tuple[str, str], float, tuple[Fact, ...], tuple[Fact, ...]]


def _steps(known: Known, match: Match) -> Iterator[_Found]:
    """Yield ((kind, text), how sure, facts, exceptions) of what an event brings with it."""
    for node, sure, chain, swaps in _general(known, match):
        for fact in known.of.get(node, ()):
            if fact.predicate in FORWARD:
                kind, counts = FORWARD[fact.predicate]
                text = _said(fact.object, swaps)
                wanted = fact.predicate == "CausesDesire"
                p, facts = sure * counts * _weight(fact), (*match.facts, *chain, fact)
                against = () if wanted else _exceptions(known, match, text)
                yield (kind, f"want to {text}" if wanted else text), p, facts, against
                if kind == "effect" and not wanted and not against:
                    yield from _second(known, match, fact, p, facts, swaps)
        for fact in known.to.get(node, ()) if not chain and not match.facts and len(match.event.words) > 1 else ():
            if fact.predicate in BACKWARD:
                kind, counts = BACKWARD[fact.predicate]
                if kind == "motive" and not (known.meant(node) and known.meant(fact.subject)):
                    continue  # nobody is cold, or puts on a coat, in order to have the flu
                yield (kind, label(fact.subject)), sure * counts * _weight(fact), (fact,), ()


def _uses(known: Known, node: str, sure: float) -> Iterator[_Found]:
    """Yield what a thing that is taken or a place that is gone to is used for: one goes to a library to borrow books."""
    for fact in known.about(node, "UsedFor"):
        words = label(fact.object).split()
        text = " ".join([lemma(words[0]) if words[0].endswith("ing") else words[0], *words[1:]])
        yield ("motive", text), sure * 0.65 * _weight(fact), (fact,), ()


def _second(
    known: Known, match: Match, first: Fact, p: float, facts: tuple[Fact, ...], swaps: tuple[tuple[str, str], ...]
) -> Iterator[_Found]:
    """Yield what follows from an effect: the second step, and no further."""
    if sum(word not in PARTICLES for word in label(first.object).split()) < 2:
        return  # one word, with a particle or without, says too little of who it happens to: what falls need not be hurt
    for fact in known.of.get(first.object, ()):
        if fact.predicate == "Causes":
            text = _said(fact.object, swaps)
            yield ("effect", text), p * CHAINED * _weight(fact), (*facts, fact), _exceptions(known, match, text)


def _general(known: Known, match: Match) -> Iterator[tuple[str, float, tuple[Fact, ...], tuple[tuple[str, str], ...]]]:
    """Yield an event and what it is a manner or kind of: node, how sure, facts that lead there, words that change."""
    seen = {match.event.node}
    level: list[tuple[str, float, tuple[Fact, ...], tuple[tuple[str, str], ...]]]
    level = [(match.event.node, match.sure, (), match.swaps)]
    for _ in range(3):
        yield from level
        upper = []
        for node, sure, chain, swaps in level:
            for fact in known.of.get(node, ()):
                if fact.predicate == "MannerOf" and fact.object not in seen:
                    seen.add(fact.object)
                    upper.append((fact.object, sure * LEVEL, (*chain, fact), (*_changed(fact), *swaps)))
        level = upper


def _changed(fact: Fact) -> tuple[tuple[str, str], ...]:
    """Return the thing that a general event's facts name and what it is here: dropping a vase breaks no glass."""
    special, general = label(fact.subject).split(), label(fact.object).split()
    if len(general) == 1 < len(special) and special[0] == general[0]:
        return (("thing", " ".join(special[1:])),)
    if len(special) != len(general) or len(special) < 2 or special[0] != general[0]:
        return ()
    return tuple((g, s) for g, s in zip(general[1:], special[1:], strict=True) if g != s)


def _said(node: str, swaps: tuple[tuple[str, str], ...]) -> str:
    text = label(node)
    for general, special in swaps:
        if set(special.split()) & set(text.split()):
            continue  # it names the thing itself: a lamp gives light, though a lamp is a light
        if special == "something":
            text = text.removeprefix(f"{general} ")  # "be sad" rather than "something be sad"
        text = re.sub(rf"\b{re.escape(general)}\b", special, text)
    return re.sub(r"\bthing\b", "something", text)


def _weight(fact: Fact) -> float:
    """Return how sure a fact of a weight is, in [0.3, 0.95]: .62 for 1, .83 for 2."""
    return max(0.3, min(0.95, 1.04 - 0.42 / max(fact.weight, 1e-3)))


def _exceptions(known: Known, match: Match, text: str) -> tuple[Fact, ...]:
    """Return the facts that deny a step of the thing in the clause, if nothing as special says that it is so.

    A denial of a kind above the one the event speaks of does not count, nor one below which something is capable of it.
    """
    denied = (_denied(known, thing, match.kind, text) for thing in (match.thing, *match.around) if thing)
    return tuple(dict.fromkeys(fact for facts in denied for fact in facts))


def _denied(known: Known, thing: str, kind: str, text: str) -> tuple[Fact, ...]:
    step = key(text)
    kinds = known.kinds(thing)
    above = known.kinds(kind) if kind else {}
    denials = [
        fact
        for node in kinds
        if node not in above or node == kind
        for relation in EXCEPTIONS
        for fact in known.about(node, relation)
        if key(label(fact.object)) <= step
    ]
    able = [n for n in kinds if denials and any(key(label(f.object)) <= step for f in known.about(n, "CapableOf"))]
    denials = list({(f.subject, f.predicate, f.object): f for f in reversed(denials)}.values())
    return tuple(f for f in denials if not any(n != f.subject and f.subject in known.kinds(n) for n in able))
