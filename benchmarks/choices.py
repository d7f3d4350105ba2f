"""Every reasoner on the same questions with choices, beside what knows less: chance, a position, the choices alone, a count.

    python -m benchmarks.choices CSQA.jsonl --facts TRIPLES --kb KB --limit 300

Of CommonsenseQA's held-out tenth. A reasoner that does not answer is counted as wrong, and as a guess among five.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kgmm.cli.bundled_and import bundled_and
from kgmm.data.commonsenseqa import ChoiceQuestion, load_questions, split
from kgmm.encode import text_encoder
from kgmm.evaluate.calibration import calibration, risk_coverage
from kgmm.evaluate.faithfulness import measure
from kgmm.graph.evidence import evidence
from kgmm.reason import ask
from kgmm.retrieve.joint import joint_graph
from kgmm.store import LocalStore
from kgmm.trace import Answer

REASONERS = ("graph-network", "kdmn", "hybrid", "explicit")
Said = tuple[str | None, float]  #: an answer and how sure it is


def position(train: list[ChoiceQuestion]) -> Callable[[ChoiceQuestion], Said]:
    """Return who names the choice in the place that is right most often in training."""
    place, times = Counter(q.label for q in train).most_common(1)[0]
    return lambda q: (q.choices[place or 0], times / len(train))


def choices_alone(train: list[ChoiceQuestion], count: int = 3000) -> Callable[[ChoiceQuestion], Said]:
    """Return a ridge regression that reads the choices without the question (MiniLM's vectors), after *count* questions."""
    encoder, some = text_encoder("minilm"), train[:count]
    x = encoder.encode([c for q in some for c in q.choices])
    y = np.array([float(c == q.label) for q in some for c in range(len(q.choices))]) - 0.2
    weights = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ y)
    return lambda q: _best(q, np.asarray(encoder.encode(list(q.choices)) @ weights) * 10)


def cosine() -> Callable[[ChoiceQuestion], Said]:
    """Return who names the choice nearest to the question by MiniLM's cosine, nothing trained."""
    encoder = text_encoder("minilm")

    def nearest(q: ChoiceQuestion) -> Said:
        first, *others = encoder.encode([q.question, *q.choices])
        return _best(q, 10 * (np.stack(others) @ first))

    return nearest


def joined(store: LocalStore) -> Callable[[ChoiceQuestion], Said]:
    """Return who names the choice that most facts join to the question; the first of equals."""
    return lambda q: _best(q, np.array([len(e) for e in evidence(joint_graph(store, q.question, choices=q.choices))]))


def _best(q: ChoiceQuestion, logits: np.ndarray) -> Said:
    share = np.exp(logits - logits.max())
    return q.choices[int(logits.argmax())], float(share.max() / share.sum())


def row(questions: list[ChoiceQuestion], said: list[Said]) -> dict[str, float]:
    """Return the figures of one way to answer."""
    pairs = [(score, text == q.answer) for q, (text, score) in zip(questions, said, strict=True) if text is not None]
    right, silent = sum(r for _, r in pairs), len(questions) - len(pairs)
    return {
        "answered": len(pairs) / len(questions),
        "accuracy": right / len(questions),
        "with_guesses": (right + 0.2 * silent) / len(questions),
        "precision": right / max(len(pairs), 1),
        "ece": calibration(pairs)["ece"],
        "aurc": risk_coverage(pairs, len(questions))["aurc"],
    }


def faithful(store: LocalStore, answers: list[Answer], draws: int = 1) -> dict[str, float]:
    """Return how many citations there are, and the shares necessary and sufficient, of answers that cite knowledge."""
    found = [m for a in answers if (m := measure(a, store, draws=draws)).cited]
    means = {name: [getattr(m, name)["cited"] for m in found] for name in ("necessary", "sufficient")}
    shares = {name: sum(values) / max(len(values), 1) for name, values in means.items()}
    return {"answers": len(found), "cited": sum(m.cited for m in found) / max(len(found), 1), **shares}


def main() -> None:
    """Ask, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--facts", type=Path, action="append", default=[])
    parser.add_argument("--kb", type=Path)
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--checked", type=int, default=40, help="answers of each reasoner that facts are taken from")
    given = parser.parse_args()
    train, held = split(load_questions(given.questions))
    held = held[: given.limit]
    with bundled_and(tuple(given.facts), given.kb) as store:
        simple = {
            "most frequent position": position(train),
            "choices alone": choices_alone(train),
            "MiniLM's cosine": cosine(),
            "facts that join it, counted": joined(store),
        }
        for name, by in simple.items():
            print(json.dumps({"name": name, **_rounded(row(held, [by(q) for q in held]))}), flush=True)
        for name in REASONERS:
            for threshold in (None, 0.0):
                how = {"reasoner": name, "threshold": threshold}
                answers = [ask(store, None, q.question, choices=q.choices, **how) for q in held]
                said = [(a.text, a.score) for a in answers]
                found = row(held, said) | {"guesses": threshold is not None}
                if threshold is None:
                    found |= faithful(store, [a for a in answers if a][: given.checked])
                print(json.dumps({"name": name, **_rounded(found)}), flush=True)


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}


if __name__ == "__main__":
    main()
