"""Stacked attention: look at the objects twice, each look guided by what the last one saw (Yang et al. 2016)."""

from __future__ import annotations

from kgmm.reason.pixels import answer_with
from kgmm.reason.task import Outcome, Task

NAME = "san"


def answer(task: Task) -> Outcome:
    """Answer a question about coloured shapes; each look's attention is in the trace."""
    return answer_with(task, NAME)
