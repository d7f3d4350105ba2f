"""Attention of a question over a picture's objects: stacked, top-down, and hierarchical co-attention."""

import torch
from torch import Tensor, nn

from kgmm.nn.mask import masked_softmax


class StackedAttention(nn.Module):
    r"""Look K times, each look added to the query (SAN, Yang et al. 2016, Eqs. 15-20).

    :math:`h = \tanh(W_V V ⊕ (W_q u^{k-1}+b))`, :math:`p = \mathrm{softmax}(w^\top h)`,
    :math:`u^k = \sum_i p_i v_i + u^{k-1}`, :math:`u^0 = q`.

    Shapes:
        objects (B, N, d), question (B, d), mask (B, N) → u^K (B, d), attention (B, K, N).
    """

    def __init__(self, dim: int, hidden: int, looks: int = 2) -> None:
        super().__init__()
        self.image: nn.ModuleList = nn.ModuleList(nn.Linear(dim, hidden, bias=False) for _ in range(looks))
        self.query: nn.ModuleList = nn.ModuleList(nn.Linear(dim, hidden) for _ in range(looks))
        self.score: nn.ModuleList = nn.ModuleList(nn.Linear(hidden, 1) for _ in range(looks))

    def forward(self, objects: Tensor, question: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the refined query and every look's attention."""
        u, looks = question, []
        for image, query, score in zip(self.image, self.query, self.score, strict=True):
            h = torch.tanh(image(objects) + query(u).unsqueeze(1))
            p = masked_softmax(score(h).squeeze(-1), mask)
            u = u + (p.unsqueeze(-1) * objects).sum(1)
            looks.append(p)
        return u, torch.stack(looks, 1)


class GatedTanh(nn.Module):
    r""":math:`f(x) = \tanh(Wx+b) ∘ σ(W'x+b')` (Anderson et al. 2018, Eqs. 1-3): (…, d_in) → (…, d_out)."""

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.value, self.gate = nn.Linear(in_dim, out_dim), nn.Linear(in_dim, out_dim)
        nn.init.xavier_uniform_(self.value.weight, nn.init.calculate_gain("tanh"))  # products of these start too small

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated activation."""
        return torch.tanh(self.value(x)) * torch.sigmoid(self.gate(x))


class TopDownAttention(nn.Module):
    r"""One look over bottom-up regions: :math:`a_i = w^\top f_a([v_i; q])` (Anderson et al. 2018, Eq. 4).

    Shapes:
        objects (B, N, d_v), question (B, d_q), mask (B, N) → seen (B, d_v), attention (B, N).
    """

    def __init__(self, object_dim: int, question_dim: int, hidden: int) -> None:
        super().__init__()
        self.joint, self.score = GatedTanh(object_dim + question_dim, hidden), nn.Linear(hidden, 1, bias=False)

    def forward(self, objects: Tensor, question: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the attended object vector and its attention."""
        joint = torch.cat([objects, question.unsqueeze(1).expand(-1, objects.shape[1], -1)], -1)
        a = masked_softmax(self.score(self.joint(joint)).squeeze(-1), mask)
        return (a.unsqueeze(-1) * objects).sum(1), a


class CoAttention(nn.Module):
    r"""Parallel co-attention of words and objects (HieCoAtt, Lu et al. 2016, Eqs. 3-5).

    :math:`C = \tanh(Q^\top W_b V)`, :math:`H_v = \tanh(W_v V + (W_q Q)C)`, :math:`H_q = \tanh(W_q Q + (W_v V)C^\top)`,
    :math:`a_v = \mathrm{softmax}(w_{hv}^\top H_v)`, :math:`a_q` alike.

    Shapes (rows are slots here):
        words (B, L, d), objects (B, N, d), masks (B, L), (B, N) →
        q̂ (B, d), v̂ (B, d), a_q (B, L), a_v (B, N).
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.affinity: nn.Linear = nn.Linear(dim, dim, bias=False)
        self.image, self.question = (nn.Linear(dim, hidden, bias=False) for _ in range(2))
        self.score_image, self.score_question = nn.Linear(hidden, 1), nn.Linear(hidden, 1)

    def forward(
        self, words: Tensor, objects: Tensor, word_mask: Tensor, object_mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return both attended vectors and both attentions."""
        c = torch.tanh(words @ self.affinity(objects).transpose(1, 2))
        c = c * word_mask.unsqueeze(-1) * object_mask.unsqueeze(1)
        image, question = self.image(objects), self.question(words)
        h_v = torch.tanh(image + c.transpose(1, 2) @ question)
        h_q = torch.tanh(question + c @ image)
        a_v = masked_softmax(self.score_image(h_v).squeeze(-1), object_mask)
        a_q = masked_softmax(self.score_question(h_q).squeeze(-1), word_mask)
        q_hat, v_hat = (a_q.unsqueeze(-1) * words).sum(1), (a_v.unsqueeze(-1) * objects).sum(1)
        return q_hat, v_hat, a_q, a_v


class PhraseConvolution(nn.Module):
    r"""Words to phrases: the largest of 1-, 2- and 3-gram convolutions at each place (Lu et al. 2016, Eqs. 1-2).

    Shapes:
        words (B, L, d), mask (B, L) → (B, L, d), zero at padding.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.grams: nn.ModuleList = nn.ModuleList(nn.Conv1d(dim, dim, n) for n in (1, 2, 3))

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Return one phrase vector a word."""
        x = (words * mask.unsqueeze(-1)).transpose(1, 2)
        padded = (x, nn.functional.pad(x, (0, 1)), nn.functional.pad(x, (1, 1)))
        grams = [torch.tanh(conv(p)) for conv, p in zip(self.grams, padded, strict=True)]
        return torch.stack(grams).amax(0).transpose(1, 2) * mask.unsqueeze(-1)


class HierarchicalCoAttention(nn.Module):
    r"""Co-attention at word, phrase and question level, fused upwards (Lu et al. 2016, Eqs. 3-7).

    :math:`h_w = \tanh(W_w(\hat q_w+\hat v_w))`, :math:`h_p = \tanh(W_p[\hat q_p+\hat v_p; h_w])`,
    :math:`h_s = \tanh(W_s[\hat q_s+\hat v_s; h_p])`.

    Shapes:
        words (B, L, d), objects (B, N, d), masks → h_s (B, d), object attention (B, 3, N), word attention (B, 3, L).
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.phrase: PhraseConvolution = PhraseConvolution(dim)
        self.sentence: nn.LSTM = nn.LSTM(dim, dim, batch_first=True)
        self.levels: nn.ModuleList = nn.ModuleList(CoAttention(dim, hidden) for _ in range(3))
        self.fuse: nn.ModuleList = nn.ModuleList(nn.Linear(n * dim, dim) for n in (1, 2, 2))

    def forward(
        self, words: Tensor, objects: Tensor, word_mask: Tensor, object_mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the fused vector and all attentions."""
        phrases = self.phrase(words, word_mask)
        sentence = self.sentence(phrases)[0] * word_mask.unsqueeze(-1)
        h, image, question = words.new_zeros(len(words), 0), [], []
        for level, fuse, attend in zip((words, phrases, sentence), self.fuse, self.levels, strict=True):
            q_hat, v_hat, a_q, a_v = attend(level, objects, word_mask, object_mask)
            h = torch.tanh(fuse(torch.cat([q_hat + v_hat, h], -1)))
            image.append(a_v)
            question.append(a_q)
        return h, torch.stack(image, 1), torch.stack(question, 1)
