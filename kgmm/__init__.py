"""kgmm: a knowledge-graph-centric reasoning engine for pictures, text and news video.

>>> import kgmm
>>> kgmm.Fact("dog", "CapableOf", "bark").object
'/c/en/bark'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgmm.encode import hashing as hashing
    from kgmm.graph import GraphView as GraphView
    from kgmm.knowledge import KnowledgeStore as KnowledgeStore
    from kgmm.knowledge import open as open
    from kgmm.perceive import perceive as perceive
    from kgmm.scene import SceneGraph as SceneGraph
    from kgmm.store import Fact as Fact
    from kgmm.store import Facts as Facts
    from kgmm.summarize import StoryGraph as StoryGraph
    from kgmm.summarize import summarize as summarize
    from kgmm.trace import Answer as Answer
    from kgmm.trace import Trace as Trace

__version__ = "0.1.0"

_PUBLIC = {
    "open": "kgmm.knowledge",
    "KnowledgeStore": "kgmm.knowledge",
    "Fact": "kgmm.store",
    "Facts": "kgmm.store",
    "LoadReport": "kgmm.store",
    "GraphView": "kgmm.graph",
    "SceneGraph": "kgmm.scene",
    "SceneObject": "kgmm.scene",
    "SceneRelation": "kgmm.scene",
    "perceive": "kgmm.perceive",
    "Answer": "kgmm.trace",
    "Trace": "kgmm.trace",
    "StoryGraph": "kgmm.summarize",
    "summarize": "kgmm.summarize",
    "KgmmError": "kgmm.errors",
}
__all__ = [*_PUBLIC, "__version__", "hashing"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import kgmm`` stays fast."""
    if name == "hashing":
        return importlib.import_module("kgmm.encode.hashing")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'kgmm' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
