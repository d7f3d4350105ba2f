"""Questions that need two facts as a training problem: facts parted by bridge, so that those tested on teach nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kgmm.data.fvqa import FvqaQuestion, check_folder
from kgmm.data.two_facts import TwoFactQuestion, parted, two_fact_questions
from kgmm.encode.text import text_encoder
from kgmm.errors import KgmmError
from kgmm.language import names
from kgmm.language.phrase import Triple
from kgmm.store import LocalStore
from kgmm.train.memories import FactBase, cache_folder, load_fact_base

MOST = 200_000  #: facts of a store that are looked at
LEARN, TUNE = 7500, 1000  #: questions made to learn from and to choose the epoch on, at most


@dataclass(frozen=True)
class Part:
    """Questions with the facts they are about."""

    base: FactBase
    made: list[TwoFactQuestion]
    questions: list[FvqaQuestion]


def part_questions(facts: Sequence[Triple], part: int, count: int, seed: int = 0) -> Part:
    """Make at most *count* questions about one of three parts of some facts (:func:`kgmm.data.two_facts.parted`)."""
    own = [facts[i] for i in parted(facts, part)]
    base = FactBase(own, ["/".join(t) for t in own], text_encoder("minilm"), cache_folder())
    made = list(two_fact_questions(own, count, part=part, seed=seed))
    return Part(base, made, [q.labelled(i, base.ids) for i, q in enumerate(made)])


def learn_and_tune(
    facts: Sequence[Triple], where: str, *, counts: tuple[int, int] = (LEARN, TUNE)
) -> tuple[Part, Part]:
    """Return the parts to learn from and to tune on; KgmmError, naming *where* the facts are from, if one has no question."""
    parts = part_questions(facts, 0, counts[0]), part_questions(facts, 1, counts[1])
    sizes = [len(p.questions) for p in parts]
    if 0 in sizes:
        raise KgmmError(
            f"{where}: {sizes[0]} questions to learn from and {sizes[1]} to tune on need two of its {len(facts)} facts; both are "
            "wanted, and each needs things that lead to facts of the same relation by different bridges"
        )
    return parts


def fvqa_facts(folder: Path, distractors: Path | None = None) -> list[Triple]:
    """Return FVQA's facts and further ones, as :func:`~kgmm.train.memories.load_fact_base` reads them."""
    check_folder(folder)
    return load_fact_base(folder, text_encoder("minilm"), cache_folder(), distractors).triples


def store_facts(store: LocalStore, most: int = MOST) -> list[Triple]:
    """Return the facts of a store whose ends are both concepts, as words."""
    found = store.find(None, None, None, limit=most)
    pairs = ((f, (f.subject, f.predicate, f.object)) for f in found)
    kept = (t for f, t in pairs if f.subject.startswith("/c/") and f.object.startswith("/c/"))
    labels = ((names.label(s), names.label(r), names.label(o)) for s, r, o in kept)
    return list(dict.fromkeys(labels))
