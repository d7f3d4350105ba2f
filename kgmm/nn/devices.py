"""Where networks run, by name."""

import torch

from kgmm.errors import KgmmError


def pick_device(name: str) -> torch.device:
    """Return the device of a name, ``auto`` a GPU if there is one; KgmmError if there is no such device.

    >>> pick_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise KgmmError("no GPU is available to torch; use --device cpu")
    try:
        torch.empty(0, device=name)
    except (RuntimeError, NotImplementedError, AssertionError, ImportError) as error:
        raise KgmmError(f"torch here has no device {name!r}; use cpu, cuda, or auto") from error
    return torch.device(name)
