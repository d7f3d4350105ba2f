"""The knowledge store: facts on disk, found in microseconds, changed in milliseconds, lost never."""

from kgmm.store.assertion import Assertion
from kgmm.store.conflicts import Conflict
from kgmm.store.facts import Columns, Fact, Facts, LoadReport, is_general
from kgmm.store.index.terms import Terms
from kgmm.store.local import LocalStore
from kgmm.store.sameness import Same

__all__ = [
    "Assertion",
    "Columns",
    "Conflict",
    "Fact",
    "Facts",
    "LoadReport",
    "LocalStore",
    "Same",
    "Terms",
    "is_general",
]
