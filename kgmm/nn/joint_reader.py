"""A BERT that reads a question and its choices as pieces of one text: apart in its lower layers, together in its upper ones.

The lower layers see one piece each and are not trained, so that what they make of it is computed once (DeFormer, Cao et
al., ACL 2020). The upper layers get low-rank corrections (LoRA; Hu et al., ICLR 2022): there the question reads
everything, and a choice reads the question and itself.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kgmm.nn.bert import Bert

PIECES = 3  #: layers that read each piece alone


@dataclass
class Pieces:
    """B questions' tokens one behind the other, T in all; of each question those of its piece 0 come first, then of piece 1."""

    states: Tensor  #: (T, D) what the lower layers make of each token
    question: Tensor  #: (T,) int64 which question a token is of, ascending
    piece: Tensor  #: (T,) int64 which piece of it; piece 0 is the question itself
    counts: Tensor  #: (B,) int64 pieces of each question

    def __len__(self) -> int:
        return len(self.counts)

    def to(self, device: torch.device | str) -> Pieces:
        """Return the pieces on another device."""
        return Pieces(*(getattr(self, f.name).to(device) for f in fields(self)))


class Corrected(nn.Module):
    r"""A given product and its low-rank correction: :math:`x ↦ W x + b + U V x`, :math:`V` (rank, in), :math:`U` (out, rank).

    Training multiplies in *precision* and keeps what it trains in single precision. What is only read from then on
    (:meth:`JointReader.read_in`) is one product, corrected once.

    Shapes:
        x (T, in) → (T, out).
    """

    precision = torch.float32
    _corrected: tuple[Tensor, Tensor] | None = None

    def __init__(self, weight: Tensor, bias: Tensor, rank: int) -> None:
        super().__init__()
        self._given = weight, bias
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, x: Tensor) -> Tensor:
        """Return the products."""
        if self._corrected is not None:
            return F.linear(x.to(self._corrected[0].dtype), *self._corrected).to(x.dtype)
        kind = self.precision if self.training else x.dtype
        weight, bias, down, up = (w.to(kind) for w in (*self._given, self.down, self.up))
        x = x.to(kind)
        return F.linear(x, weight, bias) + F.linear(F.linear(x, down), up)

    @torch.no_grad()
    def settle(self, precision: torch.dtype) -> None:
        """Correct the product once for all that is read from now on; it can't be trained after that."""
        weight, bias = self._given
        self._corrected = (weight + self.up @ self.down).to(precision), bias.to(precision)


class JointLayer(nn.Module):
    """One layer of a BERT over tokens that lie one behind the other without padding."""

    def __init__(
        self, weights: dict[str, Tensor], prefix: str, heads: int, epsilon: float, rank: int, dropout: float
    ) -> None:
        super().__init__()
        self.heads = heads

        def product(*names: str) -> Corrected:
            matrix, bias = (torch.cat([weights[f"{prefix}{n}.{part}"] for n in names]) for part in ("weight", "bias"))
            return Corrected(matrix, bias, rank)

        self.qkv = product(*(f"attention.self.{part}" for part in ("query", "key", "value")))
        self.mixed, self.inner = product("attention.output.dense"), product("intermediate.dense")
        self.outer = product("output.dense")
        names = "attention.output.LayerNorm", "output.LayerNorm"
        self._norms = [(weights[f"{prefix}{n}.weight"], weights[f"{prefix}{n}.bias"], epsilon) for n in names]
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, slot: Tensor, bias: Tensor) -> Tensor:
        """Tokens (T, D), where each lies in rows of length L (T,), -∞ where none is read (B, 1, L, L), else 0 → (T, D)."""
        count, length, dim = len(bias), bias.shape[-1], x.shape[1]
        known = self.qkv(x)
        rows = known.new_zeros(count * length, 3 * dim).index_copy(0, slot, known)
        q, k, v = rows.view(count, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        # in few steps of its own: torch's fused attention takes five times as long backward on rows as short as these
        read = torch.softmax(q @ k.transpose(2, 3) * q.shape[-1] ** -0.5 + bias.to(q.dtype), 3) @ v
        read = read.transpose(1, 2).reshape(count * length, dim)[slot]
        x = self._norm(x + self.mixed(read), 0)
        return self._norm(x + self.drop(self.outer(F.gelu(self.inner(x)))), 1)

    def _norm(self, x: Tensor, which: int) -> Tensor:
        weight, bias, epsilon = self._norms[which]
        return F.layer_norm(x.float(), x.shape[-1:], weight, bias, epsilon)


class JointReader(nn.Module):
    """Pieces to one vector a piece: the mean of its tokens after the upper layers.

    Shapes:
        pieces of T tokens → (P, D), questions' pieces one behind the other.

    Args:
        weights, config: of the BERT, as :func:`kgmm.nn.bert.load_bert` gives them.
        apart: lower layers, which read each piece alone; see :meth:`alone`.
        rank, dropout: of the corrections, and share of what upper layers add that training leaves out.
    """

    def __init__(
        self,
        weights: dict[str, Tensor],
        config: dict[str, Any],
        apart: int = PIECES,
        rank: int = 32,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self._lower = Bert(weights, config).eval()
        self.dim, self.apart = self._lower.dim, apart
        self.layers = nn.ModuleList(
            JointLayer(weights, f"encoder.layer.{i}.", self._lower.heads, self._lower.epsilon, rank, dropout)
            for i in range(apart, self._lower.depth)
        )

    @torch.no_grad()
    def alone(self, ids: Tensor) -> Tensor:
        """Return what the lower layers make of pieces of one length: token ids (n, length) → (n, length, D)."""
        x = self._lower.embed(ids)
        for layer in range(self.apart):
            x = self._lower.layer(x, None, layer)
        return x

    def forward(self, pieces: Pieces) -> Tensor:
        """Return the pieces' vectors."""
        x, question, piece = pieces.states.float(), pieces.question, pieces.piece
        if len(self.layers):
            slot, bias = self._rows(pieces)
            for layer in self.layers:
                x = layer(x, slot, bias)
        first = pieces.counts.cumsum(0) - pieces.counts
        of = first[question] + piece
        total = int(pieces.counts.sum())
        summed = x.new_zeros(total, x.shape[1]).index_add(0, of, x)
        return summed / torch.bincount(of, minlength=total).clamp(min=1).unsqueeze(1)

    def _rows(self, pieces: Pieces) -> tuple[Tensor, Tensor]:
        """Return where each token lies in rows of one length, one a question, and what :class:`JointLayer` adds to attention."""
        question, piece = pieces.question, pieces.piece
        sizes = torch.bincount(question, minlength=len(pieces))
        length = int(sizes.max())
        slot = question * length + torch.arange(len(piece), device=piece.device) - (sizes.cumsum(0) - sizes)[question]
        place = piece.new_full((len(pieces) * length,), -1).index_copy(0, slot, piece).view(len(pieces), length)
        reader, read = place.unsqueeze(2), place.unsqueeze(1)
        reads = ((reader == read) | (reader == 0) | (read == 0)) & (read >= 0)
        reads = reads | torch.eye(length, dtype=torch.bool, device=piece.device)
        return slot, torch.zeros(reads.shape, device=piece.device).masked_fill(~reads, -torch.inf).unsqueeze(1)

    def read_in(self, precision: torch.dtype) -> None:
        """Read from now on, in some precision and without learning: each correction is added to its product once."""
        self._lower.precision = precision
        self.eval()
        for part in self.modules():
            if isinstance(part, Corrected):
                part.settle(precision)

    def learn_in(self, precision: torch.dtype) -> JointReader:
        """Multiply in another precision while training; reading stays in single precision."""
        for part in self.modules():
            if isinstance(part, Corrected):
                part.precision = precision
        return self
