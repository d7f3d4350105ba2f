"""Bilinear fusion of the question and the attended objects: ``bilinear`` is MUTAN, ``bilinear-mcb`` and others by option."""

from __future__ import annotations

from kgmm.nn.bilinear import FUSIONS
from kgmm.reason.pixels import answer_with
from kgmm.reason.task import Outcome, Task

NAME = "bilinear"
#: what may follow the name: the full tensor, MCB, MLB, MFB, MUTAN
OPTIONS = tuple(FUSIONS)


def answer(task: Task, option: str = "mutan") -> Outcome:
    """Answer a question about coloured shapes by one of the fusions; the attention is in the trace."""
    return answer_with(task, f"{NAME}-{option}")
