"""Multi-modal hashing: pictures and texts as short binary codes that can be compared with each other.

One file per method, in ``shallow`` (matrices and kernels) or ``deep`` (networks), found by its file name:
``shallow/scm_seq.py`` defines ``METHOD``, a :class:`Hasher` called ``scm-seq``.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> shared = rng.normal(size=(100, 4))
>>> image, text = shared @ rng.normal(size=(4, 20)), shared @ rng.normal(size=(4, 10))
>>> hasher = create("cvh", bits=8).fit(image, text)
>>> hasher.encode(text[:2], modality="text").shape
(2, 1)
"""

import difflib
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.errors import BadInput, KgmmError
from kgmm.families import Family
from kgmm.files import read_arrays, read_json
from kgmm.hashing.base import Hasher, model_files
from kgmm.hashing.features import MODALITIES

#: other names people use -> the name of the file
ALIASES = {
    "scm": "scm-seq",
    "cca": "cvh",
    "seph-km": "seph",
    "cyc-dgh": "cycle",
    "ssah-semi": "sch-gan",
    "semi-supervised-adversarial": "sch-gan",
}

ROOMS = [Family(f"{__name__}.{room}", "hashing method") for room in ("shallow", "deep")]

__all__ = ["ALIASES", "Hasher", "create", "load", "methods"]


def methods() -> list[str]:
    """Return the names of all methods: the files of both rooms, listed without importing them."""
    return sorted(name.replace("_", "-") for room in ROOMS for name in room.names())


def create(name: str, bits: int, seed: int = 0, **options: Any) -> Hasher:
    """Return an untrained hashing method.

    Args:
        name: one of :func:`methods`, such as ``cvh``, ``scm-seq`` (or ``scm``), ``cmfh``, ``seph``, ``dcmh``.
        bits: length of a code.
        seed: everything random follows from it.
        **options: the method's own, listed in its class.

    Raises:
        KgmmError: if there is no such method, option or code length.

    Example:
        >>> create("scm", bits=16).name
        'scm-seq'
    """
    plain = str(name).lower().replace("_", "-")
    plain = ALIASES.get(plain, plain)
    file = plain.replace("-", "_")
    room = next((room for room in ROOMS if file in room.names()), None)
    if room is None:
        near = difflib.get_close_matches(plain, methods(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise KgmmError(f"no hashing method {name!r}{hint} (methods: {', '.join(methods())})")
    made = room.module(file).METHOD(bits=bits, seed=seed, **options)
    assert isinstance(made, Hasher)
    return made


def load(path: str | Path) -> Hasher:
    """Read a trained method that :meth:`Hasher.save` wrote.

    Raises:
        KgmmError: if the files are missing or do not hold a hashing method.
    """
    tensors, text = model_files(path)
    for file in (tensors, text):
        if not file.is_file():
            raise BadInput(file, "no such file; a trained method is a .safetensors and a .json file")
    header = read_json(text)
    _, arrays = read_arrays(tensors, "a trained method")
    if not isinstance(header, dict) or "method" not in header:
        raise BadInput(text, "no hashing method is named here (expected the key 'method')")
    try:
        hasher = create(header["method"], bits=header["bits"], seed=header["seed"], **header["options"])
        hasher.restore(header["fitted"], arrays)
        for kind in MODALITIES:  # that one row can be coded shows that all is there
            hasher.scores(np.zeros((1, hasher.fitted[kind])), kind)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise KgmmError(f"{path}: not a trained hashing method ({str(error).splitlines()[0]})") from error
    return hasher
