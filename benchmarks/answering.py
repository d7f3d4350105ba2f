"""Answers from documents: 60 questions with answers of our own about 2WikiMultihopQA's passages and BBC news, half kept.

``python -m benchmarks.answering [--told]`` reads both into one store; told are the answers to the half to tune by.
Beside it the simplest reader: of the first passage, the first mention of the kind that is asked.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import kgmm
from benchmarks.extraction import DATA, HERE
from kgmm.documents import spans
from kgmm.documents.mentions import mentions
from kgmm.reason.documents.spotting import kind


def questions() -> Iterator[tuple[str, list[str]]]:
    for line in (HERE / "questions.txt").read_text(encoding="utf-8").splitlines():
        if line and line[0] != "#":
            asked, _, right = line.partition("|")
            yield asked.strip(), [spans.key(a) for a in right.split(";") if a.strip()]


def corpus(data: Path = DATA) -> list[dict[str, str]]:
    found = [
        {"id": f"2wiki/{n}", **passage}
        for n, passage in enumerate(json.loads((data / "2wiki/corpus.json").read_text(encoding="utf-8")))
    ]
    with open(data / "bbc/bbc-text.csv", encoding="utf-8", newline="") as file:
        return found + [{"id": f"bbc/{n}", "text": row["text"]} for n, row in enumerate(csv.DictReader(file))]


def simplest(kb: kgmm.KnowledgeStore, question: str) -> str | None:
    kinds = {"date": ("date",), "number": ("number",)}.get(kind(question), ("name", "short", "title"))
    for passage in kb.retrieve(question, passages=1).passages:
        for m in mentions(passage.text):
            if m.kind in kinds and m.text not in question:
                return m.text
    return None


def verdict(answer: str | None, right: list[str]) -> str:
    if answer is None:
        return "silent"
    return "right" if spans.key(answer) in right else "wrong"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, kgmm.open(Path(folder) / "kb") as kb:
        kb.read(corpus())
        counts: dict[tuple[str, str, str], int] = {}
        for number, (asked, right) in enumerate(questions()):
            half = "kept" if number % 2 else "tuned"
            answer = kb.ask(None, asked)
            said = verdict(answer.text, right)
            for name, one in (("reader", said), ("simplest", verdict(simplest(kb, asked), right))):
                counts[name, half, one] = counts.get((name, half, one), 0) + 1
            if "--told" in sys.argv and half == "tuned":
                print(f"{said:6} {asked} → {answer.text!r}, right: {right}; {answer.trace.abstained}")
        for name in ("reader", "simplest"):
            for half in ("tuned", "kept"):
                print(name, half, *(f"{v} {counts.get((name, half, v), 0)}" for v in ("right", "wrong", "silent")))


if __name__ == "__main__":
    main()
