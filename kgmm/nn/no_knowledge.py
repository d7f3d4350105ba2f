"""What a network says without any knowledge: from the question alone, or from the question and what is seen."""

import torch
from torch import Tensor, nn

from kgmm.nn.kdmn import FactBatch
from kgmm.nn.mask import masked_mean


class NoKnowledge(nn.Module):
    r"""Answer from a vocabulary, and by pointing at a seen name; facts are not read.

    :math:`q = \tanh(W_1 [f(I); f(Q)] + b_1)`, vocabulary logits :math:`W_2 q + b_2`, the logit of seen name *i*
    :math:`u^\top \tanh(U q + V s_i)`. It is KDMN's twin: all that KDMN reads but the memory. Blind, it has the question
    alone, and the vocabulary alone to answer with.

    Shapes:
        :class:`~kgmm.nn.kdmn.FactBatch` → logits (B, answers + S), the seen names last; padding has the lowest number.

    *words* and *sentence* are widths of vectors, *dim* the width inside; dropout is of what is read, and before the
    vocabulary.
    """

    def __init__(
        self,
        answers: int,
        words: int = 50,
        sentence: int = 384,
        dim: int = 64,
        blind: bool = False,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.blind, self.dropout = blind, nn.Dropout(dropout)
        self.query, self.vocabulary = nn.Linear(words + sentence, dim), nn.Linear(dim, answers)
        self.point_query, self.point_seen = nn.Linear(dim, dim), nn.Linear(words, dim, bias=False)
        self.point = nn.Linear(dim, 1)

    def forward(self, batch: FactBatch) -> Tensor:
        """Return the logits."""
        mask = batch.seen_mask & (not self.blind)
        seen = batch.seen * mask.unsqueeze(-1)
        read = torch.cat([masked_mean(seen, mask), batch.question * batch.question.shape[-1] ** 0.5], -1)
        query = self.dropout(torch.tanh(self.query(self.dropout(read))))
        at = self.point(torch.tanh(self.point_query(query).unsqueeze(1) + self.point_seen(seen))).squeeze(-1)
        at = at.masked_fill(~mask, torch.finfo(at.dtype).min)
        return torch.cat([self.vocabulary(query), at], 1)
