"""Watched questions: answers after random edits beside those of a fresh store, and what an edit costs in a large one.

Run: python -m benchmarks.watch [--edits 1000 --seeds 3 --facts 1000000]. Two parts. Edits of the bundled commonsense
(half additions, the rest removals and other weights, half of them about the things asked after): every hundred edits each
of twenty questions is asked of a store made of the same facts in another order. Then a store of as many facts as
asked for, shaped like ConceptNet's, with the bundled knowledge in it: CPU time of looking after an edit, where the
edit is about what was read and where it is not.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import kgmm
from benchmarks import dump
from kgmm.reason.watch import Watch
from kgmm.scene import SceneGraph
from kgmm.store import Fact

THINGS = ["knife", "dog", "umbrella", "car", "bird", "cup", "bicycle", "bed", "horse", "phone", "penguin", "apple"]
SEEN = [
    "Which object can fly?",
    "What is used for cutting?",
    "Which thing is an animal?",
    "What can be used for keeping dry?",
    "Which object is used for transport?",
    "What can you eat?",
    "Where would you find the animal?",
    "Which gizmodrome thing is used for sleeping?",  # a word nobody knows, compared with the commonest concepts
]


def scene(names: list[str]) -> SceneGraph:
    return SceneGraph.from_dict({"id": "s", "objects": [{"id": str(i), "name": n} for i, n in enumerate(names)]})


def questions(draw: random.Random) -> list[tuple[SceneGraph | None, str]]:
    about = [(None, f"What is a {thing} used for?") for thing in THINGS]
    return about + [(scene(draw.sample(THINGS, 4)), question) for question in SEEN]


def edit(kb: kgmm.KnowledgeStore, draw: random.Random, facts: list[Fact], near: list[Fact]) -> None:
    chance = draw.random()
    fact = draw.choice(near if draw.random() < 0.5 else facts)
    if chance < 0.5:
        kb.add(fact)
        return
    known = list(kb.find(draw.choice(THINGS)) if draw.random() < 0.7 else kb.find(fact.subject))
    fact = draw.choice(known or list(kb.find(limit=100)))
    kb.remove(fact.subject, fact.predicate, fact.object)
    if chance > 0.9:
        kb.add((fact.subject, fact.predicate, fact.object, round(draw.uniform(0.1, 3), 2)))


def sayings(watches: list[Watch]) -> list[tuple[str | None, float]]:
    return [(w.answer.text, round(w.answer.score, 6)) for w in watches]


def equal(seed: int, edits: int, folder: Path, facts: list[Fact]) -> dict[str, Any]:
    """Edit and compare; return how many comparisons there were and how many answers differed."""
    draw = random.Random(seed)
    kb = kgmm.open(folder / f"kb{seed}")
    kb.add(draw.sample(facts, 3000))
    near = [f for f in facts if f.subject[6:] in THINGS or f.object[6:] in THINGS]
    asked = questions(draw)
    watches = [kb.watch(*question) for question in asked]
    compared = differ = changes = 0
    for number in range(1, edits + 1):
        edit(kb, draw, facts, near)
        changes += sum(watch.check() is not None for watch in watches)
        if number % 100 == 0:
            fresh = kgmm.open(folder / f"fresh{seed}-{number}")
            fresh.add(draw.sample(list(kb.find()), len(kb)))
            answers = [fresh.ask(*question) for question in asked]
            pairs = zip(sayings(watches), ((a.text, round(a.score, 6)) for a in answers), strict=True)
            differ += sum(ours != theirs for ours, theirs in pairs)
            compared += len(asked)
    derived, spared = sum(w.derived for w in watches) - len(watches), sum(w.spared for w in watches)
    return {"compared": compared, "differ": differ, "changes": changes, "derived": derived, "spared": spared}


def cost(count: int, folder: Path, facts: list[Fact]) -> dict[str, Any]:
    """Time looking after single edits of a large store, in CPU milliseconds."""
    draw = random.Random(0)
    dump.write(folder / "dump.csv", count)
    kb = kgmm.open(folder / "large")
    kb.load(folder / "dump.csv")
    kb.add(facts)
    asked = questions(draw)
    watches = [kb.watch(*question) for question in asked]
    taken: dict[str, list[float]] = {"derived": [], "spared": [], "derived, edit included": []}
    some = list(kb.find("/c/en/knife")) + list(kb.find("dog"))
    for number in range(30):
        begin = time.process_time()
        if number % 2:
            kb.add((f"thing {number}", "IsA", f"kind {number}"))
        elif number % 4:
            kb.add(("knife", "UsedFor", f"purpose {number}"))
        else:
            fact = draw.choice(some)
            kb.remove(fact.subject, fact.predicate, fact.object)
        for watch in watches:
            before, start = watch.derived, time.process_time()
            watch.check()
            done = time.process_time()
            kind = "derived" if watch.derived > before else "spared"
            taken[kind].append(1e3 * (done - start))
            if kind == "derived":
                taken["derived, edit included"].append(1e3 * (done - begin))
                break
        for watch in watches:
            watch.check()
    how = {
        kind: {"median": round(median(ms), 1), "most": round(max(ms), 1), "n": len(ms)} for kind, ms in taken.items()
    }
    return {"facts": len(kb), "CPU ms": how}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--edits", type=int, default=1000)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--facts", type=int, default=1_000_000)
    given = options.parse_args()
    with kgmm.open_bundled() as bundled:
        facts = [f for f in bundled.find() if f.graph != "wordnet"]
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seeds):
            print(json.dumps({"seed": seed} | equal(seed, given.edits, Path(folder), facts)), flush=True)
        print(json.dumps(cost(given.facts, Path(folder), facts)))


if __name__ == "__main__":
    main()
