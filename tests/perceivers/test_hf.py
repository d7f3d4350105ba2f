"""Hugging Face detectors from a folder: names, boxes within the picture, open vocabulary, clear errors."""

from __future__ import annotations

import pickle
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from kgmm.errors import KgmmError
from kgmm.perceivers import perceive

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def owl_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small OWL-ViT with random weights."""
    import torch
    from transformers import (
        CLIPTokenizer,
        OwlViTConfig,
        OwlViTForObjectDetection,
        OwlViTImageProcessor,
        OwlViTProcessor,
    )

    folder = tmp_path_factory.mktemp("owl")
    torch.manual_seed(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["!", "<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters)]
    tokenizer = CLIPTokenizer(
        vocab={word: number for number, word in enumerate(vocabulary)}, merges=[], model_max_length=16
    )
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = OwlViTConfig(
        text_config={
            **small,
            "vocab_size": len(vocabulary),
            "max_position_embeddings": 16,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config={**small, "image_size": 64, "patch_size": 16},
        projection_dim=16,
    )
    OwlViTForObjectDetection(config).save_pretrained(folder)
    images = OwlViTImageProcessor(size={"height": 64, "width": 64}, crop_size={"height": 64, "width": 64})
    OwlViTProcessor(image_processor=images, tokenizer=tokenizer).save_pretrained(folder)
    return folder


PICTURE = np.random.default_rng(0).integers(0, 256, (90, 140, 3), np.uint8)


def test_a_detector_from_a_folder_names_and_boxes_objects(detr_folder: Path) -> None:
    scene = perceive(PICTURE, "hf", model=detr_folder, threshold=0.0)
    assert scene.objects and (scene.width, scene.height) == (140, 90)
    assert {o.name for o in scene.objects} <= {"knife", "table", "cup"}
    for o in scene.objects:
        assert o.box is not None
        x, y, w, h = o.box
        assert 0 <= x <= x + w <= 140.01 and 0 <= y <= y + h <= 90.01 and 0 <= o.score <= 1


def test_boxes_are_in_pixels_of_the_file_however_it_is_reduced(detr_folder: Path) -> None:
    large = np.repeat(np.repeat(PICTURE, 16, 0), 16, 1)
    small_scene = perceive(PICTURE, "hf", model=detr_folder, threshold=0.0)
    scene = perceive(large, "hf", model=detr_folder, threshold=0.0)
    assert (scene.width, scene.height) == (2240, 1440)
    first, second = small_scene.objects[0].box, scene.objects[0].box
    assert first is not None and second is not None
    np.testing.assert_allclose(np.array(second) / 16, first, atol=6)


def test_a_high_threshold_leaves_nothing(detr_folder: Path) -> None:
    assert perceive(PICTURE, "hf", model=detr_folder, threshold=1.0).objects == ()


def test_one_name_is_not_boxed_twice_in_one_place(detr_folder: Path) -> None:
    from kgmm.scene.boxes import overlap_of_union

    objects = perceive(PICTURE, "hf", model=detr_folder, threshold=0.0).objects
    for i, a in enumerate(objects):
        for b in objects[:i]:
            assert a.name != b.name or overlap_of_union(a.box, b.box) <= 0.6  # type: ignore[arg-type]


def test_an_open_vocabulary_finds_what_is_asked_for(owl_folder: Path) -> None:
    scene = perceive(PICTURE, "hf", model=owl_folder, queries=["a cat", "knife"], threshold=0.0)
    assert scene.objects and {o.name for o in scene.objects} <= {"a cat", "knife"}


def test_an_open_vocabulary_needs_queries(owl_folder: Path) -> None:
    with pytest.raises(KgmmError, match="give queries"):
        perceive(PICTURE, "hf", model=owl_folder)


def test_a_folder_without_a_detector_is_named(tmp_path: Path) -> None:
    with pytest.raises(KgmmError, match="no object-detection model"):
        perceive(PICTURE, "hf", model=tmp_path)


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("EXECUTED",)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickled_weights_are_refused_and_not_read(
    detr_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    pickled = tmp_path / "pickled"
    shutil.copytree(detr_folder, pickled)
    (pickled / "model.safetensors").unlink()
    (pickled / name).write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(KgmmError, match=f"{name}.* are pickled, which is not read: save them as safetensors"):
        perceive(PICTURE, "hf", model=pickled)
    assert "EXECUTED" not in capsys.readouterr().out


def test_damaged_folders_give_one_clear_line_each(detr_folder: Path, tmp_path: Path) -> None:
    luck = random.Random(2)
    files, refusals = sorted(f.name for f in detr_folder.iterdir()), 0
    for number in range(30):
        folder = tmp_path / str(number)
        shutil.copytree(detr_folder, folder)
        name = files[number % len(files)]
        data = bytearray((folder / name).read_bytes())
        for _ in range(40):
            data[luck.randrange(min(len(data), 3000))] = luck.randrange(256)
        (folder / name).write_bytes(luck.choice((b"", b"[1]", bytes(data), bytes(data[: len(data) // 2]))))
        try:
            perceive(PICTURE, "hf", model=folder)
        except KgmmError as refused:
            assert "\n" not in str(refused) and len(str(refused)) < 600
            refusals += 1
    assert refusals > 15
