"""Answers and the traces behind them: plain data, its checks and its renderings."""

from kgmm.trace.trace import Answer, Check, Citation, Counterfactual, Link, MemoryFact, Step, Trace

__all__ = ["Answer", "Check", "Citation", "Counterfactual", "Link", "MemoryFact", "Step", "Trace"]
