"""A trained graph network on CommonsenseQA: how many of its choices are right, and how far its confidence can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kgmm.data.commonsenseqa import ChoiceQuestion
from kgmm.errors import KgmmError
from kgmm.evaluate.calibration import calibration, risk_coverage
from kgmm.graph.joint import JointGraph
from kgmm.graph.joint_twins import twins
from kgmm.progress import Progress, silent
from kgmm.reason.graph_network.model import GraphModel


def evaluate_choices(
    model: GraphModel,
    questions: Sequence[ChoiceQuestion],
    graphs: Sequence[JointGraph],
    graph: str = "full",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Return the accuracy on labelled questions, by whether facts join the right choice, ECE and area under risk–coverage.

    Args:
        model: scores the choices.
        questions, graphs: as many of both; questions without an answerKey are left out.
        graph: what the network sees of the graphs, see :func:`kgmm.graph.joint_twins.twins`.
        progress: told of texts read.

    Raises:
        KgmmError: if no question has an answerKey.
    """
    seen = twins(graphs, graph)
    asked = [(q.label, g, own) for q, g, own in zip(questions, seen, graphs, strict=True) if q.label is not None]
    if not asked:
        raise KgmmError("no question has an answerKey; there is nothing to compare answers with")
    pairs, near = [], []
    for (label, _, own), logits in zip(asked, model.scores([g for _, g, _ in asked], progress), strict=True):
        share = np.exp(logits - logits.max())
        best = int(logits.argmax())
        pairs.append((float(share[best] / share.sum()), best == label))
        near.append(own.distance(label))
    found: dict[str, Any] = {"questions": len(pairs), "accuracy": _share([right for _, right in pairs])}
    for name, kinds in (("one_fact", (0, 1)), ("two_facts", (2,)), ("further", (3, 4, 5, None))):
        of = [right for (_, right), d in zip(pairs, near, strict=True) if d in kinds]
        found[name] = {"questions": len(of), "accuracy": _share(of)}
    return found | {"ece": calibration(pairs)["ece"], "aurc": risk_coverage(pairs)["aurc"]}


def _share(right: Sequence[bool]) -> float:
    return round(sum(right) / max(len(right), 1), 4)
