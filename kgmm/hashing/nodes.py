"""Hash codes of a store's nodes, from their names: what a fitted method makes of the text vectors it was fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.encode.text import NAMED, Encoder, text_encoder
from kgmm.encode.vectors import features
from kgmm.errors import KgmmError
from kgmm.hashing.base import Codes, Hasher, unpack
from kgmm.hashing.features import MODALITIES, Modality

if TYPE_CHECKING:
    from kgmm.store import LocalStore

PART = 65_536  #: nodes whose vectors are in memory at a time


def text_side(hasher: Hasher) -> tuple[Modality, Encoder]:
    """Return the modality by which a fitted method codes names, and the encoder whose vectors it reads.

    The encoder is told by the length of its vectors (384: ``minilm``, 50: ``glove``), on the text side first.

    Raises:
        KgmmError: before fit, or if the method was fitted on features of neither.
    """
    hasher.check_fitted()
    for name, dim in NAMED.items():
        for modality in reversed(MODALITIES):
            if hasher.fitted[modality] == dim:
                return modality, text_encoder(name)
    known = " or ".join(f"{dim} ({name})" for name, dim in NAMED.items())
    raise KgmmError(
        f"{hasher.name} was fitted on texts of {hasher.fitted['text']} and images of {hasher.fitted['image']} columns;"
        f" names have vectors of {known}"
    )


def node_codes(store: LocalStore, ids: ArrayLike, hasher: Hasher) -> Codes:
    """Return the packed codes of nodes' names, (n, ceil(bits / 8)), by a method that :func:`text_side` takes."""
    modality, encoder = text_side(hasher)
    numbers = np.asarray(ids).astype(np.int64)
    parts = [numbers[start : start + PART] for start in range(0, len(numbers), PART)]
    coded = [hasher.encode(features(store, part, encoder), modality) for part in parts]
    return np.concatenate(coded) if coded else np.empty((0, (hasher.bits + 7) // 8), np.uint8)


def code_features(store: LocalStore, ids: ArrayLike, hasher: Hasher) -> NDArray[np.float32]:
    """Return :func:`node_codes` as features of a graph network: +1 and -1, shape (n, bits)."""
    return unpack(node_codes(store, ids, hasher), hasher.bits)
