"""Facts from sentences: precision and recall on annotated ones, half to tune by, half kept.

200 sentences of our own (negation, hearsay, questions, quotations, lists, appositions, passives) and 100 by others, named
by their place in ``../shared/data`` (2WikiMultihopQA's passages, BBC news) and not copied. Lines of even number were
looked at while patterns were made, odd ones not. ``python -m benchmarks.extraction [--errors]`` (errors of the first half).
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from kgmm.documents.facts.extract import extract
from kgmm.documents.parting import sentences
from kgmm.language import names

HERE = Path(__file__).parent / "extraction_data"
DATA = Path(os.environ.get("KGMM_DATA", Path(__file__).parents[2] / "shared/data"))
Triples = set[tuple[str, str, str]]


def judged(data: Path = DATA) -> Iterator[tuple[str, bool, str, Triples, Triples]]:
    """Yield each annotated sentence: set, whether it is kept, its text, what it says, what is found."""
    for kind in ("own", "2wiki", "bbc"):
        lines = [l for l in (HERE / f"{kind}.txt").read_text(encoding="utf-8").splitlines() if l and l[0] != "#"]
        texts = _texts(kind, data)
        for number, line in enumerate(lines):
            place, said = re.split(r" =>", line)
            title, text, low, high = texts(place)
            gold = {_same(*(title if p == "$" else p for p in t.split("|"))) for t in said.strip().split("; ") if t}
            found = {_same(f.subject, f.predicate, f.object) for f in extract(text, title) if low <= f.start < high}
            yield kind, bool(number % 2), text[low:high], gold, found


def _texts(kind: str, data: Path):  # type: ignore[no-untyped-def]
    if kind == "own":

        def own(place: str) -> tuple[str, str, int, int]:
            m = re.fullmatch(r"(?:\[(.*?)\] )?(.*)", place)
            assert m is not None
            return m[1] or "", m[2], 0, len(m[2])

        return own
    if kind == "2wiki":
        corpus = json.loads((data / "2wiki/corpus.json").read_text(encoding="utf-8"))

        def wiki(place: str) -> tuple[str, str, int, int]:
            passage, at = map(int, place.split("."))
            text = corpus[passage]["text"]
            low, high = sentences(text)[at]
            return re.sub(r"\s*\([^()]*\)\s*$", "", corpus[passage]["title"]), text, low, high

        return wiki
    with open(data / "bbc/bbc-text.csv", encoding="utf-8", newline="") as file:
        articles = [row["text"] for row in csv.DictReader(file)]

    def news(place: str) -> tuple[str, str, int, int]:
        article, at = map(int, place.split("."))
        said = re.split(r"(?<=[.!?])\s+", articles[article])[at]
        return "", said, 0, len(said)

    return news


def _same(subject: str, predicate: str, target: str) -> tuple[str, str, str]:
    import simplemma

    def plain(name: str) -> str:
        said = names.label(names.concept(re.sub(r"^(the|an?) ", "", name.strip('"“” '), flags=re.I)))
        *first, last = said.split()
        return " ".join([*first, simplemma.lemmatize(last, "en")])

    return plain(subject), predicate, target if target[:1].isdigit() else plain(target)


def main() -> None:
    rows = list(judged())
    for kept in (False, True):
        for kind in ("own", "2wiki", "bbc", "all"):
            part = [r for r in rows if r[1] == kept and kind in (r[0], "all")]
            right = sum(len(g & f) for *_, g, f in part)
            found, gold = sum(len(f) for *_, f in part), sum(len(g) for *_, g, _ in part)
            half = "kept" if kept else "tuned"
            print(
                f"{half:5} {kind:5} {len(part):3} sentences: precision {right / found if found else 1:.3f} "
                f"({right}/{found}), recall {right / gold if gold else 1:.3f} ({right}/{gold})"
            )
    if "--errors" in sys.argv:
        for kind, kept, text, gold, found in rows:
            if not kept and gold != found:
                print(f"\n{kind}: {text}\n  wrong {sorted(found - gold)}\n  missed {sorted(gold - found)}")


if __name__ == "__main__":
    main()
