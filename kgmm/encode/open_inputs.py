"""Joint graphs of open questions as a network reads them: pieces of text, and the evidence for each answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from kgmm.encode.bert import BertEncoder
from kgmm.encode.pieces import PieceTexts
from kgmm.graph.joint import OBJECT, JointGraph
from kgmm.graph.pointed import Pointed, pointed
from kgmm.nn.joint_reader import JointReader, Pieces
from kgmm.nn.open_network import Evidence
from kgmm.progress import Progress, silent

FURTHER = 64  #: answers beyond the vocabulary that a question may get, those with most evidence


class OpenInputs:
    """Open questions with their joint graphs; :meth:`take` gives some of them as a batch.

    Args:
        reader, encoder: the network's reader of texts, and the encoder whose BERT it corrects.
        graphs: one a question, without choices.
        vocabulary: answers that may be guessed, lower case.
        progress: told of texts read.
        evidence: graphs whose facts are read in the place of the questions' own.
    """

    def __init__(
        self,
        reader: JointReader,
        encoder: BertEncoder,
        graphs: Sequence[JointGraph],
        vocabulary: Sequence[str],
        progress: Progress = silent,
        evidence: Sequence[JointGraph] | None = None,
    ) -> None:
        self.texts: PieceTexts = PieceTexts(reader, encoder, [open_texts(g) for g in graphs], progress)
        self.seen: list[set[str]] = [set(seen_names(graph)) for graph in graphs]
        number = {answer: i for i, answer in enumerate(vocabulary)}
        self.evidence: list[Pointed] = [pointed(graph) for graph in evidence or graphs]
        #: of each question the answers beyond the vocabulary, and the column of each answer that something speaks for
        self.further: list[list[str]] = []
        self.columns: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
        for said in self.evidence:
            worth = np.bincount(said.answer, said.weight, len(said.answers))
            order = [i for i in np.argsort(-worth, kind="stable").tolist() if said.answers[i] not in number][:FURTHER]
            place = {i: len(vocabulary) + at for at, i in enumerate(order)}
            columns = [number.get(word, place.get(i, -1)) for i, word in enumerate(said.answers)]
            self.further.append([said.answers[i] for i in order])
            self.columns.append(np.array(columns, np.int64))

    def __len__(self) -> int:
        return len(self.evidence)

    def take(self, rows: Sequence[int]) -> tuple[Pieces, Evidence]:
        """Return the texts of some questions, and what speaks for their answers."""
        columns: list[list[np.ndarray[tuple[int], np.dtype[np.int64]]]] = []
        weights = []
        for at, row in enumerate(rows):
            said, column = self.evidence[row], self.columns[row][self.evidence[row].answer]
            kept = column >= 0
            columns.append([np.full(int(kept.sum()), at, np.int64), column[kept], said.kind[kept]])
            weights.append(said.weight[kept])
        question, answer, kind = (torch.from_numpy(np.concatenate(part)) for part in zip(*columns, strict=True))
        further = torch.tensor([len(self.further[row]) for row in rows])
        return self.texts.take(rows), Evidence(
            question, answer, kind, torch.from_numpy(np.concatenate(weights)), further
        )


def open_texts(graph: JointGraph) -> list[str]:
    """Return what a network reads of an open question: the question, the names of what is seen as one text, and each name."""
    names = seen_names(graph)
    return [graph.names[0], ", ".join(names), *names]


def seen_names(graph: JointGraph) -> list[str]:
    """Return the names of what is seen, each once."""
    return list(dict.fromkeys(graph.names[i] for i in np.flatnonzero(graph.kinds == OBJECT).tolist()))
