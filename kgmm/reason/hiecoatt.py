"""Hierarchical co-attention of words, phrases and question with the objects (Lu et al. 2016)."""

from __future__ import annotations

from kgmm.reason.pixels import answer_with
from kgmm.reason.task import Outcome, Task

NAME = "hiecoatt"


def answer(task: Task) -> Outcome:
    """Answer a question about coloured shapes; the trace holds three levels' attention over objects and words."""
    return answer_with(task, NAME)
