"""Faithfulness over many answers: are citations true, necessary, sufficient, more so than facts picked otherwise?

Necessity and sufficiency are the comprehensiveness and sufficiency of rationales (DeYoung et al., ERASER, ACL 2020),
counted as changed and kept answers: every answer without some facts is computed by the reasoner itself. Two baselines
cite as many facts of the same memory: at random, and those most similar to the question.
"""

import timeit
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kgmm.data.fvqa import FvqaQuestion, right_answer
from kgmm.encode import text_encoder
from kgmm.encode.vectors import query_vector
from kgmm.evaluate.calibration import calibration, risk_coverage
from kgmm.language.phrase import phrase
from kgmm.progress import Progress, silent
from kgmm.reason import ask
from kgmm.store import Fact, LocalStore
from kgmm.trace import Answer, Trace, key
from kgmm.trace.checks import verify
from kgmm.trace.counterfactuals import exhaust

#: how facts are picked: by the engine, at random, by similarity with the question
PICKS = ("cited", "random", "similar")
WIDE = 500  #: facts a trace's memory holds where "by the cited facts alone" is computed
EXHAUSTED = 40  #: rounds of taking away what is cited, then what is cited in its stead, at most
ROUNDS = 20  #: rounds of taking away what is newly considered, at most


@dataclass
class Measured:
    """One answer measured; ``necessary`` and ``sufficient`` in [0, 1] by how the facts were picked."""

    id: str
    answered: bool
    right: bool
    score: float
    verified: bool = False
    cited: int = 0
    necessary: dict[str, float] = field(default_factory=dict)
    sufficient: dict[str, float] = field(default_factory=dict)
    #: after how many rounds of :func:`~kgmm.trace.counterfactuals.exhaust` the answer changes; 0 if it never does
    rounds: int = 0
    #: as necessary, of all the facts that those rounds take away, and of as many drawn at random
    exhausted: dict[str, float] = field(default_factory=dict)
    #: what each ``without`` of one cited fact took, the better of two
    seconds: list[float] = field(default_factory=list)


def measure_all(
    store: LocalStore,
    questions: Sequence[FvqaQuestion],
    reasoner: str = "default",
    draws: int = 3,
    progress: Progress = silent,
) -> list[Measured]:
    """Ask FVQA's questions of a store and measure every answer; see :func:`measure`."""
    rows = []
    for n, q in enumerate(questions):
        answer, wide = _asked(store, q, reasoner)
        right = answer.text is not None and right_answer(answer.text, q.answer)
        rows.append(measure(answer, store, id=q.question_id, right=right, wide=wide, draws=draws))
        progress(n + 1, len(questions), "questions")
    return rows


def _asked(store: LocalStore, question: FvqaQuestion, reasoner: str) -> tuple[Answer, Trace]:
    """Ask until nothing of the memory changes: a question's first asking encodes facts, at most so many at a time."""
    scene = question.scene()

    def wide() -> Trace:
        return ask(store, scene, question.question, reasoner=reasoner, limit=WIDE).trace

    before, after = wide(), wide()
    for _ in range(3):
        if before.memory == after.memory:
            break
        before, after = after, wide()
    return ask(store, scene, question.question, reasoner=reasoner), after


def by_similarity(trace: Trace) -> list[Fact]:
    """Return the memory's facts, the nearest in meaning to the question first (MiniLM's cosine of their phrases)."""
    encoder = text_encoder("minilm")
    given = {key(m.fact): m.parts["similarity"] for m in trace.memory if "similarity" in m.parts}
    asked = query_vector(encoder, trace.question)

    def cosine(f: Fact) -> float:
        said = given.get(key(f))
        return float(query_vector(encoder, phrase(*key(f))) @ asked) if said is None else said

    return sorted(_remembered(trace), key=lambda f: -cosine(f))


def _remembered(trace: Trace) -> list[Fact]:
    return list({key(m.fact): m.fact for m in trace.memory}.values())


def measure(
    answer: Answer,
    kb: Any,
    *,
    id: str = "",
    right: bool = False,
    wide: Trace | None = None,
    draws: int = 3,
    seed: int = 0,
) -> Measured:
    """Measure one answer asked of *kb*; *wide* is its trace with a larger memory: "alone" then takes fewer rounds."""
    trace = answer.trace
    found = Measured(id, bool(answer), right, answer.score)
    if not answer:
        return found
    found.verified = all(c.passed for c in verify(trace, kb))
    cited = list(dict.fromkeys(c.fact for c in trace.citations if c.kind == "knowledge"))
    found.cited = len(cited)
    found.seconds = [_timed(trace, fact) for fact in cited]
    memory = _remembered(trace)
    if not cited or not memory:  # an answer of the scene alone: its seen facts are all there is to take away
        found.necessary["cited"] = float(bool(trace.citations) and trace.without(*trace.citations).text != answer.text)
        return found
    count, draw = min(len(cited), len(memory)), Random(f"{seed} {id}")
    picks = {
        "cited": [cited],
        "random": [draw.sample(memory, count) for _ in range(draws)],
        "similar": [by_similarity(trace)[:count]],
    }
    for name, sets in picks.items():
        changed = [trace.without(*facts).text != answer.text for facts in sets]
        kept = [alone(wide or trace, facts).text == answer.text for facts in sets]
        found.necessary[name], found.sufficient[name] = sum(changed) / len(sets), sum(kept) / len(sets)
    removed = exhaust(trace, EXHAUSTED)
    last, changes = removed[-1], removed[-1].answer != answer.text
    found.rounds, found.exhausted["cited"] = len(removed) if changes else 0, float(changes)
    drawn = [draw.sample(memory, min(len(last.removed), len(memory))) for _ in range(draws)]
    found.exhausted["random"] = sum(trace.without(*facts).text != answer.text for facts in drawn) / draws
    return found


def _timed(trace: Trace, fact: Fact) -> float:
    """Return what one ``without`` takes, the better of two: what else the machine does is not the engine's time."""
    return min(timeit.repeat(lambda: trace.without(fact), repeat=2, number=1))


def alone(trace: Trace, facts: Iterable[Fact]) -> Answer:
    """Return the answer if *facts* were the only knowledge: all others are taken away until none is considered."""
    kept = {key(f) for f in facts}
    removed: dict[tuple[str, str, str], Fact] = {}
    considered = trace.memory
    for _ in range(ROUNDS):
        fresh = {key(m.fact): m.fact for m in considered if key(m.fact) not in kept and key(m.fact) not in removed}
        if not fresh and removed:
            break
        removed |= fresh
        answer = trace.without(*removed.values())
        considered = answer.trace.memory
    return answer


def report(rows: Sequence[Measured]) -> dict[str, Any]:
    """Return the shares of answers whose citations verify, are necessary, are sufficient, and the calibration, as JSON.

    ``necessary`` and ``sufficient`` are by pick over the answers that cite knowledge; ``rounds`` says how many answers
    changed at which round, ``necessity_ratio`` is cited over random.
    """
    answered = [r for r in rows if r.answered]
    knowing = [r for r in answered if r.cited]
    shares = {
        what: {pick: _mean([getattr(r, what)[pick] for r in knowing if pick in getattr(r, what)]) for pick in PICKS}
        for what in ("necessary", "sufficient", "exhausted")
    }
    del shares["exhausted"]["similar"]
    random = shares["necessary"]["random"]
    pairs = [(r.score, r.right) for r in answered]
    return {
        "questions": len(rows),
        "answered": len(answered),
        "cite_knowledge": len(knowing),
        "cited_facts": _mean([r.cited for r in knowing]),
        "right": sum(r.right for r in answered),
        "verified": _mean([r.verified for r in answered]),
        **shares,
        "rounds": {str(n): sum(r.rounds == n for r in knowing) for n in sorted({r.rounds for r in knowing})},
        "necessity_ratio": round(shares["necessary"]["cited"] / random, 2) if random else None,
        "without_ms": _milliseconds([s for r in rows for s in r.seconds]),
        "calibration": calibration(pairs),
        "risk_coverage": risk_coverage(pairs, len(rows)),
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(1000 * s for s in seconds)
    if not ordered:
        return {"count": 0}
    at = {"median": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    places = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in at.items()}
    return {"count": len(ordered), **{name: round(value, 1) for name, value in places.items()}}
