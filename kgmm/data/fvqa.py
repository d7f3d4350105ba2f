"""FVQA: questions about pictures that need a fact (Wang et al., TPAMI 2018), as plain records.

Reads the layout with one list of questions and one line a fact (``questions-train.json``, ``facts.jsonl``). A fact
comes as a surface, ``[[Lipstick]] is for [[coloring the lips]]``: its two ends are marked, and the words around them
name the relation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeVar

from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.language.phrase import Triple, sense
from kgmm.language.words import normal
from kgmm.scene import SceneGraph, SceneObject

if TYPE_CHECKING:
    from kgmm.store import Fact

_END = re.compile(r"\[\[(.*?)\]\](?!\])", re.DOTALL)
_DETERMINER = re.compile(
    r"^(?:an?|the|some|your|you|someone|something|its|their|his|her|this|that|these|those|my)\s+",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(r"^(?:in|on|at|near|inside|atop|under|around|close to|by)\s+(?=\w)", re.IGNORECASE)

#: words before, between and after the ends (pattern) → relation, and whether the second end is the subject;
#: the first pattern that matches counts
_RULES: tuple[tuple[re.Pattern[str], str, bool], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), relation, swapped)
    for pattern, relation, swapped in (
        (r"something (?:that )?(?:you )?(?:might )?(?:may )?(?:can )?find.*\|.*\bis\b", "AtLocation", True),
        (r"^(?:\*?in|at)\|.*you can", "UsedFor", False),
        (r"(?:likely|able|going) to (?:find|see)\|", "AtLocation", False),
        (r"somewhere\|can be is", "AtLocation", False),
        (r"kinds? of\|:", "IsA", True),
        (r"^the (?:class|order|family|phylum|genus|kingdom|species|type|category) of\|is", "IsA", False),
        (r"activity\|can do is", "CapableOf", False),
        (r"when you want to\|.*use", "UsedFor", True),
        (r"(?:can|people|could) use\|to", "UsedFor", False),
        (r"often found together", "LocatedNear", False),
        (r"\brelated to\b", "RelatedTo", False),
        (r"belongs? to the category|sub-?class of|(?:kind|type|sort|form|species) of", "IsA", False),
        (r"instance of", "InstanceOf", False),
        (r"\b(?:not|n't|never|cannot)\b.*\b(?:want|like)", "NotDesires", False),
        (r"\b(?:cannot|can't|can not)\b", "NotCapableOf", False),
        (r"\b(?:is|are) (?:not|n't)\b|\b(?:isn't|aren't)\b", "NotHasProperty", False),
        (r"\bthan\b", "", False),
        (r"\bparts? of\b", "PartOf", False),
        (r"\bmade (?:of|from|with|out of)\b|consists? of", "MadeOf", False),
        (r"\b(?:created|made|produced|invented) by\b", "CreatedBy", False),
        (
            r"\bus(?:ed|e|eful|ually used)\b.*\b(?:to|for|as|in|by)\b|\b(?:is|are) (?:\w+ )?for$|\bfor\b",
            "UsedFor",
            False,
        ),
        (r"\b(?:wants?|desires?|likes?|loves?|needs?|enjoys?)\b", "Desires", False),
        (r"\bcauses?\b|leads? to|results? in", "Causes", False),
        (r"\bsymbols? of\b|\bsymboli[sz]es?\b", "SymbolOf", False),
        (r"\b(?:another (?:name|word) for|same as|also (?:known|called)|means)\b", "Synonym", False),
        (r"\bopposite\b", "Antonym", False),
        (r"\b(?:is|are) (?:\w+ )?like$|similar to", "SimilarTo", False),
        (
            r"\b(?:is|are|be|found|located|live|lives|grow|grows) (?:\w+ )?(?:in|at|on|near|inside|under)\b",
            "AtLocation",
            False,
        ),
        (r"\b(?:ha(?:s|ve)|contains?|owns?|with)\b", "HasA", False),
        (r"\bcapable of\b", "CapableOf", False),
        (r"\b(?:can|may|could|should|must|might) be\b", "ReceivesAction", False),
        (r"\b(?:can|may|could|will|must|might|should|would)\b", "CapableOf", False),
        (r"\b(?:is|are|was|were) an?$", "IsA", False),
        (r"\b(?:is|are|was|were|be)\b", "?", False),
        (r"^\W*\|(?:\w+ly|often|sometimes|always|never|also|do|does|to)?$", "CapableOf", False),
    )
)
_ARTICLES = frozenset("a an the some your you someone something its their his her this that these those my one".split())
_HEDGE = re.compile(
    r"^(?:(?:is|are|was|were|much|more often|usually|generally|typically|often|always|sometimes|so|far|a|lot|bit"
    r"|considerably|largely|slightly|even|still|also|considered|intrinsically)\s+)+"
)


@dataclass(frozen=True, slots=True)
class FvqaFact:
    """A supporting fact: its ends in lower case without determiner, and a relation of ConceptNet where words match.

    A relation ConceptNet lacks is named by its words in snake case (``faster_than``).
    """

    id: str
    surface: str
    subject: str
    relation: str
    object: str
    source: str

    def statement(self, graph: str = "facts") -> Fact:
        """Return the fact as a store holds it: nouns in the singular, the fact's id as source.

        Example:
            >>> fact = parse_surface("[[Sports cars]] have [[wheels]]", "f1").statement()
            >>> fact.subject, fact.predicate, fact.object, fact.source
            ('/c/en/sports_car', 'HasA', '/c/en/wheel', 'f1')
        """
        from kgmm.store import Fact

        subject, object = (names.concept(singular(end)) for end in (self.subject, self.object))
        return Fact(subject, self.relation, object, 1.0, graph, self.id)


@dataclass(frozen=True, slots=True)
class FvqaQuestion:
    """A question about an image; all but ``question`` and ``concepts`` are labels."""

    question_id: str
    image: str
    question: str
    answer: str
    #: ids of the gold facts
    facts: tuple[str, ...]
    #: ``image``: the answer is a seen concept; ``kb``: it is the fact's other end
    answer_source: str
    kb_source: str
    #: names of what perception is taken to have seen
    concepts: tuple[str, ...]
    #: answers to choose from; FVQA has none, questions made of one's own facts do
    choices: tuple[str, ...] = ()

    def scene(self) -> SceneGraph:
        """Return the seen concepts as a scene graph without boxes."""
        objects = tuple(SceneObject(f"o{i}", name) for i, name in enumerate(self.concepts))
        stem = re.sub(r"[^\w-]+", "-", self.image.rsplit(".", 1)[0]) or self.question_id
        return SceneGraph(f"{stem}-{self.question_id}", objects, image=None, source="fvqa")


def parse_surface(surface: str, fact_id: str = "", source: str = "") -> FvqaFact:
    """Read a fact from its surface.

    Raises:
        BadInput: if the surface does not mark two ends.

    Example:
        >>> fact = parse_surface("*Something you find [[on the desk]] is [[a computer]]")
        >>> fact.subject, fact.relation, fact.object
        ('computer', 'AtLocation', 'desk')
    """
    ends = _END.findall(surface)
    if len(ends) != 2:
        raise BadInput(fact_id or "fact", f"expected two ends in [[ ]], found {len(ends)}: {surface!r}")
    before, between, after = (part.strip(" .*") for part in re.split(_END.pattern, surface, flags=re.DOTALL)[::2])
    words = f"{before}|{between}" + (f"|{after}" if after else "")
    first, second = (end.strip(" .,\t\n") for end in ends)
    relation, swapped = _relation(words, between, first, second)
    if swapped:
        first, second = second, first
    return FvqaFact(fact_id, surface, _bare(first), relation, _bare(second, relation == "AtLocation"), source)


def _relation(words: str, between: str, first: str, second: str) -> tuple[str, bool]:
    for pattern, relation, swapped in _RULES:
        if not pattern.search(words):
            continue
        if relation == "?":
            return ("IsA" if re.match(r"an? |one of", second, re.IGNORECASE) else "HasProperty"), False
        if relation:
            return relation, swapped
        break
    bare = _HEDGE.sub("", between.lower())
    return "_".join(re.findall(r"\w+", bare)) or "RelatedTo", False


def _bare(end: str, place: bool = False) -> str:
    """Drop determiners, and a place's preposition; keep an end that is nothing else."""
    text = " ".join(end.lower().replace("_", " ").split())
    if place:
        text = _PREPOSITION.sub("", text)
    return _DETERMINER.sub("", text) or text


def singular(phrase: str) -> str:
    """Put a noun phrase's last word into the singular by its ending.

    Example:
        >>> singular("living rooms"), singular("knives"), singular("people"), singular("bus")
        ('living room', 'knife', 'person', 'bus')
    """
    head, _, word = phrase.rpartition(" ")
    return f"{head} {_singular(word)}".strip()


_IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "people": "person",
    "feet": "foot",
    "teeth": "tooth",
    "geese": "goose",
    "mice": "mouse",
    "knives": "knife",
    "leaves": "leaf",
    "wolves": "wolf",
    "shelves": "shelf",
    "loaves": "loaf",
    "wives": "wife",
    "lives": "life",
    "calves": "calf",
    "halves": "half",
    "series": "series",
    "species": "species",
    "glasses": "glasses",
    "clothes": "clothes",
    "pants": "pants",
    "news": "news",
    "movies": "movie",
    "cookies": "cookie",
    "shoes": "shoe",
    "canoes": "canoe",
    "toes": "toe",
    "always": "always",
}


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending, new in (
        ("ies", "y"),
        ("sses", "ss"),
        ("shes", "sh"),
        ("ches", "ch"),
        ("xes", "x"),
        ("oes", "o"),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + new
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")) and len(word) > 3:
        return word[:-1]
    return word


def load_facts(path: str | Path) -> list[FvqaFact]:
    """Read ``facts.jsonl``: one JSON object a line with ``id``, ``surface`` and ``source``.

    Raises:
        BadInput: naming the line that is not such an object.
    """
    facts = []
    with Path(path).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                facts.append(parse_surface(row["surface"], row["id"], row.get("source", "")))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BadInput(path, f"not a fact with id and surface: {error!r}", line=number) from error
    return facts


def spellings(answer: str) -> set[str]:
    """Return the forms in which an answer counts as said: its lemmas, and those of its singular by ending.

    Example:
        >>> sorted(spellings("Skiiers"))
        ['skiier', 'skiiers']
    """
    bare = answer.strip(" .,!?").lower()
    return {normal(bare), normal(singular(bare))}


class StatedFacts:
    """Which facts state a triple, whatever the inflection and articles: distractors may word a fact otherwise.

    Attributes:
        statements: fact id → the triple that a store holds it as.

    Example:
        >>> stated = StatedFacts([parse_surface("[[drum]] is used for [[playing in an orchestra]].", "f1")])
        >>> stated(("/c/en/drum", "UsedFor", "/c/en/play_in_orchestra"))
        {'f1': 'drum is used for playing in an orchestra.'}
    """

    def __init__(self, facts: Iterable[FvqaFact]) -> None:
        self.statements: dict[str, Triple] = {}
        self._ids: dict[Triple, dict[str, str]] = {}
        for fact in facts:
            s = fact.statement()
            self.statements[fact.id] = triple = (s.subject, s.predicate, s.object)
            self._ids.setdefault(sense(triple), {})[fact.id] = re.sub(r"\[\[|\]\]|\*", "", fact.surface)

    def __call__(self, triple: Triple) -> dict[str, str]:
        """Return the ids of the facts that state a triple, each with its wording; the triple's own words come first."""
        ids = self._ids.get(sense(triple), {})
        return ids if len(ids) < 2 else dict(sorted(ids.items(), key=lambda i: self.statements[i[0]] != triple))


def load_questions(path: str | Path) -> list[FvqaQuestion]:
    """Read a questions file, a JSON list; :func:`kgmm.data.released.fvqa` reads the release's, which has no concepts.

    Raises:
        BadInput: if the file is no JSON list, or a question lacks its text or concepts.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise BadInput(path, f"not a JSON file: {error.msg}", line=error.lineno) from error
    except ValueError as error:
        raise BadInput(path, f"not a JSON file: {error}") from error
    if not isinstance(rows, list):
        raise BadInput(path, "expected a list of questions")
    questions = []
    for number, row in enumerate(rows, 1):
        try:
            questions.append(_question(row))
        except (KeyError, TypeError, AttributeError) as error:
            raise BadInput(path, f"question {number} lacks a field or has a wrong one: {error!r}") from error
    return questions


def _question(row: dict[str, object]) -> FvqaQuestion:
    facts, choices, concepts = row.get("fact") or (), row.get("choices") or (), row["concepts"]
    if not isinstance(facts, list | tuple) or not isinstance(concepts, list):
        raise TypeError("fact and concepts are lists")
    if not isinstance(choices, list | tuple):
        raise TypeError("choices is a list")
    label = {key: str(row.get(key, "")) for key in ("answer", "answer_source", "kb_source", "image")}
    return FvqaQuestion(
        question_id=str(row["question_id"]),
        question=str(row["question"]),
        facts=tuple(map(str, facts)),
        concepts=tuple(map(str, concepts)),
        choices=tuple(map(str, choices)),
        **label,
    )


Q = TypeVar("Q", bound=FvqaQuestion)


def split_by_image(questions: Iterable[Q], fraction: float = 0.2, seed: int = 0) -> tuple[list[Q], list[Q]]:
    """Split questions into two parts with no image in common.

    Args:
        questions: any questions.
        fraction: share of the images that goes into the second part.
        seed: of the shuffle of images.

    Returns:
        (rest, held out), each in the given order.
    """
    questions = list(questions)
    images = sorted({q.image for q in questions})
    Random(seed).shuffle(images)
    held = set(images[: round(len(images) * fraction)])
    return [q for q in questions if q.image not in held], [q for q in questions if q.image in held]
