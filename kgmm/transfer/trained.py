"""Adapted networks in folders that ``kgmm train`` wrote: they predict without the data they learned from."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kgmm.errors import BadInput
from kgmm.nn.folders import load_weights, read_folder
from kgmm.transfer import create, deep_methods
from kgmm.transfer.network import AdaptedNetwork

LARGEST = 1 << 24  #: features, width and classes of a network


class Trainable(nn.Module):
    """An adapter's networks, built, and the samples they have *seen*, which a checkpoint keeps with them."""

    seen: Tensor

    def __init__(self, adapter: AdaptedNetwork) -> None:
        super().__init__()
        self.layers = adapter.layers_
        self.extra = adapter.extra_
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))


def read(folder: str | Path) -> AdaptedNetwork:
    """Return the adapter that ``kgmm train METHOD SOURCE --target TARGET --out FOLDER`` wrote, ready to predict.

    Raises:
        BadInput: if there is none, or its parts do not fit together.
    """
    place = Path(folder)
    with read_folder(place, "an adapted network", "kgmm train dan SOURCE --target TARGET --out DIR") as (config, words):
        name, classes, shape = str(config["name"]), words["classes"], config["picture"]
        if name not in deep_methods():
            raise BadInput(place, f"holds {name}; adapted networks are {', '.join(deep_methods())}")
        if not isinstance(classes, list) or {type(one) for one in classes} not in ({int}, {str}) or len(classes) < 2:
            raise ValueError("its classes are no list of two or more whole numbers or texts")
        sizes = (config["features"], config["width"], len(classes))
        if not all(isinstance(size, int) and 1 <= size <= LARGEST for size in sizes):
            raise ValueError(f"sizes {sizes} are no whole numbers from 1 to {LARGEST}")
        options = {"width": config["width"], "picture_shape": shape, "weight": config["weight"], "seed": config["seed"]}
        adapter: Any = create(name, **options)
        adapter.classes_ = np.array(classes)
        adapter.n_features_in_ = config["features"]
        adapter.picture_ = adapter._picture(None, config["features"])
    with torch.device("meta"):  # their size is known before they take any memory
        adapter.build(sizes[0], sizes[2])
        size = sum(2 * one.numel() for one in Trainable(adapter).state_dict().values())
    weights = place / "model.safetensors"
    if weights.exists() and size > weights.stat().st_size:
        raise BadInput(weights, f"weights do not fit the model: {weights.stat().st_size} bytes for {size // 2} numbers")
    with torch.random.fork_rng([]):
        adapter.build(sizes[0], sizes[2])
    load_weights(Trainable(adapter), place)
    found: AdaptedNetwork = adapter
    return found
