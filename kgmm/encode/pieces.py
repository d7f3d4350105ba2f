"""Texts in pieces as a joint reader's upper layers read them: what the lower layers make of each piece, computed once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from kgmm.encode.bert import TOKENS_PER_BATCH, BertEncoder
from kgmm.nn.joint_reader import JointReader, Pieces
from kgmm.progress import Progress, silent

LONGEST = 64  #: tokens of a piece that are read


class PieceTexts:
    """Many questions' pieces with their lower states, of which :meth:`take` gives some.

    Args:
        reader, encoder: the network and the encoder whose BERT it corrects.
        texts: of each question its pieces: the question, then its choices, each text once however often it stands here.
        progress: told of texts read.
    """

    def __init__(
        self, reader: JointReader, encoder: BertEncoder, texts: Sequence[Sequence[str]], progress: Progress = silent
    ) -> None:
        distinct = list(dict.fromkeys(text for pieces in texts for text in pieces))
        number = {text: i for i, text in enumerate(distinct)}
        ids = [encoding.ids[:LONGEST] for encoding in encoder.tokenizer.encode_batch(distinct)]
        self.sizes = np.array([len(tokens) for tokens in ids], np.int64)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.states: Tensor = torch.empty(int(self.sizes.sum()), reader.dim, dtype=torch.float16)
        self.pieces = [np.array([number[text] for text in some], np.int64) for some in texts]
        order = np.argsort(self.sizes, kind="stable")
        done = 0
        while done < len(order):
            length = int(self.sizes[order[done]])
            upto = int(np.searchsorted(self.sizes[order], length, "right"))
            some = order[done : min(upto, done + max(1, TOKENS_PER_BATCH // length))]
            read = reader.alone(torch.tensor([ids[i] for i in some.tolist()]))
            at = torch.from_numpy(self.starts[some][:, None] + np.arange(length))
            self.states[at] = read.half()
            done += len(some)
            progress(done, len(order), "texts")

    def __len__(self) -> int:
        return len(self.pieces)

    def take(self, rows: Sequence[int]) -> Pieces:
        """Return the pieces of some questions."""
        chosen = [self.pieces[row] for row in rows]
        counts = np.array([len(some) for some in chosen], np.int64)
        number = np.concatenate(chosen)
        sizes = self.sizes[number]
        within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        question = np.repeat(np.repeat(np.arange(len(chosen)), counts), sizes)
        piece = np.repeat(np.concatenate([np.arange(n) for n in counts.tolist()]), sizes)
        states = self.states[torch.from_numpy(np.repeat(self.starts[number], sizes) + within)]
        return Pieces(states, *(torch.from_numpy(a) for a in (question, piece, counts)))
