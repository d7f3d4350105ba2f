"""Checks of a trace: are its citations true, is the answer theirs, does it fall without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgmm.names import label
from kgmm.phrase import phrase
from kgmm.store import Fact
from kgmm.trace._data import Check, Citation, Trace
from kgmm.words import normal

if TYPE_CHECKING:
    from kgmm.store import LocalStore

#: steps whose answer is computed from the cited facts instead of being an end of one
COMPUTED = frozenset({"count", "test", "where", "relation", "describe", "attribute", "compare"})


def verify(trace: Trace, kb: LocalStore) -> list[Check]:
    """Look every citation up again and compare the answer with what is cited.

    Returns:
        One check a citation, then one of the answer; an abstention has none.

    Example:
        >>> all(check.passed for check in answer.trace.verify(kb))                    # doctest: +SKIP
        True
    """
    scene = {(s, p, o) for s, p, o, _ in trace.scene.facts()} if trace.scene else set()
    checks = [_cited(citation, scene, kb) for citation in trace.citations]
    if trace.answer is not None:
        checks.append(_answered(trace))
    return checks


def _cited(citation: Citation, scene: set[tuple[str, str, str]], kb: LocalStore) -> Check:
    fact = citation.fact
    said = phrase(fact.subject, fact.predicate, fact.object)
    if citation.kind == "scene":
        if citation.role == "boxes":
            ends = {s for s, _, _ in scene}
            return Check(
                "scene", {fact.subject, fact.object} <= ends, f"{said}: both objects have a box in the scene"
            )
        held = (fact.subject, fact.predicate, fact.object) in scene
        return Check("scene", held, f"{said}: {'in' if held else 'not in'} the scene")
    held = len(kb.find(fact.subject, fact.predicate, fact.object, limit=1)) > 0
    return Check("fact", held, f"{said}: {'in' if held else 'not in'} the store at version {kb.version}")


def _answered(trace: Trace) -> Check:
    assert trace.answer is not None
    wanted = normal(trace.answer)
    ends = {normal(label(end)) for c in trace.citations for end in (c.fact.subject, c.fact.object)}
    seen = {normal(n) for o in (trace.scene.objects if trace.scene else ()) for n in (o.name, *o.aliases)}
    if wanted in ends or wanted in seen:
        return Check("answer", True, f"{trace.answer!r} is a seen object or an end of a cited fact")
    computed = [s.name for s in trace.steps if s.name in COMPUTED]
    if computed:
        return Check(
            "answer", True, f"{trace.answer!r} was computed from what is cited (step {computed[0]!r})"
        )
    if trace.choices and trace.answer in trace.choices:
        return Check("answer", True, f"{trace.answer!r} is one of the choices, matched by meaning")
    return Check("answer", False, f"{trace.answer!r} is neither seen nor an end of a cited fact")


def necessary(trace: Trace) -> bool:
    """Tell whether the answer changes when its cited knowledge (or, if there is none, its scene facts) is taken away."""
    knowledge = [c for c in trace.citations if c.kind == "knowledge"]
    return trace.without(*(knowledge or trace.citations)).text != trace.answer


def sufficient(trace: Trace) -> bool:
    """Tell whether the answer stays when every other fact of the memory is taken away."""
    cited = {_key(c.fact) for c in trace.citations}
    others = [m.fact for m in trace.memory if _key(m.fact) not in cited]
    return trace.without(*others).text == trace.answer


def _key(fact: Fact) -> tuple[str, str, str]:
    return fact.subject, fact.predicate, fact.object
