"""Questions from any store and scenes, to train and test on one's own knowledge (Li, Su, Zhu 2017, section 4.1).

A fact one of whose ends is seen becomes a multiple-choice question; wrong choices are true of nothing asked.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from kgmm.data.fvqa import FvqaQuestion
from kgmm.language import names
from kgmm.scene import SceneGraph
from kgmm.store import Fact, LocalStore

#: relation → (question whose answer is the object, question whose answer is the seen subject)
TEMPLATES: dict[str, tuple[str, str]] = {
    "UsedFor": ("What is the {s} in this image used for?", "Which thing in this image is used for {o}?"),
    "IsA": ("What kind of thing is the {s} in this image?", "Which thing in this image is a kind of {o}?"),
    "CapableOf": ("What can the {s} in this image do?", "Which thing in this image can {o}?"),
    "AtLocation": ("Where do you usually find the {s} in this image?", "Which thing in this image is found in {o}?"),
    "HasA": ("What does the {s} in this image have?", "Which thing in this image has {o}?"),
    "HasProperty": ("What property does the {s} in this image have?", "Which thing in this image is {o}?"),
    "PartOf": ("What is the {s} in this image part of?", "Which thing in this image is part of {o}?"),
    "MadeOf": ("What is the {s} in this image made of?", "Which thing in this image is made of {o}?"),
    "Desires": ("What does the {s} in this image want?", "Which thing in this image wants {o}?"),
    "ReceivesAction": ("What can be done to the {s} in this image?", "Which thing in this image can be {o}?"),
    "Causes": ("What does the {s} in this image cause?", "Which thing in this image causes {o}?"),
    "CreatedBy": ("What is the {s} in this image created by?", "Which thing in this image is created by {o}?"),
}


@dataclass(frozen=True)
class KnowledgeQuestion:
    """A multiple-choice question about a scene, with the fact that answers it."""

    question: str
    answer: str
    choices: tuple[str, ...]
    scene: SceneGraph
    fact: Fact
    seen: bool  #: whether the answer is a seen thing (else it is the fact's other end)

    def labelled(self, id: str) -> FvqaQuestion:
        """Return it as a question of FVQA; its fact's id is the triple's terms, joined by slashes."""
        fact, seen = self.fact, tuple(o.name for o in self.scene.objects)
        gold, source = "/".join((fact.subject, fact.predicate, fact.object)), "image" if self.seen else "kb"
        given = (self.scene.id, self.question, self.answer, (gold,), source, fact.predicate, seen, self.choices)
        return FvqaQuestion(id, *given)


def knowledge_questions(
    store: LocalStore, scenes: Iterable[SceneGraph], *, per_scene: int = 4, choices: int = 4, seed: int = 0
) -> Iterator[KnowledgeQuestion]:
    """Yield at most *per_scene* questions a scene whose answers are ends of facts about what is seen there.

    A question, with its *choices*, is only made if it has one right answer in the scene and among them.

    >>> [q.answer for q in knowledge_questions(kb, [scene], per_scene=1)]     # doctest: +SKIP
    ['cutting']
    """
    random = Random(seed)
    pools: dict[str, list[str]] = {}
    for scene in scenes:
        about = _facts_about(store, scene)
        drafts = [(fact, side) for facts in about.values() for fact in facts for side in (True, False)]
        random.shuffle(drafts)
        made = 0
        for fact, seen in drafts:
            question = _question(store, scene, fact, seen, about, pools, random, choices)
            if question is not None:
                yield question
                made += 1
            if made >= per_scene:
                break


def _facts_about(store: LocalStore, scene: SceneGraph) -> dict[str, list[Fact]]:
    nodes = dict.fromkeys(names.concept(o.name) for o in scene.objects)
    told = {node: [f for f in store.find(node) if f.predicate in TEMPLATES] for node in nodes}
    return {node: [f for f in facts if not names.is_literal(f.object)] for node, facts in told.items()}


def _question(
    store: LocalStore,
    scene: SceneGraph,
    fact: Fact,
    seen: bool,
    about: dict[str, list[Fact]],
    pools: dict[str, list[str]],
    random: Random,
    count: int,
) -> KnowledgeQuestion | None:
    to_object, to_subject = TEMPLATES[fact.predicate]
    subject, object = names.label(fact.subject), names.label(fact.object)
    if seen:
        known = (f for facts in about.values() for f in facts)
        holders = {f.subject for f in known if (f.predicate, f.object) == (fact.predicate, fact.object)}
        wrong = [names.label(node) for node in about if node not in holders]
        if len(holders) != 1:
            return None
        text, answer = to_subject.format(s=subject, o=object), subject
    else:
        true = {f.object for f in about[fact.subject] if f.predicate == fact.predicate}
        if fact.predicate not in pools:
            pools[fact.predicate] = sorted({f.object for f in store.find(None, fact.predicate, None, limit=5000)})
        pool = pools[fact.predicate]
        wrong = [names.label(node) for node in random.sample(pool, min(len(pool), 4 * count)) if node not in true]
        text, answer = to_object.format(s=subject, o=object), object
    wrong = [w for w in dict.fromkeys(wrong) if w != answer]
    if len(wrong) < count - 1:
        return None
    offered = [answer, *random.sample(wrong, count - 1)]
    random.shuffle(offered)
    return KnowledgeQuestion(text, answer, tuple(offered), scene, fact, seen)
