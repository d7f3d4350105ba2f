"""What ``import kgmm`` promises is there, and stays what it is however often it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

import kgmm


@pytest.mark.parametrize("name", kgmm.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(kgmm, name) is not None


def test_functions_named_as_their_package_can_be_called_again_and_again() -> None:
    picture = np.full((64, 64, 3), 128, np.uint8)
    assert kgmm.perceive(picture, "shapes").id == kgmm.perceive(picture, "shapes").id
    assert callable(kgmm.stories.read) and callable(kgmm.summarize) and callable(kgmm.summarize)
