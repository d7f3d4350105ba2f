"""Folders of trained models, as ``kgmm train`` writes them."""

from __future__ import annotations

import json
from pathlib import Path

from kgmm.errors import BadInput


def written(folder: Path) -> int:
    """Return when a folder's weights were written, in nanoseconds; 0 if it has none.

    What is loaded from a folder is kept by this stamp as well, so a model trained anew is not answered by the old one.
    """
    path = folder / "model.safetensors"
    return path.stat().st_mtime_ns if path.is_file() else 0


def trained_name(folder: Path) -> str:
    """Return the name of the model in a folder written by ``kgmm train``.

    Raises:
        BadInput: if it holds none.
    """
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(folder, "no trained model here; make one with: kgmm train") from error
