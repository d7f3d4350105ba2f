"""Reasoners by name: every module of a room of ``kgmm.reason`` that says ``NAMES`` and has a function ``answer``.

``answer(task, name, folder)`` gets the question as a :class:`~kgmm.reason.task.Task`, which of its names was meant, and
the folder of a model trained by ``kgmm train`` or None for the shipped one; it returns an
:class:`~kgmm.reason.task.Outcome`.
"""

import ast
import importlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from kgmm.errors import BadInput, KgmmError
from kgmm.nn.folders import trained_name
from kgmm.reason.task import Outcome, Task

#: the reasoner that ``default`` stands for
DEFAULT = "hybrid"
_NAMES = re.compile(r"^NAMES = (\(.*?\))$", re.DOTALL | re.MULTILINE)


@cache
def modules() -> dict[str, str]:
    """Return the module of each reasoner's name; files are read, not imported."""
    here = Path(__file__).parent
    named: dict[str, str] = {}
    for file in sorted(here.glob("*/*.py")):
        if stated := _NAMES.search(file.read_text(encoding="utf-8")):
            module = ".".join(("kgmm", "reason", *file.relative_to(here).with_suffix("").parts))
            named |= dict.fromkeys(ast.literal_eval(stated[1]), module)
    return named


def reasoner_names() -> list[str]:
    """Return the names a reasoner can be asked for by.

    Example:
        >>> "explicit" in reasoner_names(), "bilinear-mcb" in reasoner_names()
        (True, True)
    """
    return sorted(modules())


def meant(name: str | Path) -> str | Path:
    """Return what a word means: a reasoner's name if there is one of that name, otherwise a folder.

    Raises:
        KgmmError: if it is neither; the message lists the names there are.
    """
    if isinstance(name, Path) or name in modules():
        return name
    if name == "default":
        return DEFAULT
    if Path(name).is_dir():
        return Path(name)
    raise KgmmError(f"no reasoner {name!r}; there are: {', '.join(reasoner_names())}")


class Reasoner(NamedTuple):
    """Who answers: the name of the reasoner or trained model, the folder it was read from, the function that answers."""

    name: str
    folder: Path | None
    answer: Callable[[Task], Outcome]


def reasoner(name: str | Path) -> Reasoner:
    """Return a reasoner by its name, or the one that a trained folder is for, reading that folder.

    Raises:
        KgmmError: if there is none of that name; the message lists those there are.
        BadInput: if the folder holds no model that answers questions.
    """
    known = meant(name)
    folder = known if isinstance(known, Path) else None
    title = trained_name(folder) if folder else str(known)
    module = modules().get(title) or modules().get(title.partition("-")[0])
    if module is None:
        raise BadInput(
            (folder or Path()) / "config.json",
            f"a trained {title or 'model of no name'} answers no questions; those that do: {', '.join(modules())}",
        )
    # imported when first asked: a trace is attached, and looked at, without networks
    return Reasoner(title, folder, lambda task: importlib.import_module(module).answer(task, name=title, folder=folder))
