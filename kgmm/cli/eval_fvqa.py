"""``kgmm eval fvqa DIR``: answers and supporting facts for the questions of FVQA, written for its scorer."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgmm.cli.output import emit, json_option, progress_bar
from kgmm.language import names
from kgmm.language.words import normal

if TYPE_CHECKING:
    from kgmm.data.fvqa import FvqaQuestion, StatedFacts
    from kgmm.language.phrase import Triple
    from kgmm.store import Fact
    from kgmm.trace import Answer

CHUNK = 256
#: answers less sure are withheld where all are to be ranked
RANKED = 0.01


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="train", show_default=True, help="Reads questions-SPLIT.json.")
@click.option(
    "--distractors",
    type=click.Path(exists=True, path_type=Path),
    help="Further knowledge: relation, head, tail.",
)
@click.option("--predictions", type=click.Path(path_type=Path), help="Write one JSON line a question here.")
@click.option("--reasoner", default="hybrid", show_default=True, help="Which reasoner answers.")
@click.option("--limit", type=int, help="Only the first N questions.")
@click.option(
    "--held",
    type=click.FloatRange(0, 1, min_open=True),
    help="Only this share of the images, as held out in training.",
)
@click.option("--seed", default=1, show_default=True, help="Of the choice of the images held out.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Withhold answers less sure than this. By default nearly all are ranked (0.01); with --without-gold the bound"
    " is the reasoner's own.",
)
@click.option("--without-gold", is_flag=True, help="Ask each question of a knowledge base that lacks its gold facts.")
@click.option("--kb", type=click.Path(path_type=Path), help="Keep the knowledge base here; a temporary one otherwise.")
@json_option
def fvqa(
    folder: Path,
    split: str,
    distractors: Path | None,
    predictions: Path | None,
    reasoner: str,
    limit: int | None,
    held: float | None,
    seed: int,
    threshold: float | None,
    without_gold: bool,
    kb: Path | None,
    as_json: bool,
) -> None:
    """Answer FVQA's questions in DIR (questions-SPLIT.json, facts.jsonl) and score the answers."""
    from kgmm.data.fvqa import load_questions, split_by_image

    if threshold is None and not without_gold:
        threshold = RANKED
    questions = load_questions(folder / f"questions-{split}.json")
    questions = (split_by_image(questions, held, seed)[1] if held else questions)[:limit]
    with tempfile.TemporaryDirectory() as scratch, progress_bar("questions") as progress:
        store, stated = knowledge_base(kb or Path(scratch) / "kb", folder / "facts.jsonl", distractors)
        rows, supported = [], 0
        for n, question in enumerate(questions):
            if n % CHUNK == 0:
                _prime([q.question for q in questions[n : n + CHUNK]])
            known = [stated.statements[i] for i in question.facts if i in stated.statements]
            gone = known if without_gold else []
            answer = store.ask(
                question.scene(), question.question, reasoner=reasoner, exclude=gone, threshold=threshold
            )
            rows.append(prediction(answer, stated, question))
            supported += _supported(answer, question, gone)
            progress(n + 1, len(questions), "questions")
        store.close()
    if predictions is not None:
        _write(predictions, rows)
    figures = score(questions, rows)
    if without_gold:
        figures["right_or_silent"] = round(1 - figures["answered"] + figures["top1"], 4)
        figures["supported_or_silent"] = round(supported / max(len(rows), 1), 4)
    if as_json:
        emit(figures)
    else:
        click.echo("  ".join(f"{k} {v}" for k, v in figures.items()))


def _prime(texts: list[str]) -> None:
    from kgmm.encode import text_encoder
    from kgmm.retrieve.memory import prime

    prime(text_encoder("minilm"), texts)


def knowledge_base(place: Path, facts: Path, distractors: Path | None) -> tuple[Any, StatedFacts]:
    """Return a store of FVQA's facts and distractors, and which facts state what.

    The store is filled once; one that has facts already is taken as it is.
    """
    from kgmm.data.fvqa import StatedFacts, load_facts
    from kgmm.knowledge import KnowledgeStore

    store = KnowledgeStore(place)
    known = load_facts(facts)
    if len(store) == 0:
        store.add([fact.statement() for fact in known])
        if distractors is not None:
            store.load(distractors, graph="distractors")
    return store, StatedFacts(known)


def prediction(answer: Answer, stated: StatedFacts, question: FvqaQuestion) -> dict[str, Any]:
    """Return one line of predictions: answers best first, cited facts best first."""
    known = [*reversed(_known(answer)), *(m.fact for m in answer.trace.memory[:6])]
    facts: list[str] = []
    for fact in known:
        key = (fact.subject, fact.predicate, fact.object)
        facts += [i for i in _nearest(question.question, stated(key) or {"/".join(key): ""}) if i not in facts]
    answers = [answer.text, *(text for text, _ in answer.alternatives)] if answer.text is not None else []
    return {
        "question_id": question.question_id,
        "answers": answers,
        "facts": facts[:3] if answers else [],
        "confidence": answer.score,
    }


def _supported(answer: Answer, question: FvqaQuestion, gone: list[Triple]) -> bool:
    """Tell whether an answer is none, the gold one, or an end of another fact: of a gold fact's relation, with its other end."""
    if answer.text is None or right_answer(answer.text, question.answer):
        return True
    cited = _known(answer)
    return bool(cited) and any(
        cited[-1].predicate == p and (cited[-1].subject == s or cited[-1].object == o) for s, p, o in gone
    )


def _known(answer: Answer) -> list[Fact]:
    """Return the cited knowledge, the deciding fact last."""
    return [c.fact for c in answer.trace.citations if c.kind == "knowledge"]


def _nearest(question: str, surfaces: dict[str, str]) -> list[str]:
    """Return the ids of facts that state the same, the one whose wording is nearest the question first."""
    if len(surfaces) == 1:
        return list(surfaces)
    from kgmm.encode import text_encoder
    from kgmm.retrieve.memory import query_vector

    encoder = text_encoder("minilm")
    asked = query_vector(encoder, question)
    return sorted(surfaces, key=lambda i: -float(query_vector(encoder, surfaces[i]) @ asked))


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    os.replace(partial, path)


def right_answer(given: str, gold: str) -> bool:
    """Tell whether an answer counts as the gold one: the same words up to inflection, case and a determiner."""
    return normal(_plain(given)) == normal(_plain(gold))


def _plain(text: str) -> str:
    return re.sub(r"[^\w\s'-]", " ", names.label(text) if text.startswith("/c/") else text)


def score(questions: list[Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return answer and fact accuracy; an abstention counts as wrong."""
    n = max(len(questions), 1)
    top = [[right_answer(a, q.answer) for a in row["answers"][:3]] for q, row in zip(questions, rows, strict=True)]
    fact = [[f in q.facts for f in row["facts"][:3]] for q, row in zip(questions, rows, strict=True)]
    answered = sum(bool(row["answers"]) for row in rows)
    hits = sum(t[:1] == [True] for t in top)
    return {
        "top1": round(hits / n, 4),
        "top3": round(sum(any(t) for t in top) / n, 4),
        "fact1": round(sum(f[:1] == [True] for f in fact) / n, 4),
        "fact3": round(sum(any(f) for f in fact) / n, 4),
        "answered": round(answered / n, 4),
        "precision": round(hits / answered, 4) if answered else 0.0,
        "answered_at_95": round(_answered_at(0.95, rows, [t[:1] == [True] for t in top]) / n, 4),
        "questions": len(questions),
    }


def _answered_at(precision: float, rows: list[dict[str, Any]], right: list[bool]) -> int:
    """Return how many of the surest answers can be given so that this share of them is right."""
    sure = sorted((-row["confidence"], not hit) for row, hit in zip(rows, right, strict=True) if row["answers"])
    wrong = 0
    most = 0
    for given, (_, missed) in enumerate(sure, 1):
        wrong += missed
        if given - wrong >= precision * given:
            most = given
    return most
