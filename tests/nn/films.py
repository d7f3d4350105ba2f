"""What tests of networks for films share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import pytest
import torch
from torch import Tensor, nn

from kgmm.nn.film import FilmTensors


def subsets(items: Sequence[int]) -> list[list[int]]:
    return [list(some) for size in range(len(items) + 1) for some in combinations(items, size)]


def assert_true_gradient(model: nn.Module, loss: Callable[[], Tensor], step: float = 1e-6, each: int = 4) -> None:
    """Compare the gradient of a few entries of every parameter with central finite differences."""
    model.zero_grad()
    loss().backward()
    g = torch.Generator().manual_seed(7)
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        flat, slopes = weight.data.view(-1), weight.grad.reshape(-1)
        for at in torch.randint(len(flat), (each,), generator=g).tolist():
            values, before = [], float(flat[at])
            for sign in (1, -1):
                flat[at] = before + sign * step
                values.append(float(loss().detach()))
            flat[at] = before
            slope = (values[0] - values[1]) / (2 * step)
            assert float(slopes[at]) == pytest.approx(slope, rel=1e-4, abs=2e-7), name


def small_film(segments: int = 6, seed: int = 0) -> FilmTensors:
    """A film of two moments a segment with every label and question."""
    g = torch.Generator().manual_seed(seed)
    n = 2 * segments
    draw = lambda *shape: torch.randn(*shape, generator=g, dtype=torch.float64)  # noqa: E731
    return FilmTensors(
        draw(n, 7),
        torch.arange(0, n + 1, 2),
        importance=draw(n).abs(),
        chosen=tuple(i for i in (0, 1, 4) if i < segments),
        asked=tuple(i for i in (1, 4) if i < segments),
        concepts=draw(n, 5).abs(),
        query=torch.tensor([0.0, 1.0, 0.0, 0.3, 0.0], dtype=torch.float64),
        query_text=draw(3),
        title_text=draw(3),
        pictured=(1,) if n < 6 else (1, 5),
        entities=(draw(n, 4) > 0.3).double(),
    )
