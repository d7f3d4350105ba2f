"""Do answers follow the store? 200 questions over made-up facts: lemons are blue, hammers are for slicing.

usage: python benchmarks/swap.py [REASONER ...]
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import kgmm
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact

THINGS = (
    "lemon hammer knife dog cup lamp bed pen chair piano apple car boat umbrella bicycle camera oven broom towel ladder"
).split()
COLOURS = "blue red green yellow purple white black pink orange brown".split()
ACTS = "slicing painting digging singing cooking reading sewing fishing climbing washing".split()
QUESTIONS = 200


def main() -> None:
    choose = random.Random(0)
    colour, use = ({t: choose.choice(pool) for t in THINGS} for pool in (COLOURS, ACTS))
    asked = questions(choose, colour, use)
    with tempfile.TemporaryDirectory() as folder:
        kb = kgmm.open(Path(folder) / "kb")
        kb.add([Fact(f"/c/en/{t}", "HasProperty", f"/c/en/{c}") for t, c in colour.items()])
        kb.add([Fact(f"/c/en/{t}", "UsedFor", f"/c/en/{a}") for t, a in use.items()])
        for name in sys.argv[1:] or ["hybrid", "kdmn", "explicit"]:
            right: Counter[str] = Counter()
            for kind, scene, text, answer in asked:
                right[kind] += kb.ask(scene, text, reasoner=name).text == answer
            said = ", ".join(f"{k} {right[k]}/{n}" for k, n in Counter(a[0] for a in asked).items())
            print(f"{name}: {sum(right.values())}/{len(asked)} follow the store ({said})", flush=True)


def questions(choose: random.Random, colour: dict[str, str], use: dict[str, str]):  # type: ignore[no-untyped-def]
    """Return (kind, scene, question, answer) with one right answer each."""
    made: list[tuple[str, SceneGraph, str, str]] = []
    while len(made) < QUESTIONS:
        names = choose.sample(THINGS, 5)
        scene = SceneGraph(f"s{len(made)}", tuple(SceneObject(f"o{i}", n) for i, n in enumerate(names)))
        thing = choose.choice(names)
        made.append(("its use", scene, f"What is the {thing} in this image used for?", use[thing]))
        if sum(use[n] == use[thing] for n in names) == 1:
            made.append(("by use", scene, f"Which object in this image is used for {use[thing]}?", thing))
        if sum(colour[n] == colour[thing] for n in names) == 1:
            made.append(("by colour", scene, f"Which object in this image is {colour[thing]}?", thing))
    return made[:QUESTIONS]


if __name__ == "__main__":
    main()
