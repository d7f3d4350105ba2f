"""The knowledge store: facts on disk, found in microseconds, changed in milliseconds, lost never."""

from kgmm.store.facts import Columns, Fact, Facts, LoadReport, is_general
from kgmm.store.index.terms import Terms
from kgmm.store.local import LocalStore

__all__ = ["Columns", "Fact", "Facts", "LoadReport", "LocalStore", "Terms", "is_general"]
