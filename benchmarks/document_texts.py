"""Questions on plain text, made so that no words are simply repeated: BBC news and WordNet's glosses.

A question is the first half of a sentence, about half of its words as synonyms (WordNet's); its answer are the words of that
sentence and, in an article, the next one. Judged is the share of the answer's content words, without the
question's own, that the first passages hold.
"""

from __future__ import annotations

import csv
import random
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from kgmm.documents.roots import FUNCTION, root

COUNT = 400  #: questions of a set


@dataclass
class Set:
    """Documents by name with questions and answers."""

    name: str
    documents: dict[str, str]
    questions: list[tuple[str, str]]


def words(text: str) -> set[str]:
    """Return the roots of a text's content words."""
    return {root(w) for w in re.findall(r"[^\W_]+", text.lower()) if w not in FUNCTION and len(w) > 1}


def held(answer: str, question: str, passages: list[str]) -> float:
    """Return the share of an answer's content words, without the question's, that passages hold."""
    wanted = words(answer) - words(question)
    return len(wanted & words(" ".join(passages))) / len(wanted)


def synonyms(folder: Path) -> tuple[dict[str, list[str]], list[tuple[str, list[str], str]]]:
    """Return WordNet's synonyms of single words, and its synsets: the file, the words and the gloss."""
    same: dict[str, set[str]] = defaultdict(set)
    sets = []
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith(" "):
                continue
            fields, _, gloss = line.partition(" | ")
            told = fields.split()
            names = [re.sub(r"\(.*", "", told[4 + 2 * n]).replace("_", " ").lower() for n in range(int(told[3], 16))]
            sets.append((told[1], names, gloss.strip()))
            for name in names:
                same[name].update(other for other in names if other != name and " " not in other)
    return {name: sorted(others) for name, others in same.items() if others}, sets


def _asked(said: list[str], same: dict[str, list[str]], draw: random.Random) -> str:
    """Return words in their order, half of those that have one as a synonym."""
    told = []
    for word in said:
        ways = [] if word in FUNCTION else same.get(word) or same.get(root(word), [])
        told.append(draw.choice(ways) if ways and draw.random() < 0.5 else word)
    return " ".join(told)


def _keep(questions: list[tuple[str, str]], question: str, answer: str) -> None:
    if len(words(answer) - words(question)) >= 4:
        questions.append((question, answer))


def bbc(file: Path, same: dict[str, list[str]], seed: int = 0) -> Set:
    """Return news articles and questions on sentences of them."""
    draw = random.Random(seed)
    with file.open(encoding="utf-8") as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    documents = {f"{at:04}.txt": re.sub(r" {2,}", " ", text) for at, text in enumerate(texts)}
    questions: list[tuple[str, str]] = []
    while len(questions) < COUNT:
        parts = re.split(r"(?<=[.?!])\s+", draw.choice(texts))
        if len(parts) < 4:
            continue
        at = draw.randrange(1, len(parts) - 1)
        said = re.findall(r"[^\W_]+", parts[at])
        if len(said) >= 14:
            _keep(
                questions,
                "What happened when " + _asked(said[: len(said) // 2], same, draw) + "?",
                f"{parts[at]} {parts[at + 1]}",
            )
    return Set("BBC", documents, questions)


def glosses(sets: list[tuple[str, list[str], str]], same: dict[str, list[str]], seed: int = 0) -> Set:
    """Return glosses, forty a document in a drawn order, and questions on some of them."""
    draw = random.Random(seed)
    chosen = [s for s in draw.sample(sets, 24_000) if len(s[2].split()) > 8]
    lines = [f"{names[0].capitalize()}: {gloss}." for _, names, gloss in chosen]
    documents = {f"{at:05}.txt": "\n\n".join(lines[at : at + 40]) for at in range(0, len(lines), 40)}
    questions: list[tuple[str, str]] = []
    for _, names, gloss in draw.sample(chosen, COUNT):
        said = re.findall(r"[^\W_]+", gloss.lower())
        _keep(questions, "What is " + _asked(said[: max(len(said) // 2, 6)], same, draw) + "?", f"{names[0]}: {gloss}")
    return Set("glosses", documents, questions)
