from .graph import Edge as Edge
from .graph_view import GraphView as GraphView
from .paths import Hop as Hop
from .paths import Path as Path
from .scores import Ranking as Ranking
from .scores import Scores as Scores
from .seeds import Seeds as Seeds
from .stored import view as view
