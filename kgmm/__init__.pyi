from . import hashing as hashing
from .errors import BadInput as BadInput
from .errors import KgmmError as KgmmError
from .errors import MissingExtra as MissingExtra
from .errors import StoreError as StoreError
from .errors import UnknownConcept as UnknownConcept
from .graph import GraphView as GraphView
from .knowledge import KnowledgeStore as KnowledgeStore
from .opening import open as open
from .opening import open_bundled as open_bundled
from .perceivers import perceive as perceive
from .remote_knowledge import RemoteKnowledge as RemoteKnowledge
from .retrieve import Memory as Memory
from .retrieve.likeness import Similar as Similar
from .scene import SceneGraph as SceneGraph
from .scene import SceneObject as SceneObject
from .scene import SceneRelation as SceneRelation
from .store import Fact as Fact
from .store import Facts as Facts
from .store import LoadReport as LoadReport
from .stories import StoryGraph as StoryGraph
from .stories import Summary as Summary
from .stories import summarize as summarize
from .trace import Answer as Answer
from .trace import Trace as Trace

__version__: str
