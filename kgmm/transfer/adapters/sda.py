"""Stacked denoising autoencoders (Glorot, Bordes, Bengio, ICML 2011): layers that restore both domains' rows from what is left.

The marginalized form, ``msda``, does the same in closed form.
"""

import numpy as np
import torch
from torch import nn

from kgmm.transfer.adapters._linear import Stacked
from kgmm.transfer.base import Floats

BATCH, RATE = 64, 1e-3


class SDA(Stacked):
    """Features of both domains by denoising autoencoders, one layer after the other, beside the features themselves.

    Args:
        noise: share of a row's features that is lost.
        layers: how many are stacked.
        width: of a layer.
        epochs: passes over both domains for each layer.
    """

    def __init__(
        self,
        weight: float = 1.0,
        C: float = 0.1,
        noise: float = 0.5,
        layers: int = 1,
        width: int = 256,
        epochs: int = 10,
        seed: int = 0,
    ) -> None:
        super().__init__(weight, C, seed)
        self.noise = noise
        self.layers = layers
        self.width = width
        self.epochs = epochs

    def made(self, source: Floats, target: Floats) -> Floats:
        """Return the source's features and all layers' above it, its mean taken off."""
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            return super().made(source, target)

    def layer(self, level: Floats) -> nn.Linear:
        """Return the encoder of a denoising autoencoder."""
        rows = torch.as_tensor(level, dtype=torch.float32)
        encode, decode = nn.Linear(rows.shape[1], self.width), nn.Linear(self.width, rows.shape[1])
        optimizer = torch.optim.Adam([*encode.parameters(), *decode.parameters()], RATE)
        for _ in range(self.epochs):
            for part in torch.split(torch.randperm(len(rows)), BATCH):
                clean = rows[part]
                lost = clean * (torch.rand_like(clean) >= self.noise)
                loss = (decode(torch.tanh(encode(lost))) - clean).square().sum(1).mean()
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
        return encode

    def up(self, level: Floats, layer: nn.Linear) -> Floats:
        """Return the hidden layer of rows that lost nothing."""
        with torch.no_grad():
            return np.asarray(torch.tanh(layer(torch.as_tensor(level, dtype=torch.float32))).double().numpy())


METHOD = SDA
