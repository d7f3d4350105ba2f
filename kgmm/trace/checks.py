"""Checks of a trace, some by asking again: are citations true, is the answer theirs, does it fall without them."""

import re
from functools import lru_cache
from pathlib import Path

from kgmm import bundled
from kgmm.errors import StoreError
from kgmm.language import names
from kgmm.language.names import label
from kgmm.language.words import normal
from kgmm.store import Fact, LocalStore
from kgmm.trace.counterfactuals import others
from kgmm.trace.data import Check, Citation, Record
from kgmm.trace.saying import say

#: steps whose answer is computed from the cited facts instead of being an end of one
COMPUTED = frozenset({"count", "test", "where", "relation", "describe", "attribute", "compare", "read", "expect"})
#: a source that is a line of a bundled file
_LINE = re.compile(r"knowledge/(\w+\.tsv):(\d{1,9})")
SAYS = "Says"  #: the relation of a document to words that it says
GUESS = "guess"  #: the step of an answer that a network gives without a fact


def verify(trace: Record, kb: LocalStore) -> list[Check]:
    """Look every citation up again, at the trace's version, and compare the answer with what is cited.

    In another store than it was asked of, citations are looked up as that is now.

    Returns:
        One check where the version differs, one for the linked objects, one a citation, then one of the answer; an
        abstention has no answer to check.

    Example:
        >>> all(check.passed for check in answer.trace.verify(kb))                    # doctest: +SKIP
        True
    """
    if str(getattr(kb, "path", "")) != trace.store or kb.version == trace.store_version:
        return _checks(trace, kb)
    try:
        with type(kb)(Path(trace.store), create=False, version=trace.store_version) as then:
            checks = _checks(trace, then)
    except StoreError as error:
        said = f"version {trace.store_version} cannot be opened ({error}); looked up in version {kb.version}"
        return [Check("version", False, said), *_checks(trace, kb)]
    said = f"the store is at version {kb.version} now; looked up at version {trace.store_version}"
    return [Check("version", True, said), *checks]


def _checks(trace: Record, kb: LocalStore) -> list[Check]:
    scene = {(s, p, o) for s, p, o, _ in trace.scene.facts()} if trace.scene else set()
    checks = [_cited(citation, say(trace, citation.fact), scene, kb) for citation in trace.citations]
    linked = list(dict.fromkeys(k.object for k in trace.concepts if k.object))
    if linked:
        gone = [o for o in linked if trace.scene is None or o not in trace.scene]
        said = f"not in the scene: {', '.join(gone)}" if gone else f"all {len(linked)} are in the scene"
        checks.insert(0, Check("objects", not gone, f"linked objects: {said}"))
    if trace.answer is not None:
        checks.append(_answered(trace))
    return checks


def _cited(citation: Citation, said: str, scene: set[tuple[str, str, str]], kb: LocalStore) -> Check:
    fact = citation.fact
    if citation.kind == "scene":
        if citation.role == "boxes":
            ends = {s for s, _, _ in scene}
            return Check("scene", {fact.subject, fact.object} <= ends, f"{said}: both objects have a box in the scene")
        held = (fact.subject, fact.predicate, fact.object) in scene
        return Check("scene", held, f"{said}: {'in' if held else 'not in'} the scene")
    if fact.predicate == SAYS and fact.source and hasattr(kb, "says"):
        held = kb.says(fact.source, names.unquoted(fact.object))
        return Check("document", held, f"{said}: {'in' if held else 'not in'} the document {fact.source!r}")
    if _at_line(fact):
        return Check("fact", True, f"{said}: at {fact.source}")
    held = len(kb.find(fact.subject, fact.predicate, fact.object, limit=1)) > 0
    return Check("fact", held, f"{said}: {'in' if held else 'not in'} the store at version {kb.version}")


def _at_line(fact: Fact) -> bool:
    """Tell whether a bundled file states a fact at the line that its source names."""
    place = _LINE.fullmatch(fact.source)
    if place is None:
        return False
    lines, number = _lines(place[1]), int(place[2])
    if not 1 <= number <= len(lines):
        return False
    subject, predicate, object, *_ = [*lines[number - 1].split("\t"), "", "", ""]
    stated = bool(subject and object) and (names.concept(subject), predicate, names.concept(object))
    return stated == (fact.subject, fact.predicate, fact.object)


@lru_cache(4)
def _lines(name: str) -> tuple[str, ...]:
    file = bundled.folder("knowledge") / name
    return tuple(file.read_text(encoding="utf-8").splitlines()) if file.is_file() else ()


def _answered(trace: Record) -> Check:
    assert trace.answer is not None
    if guessed(trace):
        said = f"{trace.answer!r} is a guess of the weights {trace.model}; no fact supports it"
        return Check("answer", False, said)
    wanted = normal(trace.answer)
    ends = {normal(label(end)) for c in trace.citations for end in (c.fact.subject, c.fact.object)}
    seen = {normal(n) for o in (trace.scene.objects if trace.scene else ()) for n in (o.name, *o.aliases)}
    if wanted in ends or wanted in seen:
        return Check("answer", True, f"{trace.answer!r} is a seen object or an end of a cited fact")
    computed = [s.name for s in trace.steps if s.name in COMPUTED]
    if computed:
        return Check("answer", True, f"{trace.answer!r} was computed from what is cited (step {computed[0]!r})")
    if trace.model and not trace.citations and not trace.memory:
        said = f"{trace.answer!r} was read from the picture by the weights {trace.model}; no fact is claimed"
        return Check("answer", True, said)
    if trace.choices and trace.answer in trace.choices:
        return Check("answer", True, f"{trace.answer!r} is one of the choices, matched by meaning")
    return Check("answer", False, f"{trace.answer!r} is neither seen nor an end of a cited fact")


def guessed(trace: Record) -> bool:
    """Tell whether a network gave the answer without a fact that supports it, because it was asked for guesses."""
    return not trace.citations and any(s.name == GUESS for s in trace.steps)


def necessary(trace: Record) -> bool:
    """Tell whether the answer changes when its cited knowledge (or, if there is none, its scene facts) is taken away."""
    knowledge = [c for c in trace.citations if c.kind == "knowledge"]
    return trace.without(*(knowledge or trace.citations)).text != trace.answer


def sufficient(trace: Record) -> bool:
    """Tell whether the answer stays when every other fact of the memory is taken away."""
    return trace.without(*others(trace)).text == trace.answer
