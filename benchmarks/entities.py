"""Which names of two documents mean one: precision and recall on annotated pairs, beside equal names and equal last words.

Pairs of 2WikiMultihopQA's passages (``entities_data/2wiki.tsv``: places in the corpus and the names, no text) and of 40
documents of our own (``own.jsonl``, each with what its names mean). ``python -m benchmarks.entities [--errors]``
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

from benchmarks.extraction import DATA
from kgmm.documents import spans
from kgmm.documents.entities.profiles import Profile, profile
from kgmm.documents.entities.things import linked

HERE = Path(__file__).parent / "entities_data"
Mention = tuple[str, str]
Judged = tuple[str, Mention, Mention, bool]


def wiki(data: Path = DATA) -> tuple[list[Profile], list[Judged]]:
    corpus = json.loads((data / "2wiki/corpus.json").read_text(encoding="utf-8"))
    profiles = [profile(f"{n:04}", p["title"], p["text"]) for n, p in enumerate(corpus)]
    pairs = []
    for line in (HERE / "2wiki.tsv").read_text(encoding="utf-8").splitlines():
        if line and line[0] != "#":
            half, one, a, two, b, right = line.split("\t")
            pairs.append((half, (f"{int(one):04}", a), (f"{int(two):04}", b), right == "same"))
    return profiles, pairs


def own() -> tuple[list[Profile], list[Judged]]:
    rows = [json.loads(line) for line in (HERE / "own.jsonl").read_text(encoding="utf-8").splitlines()]
    profiles = [profile(row["id"], row.get("title", ""), row["text"]) for row in sorted(rows, key=lambda r: r["id"])]
    told = [((row["id"], name), meant) for row in rows for name, meant in row["names"].items()]
    pairs = [
        ("own", a, b, m == n) for (a, m), (b, n) in combinations(told, 2) if a[0] != b[0] and _worth(a[1], b[1], m == n)
    ]
    return profiles, pairs


def _worth(one: str, other: str, same: bool) -> bool:
    """Tell whether a pair is worth judging: one thing, or a word in common."""
    return same or bool({w for _, _, w in spans.words(one)} & {w for _, _, w in spans.words(other)})


def entities(profiles: list[Profile]) -> Callable[[Mention, Mention], bool]:
    of = {
        (node.profile.document, said): number
        for number, nodes in enumerate(linked(profiles))
        for node in nodes
        for said in node.unit.said
    }
    return lambda a, b: a in of and of.get(a) == of.get(b)


def equal(a: Mention, b: Mention) -> bool:
    return spans.key(a[1]) == spans.key(b[1])


def last(a: Mention, b: Mention) -> bool:
    return spans.key(a[1]).split()[-1:] == spans.key(b[1]).split()[-1:]


def scored(
    pairs: list[Judged], says: Callable[[Mention, Mention], bool]
) -> Iterator[tuple[str, int, int, int, list[Judged]]]:
    """Yield each set: pairs taken for one, of these right, pairs that are one, errors."""
    for name in sorted({pair[0] for pair in pairs}):
        mine = [pair for pair in pairs if pair[0] == name]
        found = [pair for pair in mine if says(pair[1], pair[2])]
        errors = [pair for pair in mine if says(pair[1], pair[2]) != pair[3]]
        yield name, len(found), sum(pair[3] for pair in found), sum(pair[3] for pair in mine), errors


def main() -> None:
    for name, (profiles, pairs) in (("own", own()), ("2wiki", wiki())):
        began = time.process_time()
        ours = entities(profiles)
        seconds = time.process_time() - began
        for way, says in (("ours", ours), ("equal names", equal), ("last word", last)):
            for half, found, right, same, errors in scored(pairs, says):
                print(
                    f"{name:6}{half:6} {way:12} {sum(p[0] == half for p in pairs)} pairs: precision {right / max(found, 1):.3f} "
                    f"({right}/{found}), recall {right / max(same, 1):.3f} ({right}/{same})"
                )
                if "--errors" in sys.argv and way == "ours":
                    for _, a, b, right_one in errors:
                        print("   ", "missed" if right_one else "WRONG", a, b)
        print(f"{name}: {len(profiles)} documents linked in {seconds:.1f} s of CPU")


if __name__ == "__main__":
    main()
