"""What the first questions put to a store cost: fifty everyday ones, half of them with a scene, each asked for the first time.

python -m benchmarks.first_questions conceptnet100k/train.txt [FILE …] [--kb FOLDER] [--plain] [--json]

Loads the files beside the bundled knowledge (``--plain``: without it), asks with models loaded, and prints the CPU
seconds of each question's first answer, whether the second is the same, and which share of the facts that
``kb.retrieve`` keeps is kept, too, where the text model reads every candidate (``--recall``; it encodes for minutes).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import kgmm
from kgmm.opening import open_bundled
from kgmm.retrieve import memory
from kgmm.retrieve.score import score
from kgmm.scene import SceneGraph, SceneObject

#: what is asked without a picture
PLAIN = """What is a hammer used for?
Where would you find a whale?
Why do people drink coffee?
What can a parrot do?
What is bread made of?
Where do you put a book?
What do you need to bake a cake?
What happens when you exercise?
What is a guitar?
Which animal lives in a stable?
What do children like to play with?
Where is a doctor usually found?
What is the opposite of hot?
What makes people laugh?
What is an engine part of?
What do you use to cut paper?
Why would someone go to the beach?
What color is snow?
What does a farmer do?
Where can you buy vegetables?
What is inside a refrigerator?
How do people travel to work?
What is needed to write a letter?
What would a thief want to steal?
Can a fish live on land?"""
#: objects seen: what is asked about them
SEEN = """dog, frisbee, grass: Which of these can bark?
cup, table, spoon: Which object can hold a drink?
car, street, traffic light: What tells the driver to stop?
bed, pillow, lamp: What gives light here?
horse, fence, field: What does the animal eat?
knife, cutting board, tomato: Which object could hurt you?
laptop, desk, chair: What could you send an email with?
umbrella, person, rain: What keeps the person dry?
oven, pot, kitchen: What is used for cooking?
boat, river, bridge: What can float on water?
bicycle, helmet, road: What protects the head?
sheep, hill, tree: Which animal gives wool?
banana, bowl, apple: Which fruit is yellow?
toilet, sink, mirror: Where could I wash my hands?
couch, television, remote control: What could I watch a movie on?
airplane, sky, cloud: What can fly?
elephant, zoo, child: What has a trunk?
piano, room, window: Which object makes music?
clock, wall, picture: What shows the time?
pizza, plate, fork: What would I eat it with?
soccer ball, player, goal: What sport is played here?
fire, wood, tent: What is dangerous here?
scissors, paper, pencil: What can I write with?
cow, barn, milk: What comes from the animal?
train, station, bench: Where can I sit down?"""


def asked() -> list[tuple[SceneGraph | None, str]]:
    """Return the questions, those with a scene second."""
    plain: list[tuple[SceneGraph | None, str]] = [(None, line) for line in PLAIN.splitlines()]
    for number, line in enumerate(SEEN.splitlines()):
        names, question = line.split(": ")
        objects = (SceneObject(f"o{i}", name) for i, name in enumerate(names.split(", ")))
        plain.append((SceneGraph(f"first{number}", tuple(objects)), question))
    return plain


def spread(seconds: list[float]) -> dict[str, float]:
    """Return what stands for many times."""
    at = sorted(seconds)
    return {
        "median": round(statistics.median(at), 3),
        "p90": round(at[int(0.9 * len(at))], 3),
        "worst": round(at[-1], 3),
    }


def figures(kb: Any, recall: bool) -> dict[str, Any]:
    """Ask every question twice, and retrieve for it once more with every candidate read by the model, if wanted."""
    kb.ask(SceneGraph("warm", (SceneObject("o1", "zebra"),)), "Which object is a zebra?")  # models, compiled code
    kb.ask(None, "What is a zebra?")
    first, again, same, kept, slow = [], [], 0, [], []
    for scene, question in asked():
        times, answers = [], []
        for _ in range(2):
            start = time.process_time()
            answers.append(kb.ask(scene, question))
            times.append(time.process_time() - start)
        first.append(times[0])
        again.append(times[1])
        slow.append((round(times[0], 3), question))
        one, two = ([a.text, a.score, [(m.fact, m.score) for m in a.trace.memory]] for a in answers)
        same += one == two
        kept.append(
            [(m.fact.subject, m.fact.predicate, m.fact.object) for m in kb.retrieve(scene or question, question)]
        )
    result: dict[str, Any] = {"facts": len(kb), "questions": len(first), "first, CPU s": spread(first)}
    result |= {"again, CPU s": spread(again), "same answer and memory": same, "slowest": sorted(slow)[-5:][::-1]}
    if recall:
        memory.score = partial(score, read=1 << 40)  # type: ignore[attr-defined]  # the model reads every candidate
        shares = []
        for (scene, question), known in zip(asked(), kept, strict=True):
            full = {(m.fact.subject, m.fact.predicate, m.fact.object) for m in kb.retrieve(scene or question, question)}
            shares.append(len(full & set(known)) / len(full) if full else 1.0)
        result["recall of kept facts"] = {"mean": round(statistics.mean(shares), 4), "least": round(min(shares), 3)}
    return result


def main() -> None:
    """Ask, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("facts", type=Path, nargs="*", help="what is loaded beside the bundled knowledge")
    parser.add_argument("--kb", type=Path, help="a store made before, of which a copy without vectors is asked")
    parser.add_argument("--plain", action="store_true", help="without the bundled knowledge")
    parser.add_argument("--recall", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "kb"
        if options.kb is not None:
            shutil.copytree(options.kb, place, ignore=shutil.ignore_patterns("vectors"))
        with (kgmm.open if options.plain else open_bundled)(place) as kb:
            for file in options.facts:
                kb.load(file, graph="further")
            found = figures(kb, options.recall)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for name, row in found.items():
        print(f"{name:24} {row}")


if __name__ == "__main__":
    main()
