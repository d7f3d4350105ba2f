"""Answers and supporting facts for FVQA's questions (Wang et al., TPAMI 2018), and how they are scored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgmm.data.fvqa import FvqaQuestion, StatedFacts, right_answer
from kgmm.encode import text_encoder
from kgmm.encode.vectors import prime, query_vector
from kgmm.files import publish
from kgmm.language.phrase import Triple
from kgmm.progress import Progress, silent
from kgmm.reason import ask
from kgmm.store import Fact, LocalStore
from kgmm.trace import Answer, key
from kgmm.train.measures import answered_at, hit_rates

CHUNK = 256  #: questions whose vectors are computed at a time
RANKED = 0.01  #: answers less sure are withheld where all are to be ranked


@dataclass(frozen=True)
class Asked:
    """What a reasoner made of many questions."""

    rows: list[dict[str, Any]]  #: a prediction each, see :func:`prediction`
    supported: int  #: how many answers are none, right, or an end of another fact that says the same of something else


def ask_all(
    store: LocalStore,
    stated: StatedFacts,
    questions: Sequence[FvqaQuestion],
    *,
    reasoner: str | Path,
    threshold: float | None = RANKED,
    without_gold: bool = False,
    progress: Progress = silent,
) -> Asked:
    """Ask a reasoner every question, of the store without its gold facts if *without_gold*."""
    rows, supported = [], 0
    for n, question in enumerate(questions):
        if n % CHUNK == 0:
            prime(text_encoder("minilm"), [q.question for q in questions[n : n + CHUNK]])
        known = [stated.statements[i] for i in question.facts if i in stated.statements]
        gone = known if without_gold else []
        answer = ask(store, question.scene(), question.question, reasoner=reasoner, exclude=gone, threshold=threshold)
        rows.append(prediction(answer, stated, question))
        supported += _supported(answer, question, gone)
        progress(n + 1, len(questions), "questions")
    return Asked(rows, supported)


def prediction(answer: Answer, stated: StatedFacts, question: FvqaQuestion) -> dict[str, Any]:
    """Return one line of predictions: answers best first, cited facts best first."""
    known = [*reversed(_known(answer)), *(m.fact for m in answer.trace.memory[:6])]
    facts: list[str] = []
    for said in map(key, known):
        facts += [i for i in _nearest(question.question, stated(said) or {"/".join(said): ""}) if i not in facts]
    answers = [answer.text, *(text for text, _ in answer.alternatives)] if answer.text is not None else []
    cites = facts[:3] if answers else []
    return {"question_id": question.question_id, "answers": answers, "facts": cites, "confidence": answer.score}


def _supported(answer: Answer, question: FvqaQuestion, gone: list[Triple]) -> bool:
    """Tell whether an answer is none, the gold one, or an end of another fact: of a gold fact's relation, with its other end."""
    if answer.text is None or right_answer(answer.text, question.answer):
        return True
    said = [(fact, triple) for fact in _known(answer)[-1:] for triple in gone]
    return any(fact.predicate == p and (fact.subject == s or fact.object == o) for fact, (s, p, o) in said)


def _known(answer: Answer) -> list[Fact]:
    """Return the cited knowledge, the deciding fact last."""
    return [c.fact for c in answer.trace.citations if c.kind == "knowledge"]


def _nearest(question: str, surfaces: dict[str, str]) -> list[str]:
    """Return the ids of facts that state the same, the one whose wording is nearest the question first."""
    if len(surfaces) == 1:
        return list(surfaces)
    encoder = text_encoder("minilm")
    asked = query_vector(encoder, question)
    return sorted(surfaces, key=lambda i: -float(query_vector(encoder, surfaces[i]) @ asked))


def score(questions: list[Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return answer and fact accuracy; an abstention counts as wrong."""
    n = max(len(questions), 1)
    top = [[right_answer(a, q.answer) for a in row["answers"][:3]] for q, row in zip(questions, rows, strict=True)]
    fact = [[f in q.facts for f in row["facts"][:3]] for q, row in zip(questions, rows, strict=True)]
    sure = [(row["confidence"], right[0]) for row, right in zip(rows, top, strict=True) if right]
    hits = sum(right for _, right in sure)
    return {
        **{name: round(rate, 4) for name, rate in hit_rates(top, fact).items()},
        "answered": round(len(sure) / n, 4),
        "precision": round(hits / len(sure), 4) if sure else 0.0,
        "answered_at_95": round(answered_at(0.95, sure) / n, 4),
        "questions": len(questions),
    }


def write_predictions(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write one JSON line a question, whole or not at all."""
    publish(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
