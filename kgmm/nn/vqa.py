"""The VQA family over object features: one network for each way of joining question and picture, the same around it.

Blind is the baseline that sees no picture; the others are after the papers their docstrings cite: Yang et al. 2016, Lu
et al. 2016, Anderson et al. 2018, Norcliffe-Brown et al. 2018, and the survey's Figure 19.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kgmm.nn.attention import GatedTanh, HierarchicalCoAttention, StackedAttention, TopDownAttention
from kgmm.nn.bilinear import FUSIONS
from kgmm.nn.gaussian_conv import GaussianKernelConv, pseudo_coordinates
from kgmm.nn.graph_learner import GraphLearner
from kgmm.nn.mask import masked_max, masked_mean

Shown = dict[str, Tensor]  #: what a network shows of how it came to its answer: name → tensor of the batch


class QuestionEncoder(nn.Module):
    """Encode padded token ids of a vocabulary, padding and unknown among them, by a GRU over embeddings.

    Shapes:
        tokens (B, L) int64, 0 is padding → words (B, L, d) of the recurrent layer, question (B, d).
    """

    def __init__(self, vocabulary: int, embedding: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.recurrent = nn.GRU(embedding, dim, batch_first=True)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states of all words, zero at padding, and the last real one."""
        mask = tokens != 0
        states, _ = self.recurrent(self.embedding(tokens))
        last = mask.sum(1).clamp(min=1) - 1
        question = states[torch.arange(len(tokens), device=tokens.device), last]
        return states * mask.unsqueeze(-1), question


class Given(NamedTuple):
    """What a join reads: words (B, L, d), question (B, d), objects (B, N, d), mask (B, N), boxes (B, N, 4)."""

    words: Tensor
    question: Tensor
    objects: Tensor
    mask: Tensor
    boxes: Tensor


class Blind(nn.Module):
    """The question alone: what a data set's bias is worth."""

    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, x: Given) -> tuple[Tensor, Shown]:
        """Return (B, d) and nothing to show."""
        return x.question, {}


class Conventional(nn.Module):
    """The survey's Figure 19: one vector for the picture, one for the question, joined and classified."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.joint: nn.Sequential = nn.Sequential(nn.Linear(2 * dim, dim), nn.ReLU())

    def forward(self, x: Given) -> tuple[Tensor, Shown]:
        """Return (B, d) and nothing to show."""
        return self.joint(torch.cat([masked_mean(x.objects, x.mask), x.question], -1)), {}


class San(nn.Module):
    """Stacked attention (Yang et al. 2016)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.attend: StackedAttention = StackedAttention(dim, dim)

    def forward(self, x: Given) -> tuple[Tensor, Shown]:
        """Return (B, d) and the attention of each look."""
        u, looks = self.attend(x.objects, x.question, x.mask)
        return u, {"attention": looks}


class HieCoAtt(nn.Module):
    """Hierarchical co-attention (Lu et al. 2016).

    Its lowest level, the paper's word embeddings, reads the states of the family's question GRU: a word there knows the
    words before it.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.attend: HierarchicalCoAttention = HierarchicalCoAttention(dim, dim)

    def forward(self, x: Given) -> tuple[Tensor, Shown]:
        """Return (B, d) and the attention of word, phrase and question level."""
        present = x.words.abs().sum(-1) > 0
        h, image, asked = self.attend(x.words, x.objects, present, x.mask)
        return h, {"attention": image, "words": asked}


class UpDown(nn.Module):
    r"""Bottom-up and top-down attention (Anderson et al. 2018): :math:`f_q(q) ∘ f_v(\hat v)`.

    What classifies the product is the family's (:class:`VqaNetwork`), not the paper's gated tanh.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.attend: TopDownAttention = TopDownAttention(dim, dim, dim)
        self.question, self.image = GatedTanh(dim, 4 * dim), GatedTanh(dim, 4 * dim)
        self.out: nn.Linear = nn.Linear(4 * dim, dim)

    def forward(self, x: Given) -> tuple[Tensor, Shown]:
        """Return (B, d) and the attention."""
        seen, attention = self.attend(x.objects, x.question, x.mask)
        joint = self.out(self.question(x.question) * self.image(seen))
        return joint, {"attention": attention.unsqueeze(1)}


class Bilinear(nn.Module):
    """Bilinear fusion of the question and the attended objects, one of :data:`~kgmm.nn.bilinear.FUSIONS`.

    The fused vector is as wide as all inside, which for MCB is the sketch itself: 64 numbers, where Fukui et al. 2016 take
    16,000.
    """

    def __init__(self, dim: int, fusion: str) -> None:
        super().__init__()
        self.attend: TopDownAttention = TopDownAttention(dim, dim, dim)
        self.fuse = FUSIONS[fusion](dim, dim, dim)

    def forward(self, x: Given) -> tuple[Tensor, Shown]:
        """Return (B, d) and the attention."""
        seen, attention = self.attend(x.objects, x.question, x.mask)
        return self.fuse(x.question, seen), {"attention": attention.unsqueeze(1)}


class LearnedGraph(nn.Module):
    r"""Graph VQA (Norcliffe-Brown et al. 2018): a learned graph, two Gaussian-kernel convolutions, max, :math:`∘ q`."""

    def __init__(self, dim: int, neighbours: int = 16, kernels: int = 8) -> None:
        super().__init__()
        self.learn: GraphLearner = GraphLearner(dim, dim, dim, neighbours)
        self.first, self.second = GaussianKernelConv(dim, 2 * dim, kernels), GaussianKernelConv(2 * dim, dim, kernels)

    def forward(self, x: Given) -> tuple[Tensor, Shown]:
        """Return (B, d) and the learned neighbours with their weights."""
        b, n, _ = x.objects.shape
        neighbours, weights = self.learn(x.objects, x.question, x.mask)
        start = torch.arange(b, device=x.mask.device).view(b, 1, 1) * n
        source = (neighbours + start).flatten()
        target = (torch.arange(n, device=x.mask.device).view(1, n, 1) + start).expand_as(neighbours).flatten()
        edges = torch.stack([source, target])
        u = pseudo_coordinates(x.boxes[..., :2].flatten(0, 1), edges)
        nodes = torch.relu(self.first(x.objects.flatten(0, 1), edges, u, weights.flatten()))
        nodes = torch.relu(self.second(nodes, edges, u, weights.flatten())).view(b, n, -1)
        return masked_max(nodes, x.mask) * x.question, {"neighbours": neighbours, "weights": weights}


#: name of a model → its join of question and picture, made from the width
JOINS: dict[str, Callable[[int], nn.Module]] = {
    "blind": Blind,
    "conventional": Conventional,
    "san": San,
    "hiecoatt": HieCoAtt,
    "updown": UpDown,
    "graph": LearnedGraph,
    **{f"bilinear-{name}": (lambda dim, name=name: Bilinear(dim, name)) for name in FUSIONS},  # type: ignore[misc]
}


class VqaNetwork(nn.Module):
    """Objects and a question → logits over answers.

    One classifier serves all joins (:data:`JOINS`), a hidden layer of ReLU, and it is trained by cross-entropy under a
    softmax. Anderson et al. 2018 classify by gated tanh, and learn sigmoids on soft scores; a question here has one
    right answer, whose scores are 0 and 1. *features* is the width of an object's features, *dim* that of everything
    inside.

    Shapes:
        tokens (B, L) int64, 0 padding; features (B, N, f); boxes (B, N, 4) centre, width, height in [0, 1]; mask (B, N)
        → logits (B, answers) and what the join shows.
    """

    def __init__(
        self, join: str, vocabulary: int, answers: int, features: int, dim: int = 64, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.question: QuestionEncoder = QuestionEncoder(vocabulary, dim, dim)
        self.objects: nn.Sequential = nn.Sequential(nn.Linear(features + 4, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.join: nn.Module = JOINS[join](dim)
        self.classify: nn.Sequential = nn.Sequential(
            nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * dim, answers)
        )

    def forward(self, tokens: Tensor, features: Tensor, boxes: Tensor, mask: Tensor) -> tuple[Tensor, Shown]:
        """Return logits and what the join shows."""
        words, question = self.question(tokens)
        objects = self.objects(torch.cat([features, boxes], -1)) * mask.unsqueeze(-1)
        joint, shown = self.join(Given(words, question, objects, mask, boxes))
        return self.classify(joint), shown
