"""FVQA: questions about pictures that need a fact (Wang et al., TPAMI 2018), read as plain records."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

from kgmm.data.released import records
from kgmm.data.surfaces import FvqaFact, parse_surface, singular
from kgmm.errors import BadInput, reason_of
from kgmm.files import read_json, read_lines
from kgmm.language import names
from kgmm.language.phrase import Triple, sense
from kgmm.language.words import normal
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import LocalStore


@dataclass(frozen=True, slots=True)
class FvqaQuestion:
    """A question about an image; all but ``question`` and ``concepts`` are labels."""

    question_id: str
    image: str
    question: str
    answer: str
    facts: tuple[str, ...]  #: ids of the gold facts
    answer_source: str  #: ``image``: the answer is a seen concept; ``kb``: it is the fact's other end
    kb_source: str
    concepts: tuple[str, ...]  #: names of what perception is taken to have seen
    choices: tuple[str, ...] = ()  #: answers to choose from; FVQA has none, questions made of one's own facts do
    bridges: tuple[str, ...] = ()  #: ids of facts that lead to the gold ones, where a question needs two

    def scene(self) -> SceneGraph:
        """Return the seen concepts as a scene graph without boxes."""
        objects = tuple(SceneObject(f"o{i}", name) for i, name in enumerate(self.concepts))
        stem = re.sub(r"[^\w-]+", "-", self.image.rsplit(".", 1)[0]) or self.question_id
        return SceneGraph(f"{stem}-{self.question_id}", objects, image=None, source="fvqa")


def load_facts(path: str | Path) -> list[FvqaFact]:
    """Read ``facts.jsonl``: ``id``, ``surface``, ``source`` a line; BadInput names a line without them."""
    facts = []
    for number, line in read_lines(path):
        try:
            row = json.loads(line)
            facts.append(parse_surface(row["surface"], row["id"], row.get("source", "")))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadInput(path, reason_of(error, "not a fact with id and surface"), line=number) from error
    return facts


def spellings(answer: str) -> set[str]:
    """Return the normalized ends of facts that training takes for an answer: its lemmas, and those of its singular.

    The singular is formed by the word's ending, as the facts' ends are, so that a misspelt plural still finds the fact it
    labels. Scoring is stricter: :func:`right_answer`.

    >>> sorted(spellings("Skiiers"))
    ['skiier', 'skiiers']
    """
    bare = answer.strip(" .,!?").lower()
    return {normal(bare), normal(singular(bare))}


def right_answer(given: str, gold: str) -> bool:
    """Tell whether an answer counts as the gold one in scoring: the same words up to inflection, case and a determiner.

    >>> right_answer("The dogs", "dog"), right_answer("skiier", "Skiiers")
    (True, False)
    """
    return normal(_plain(given)) == normal(_plain(gold))


def _plain(text: str) -> str:
    return re.sub(r"[^\w\s'-]", " ", names.label(text) if text.startswith("/c/") else text)


class StatedFacts:
    """Which facts state a triple, whatever the inflection and articles; ``statements`` has by id what a store holds.

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
    """Read a JSON list of questions with concepts, which :mod:`kgmm.data.released` does without, else BadInput."""
    return list(records(path, read_json(path), _question))


def _question(row: dict[str, object]) -> FvqaQuestion:
    facts, choices, concepts = row.get("fact") or (), row.get("choices") or (), row["concepts"]
    if not isinstance(facts, list | tuple) or not isinstance(concepts, list):
        raise ValueError("fact and concepts are lists")
    if not isinstance(choices, list | tuple):
        raise ValueError("choices is a list")
    label = {key: str(row.get(key, "")) for key in ("answer", "answer_source", "kb_source", "image")}
    return FvqaQuestion(
        question_id=str(row["question_id"]),
        question=str(row["question"]),
        facts=tuple(map(str, facts)),
        concepts=tuple(map(str, concepts)),
        choices=tuple(map(str, choices)),
        bridges=(),
        **label,
    )


Q = TypeVar("Q", bound=FvqaQuestion)


def split_by_image(questions: Iterable[Q], fraction: float = 0.2, seed: int = 0) -> tuple[list[Q], list[Q]]:
    """Split questions in two with no image in common; *fraction* of the images goes into the second part."""
    questions = list(questions)
    images = sorted({q.image for q in questions})
    Random(seed).shuffle(images)
    held = set(images[: round(len(images) * fraction)])
    return [q for q in questions if q.image not in held], [q for q in questions if q.image in held]


@contextmanager
def fvqa_store(
    folder: Path, distractors: Path | None = None, place: Path | None = None
) -> Iterator[tuple[LocalStore, StatedFacts]]:
    """Give a store of FVQA's facts and, as distractors, further triples; and which facts state what.

    *place* is where the store is kept: it is filled once, and one that has facts already is taken as it is. By default
    it is made in a folder that goes with the block.
    """
    known = load_facts(folder / "facts.jsonl")
    with TemporaryDirectory() as scratch, LocalStore(place or Path(scratch) / "kb") as store:
        if len(store) == 0:
            store.add([fact.statement() for fact in known])
            if distractors is not None:
                store.load(distractors, graph="distractors")
        yield store, StatedFacts(known)


def check_folder(folder: Path) -> None:
    """Raise BadInput, naming what is missing, for a folder that lacks FVQA's files."""
    if missing := [n for n in ("questions-train.json", "facts.jsonl") if not (folder / n).is_file()]:
        raise BadInput(folder, f"no folder of FVQA: {' and '.join(missing)} not found there")
