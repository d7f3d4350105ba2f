"""Any sentence-transformers model, from a local folder or the Hugging Face hub."""

import os

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError


class SentenceEncoder:
    """Text vectors of a sentence-transformers model, rows of unit length."""

    def __init__(self, place: str, name: str, checksum: str) -> None:
        os.environ.setdefault("USE_TF", "0")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            self._model = SentenceTransformer(place, device="cpu")
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).strip().splitlines()[0]
            wanted = "name 'minilm', 'glove', a model folder or a hub model"
            raise KgmmError(f"no text encoder {place!r}: {reason}; {wanted}") from error
        self.name: str = name
        self.checksum: str = checksum
        self.dim: int = int(self._model.get_sentence_embedding_dimension() or self.encode(["a"]).shape[1])

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Return one unit vector a text, shape (len(texts), dim)."""
        if not texts:
            return np.empty((0, self.dim), np.float32)
        vectors = self._model.encode(list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)
