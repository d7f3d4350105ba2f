"""Loading models of Hugging Face from strangers' folders: no code of theirs runs, nothing is unpickled, all weights are there."""

import os
from pathlib import Path
from typing import Any

import torch

from kgmm.errors import KgmmError, needed

LAYERS = 1000  #: layers that a configuration may ask for
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")  #: how files of pickled weights end


def loaded(place: str, what: str, model: str, processor: str = "AutoProcessor") -> tuple[Any, Any]:
    """Load a model, which is *what* in messages, and its processor by the names of their classes in transformers.

    Args:
        place: a folder, or a name on the hub.

    Raises:
        MissingExtra: if transformers is not installed.
        KgmmError: if there is no such model, it is damaged, not in safetensors, or would need code of its own.
    """
    hub, folder, local = _hub(place, what)
    source, safe = (str(folder) if local else place), {"trust_remote_code": False, "local_files_only": local}
    try:
        if local:
            _check_weights(folder)
            _check_size(hub, model, folder)
        parts = getattr(hub, processor).from_pretrained(source, **safe)
        net, report = getattr(hub, model).from_pretrained(
            source, use_safetensors=True, output_loading_info=True, **safe
        )
    except Exception as error:  # what a damaged folder raises has no class of its own
        raise KgmmError(f"no {what} {place!r}: {reason(error)}; give a model folder or a hub name") from error
    if gone := sorted(map(str, report["missing_keys"])):
        raise KgmmError(f"no {what} {place!r}: {len(gone)} of its weights are missing, such as {gone[0]}")
    return net.eval(), parts


def model_type(place: str, what: str) -> str:
    """Return the type of model that a folder's, or hub's, configuration names; raises as :func:`loaded` does."""
    hub, folder, local = _hub(place, what)
    source = str(folder) if local else place
    try:
        config = hub.AutoConfig.from_pretrained(source, trust_remote_code=False, local_files_only=local)
    except Exception as error:
        raise KgmmError(f"no {what} {place!r}: {reason(error)}; give a model folder or a hub name") from error
    return str(config.model_type)


def _hub(place: str, what: str) -> tuple[Any, Path, bool]:
    """Return transformers, the folder that a place is, and whether it is one."""
    try:
        folder = Path(place).expanduser()
        local, there = folder.is_dir(), folder.exists()
    except (OSError, ValueError, RuntimeError) as error:  # too long, or nobody's home
        raise KgmmError(f"no {what} {place[:80]!r}: {reason(error)[:80]}; give a model folder or a hub name") from error
    if not local and (there or place.startswith((".", "/", "~")) or place.count("/") > 1):
        raise KgmmError(f"no {what} {place!r}: no such folder; give a model folder or a hub name")
    if local:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with needed("transformers", "detect"):
        import transformers as hub
    hub.utils.logging.disable_progress_bar()
    return hub, folder, local


def _check_weights(folder: Path) -> None:
    """Raise ValueError if a folder has weights only as pickles, which run what they like when they are read."""
    pickled = sorted(f.name for end in PICKLES for f in folder.glob(f"*{end}"))
    if pickled and not any(folder.glob("*.safetensors")):
        raise ValueError(f"its weights ({pickled[0]}) are pickled, which is not read: save them as safetensors")


def _check_size(hub: Any, model: str, folder: Path) -> None:
    """Raise ValueError if a configuration describes more weights than the folder holds: they would fill the memory first."""
    config = hub.AutoConfig.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    deep = [
        n for part in _parts(config.to_dict()) for key, n in part.items() if "layers" in str(key) and isinstance(n, int)
    ]
    if max(deep, default=0) > LAYERS:
        raise ValueError(f"its configuration has {max(deep)} layers, more than {LAYERS}")
    with torch.device("meta"):
        wanted = sum(p.numel() for p in getattr(hub, model).from_config(config, trust_remote_code=False).parameters())
    held = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    if wanted > 2 * held:  # four bits are the least a weight takes
        raise ValueError(f"its configuration describes {wanted:,} weights, its safetensors hold {held:,} bytes")


def _parts(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a configuration and those inside it."""
    return [config, *(part for value in config.values() if isinstance(value, dict) for part in _parts(value))]


def reason(error: Exception) -> str:
    """Return on one line, briefly, what others' code says went wrong."""
    return " ".join(str(error).split())[:200] or type(error).__name__
