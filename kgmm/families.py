"""Families of interchangeable methods: packages whose files are the members, found by their names."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from kgmm.errors import KgmmError


@dataclass(frozen=True)
class Family:
    """The public files of a *package*, each a member, a *kind* in messages; a new file is a new one, nothing else changes.

    >>> Family("kgmm.perceivers", "perceiver").module("magic")
    Traceback (most recent call last):
    kgmm.errors.KgmmError: no perceiver 'magic'; there are: clip, default, hf, ocr, onnx, people, scene, shapes, vlm
    """

    package: str
    kind: str

    def names(self) -> list[str]:
        """Return the names of all members, in alphabetical order, without importing them."""
        path = importlib.import_module(self.package).__path__
        return sorted(module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_"))

    def module(self, name: str) -> ModuleType:
        """Import a member; KgmmError lists those there are if there is none of that name."""
        if name not in self.names():
            raise KgmmError(f"no {self.kind} {name!r}; there are: {', '.join(self.names())}")
        return importlib.import_module(f"{self.package}.{name}")

    def options(self, name: str, function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
        """Return the options that are not None; KgmmError if the *function* of the member *name* needs others, or not these."""
        options = {option: value for option, value in given.items() if value is not None}
        known = inspect.signature(function).parameters
        strange = [option for option in options if option not in known]
        if strange:
            raise KgmmError(f"the {self.kind} {name} has no option {', '.join(strange)}")
        must = [p.name for p in known.values() if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
        if lacking := [option for option in must if option not in options]:
            raise KgmmError(f"the {self.kind} {name} needs the option {', '.join(lacking)}")
        return options
