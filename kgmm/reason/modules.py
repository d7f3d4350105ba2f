"""Neural modules: the question's program, run over the objects of a picture, is the trace (Andreas 2016; Hu 2017)."""

from __future__ import annotations

from kgmm.reason.pixels import answer_with
from kgmm.reason.task import Outcome, Task

NAME = "modules"


def answer(task: Task) -> Outcome:
    """Answer a question about a picture of coloured shapes; see :func:`kgmm.reason.pixels.answer_with`."""
    return answer_with(task, NAME)
