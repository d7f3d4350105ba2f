"""Folders of weights that have learned nothing, for tests of methods whose weights are not at stake."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
import zlib
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import save_file

from kgmm.nn.film_networks import film_network
from kgmm.stories.footage.footage import Footage
from kgmm.stories.skimming.tensors import film_tensors, settings_for


def write_weights(folder: Path, method: str, film: Footage) -> Path:
    """Write a seeded, untrained network for films such as *film* as ``kgmm train`` would."""
    torch.manual_seed(0)
    made = film_network(method, settings_for(method, film_tensors(film)))
    folder.mkdir(parents=True, exist_ok=True)
    config = {"name": method, "network": made.settings}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "vocabulary.json").write_text(json.dumps({"concepts": list(film.concepts)}), encoding="utf-8")
    save_file(made.state_dict(), folder / "model.safetensors")
    return folder


@cache
def _folder() -> Path:
    made = tempfile.mkdtemp(prefix="kgmm-untrained-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


def untrained(method: str, film: Footage) -> Path:
    """Return a folder of weights for films with *film*'s concepts and length of looks; written once in a run."""
    name = f"{method}-{film.looks.shape[1]}-{zlib.crc32(repr(film.concepts).encode()):x}"
    return _folder() / name if (_folder() / name).exists() else write_weights(_folder() / name, method, film)
