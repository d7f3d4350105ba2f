"""Joint graphs as a graph network reads them: texts in pieces, nodes as vectors; each text is read once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.bert import BertEncoder
from kgmm.encode.pieces import PieceTexts
from kgmm.graph.evidence import choice_texts
from kgmm.graph.joint import JointGraph, batch
from kgmm.language.names import label
from kgmm.nn.joint import JointBatch
from kgmm.nn.joint_reader import JointReader, Pieces
from kgmm.progress import Progress, silent

Halves = NDArray[np.float16]


class JointInputs:
    """Questions with their joint graphs; :meth:`take` gives some of them as a batch.

    Args:
        reader, encoder: the network's reader of texts, and the encoder whose BERT it corrects.
        graphs: one a question; vectors that a graph keeps are taken, others are made.
        facts: how many facts of each choice are read as text.
        nodes: whether the graphs themselves are read; without them :meth:`take` gives the texts alone.
        progress: told of texts read.
    """

    def __init__(
        self,
        reader: JointReader,
        encoder: BertEncoder,
        graphs: Sequence[JointGraph],
        *,
        facts: int,
        nodes: bool = True,
        progress: Progress = silent,
    ) -> None:
        self.graphs: list[JointGraph] = list(graphs)
        pieces = [[graph.names[0], *choice_texts(graph, facts)] for graph in self.graphs]
        self.texts: PieceTexts = PieceTexts(reader, encoder, pieces, progress)
        self.nodes: bool = nodes
        if nodes:
            bare = [graph for graph in self.graphs if graph.vectors is None]
            words = list(dict.fromkeys(word for graph in bare for word in _words(graph)))
            self._row: dict[str, int] = {word: row for row, word in enumerate(words)}
            self._vectors: Halves = encoder.encode(words).astype(np.float16)

    def __len__(self) -> int:
        return len(self.graphs)

    def take(self, rows: Sequence[int]) -> tuple[Pieces, JointBatch | None]:
        """Return the texts and the graphs of some questions."""
        pieces = self.texts.take(rows)
        if not self.nodes:
            return pieces, None
        graphs = [self.graphs[row] for row in rows]
        vectors = [self._of(graph) for graph in graphs]
        made = batch(graphs, vectors)
        near = [v @ v[0] for v in vectors]
        made.relevance.copy_(made.relevance.new_tensor(np.concatenate(near)))
        return pieces, made

    def _of(self, graph: JointGraph) -> NDArray[np.float32]:
        if graph.vectors is not None:
            return graph.vectors
        return self._vectors[[self._row[word] for word in _words(graph)]].astype(np.float32)


def _words(graph: JointGraph) -> list[str]:
    """Return what is said of each node: a concept's label, a text itself."""
    terms = graph.terms.tolist()
    return [label(name) if term >= 0 else name for name, term in zip(graph.names, terms, strict=True)]
