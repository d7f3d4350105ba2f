"""A trained graph network on OK-VQA: what its answers are worth, on what they rest, and how far its confidence can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kgmm.data.okvqa import SoftQuestion
from kgmm.errors import KgmmError
from kgmm.evaluate.calibration import risk_coverage
from kgmm.graph.joint import JointGraph
from kgmm.progress import Progress, silent
from kgmm.reason.graph_network.open import OpenModel


def evaluate_open(
    model: OpenModel, questions: Sequence[SoftQuestion], graphs: Sequence[JointGraph], progress: Progress = silent
) -> dict[str, Any]:
    """Return ``accuracy``, the mean score of the best answers, that of the surest fifth, and of guesses and cited ones.

    Args:
        model: answers the questions.
        questions, graphs: as many of both; what has no answers to compare with is left out.
        progress: told of texts read.

    Raises:
        KgmmError: if no question has answers.
    """
    asked = [(q, g) for q, g in zip(questions, graphs, strict=True) if q.answers]
    if not asked:
        raise KgmmError("no question has answers (label); there is nothing to compare with")
    said = model.answers([g for _, g in asked], 1, progress)
    rows = [(best[0], q.score(best[0].answer)) for (q, _), best in zip(asked, said, strict=True)]
    rows.sort(key=lambda row: -row[0].probability)
    found: dict[str, Any] = {"questions": len(rows), "accuracy": _mean([score for _, score in rows])}
    found["surest_fifth"] = _mean([score for _, score in rows[: max(1, len(rows) // 5)]])
    for name, guess in (("cited", False), ("guessed", True)):
        of = [score for answer, score in rows if answer.guess == guess]
        found[name] = {"questions": len(of), "accuracy": _mean(of)}
    return found | {"aurc": risk_coverage([(a.probability, score > 0) for a, score in rows])["aurc"]}


def _mean(scores: Sequence[float]) -> float:
    return round(sum(scores) / max(len(scores), 1), 4)
