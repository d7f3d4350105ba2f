"""Question answering → story summary → recommendation: three tasks with heads of their own over one encoder, from bundled data.

Each is a choice of one among :data:`CHOICES`, so that their figures have one unit: the share of right choices, .25 by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmm.bundled import folder
from kgmm.data.streams import KEPT_OUT, Floats, Stream, Task
from kgmm.errors import BadInput
from kgmm.progress import Progress, silent

CHOICES = 4
QUESTIONS, USERS = 640, 2000
KINDS, ITEMS, LIKED = 6, 48, 4  #: of items; items of a kind; of a user
TOGETHER = 64  #: texts encoded at a time
TEMPLATES = {
    "UsedFor": "What is a {} used for?",
    "AtLocation": "Where do you find a {}?",
    "CapableOf": "What can a {} do?",
    "HasA": "What does a {} have?",
    "MadeOf": "What is a {} made of?",
    "PartOf": "What is a {} part of?",
}


class Choice(NamedTuple):
    """What is chosen for, several texts being as good as their mean, the candidates, and the place of the right one."""

    given: tuple[str, ...]
    candidates: tuple[str, ...]
    right: int


def three_tasks(seed: int = 0, progress: Progress = silent) -> Stream:
    """Return the stream: questions about bundled facts, shots of the bundled broadcasts, items that go with what is liked.

    A row is the pair (a, b) of what is chosen for and a candidate, vectors of all-MiniLM, as (a, b, a ∘ b, |a − b|) (Conneau et al.
    2017); its label says of which task it is and whether the candidate is right. Questions to judge by are about subjects, shots
    and items that are not learned from.

    Args:
        seed: of what is drawn.

    Raises:
        BadInput: if the bundled data is damaged.
    """
    made = {"answers": questions(seed), "story": summaries(seed), "items": recommendations(seed)}
    texts = sorted({text for parts in made.values() for part in parts for c in part for text in c.given + c.candidates})
    vectors = dict(zip(texts, _encoded(texts, progress), strict=True))
    tasks = []
    nearest = []
    for number, (name, (learn, judge)) in enumerate(made.items()):
        (x, y), (test_x, test_y) = (_rows(part, vectors, number) for part in (learn, judge))
        tasks.append(Task(name, x, y, test_x, test_y))
        nearest.append(float(np.mean([_nearest(c, vectors) == c.right for c in judge])))
    simple = {"chance": [1 / CHOICES] * len(tasks), "nearest": nearest}
    return Stream("answers → story → items", tasks, told=True, choices=CHOICES, simple=simple)


def questions(seed: int = 0) -> tuple[list[Choice], list[Choice]]:
    """Return choices of an answer to learn from and to judge by, a subject each; wrong ones answer the same of other subjects.

    Example:
        >>> learn, judge = questions()
        >>> len(learn), len(judge), learn[0].given[0].startswith("W")
        (480, 160, True)
    """
    rng = np.random.default_rng([seed, 1])
    known: dict[tuple[str, str], set[str]] = {}
    answers: dict[str, list[str]] = {}
    for _, subject, relation, answer in _facts():
        if relation in TEMPLATES:
            known.setdefault((subject, relation), set()).add(answer)
            answers.setdefault(relation, []).append(answer)
    asked: dict[str, list[str]] = {}
    for subject, relation in known:
        asked.setdefault(subject, []).append(relation)
    found = []
    for subject in rng.permutation(sorted(asked))[:QUESTIONS].tolist():
        relation = asked[subject][int(rng.integers(len(asked[subject])))]
        right = sorted(known[subject, relation])
        others = sorted(set(answers[relation]) - set(right))
        found.append(_choice((TEMPLATES[relation].format(subject),), right[int(rng.integers(len(right)))], others, rng))
    return _cut(found)


def summaries(seed: int = 0) -> tuple[list[Choice], list[Choice]]:
    """Return choices of the shot that belongs into a story's summary, among shots of other stories and of none.

    A story is given by the name of its logo. Shots to judge by are no candidates of those to learn from.
    """
    from kgmm.stories.example.news import news

    rng = np.random.default_rng([seed, 2])
    story = news()
    names = {logo.id: logo.name for logo in story.logos}
    shots = [shot for shot in story.shots if shot.text]
    order = rng.permutation(len(shots)).tolist()
    parts = []
    for kept in (False, True):
        part = [shots[i] for place, i in enumerate(order) if (place % KEPT_OUT == KEPT_OUT - 1) == kept]
        found = []
        for shot in part:
            if shot.story:
                others = [other.text for other in part if other.story != shot.story]
                found.append(_choice((names[shot.story],), shot.text, others, rng))
        parts.append(found)
    return parts[0], parts[1]


def recommendations(seed: int = 0) -> tuple[list[Choice], list[Choice]]:
    """Return choices of an item for users of a made world: who likes things of one kind is served with those of another.

    Kinds are those of the bundled facts (animals, clothes, food, …); which goes with which is drawn. Items to judge by are
    liked and recommended to nobody who is learned from.
    """
    rng = np.random.default_rng([seed, 3])
    first: dict[str, str] = {}
    for kind, subject, _, _ in _facts():
        first.setdefault(subject, kind)  # an item is of one kind
    named: dict[str, list[str]] = {}
    for subject, kind in first.items():
        named.setdefault(kind, []).append(subject)
    kinds = rng.permutation(sorted(kind for kind, items in named.items() if len(items) >= ITEMS))[:KINDS].tolist()
    items = {kind: rng.permutation(named[kind])[:ITEMS].tolist() for kind in kinds}
    partner = {kind: kinds[place ^ 1] for place, kind in enumerate(kinds)}
    parts = []
    for kept in (False, True):
        own = {
            k: [x for i, x in enumerate(some) if (i % KEPT_OUT == KEPT_OUT - 1) == kept] for k, some in items.items()
        }
        found = []
        for _ in range(USERS // KEPT_OUT if kept else USERS - USERS // KEPT_OUT):
            kind = kinds[int(rng.integers(len(kinds)))]
            liked = rng.permutation(own[kind])[:LIKED].tolist()
            with_it = own[partner[kind]]
            others = [x for k in kinds if k != partner[kind] for x in own[k] if x not in liked and x not in with_it]
            found.append(_choice(tuple(liked), with_it[int(rng.integers(len(with_it)))], others, rng))
        parts.append(found)
    return parts[0], parts[1]


def _facts() -> Iterator[tuple[str, str, str, str]]:
    """Yield the bundled facts with the names of the files they stand in."""
    files = sorted((folder("knowledge") / "commonsense").glob("*.tsv"))
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            parts = line.split("\t")
            if len(parts) < 3:
                raise BadInput(Path(file), "expected subject, relation and object", line=number)
            yield file.stem, parts[0], parts[1], parts[2]


def _choice(given: tuple[str, ...], right: str, others: Sequence[str], rng: np.random.Generator) -> Choice:
    wrong = [others[i] for i in rng.choice(len(others), CHOICES - 1, replace=False)]
    place = int(rng.integers(CHOICES))
    return Choice(given, (*wrong[:place], right, *wrong[place:]), place)


def _cut(found: list[Choice]) -> tuple[list[Choice], list[Choice]]:
    judged = [number % KEPT_OUT == KEPT_OUT - 1 for number in range(len(found))]
    learn, judge = ([c for c, own in zip(found, judged, strict=True) if own == kept] for kept in (False, True))
    return learn, judge


def _encoded(texts: list[str], progress: Progress) -> Iterator[Floats]:
    from kgmm.encode import text_encoder

    encoder = text_encoder("minilm")
    for start in range(0, len(texts), TOGETHER):
        yield from np.asarray(encoder.encode(texts[start : start + TOGETHER]), np.float32)
        progress(min(start + TOGETHER, len(texts)), len(texts), "texts")


def _given(choice: Choice, vectors: dict[str, Floats]) -> Floats:
    mean = np.mean([vectors[text] for text in choice.given], axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def _nearest(choice: Choice, vectors: dict[str, Floats]) -> int:
    given = _given(choice, vectors)
    return int(np.argmax([given @ vectors[text] for text in choice.candidates]))


def _rows(choices: list[Choice], vectors: dict[str, Floats], number: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return a row and a label for each candidate: 2 · *number*, and 1 more if it is right."""
    rows, labels = [], []
    for choice in choices:
        a = _given(choice, vectors)
        width = float(len(a))
        for place, text in enumerate(choice.candidates):
            b = vectors[text]
            rows.append(np.concatenate([a, b]) * width**0.5)
            labels.append(2 * number + int(place == choice.right))
    return np.array(rows, np.float32), np.array(labels, np.int64)
