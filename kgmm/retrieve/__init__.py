"""From a question and a scene to the facts that bear on them: ground, gather, score, keep a memory."""

from kgmm.retrieve.gather import Candidates, Key, gather
from kgmm.retrieve.ground import link
from kgmm.retrieve.memory import Memory, retrieve

__all__ = ["Candidates", "Key", "Memory", "gather", "link", "retrieve"]
