"""A trained hashing method on disk: its arrays as safetensors, all else as JSON beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput

Arrays = dict[str, NDArray[Any]]


def paths(path: Path) -> tuple[Path, Path]:
    """Return the safetensors file and the JSON file that belong to a name given with or without its ending."""
    stem = path.with_suffix("") if path.suffix in {".safetensors", ".json"} else path
    return stem.parent / f"{stem.name}.safetensors", stem.parent / f"{stem.name}.json"


def write_model(path: Path, header: dict[str, Any], arrays: Arrays) -> None:
    """Write both files."""
    from safetensors.numpy import save_file

    tensors, text = paths(path)
    tensors.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, tensors)
    text.write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")


def read_model(path: Path) -> tuple[dict[str, Any], Arrays]:
    """Read both files.

    Raises:
        BadInput: if one is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    tensors, text = paths(path)
    for file in (tensors, text):
        if not file.is_file():
            raise BadInput(file, "no such file; a trained method is a .safetensors and a .json file")
    try:
        header = json.loads(text.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(text, f"not JSON ({error})") from error
    if not isinstance(header, dict) or "method" not in header:
        raise BadInput(text, "no hashing method is named here (expected the key 'method')")
    try:
        return header, load_file(tensors)
    except SafetensorError as error:
        raise BadInput(tensors, f"not a safetensors file ({error})") from error
