"""Graph convolution with Gaussian kernels over the objects' relative places (Monti 2017; Norcliffe-Brown 2018)."""

import math

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing


def pseudo_coordinates(centres: Tensor, edge_index: Tensor) -> Tensor:
    """Return (ρ, θ) of the vector from each edge's target to its source, (E, 2): length and angle in (-π, π].

    *centres* are (N, 2) box centres in normalized image coordinates, *edge_index* (2, E) sources j first, targets i
    second.
    """
    source, target = edge_index
    vector = centres[source] - centres[target]
    return torch.stack([vector.norm(dim=-1), torch.atan2(vector[:, 1], vector[:, 0])], -1)


class GaussianKernelConv(MessagePassing):
    r"""Convolve over weighted edges with K learned Gaussian kernels of the edges' pseudo-coordinates.

    :math:`w_k(u) = \exp(-\tfrac12 (u-μ_k)^\top Σ_k^{-1}(u-μ_k))`, diagonal :math:`Σ_k`,
    :math:`f_k(i) = \sum_{j∈N(i)} w_k(u(i,j))\, α_{ij}\, v_j`, :math:`h_i = \Vert_k G_k f_k(i)`.

    Shapes:
        x (N, d_in), edge_index (2, E), u (E, 2), weight (E,) → (N, d_out), d_out a multiple of K.
    """

    def __init__(self, in_dim: int, out_dim: int, kernels: int = 8) -> None:
        super().__init__(aggr="add", node_dim=0)
        if out_dim % kernels:
            raise ValueError(f"out_dim {out_dim} is not a multiple of the {kernels} kernels")
        self.kernels = kernels
        self.mean, self.log_scale = nn.Parameter(torch.empty(kernels, 2)), nn.Parameter(torch.empty(kernels, 2))
        self.project: nn.Parameter = nn.Parameter(torch.empty(kernels, in_dim, out_dim // kernels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Spread the kernels over distances in [0, 1] and all directions."""
        nn.init.uniform_(self.mean[:, 0].data, 0.0, 1.0)
        nn.init.uniform_(self.mean[:, 1].data, -math.pi, math.pi)
        nn.init.zeros_(self.log_scale)
        for kernel in self.project.data:
            nn.init.xavier_uniform_(kernel)

    def kernel_weights(self, u: Tensor) -> Tensor:
        """Return each kernel's weight for each edge: u (E, 2) → (E, K)."""
        difference = (u.unsqueeze(1) - self.mean) * torch.exp(-self.log_scale)
        return torch.exp(-0.5 * difference.square().sum(-1))

    def forward(self, x: Tensor, edge_index: Tensor, u: Tensor, weight: Tensor) -> Tensor:
        """Return the new node features; see the class for shapes."""
        kernel = self.kernel_weights(u) * weight.unsqueeze(-1)
        gathered: Tensor = self.propagate(edge_index, x=x, kernel=kernel, size=(len(x), len(x)))
        return torch.einsum("nkd,kdo->nko", gathered, self.project).flatten(1)

    def message(self, x_j: Tensor, kernel: Tensor) -> Tensor:
        """Return every kernel's view of each edge's source: (E, K, d_in)."""
        return kernel.unsqueeze(-1) * x_j.unsqueeze(1)
