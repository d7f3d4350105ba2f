"""Damaged and hostile pictures, lists of names and models: a scene or one clear line, in bounded time."""

from __future__ import annotations

import importlib
import random
import time
from pathlib import Path

import numpy as np
import pytest

from kgmm.errors import KgmmError
from kgmm.perceivers import onnx, perceive

hostile = importlib.import_module("benchmarks.hostile_pictures")


def test_sixty_hostile_files_are_seen_or_refused_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx", reason="onnx, which writes the models, is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime, the extra detect, is not installed")
    monkeypatch.setattr(onnx, "SECONDS", 1.0)
    outcomes = []
    for kind, run in hostile.cases(60, random.Random(5), tmp_path):
        if "bomb" in kind:
            continue
        start = time.monotonic()
        try:
            outcomes.append(run())
        except KgmmError as refused:
            assert "\n" not in str(refused) and len(str(refused)) < 1000, kind
        assert time.monotonic() - start < 30, kind
    assert 5 < len(outcomes) < 40


def test_a_model_may_not_fill_the_memory(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx, which writes the models, is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime, the extra detect, is not installed")
    data = next(data for kind, data in hostile.models(random.Random(0)) if kind == "model: fills memory")
    (tmp_path / "m.onnx").write_bytes(data)
    with pytest.raises(KgmmError, match="no detector in ONNX"):
        perceive(np.zeros((9, 9, 3), np.uint8), f"onnx:{tmp_path / 'm.onnx'}")


@pytest.mark.parametrize("perceiver", ["default", "scene", "onnx", "hf", "default+onnx"])
@pytest.mark.parametrize("place", ["x" * 300, "~nobody-of-this-name/x", "a\0b", "\ud800"])
def test_places_that_cannot_be_are_refused(perceiver: str, place: str) -> None:
    picture = place if perceiver in ("default", "scene") else np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(KgmmError) as refused:
        perceive(picture, perceiver if perceiver in ("default", "scene") else f"{perceiver}:{place}")
    assert "\n" not in str(refused.value)
