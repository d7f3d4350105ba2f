"""Folders of trained models, as ``kgmm train`` writes them: read in one place, whichever the network."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from kgmm.errors import BadInput, reason_of

if TYPE_CHECKING:
    from torch import nn

P = ParamSpec("P")
T = TypeVar("T")


def written(folder: Path) -> int:
    """Return when a folder's weights were written, in nanoseconds; 0 if it has none."""
    path = folder / "model.safetensors"
    return path.stat().st_mtime_ns if path.is_file() else 0


def kept_until_rewritten(load: Callable[Concatenate[Path, P], T]) -> Callable[Concatenate[Path, P], T]:
    """Keep what a function makes of a folder (its first argument) until the folder's weights are written anew.

    So a model trained anew is not answered by the old one.
    """
    cached: Any = functools.cache(lambda folder, _written, *args, **named: load(folder, *args, **named))

    @functools.wraps(load)
    def kept(folder: Path, /, *args: P.args, **named: P.kwargs) -> T:
        made: T = cached(folder, written(folder), *args, **named)
        return made

    return kept


def trained_name(folder: Path) -> str:
    """Return the name of the model in a folder written by ``kgmm train``; BadInput if it holds none."""
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(folder, "no trained model here; make one with: kgmm train") from error


@contextmanager
def read_folder(folder: Path, what: str, command: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Give a folder's configuration and vocabulary; what the block finds wrong in them is refused in one line.

    BadInput, naming *what* the folder should hold and the *command* that makes such a folder, if a file is missing or
    not JSON, or the block raises for what is in them.

    >>> with read_folder(Path("nowhere"), "a trained san", "kgmm train san clevr --out DIR") as (config, vocabulary):
    ...     pass
    Traceback (most recent call last):
    kgmm.errors.BadInput: nowhere: no trained model here; make one with: kgmm train san clevr --out DIR
    """
    from safetensors import SafetensorError

    try:
        yield tuple(json.loads((folder / f"{part}.json").read_text("utf-8")) for part in ("config", "vocabulary"))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        if not (folder / "config.json").exists():
            raise BadInput(folder, f"no trained model here; make one with: {command}") from error
        raise BadInput(folder, f"{reason_of(error, 'not ' + what)}; make one with: {command}") from error


def load_weights(model: nn.Module, folder: str | Path) -> str:
    """Load weights for evaluation, half precision as single; return their checksum; BadInput if they do not fit."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = Path(folder) / "model.safetensors"
    if not path.exists():
        raise BadInput(path, "no weights here; make them with: kgmm train")
    try:
        raw = path.read_bytes()
        stored = load(raw)
    except (SafetensorError, OSError) as error:
        raise BadInput(path, f"not a safetensors file ({error}); make it anew with: kgmm train") from error
    state = {k: v.float() if v.dtype in (torch.float16, torch.bfloat16) else v for k, v in stored.items()}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise BadInput(path, f"weights do not fit the model: {' '.join(str(error).split())[:300]}") from error
    model.eval()
    return hashlib.blake2b(raw, digest_size=8).hexdigest()
