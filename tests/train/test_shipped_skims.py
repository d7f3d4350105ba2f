"""The weights of film summarizers that ship are small, say how they were made, and judge any film of their features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from kgmm.nn.film_networks import load_film_network
from kgmm.stories.footage.footage import Footage
from kgmm.stories.footage.looking import concepts
from kgmm.stories.skimming.tensors import film_tensors
from kgmm.stories.skimming.wanted import wanted

WEIGHTS = Path(__file__).parents[2] / "kgmm" / "weights"
SHIPPED = sorted(folder.name.removeprefix("skim-") for folder in WEIGHTS.glob("skim-*"))


def test_they_are_there_and_small() -> None:
    assert {"dsse", "query-memory", "seqdpp", "shdpp"} <= set(SHIPPED)
    assert sum(file.stat().st_size for folder in WEIGHTS.glob("skim-*") for file in folder.iterdir()) <= 3_000_000


@pytest.mark.parametrize("method", SHIPPED)
def test_they_say_how_they_were_made_and_judge_a_film(method: str) -> None:
    folder = WEIGHTS / f"skim-{method}"
    assert f"`kgmm train skim planted --half --method {method}`" in (folder / "README.md").read_text(encoding="utf-8")
    network, names = load_film_network(folder, method)
    assert names == concepts()[0], "the concepts are those of films that are looked at today"
    random = np.random.default_rng(0)
    looks = random.random((12, 1280)).astype(np.float32)
    scores = np.zeros((12, len(names)), np.float32)
    scores[4:8, names.index("cat")] = 0.9
    words = np.zeros((12, 384), np.float32)
    film = Footage(looks / np.linalg.norm(looks, axis=1, keepdims=True), concepts=names, scores=scores, words=words)
    made = network.judge(film_tensors(film, wanted=wanted("a cat", names), title="A cat in the snow", concepts=names))
    assert made.moments.shape == (12,) and bool(torch.isfinite(made.moments).all()) and bool((made.moments >= 0).all())
