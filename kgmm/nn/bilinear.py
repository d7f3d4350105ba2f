"""Bilinear fusion of a question and a picture: the full tensor and four ways to afford it.

MCB (Fukui et al. 2016), MLB (Kim et al. 2017), MFB (Yu et al. 2017), MUTAN (Ben-Younes et al. 2017). Each is made of the
widths ``q_dim, v_dim, out_dim`` and maps q (…, d_q), v (…, d_v) → (…, d_out).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FullBilinear(nn.Module):
    r""":math:`y = (T ×_1 q) ×_2 v + b` with the whole tensor T."""

    def __init__(self, q_dim: int, v_dim: int, out_dim: int) -> None:
        super().__init__()
        self.tensor = nn.Bilinear(q_dim, v_dim, out_dim)

    def forward(self, q: Tensor, v: Tensor) -> Tensor:
        """Return the fused vector."""
        weight = self.tensor.weight  # (d_out, d_q, d_v); two products are faster than torch's own kernel on a CPU
        product = q @ weight.permute(1, 2, 0).flatten(1)
        matrix = product.view(*product.shape[:-1], v.shape[-1], -1)
        return (v.unsqueeze(-2) @ matrix).squeeze(-2) + self.tensor.bias


class MCB(nn.Module):
    r"""Compact bilinear pooling: the outer product's count sketch without the outer product (Fukui et al. 2016).

    :math:`y = \mathrm{FFT}^{-1}(\mathrm{FFT}(ψ(q)) ∘ \mathrm{FFT}(ψ(v)))` with fixed random hashes h and signs s,
    then signed square root and L2 norm. Less than the paper's 16,000 numbers make more products fall together.
    """

    def __init__(self, q_dim: int, v_dim: int, out_dim: int = 16_000, seed: int = 0) -> None:
        super().__init__()
        self.out_dim = out_dim
        generator = torch.Generator().manual_seed(seed)
        for name, dim in (("q", q_dim), ("v", v_dim)):
            self.register_buffer(f"hash_{name}", torch.randint(out_dim, (dim,), generator=generator))
            self.register_buffer(f"sign_{name}", torch.randint(2, (dim,), generator=generator) * 2.0 - 1.0)

    def sketch(self, x: Tensor, which: str) -> Tensor:
        """Return the count sketch of q or v: (…, d) → (…, d_out)."""
        place, sign = self.get_buffer(f"hash_{which}"), self.get_buffer(f"sign_{which}")
        return x.new_zeros(*x.shape[:-1], self.out_dim).index_add(-1, place, x * sign.to(x.dtype))

    def raw(self, q: Tensor, v: Tensor) -> Tensor:
        """Return the sketch of the outer product, before normalization."""
        with torch.autocast(q.device.type, enabled=False):
            spectrum = torch.fft.rfft(self.sketch(q.float(), "q")) * torch.fft.rfft(self.sketch(v.float(), "v"))
            joint: Tensor = torch.fft.irfft(spectrum, n=self.out_dim)
            return joint

    def forward(self, q: Tensor, v: Tensor) -> Tensor:
        """Return the normalized sketch."""
        return power_normalize(self.raw(q, v))


class MLB(nn.Module):
    r"""Low-rank bilinear pooling: :math:`y = P^\top(\tanh(W_q^\top q) ∘ \tanh(W_v^\top v)) + b` (Kim et al. 2017).

    Its joint space is *rank* wide; not *activate*\ d, it is the tensor :math:`\sum_r P_{ro} W_{q,ir} W_{v,jr}`.
    """

    def __init__(self, q_dim: int, v_dim: int, out_dim: int, rank: int = 256, activate: bool = True) -> None:
        super().__init__()
        self.activate = activate
        self.q, self.v = nn.Linear(q_dim, rank, bias=False), nn.Linear(v_dim, rank, bias=False)
        self.out: nn.Linear = nn.Linear(rank, out_dim)

    def forward(self, q: Tensor, v: Tensor) -> Tensor:
        """Return the fused vector."""
        a, b = self.q(q), self.v(v)
        fused: Tensor = self.out(torch.tanh(a) * torch.tanh(b) if self.activate else a * b)
        return fused


class MFB(nn.Module):
    r"""Factorized bilinear pooling: :math:`z = \mathrm{SumPool}(U^\top q ∘ V^\top v, k)` (Yu et al. 2017).

    Dropout before the pooling, power and L2 normalization after it.
    """

    def __init__(self, q_dim: int, v_dim: int, out_dim: int, factors: int = 5) -> None:
        super().__init__()
        self.factors = factors
        self.q, self.v = nn.Linear(q_dim, out_dim * factors), nn.Linear(v_dim, out_dim * factors)
        self.dropout: nn.Dropout = nn.Dropout(0.1)

    def forward(self, q: Tensor, v: Tensor) -> Tensor:
        """Return the normalized fused vector."""
        joint = self.dropout(self.q(q) * self.v(v))
        return power_normalize(joint.unflatten(-1, (-1, self.factors)).sum(-1))


class MUTAN(nn.Module):
    r"""Tucker fusion with a core of rank-R slices (Ben-Younes et al. 2017, Eqs. 7-9).

    :math:`\tilde q = \tanh(W_q q)`, :math:`\tilde v = \tanh(W_v v)`,
    :math:`z = \sum_r (\tilde q M_r) ∘ (\tilde v N_r)`, :math:`y = W_o z`.
    """

    def __init__(
        self,
        q_dim: int,
        v_dim: int,
        out_dim: int,
        hidden: int = 128,
        core: int = 128,
        rank: int = 5,
        activate: bool = True,
    ) -> None:
        super().__init__()
        self.rank, self.activate = rank, activate
        self.q, self.v = nn.Linear(q_dim, hidden), nn.Linear(v_dim, hidden)
        self.m, self.n = (nn.Linear(hidden, core * rank, bias=False) for _ in range(2))
        self.out: nn.Linear = nn.Linear(core, out_dim)

    def forward(self, q: Tensor, v: Tensor) -> Tensor:
        """Return the fused vector."""
        a, b = self.q(q), self.v(v)
        if self.activate:
            a, b = torch.tanh(a), torch.tanh(b)
        z = (self.m(a) * self.n(b)).unflatten(-1, (self.rank, -1)).sum(-2)
        fused: Tensor = self.out(z)
        return fused


def power_normalize(x: Tensor) -> Tensor:
    """Return signed square roots, scaled to unit length; the gradient at 0 is finite."""
    rooted = x.sign() * ((x.abs() + 1e-8).sqrt() - 1e-4)
    return F.normalize(rooted, dim=-1)


#: name → layer of (d_q, d_v, d_out)
FUSIONS = {"full": FullBilinear, "mcb": MCB, "mlb": MLB, "mfb": MFB, "mutan": MUTAN}
