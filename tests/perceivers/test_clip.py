"""CLIP and SigLIP as perceivers: names among those given or none, boxes in the picture, clear errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from kgmm.errors import KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.perceivers import clip, look_again, perceive
from kgmm.perceivers._classes import imagenet
from kgmm.scene import SceneGraph

transformers = pytest.importorskip("transformers", reason="transformers, the extra detect, is not installed")

PICTURE = np.random.default_rng(0).integers(0, 256, (90, 140, 3), np.uint8)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_parts_are_named_among_what_is_given(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(f"{kind}_folder")
    scene = perceive(PICTURE, "clip", model=folder, queries=["cat", "Owl", "cat"], threshold=0.0)
    assert scene.objects and {o.name for o in scene.objects} <= {"cat", "owl"}
    for o in scene.objects:
        assert o.box is not None and 0 <= o.score <= 1
        x, y, w, h = o.box
        assert 0 <= x <= x + w <= 140 and 0 <= y <= y + h <= 90
    assert perceive(PICTURE, "clip", model=folder, queries=["cat"], threshold=1.0).objects == ()


def test_none_of_these_takes_its_share(clip_folder: Path) -> None:
    network, processor = clip._model(str(clip_folder))
    crops = [Image.fromarray(PICTURE), Image.fromarray(PICTURE[:40, :30])]
    scores = clip.likelihood(network, processor, crops, ["cat", "dog"])
    given = processor(
        text=["a photo of a cat", "a photo of a dog", *clip.NOTHING], images=crops, padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = torch.softmax(network(**given).logits_per_image, 1)[:, :2]
    np.testing.assert_allclose(scores, expected.numpy(), atol=1e-5)
    assert (scores.sum(1) < 1).all()


@pytest.mark.parametrize("queries", [[], ["\u202e ", ""], [f"thing {i}" for i in range(257)]])
def test_queries_are_needed_and_bounded(queries: list[str], clip_folder: Path) -> None:
    with pytest.raises(KgmmError, match="names of what to look for"):
        perceive(PICTURE, "clip", model=clip_folder, queries=queries)


def test_a_tiny_picture_is_endured(clip_folder: Path) -> None:
    assert len(perceive(PICTURE[:3, :2], "clip", model=clip_folder, queries=["cat"], threshold=0.0).objects) <= 1


def test_a_folder_of_another_model_is_named(detr_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KgmmError, match=r"does not compare pictures and texts|no model of pictures and texts"):
        perceive(PICTURE, "clip", model=detr_folder, queries=["cat"])
    with pytest.raises(KgmmError, match="no model of pictures and texts"):
        perceive(PICTURE, "clip", model=tmp_path, queries=["cat"])


def test_without_queries_basic_kinds_are_looked_for(clip_folder: Path) -> None:
    scene = perceive(PICTURE, "clip", model=clip_folder, threshold=0.0)
    assert scene.objects and {o.name for o in scene.objects} <= {n.name for n in imagenet().nodes}


def test_a_second_look_adds_what_is_sought_only(clip_folder: Path, bundled_kb: KnowledgeStore) -> None:
    scene = SceneGraph("p", complete=False)
    sure = look_again(PICTURE, scene, {"cat": 1 - 1e-9}, f"clip:{clip_folder}")
    assert [o.name for o in sure.objects][:1] == ["cat"] and look_again(
        PICTURE, scene, {"cat": 1e-9}, f"clip:{clip_folder}"
    ) == scene
    assert bundled_kb.ask(PICTURE, "Is the cat asleep?", perceiver=f"clip:{clip_folder}").trace.scene.source.startswith(
        "clip"
    )
