"""Pictures among a graph's nodes gain from labels of texts once both lie in one space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import kgmm
from kgmm.knowledge import KnowledgeStore


def test_pictures_without_a_text_gain_from_labelled_texts(shared_data: Path, tmp_path: Path) -> None:
    """A part of Wiki; `benchmarks.transfer_views` has all of it. Not aligned, no label of a text says anything of a picture."""
    pytest.importorskip("torch_geometric")
    from benchmarks.transfer_views import nodes
    from kgmm.data.cross_modal import read_cross_modal

    data = read_cross_modal(shared_data / "wiki")
    rng = np.random.default_rng(0)
    train, test = rng.permutation(len(data.image_train))[:500], rng.permutation(len(data.image_test))[:200]
    parts = {}
    for kind in ("image", "text", "labels"):
        parts |= {f"{kind}_train": getattr(data, f"{kind}_train")[train]}
        parts |= {f"{kind}_test": getattr(data, f"{kind}_test")[test]}
    with kgmm.open(tmp_path / "kb") as kb:
        assert isinstance(kb, KnowledgeStore)
        found = nodes(replace(data, **parts), 0, kb)
    assert found["graph network, aligned"] > found["graph network, not aligned"] + 0.03, found
    assert found["graph network, aligned"] > found["majority"] + 0.02, found
