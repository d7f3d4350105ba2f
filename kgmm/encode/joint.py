"""Joint image-text models (CLIP, SigLIP): words and pictures in one space."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

from kgmm.encode.packages import model_checksum
from kgmm.errors import KgmmError
from kgmm.scene.images import read_image

if TYPE_CHECKING:
    from kgmm.scene.images import ImageLike


class JointEncoder:
    """Text and image vectors of a CLIP-like model, from a local folder or the hub, through transformers.

    Radford et al., ICML 2021; Zhai et al., ICCV 2023. It is a text :class:`~kgmm.encode.text.Encoder` and an
    :class:`~kgmm.encode.image.ImageEncoder` at once: ``encode(texts) @ encode_images(pictures).T`` are cosines.
    """

    def __init__(self, place: str, batch_size: int = 16) -> None:
        path = Path(place).expanduser()
        if path.is_dir():
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
            self.checksum: str = model_checksum(path)
        else:
            self.checksum = hashlib.blake2b(place.encode(), digest_size=8).hexdigest()
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            self._model: Any = AutoModel.from_pretrained(place).eval()
            if not hasattr(self._model, "get_image_features"):
                raise ValueError(f"a {type(self._model).__name__} has no image side")
            self._tokenizer: Any = AutoTokenizer.from_pretrained(place)
            self._processor: Any = AutoImageProcessor.from_pretrained(place, use_fast=False)
        except (OSError, ValueError, KeyError, ImportError) as error:
            reason = " ".join(str(error).split())[:200]
            said = f"{place!r}: {reason}; give 'efficientnet' or a CLIP folder or name"
            raise KgmmError(f"no joint image-text model {said}") from error
        self.name: str = place
        self.batch_size: int = batch_size
        config = self._model.config
        self._longest = int(getattr(config.text_config, "max_position_embeddings", 77))
        self.dim: int = int(getattr(config, "projection_dim", 0) or self.encode(["a"]).shape[1])

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Return one unit vector a text, shape (len(texts), dim)."""
        return self._batched(texts, self._texts)

    def encode_images(self, images: Sequence[ImageLike]) -> NDArray[np.float32]:
        """Return one unit vector a picture, shape (len(images), dim)."""
        return self._batched(images, self._pictures)

    def _texts(self, part: Sequence[Any]) -> Any:
        # SigLIP was trained with every text padded to full length, and reads the padding.
        padding = "max_length" if "siglip" in self._model.config.model_type else True
        cut = {"padding": padding, "truncation": True, "max_length": self._longest}
        return self._model.get_text_features(**self._tokenizer(list(part), **cut, return_tensors="pt"))

    def _pictures(self, part: Sequence[Any]) -> Any:
        pictures = [Image.fromarray(read_image(image, max_side=1024).pixels) for image in part]
        return self._model.get_image_features(**self._processor(images=pictures, return_tensors="pt"))

    def _batched(self, items: Sequence[Any], encode: Any) -> NDArray[np.float32]:
        rows = []
        with torch.inference_mode():
            for start in range(0, len(items), self.batch_size):
                out = encode(items[start : start + self.batch_size])
                rows.append(F.normalize(getattr(out, "pooler_output", out).float(), dim=1).numpy())
        return np.concatenate(rows) if rows else np.zeros((0, self.dim), np.float32)
