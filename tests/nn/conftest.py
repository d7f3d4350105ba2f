"""Two small pictures with a question each, the second one padded."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def pictures():
    """Words (2, 4, 8), question (2, 8), objects (2, 5, 8), mask (2, 5) and boxes (2, 5, 4)."""
    g = torch.Generator().manual_seed(0)
    mask = torch.ones(2, 5, dtype=torch.bool)
    mask[1, 3:] = False
    given = torch.randn(2, 4, 8, generator=g), torch.randn(2, 8, generator=g)
    objects = torch.randn(2, 5, 8, generator=g) * mask.unsqueeze(-1)
    return *given, objects, mask, torch.rand(2, 5, 4, generator=g)
