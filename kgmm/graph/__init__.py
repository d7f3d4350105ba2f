"""Graph views of a store, and what is computed on them: walks, paths, neighborhoods."""

from __future__ import annotations

from kgmm.graph.build import view
from kgmm.graph.paths import Hop, Path
from kgmm.graph.scores import Ranking, Scores
from kgmm.graph.seeds import Seeds
from kgmm.graph.view import Edge, GraphView

__all__ = ["Edge", "GraphView", "Hop", "Path", "Ranking", "Scores", "Seeds", "view"]
