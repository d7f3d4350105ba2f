"""The graph network on CommonsenseQA as a training problem: joint graphs made once, texts' lower layers read once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from kgmm.data.commonsenseqa import ChoiceQuestion
from kgmm.encode import text_encoder
from kgmm.encode.bert import BertEncoder, fast_precision
from kgmm.encode.joint_inputs import JointInputs
from kgmm.errors import KgmmError
from kgmm.graph.joint import JointGraph
from kgmm.graph.joint_twins import twins
from kgmm.progress import Progress, silent
from kgmm.reason.graph_network.model import new_network
from kgmm.retrieve.joint import joint_graph
from kgmm.store import LocalStore
from kgmm.train.fit import Problem

#: the network as it is trained unless told otherwise; see :class:`~kgmm.nn.graph_network.GraphNetwork`
NETWORK: dict[str, Any] = {"dim": 48, "layers": 2, "dropout": 0.2, "reader": {"apart": 4, "rank": 32, "dropout": 0.1}}
FACTS = 2  #: facts of each choice that are read as text
ABOUT = (
    "Scores choices: low-rank corrections of all-MiniLM-L6-v2's upper layers read question, choices and the facts that join"
    " them; relation-aware attention passes messages over the joint graph."
)
_TOGETHER = 32


def joint_graphs(
    store: LocalStore, questions: Sequence[ChoiceQuestion], progress: Progress = silent
) -> list[JointGraph]:
    """Return the joint graph of each question, without vectors; nothing but question and choices is read."""
    found = []
    for i, q in enumerate(questions):
        found.append(joint_graph(store, q.question, choices=q.choices))
        progress(i + 1, len(questions), "joint graphs")
    return found


class ChoiceProblem(Problem):
    """A :class:`~kgmm.nn.graph_network.GraphNetwork` on questions with choices, for :func:`kgmm.train.fit.fit`.

    Args:
        train, held: questions with their joint graphs, to learn from and to measure; labels are read of both.
        graph: what the network sees of the graphs, see :func:`kgmm.graph.joint_twins.twins`; ``none``: nothing.
        seed: of weights and of the shuffle.
        network: settings that differ from :data:`NETWORK`.
        progress: told of texts read.

    Raises:
        KgmmError: if a part is empty or has a question without label.
    """

    metric = "accuracy"

    def __init__(
        self,
        train: tuple[Sequence[ChoiceQuestion], Sequence[JointGraph]],
        held: tuple[Sequence[ChoiceQuestion], Sequence[JointGraph]],
        *,
        graph: str = "full",
        seed: int = 0,
        network: dict[str, Any] | None = None,
        progress: Progress = silent,
    ) -> None:
        if not train[0] or not held[0] or any(q.label is None for part in (train, held) for q in part[0]):
            raise KgmmError(
                "a graph network learns from and is measured on questions with an answerKey; some are needed"
            )
        torch.manual_seed(seed)
        settings = {**NETWORK, **(network or {})}
        facts = 0 if graph == "none" else FACTS
        if graph == "none":
            settings["layers"] = 0
        self.model = new_network(settings)
        self.model.reader.learn_in(fast_precision())
        encoder, nodes = cast(BertEncoder, text_encoder("minilm")), settings["layers"] > 0
        self.size: int = len(train[0])
        seen = [*twins(train[1], graph, seed), *twins(held[1], graph, seed + 1)]
        self.inputs: JointInputs = JointInputs(
            self.model.reader, encoder, seen, facts=facts, nodes=nodes, progress=progress
        )
        self.labels: list[int] = [cast(int, q.label) for part in (train, held) for q in part[0]]
        self.config: dict[str, Any] = {"name": "graph-network", "data": "commonsenseqa", "about": ABOUT}
        self.config |= {"network": settings, "facts": facts, "graph": graph, "seed": seed, "questions": self.size}
        self.vocabulary: dict[str, Any] = {}

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean cross-entropy of samples."""
        return self._read(rows.tolist())[0]

    def evaluate(self) -> dict[str, float]:
        """Return accuracy and log-likelihood on the held-out questions."""
        right, lost, count = 0, 0.0, len(self.labels) - self.size
        for start in range(self.size, len(self.labels), _TOGETHER):
            rows = list(range(start, min(start + _TOGETHER, len(self.labels))))
            loss, hits = self._read(rows)
            right, lost = right + hits, lost + float(loss) * len(rows)
        return {"accuracy": right / count, "log_loss": lost / count}

    def _read(self, rows: list[int]) -> tuple[Tensor, int]:
        pieces, batch = self.inputs.take(rows)
        device = self.model.scale.device
        logits = self.model(pieces.to(device), None if batch is None else batch.to(device)).logits
        parts = torch.split(logits, (pieces.counts - 1).tolist())
        wide = torch.nn.utils.rnn.pad_sequence(list(parts), batch_first=True, padding_value=-torch.inf)
        labels = torch.tensor([self.labels[row] for row in rows], device=device)
        return F.cross_entropy(wide, labels), int((wide.argmax(1) == labels).sum())
