"""Bottom-up regions, top-down attention of the question over them (Anderson et al. 2018)."""

from __future__ import annotations

from kgmm.reason.pixels import answer_with
from kgmm.reason.task import Outcome, Task

NAME = "updown"


def answer(task: Task) -> Outcome:
    """Answer a question about coloured shapes; the attention is in the trace."""
    return answer_with(task, NAME)
