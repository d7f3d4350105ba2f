"""KDMN trained on one's own knowledge base, to read its relations and names: questions about scenes given or drawn."""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from random import Random

from kgmm.data.knowledge_questions import TEMPLATES, knowledge_questions
from kgmm.encode import text_encoder
from kgmm.errors import KgmmError
from kgmm.language import names
from kgmm.language.phrase import Triple
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import LocalStore
from kgmm.train.memories import Data, FactBase, cache_folder

MOST = 2_000  #: facts looked at of each seen concept, and of each relation where scenes are drawn


def read_scenes(folder: str | Path) -> list[SceneGraph]:
    """Read all scene graphs of a folder (``*.json``), in the order of their names; KgmmError if it has none."""
    scenes = [SceneGraph.from_json(path) for path in sorted(Path(folder).glob("*.json"))]
    if not scenes:
        raise KgmmError(f"{folder}: no scene graph (*.json) here")
    return scenes


def drawn_scenes(store: LocalStore, count: int = 300, size: int = 6, seed: int = 0) -> list[SceneGraph]:
    """Draw *count* scenes of *size* things the store knows something about; KgmmError if it knows too few."""
    facts = (f for relation in TEMPLATES for f in store.find(None, relation, None, limit=MOST))
    known = sorted({names.label(f.subject) for f in facts if f.subject.startswith("/c/")})
    if len(known) < size:
        raise KgmmError(f"the store has facts about {len(known)} things; scenes of {size} are to be drawn")
    random = Random(seed)
    drawn = (enumerate(random.sample(known, size)) for _ in range(count))
    return [SceneGraph(f"drawn-{i}", tuple(SceneObject(f"o{j}", n) for j, n in one)) for i, one in enumerate(drawn)]


def own_data(
    store: LocalStore, scenes: Sequence[SceneGraph], *, per_scene: int = 8, dev: float = 0.2, seed: int = 0
) -> Data:
    """Return facts, training and held-out questions (of the last *dev* of the scenes) for ``FvqaProblem(data=…)``."""
    kept = len(scenes) - max(1, round(dev * len(scenes)))
    made = [knowledge_questions(store, s, per_scene=per_scene, seed=seed) for s in (scenes[:kept], scenes[kept:])]
    parts = [[q.labelled(f"{q.scene.id}: {q.question}") for q in part] for part in made]
    if min(map(len, parts)) == 0:
        raise KgmmError(
            f"{len(parts[0])} questions to learn from and {len(parts[1])} to test on could be made of these scenes; "
            "they need things the store has facts about, and choices that are not true as well"
        )
    return fact_base(store, (o.name for s in scenes for o in s.objects)), parts[0], parts[1]


def fact_base(store: LocalStore, seen: Iterable[str]) -> FactBase:
    """Return the store's facts with an end among what is seen."""
    found: dict[str, Triple] = {}
    for node in dict.fromkeys(names.concept(name) for name in seen):
        for f in chain(store.find(node, None, None, limit=MOST), store.find(None, None, node, limit=MOST)):
            if f.subject.startswith("/c/") and f.object.startswith("/c/"):
                subject, relation, target = map(names.label, (f.subject, f.predicate, f.object))
                found["/".join((f.subject, f.predicate, f.object))] = (subject, relation, target)
    return FactBase(list(found.values()), list(found), text_encoder("minilm"), cache_folder())
