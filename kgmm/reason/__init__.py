"""Reasoners: a question about a scene, and a store → an answer with its trace. A room per way of reasoning."""

from kgmm.reason.ask import ask, attach
from kgmm.reason.registry import DEFAULT, reasoner_names
from kgmm.reason.task import Outcome, Task

__all__ = ["DEFAULT", "Outcome", "Task", "ask", "attach", "reasoner_names"]
