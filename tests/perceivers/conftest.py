"""A detector that several tests load."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def detr_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small DETR with random weights, saved as Hugging Face saves it."""
    import torch

    pytest.importorskip("transformers")
    from transformers import DetrConfig, DetrForObjectDetection, DetrImageProcessor, ResNetConfig

    folder = tmp_path_factory.mktemp("detr")
    torch.manual_seed(0)
    backbone = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", out_features=["stage2"]
    )
    config = DetrConfig(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=backbone,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_queries=6,
        id2label={0: "Knife", 1: "Table", 2: "Cup"},
    )
    DetrForObjectDetection(config).save_pretrained(folder)
    DetrImageProcessor(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(folder)
    return folder


#: what the model of ``vlm_folder`` says, whatever it is asked: each line is one token
SAID = (
    "object: Cat | black | 10, 20, 55, 90\n",
    "object: table | | 0, 60, 100, 100\n",
    "Sure, here is more:\n",
    "relation: cat | lying on | table\n",
    "text: EXIT ONLY | 1, 1, 20, 10\n",
)


@pytest.fixture(scope="session")
def vlm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaVA of one layer whose words follow one another by a table, saved as Hugging Face saves it."""
    import torch

    pytest.importorskip("transformers", reason="transformers, the extra detect, is not installed")
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )

    words = ["<unk>", "</s>", "<image>", *SAID]
    backend = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokens = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="</s>", pad_token="</s>")
    tokens.add_special_tokens({"additional_special_tokens": ["<image>"]})
    size = 16
    text = LlamaConfig(
        vocab_size=len(words), hidden_size=size, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=512, eos_token_id=1, pad_token_id=1, bos_token_id=None,
    )  # fmt: skip
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=16
    )
    torch.manual_seed(0)
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=2, vision_feature_layer=-1)
    network = LlavaForConditionalGeneration(config)
    with torch.no_grad():
        network.model.language_model.layers[0].self_attn.o_proj.weight.zero_()
        network.model.language_model.layers[0].mlp.down_proj.weight.zero_()
        network.model.language_model.embed_tokens.weight.copy_(torch.eye(len(words), size))
        follow = [3, 1, 3, *range(4, 3 + len(SAID)), 1]
        network.lm_head.weight.zero_()
        for before, after in enumerate(follow):
            network.lm_head.weight[after, before] = 3.0
    folder = tmp_path_factory.mktemp("vlm")
    network.save_pretrained(folder)
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    LlavaProcessor(
        images, tokens, patch_size=16, vision_feature_select_strategy="default", num_additional_image_tokens=1
    ).save_pretrained(folder)
    return folder


def _compared(folder: Path, kind: str) -> Path:
    """Save a small CLIP or SigLIP with random weights, which reads letters."""
    import torch

    hub = pytest.importorskip("transformers", reason="transformers, the extra detect, is not installed")
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["!", "<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters)]
    words = hub.CLIPTokenizer(vocab={w: n for n, w in enumerate(vocabulary)}, merges=[], model_max_length=24)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {"vocab_size": len(vocabulary), "max_position_embeddings": 24, "pad_token_id": 0, "eos_token_id": 2}
    config = getattr(hub, f"{kind}Config")(
        text_config={**small, **text, "bos_token_id": 1}, vision_config={**small, "image_size": 32, "patch_size": 16}
    )
    torch.manual_seed(0)
    getattr(hub, f"{kind}Model")(config).save_pretrained(folder)
    images = hub.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    hub.CLIPProcessor(images, words).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _compared(tmp_path_factory.mktemp("clip"), "CLIP")


@pytest.fixture(scope="session")
def siglip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _compared(tmp_path_factory.mktemp("siglip"), "Siglip")
