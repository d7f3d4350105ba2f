"""Answers and the traces behind them: plain data, its checks and its renderings."""

from kgmm.trace.data import Check, Citation, Counterfactual, Link, MemoryFact, Record, Step, cited, key
from kgmm.trace.trace import Answer, Trace

__all__ = ["Answer", "Check", "Citation", "Counterfactual", "Link", "MemoryFact", "Record", "Step", "Trace"]
__all__ += ["cited", "key"]
