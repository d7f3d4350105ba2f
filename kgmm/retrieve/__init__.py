"""From a question and a scene to the facts that bear on them: ground, gather, score, keep a memory."""

from __future__ import annotations

from kgmm.retrieve.memory import Candidates, Key, Memory, gather, link, retrieve

__all__ = ["Candidates", "Key", "Memory", "gather", "link", "retrieve"]
