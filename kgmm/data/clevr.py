"""CLEVR-like worlds in two dimensions (after Johnson et al., CVPR 2017): scenes, programs asked of them, their English.

A program of any length is a list of steps, each a function with an argument and the numbers of the steps it reads;
:func:`execute` runs it on the true scene, so every question has one right answer.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from operator import and_, eq, gt, lt, or_, sub
from random import Random
from typing import Any

from kgmm.nn.program import Program, ProgramStep
from kgmm.reason.visual.worlds import ATTRIBUTES, COLOURS, JOINED, RELATIONS, SHAPES, SIZE, SIZES, centre, value
from kgmm.scene import SceneGraph, SceneObject, SceneRelation

#: functions of two sets, or of two numbers
OF_TWO: dict[str, Callable[[Any, Any], Any]] = dict(
    zip(("and", "or", "except", "greater", "less", "equal"), (and_, or_, sub, gt, lt, eq), strict=True)
)


@dataclass(frozen=True)
class ClevrQuestion:
    """A question about a scene with its program and answer."""

    question: str
    program: Program
    answer: str
    scene: int


def scene(seed: int, objects: tuple[int, int] = (3, 8)) -> SceneGraph:
    """Draw one scene; objects do not touch, and all four relations between all pairs are listed.

    Example:
        >>> scene(1) == scene(1), 3 <= len(scene(1).objects) <= 8
        (True, True)
    """
    random = Random(seed)
    placed: list[tuple[float, float, float]] = []
    found: list[SceneObject] = []
    for _ in range(random.randint(*objects)):
        size = random.choice(tuple(SIZES))
        r = SIZES[size]
        spot = _free_spot(random, r, placed)
        if spot is None:
            break
        placed.append((*spot, r))
        box, attributes = (spot[0] - r, spot[1] - r, 2 * r, 2 * r), (random.choice(tuple(COLOURS)), size)
        found.append(SceneObject(f"o{len(found)}", random.choice(SHAPES), box, attributes=attributes))
    pairs = [(a, name, b) for a, b in permutations(found, 2) for name in RELATIONS if holds(name, a, b)]
    relations = tuple(SceneRelation(a.id, name, b.id) for a, name, b in pairs)
    return SceneGraph(f"clevr-{seed}", tuple(found), relations, SIZE, SIZE, source="kgmm.data.clevr")


def _free_spot(random: Random, radius: float, placed: list[tuple[float, float, float]]) -> tuple[float, float] | None:
    for _ in range(100):
        x, y = (random.uniform(radius + 2, SIZE - radius - 2) for _ in range(2))
        clear = all(math.hypot(x - a, y - b) > 1.2 * (radius + r) + 4 for a, b, r in placed)
        if clear and all(min(abs(x - a), abs(y - b)) > 3 for a, b, _ in placed):
            return x, y
    return None


def holds(relation: str, a: SceneObject, b: SceneObject) -> bool:
    """Tell whether *a* stands in *relation* to *b*, by their centres."""
    (ax, ay), (bx, by) = centre(a), centre(b)
    return {"left_of": ax < bx, "right_of": ax > bx, "above": ay < by, "below": ay > by}[relation]


def execute(program: Program, world: SceneGraph) -> str | None:
    """Run a program on the true scene; None if it asks for a property of what is not exactly one object.

    >>> program = (ProgramStep("find"), ProgramStep("count", inputs=(0,)))
    >>> execute(program, scene(1)) == str(len(scene(1).objects))
    True
    """
    results: list[Any] = []
    for step in program:
        result = _run(step, [results[i] for i in step.inputs], world)
        if result is None:
            return None
        results.append(result)
    last = results[-1]
    return ("yes" if last else "no") if isinstance(last, bool) else str(last)


def _run(step: ProgramStep, given: list[Any], world: SceneGraph) -> Any:
    objects, word = world.objects, step.argument
    match step.function:
        case "find":
            return {o.id for o in objects if not word or _is(o, word)}
        case "filter":
            return {i for i in given[0] if _is(world[i], word)}
        case "relate":
            return {o.id for o in objects if any(i != o.id and holds(word, o, world[i]) for i in given[0])}
        case "same":
            alike = {i: value(world[i], word) for i in given[0]}
            return {o.id for o in objects if any(i != o.id and value(o, word) == kind for i, kind in alike.items())}
        case "count":
            return len(given[0])
        case "exist":
            return bool(given[0])
        case "query":
            return value(world[next(iter(given[0]))], word) if len(given[0]) == 1 else None
    if step.function not in OF_TWO:
        raise ValueError(f"no function {step.function!r}")
    return OF_TWO[step.function](*given)


def _is(o: SceneObject, word: str) -> bool:
    return word == o.name or word in o.attributes


# --- programs and their English ---------------------------------------------------------------------


def draw_program(random: Random, steps: int) -> tuple[Program, str]:
    """Draw a program of exactly *steps* steps (at least 2), and say it in English."""
    ending = random.choice(("count", "exist", "query", "compare")[: 4 if steps >= 5 else 3])
    program: list[ProgramStep] = []
    if ending == "compare":
        left = random.randint(1, steps - 4)
        a, said_a = _draw_set(random, program, left)
        first = _add(program, "count", "", a)
        b, said_b = _draw_set(random, program, steps - 3 - left)
        second, how = _add(program, "count", "", b), random.choice(("greater", "less", "equal"))
        _add(program, how, "", first, second)
        words = {"greater": "more {a} than {b}", "less": "fewer {a} than {b}", "equal": "as many {a} as {b}"}[how]
        return tuple(program), "are there " + words.format(a=said_a, b=said_b) + "?"
    last, said = _draw_set(random, program, steps - 1)
    argument = random.choice(tuple(ATTRIBUTES)) if ending == "query" else ""
    _add(program, ending, argument, last)
    text = {"count": "how many {s} are there?", "exist": "are there any {s}?", "query": "what is the {a} of the {s}?"}
    return tuple(program), text[ending].format(s=said, a=argument)


def _draw_set(random: Random, program: list[ProgramStep], steps: int) -> tuple[int, str]:
    """Append *steps* steps that end in a set of objects; return the last one's number and the set in English."""
    if steps == 1:
        word = random.choice(("", *COLOURS, *SHAPES, *SIZES))
        return _add(program, "find", word), f"{word}s" if word in SHAPES else f"{word} things".strip()
    if steps >= 3 and random.random() < 0.3:
        left = random.randint(1, steps - 2)
        a, said_a = _draw_set(random, program, left)
        b, said_b = _draw_set(random, program, steps - 1 - left)
        how = random.choice(("and", "or", "except"))
        first, second = JOINED[how]
        return _add(program, how, "", a, b), f"{first} {said_a} {second} {said_b}"
    inner, said = _draw_set(random, program, steps - 1)
    kind = random.choice(("filter", "relate", "relate", "same"))
    if kind == "filter":
        word = random.choice((*COLOURS, *SHAPES, *SIZES))
        return _add(program, "filter", word, inner), f"{word} ones among the {said}"
    word = random.choice(RELATIONS if kind == "relate" else tuple(ATTRIBUTES))
    link = word.replace("_", " ") if kind == "relate" else f"of the same {word} as"
    return _add(program, kind, word, inner), f"things {link} a thing among the {said}"


def _add(program: list[ProgramStep], function: str, argument: str, *inputs: int) -> int:
    program.append(ProgramStep(function, argument, inputs))
    return len(program) - 1


def questions(
    scenes: list[SceneGraph], per_scene: int, lengths: tuple[int, ...], seed: int = 0, balance: bool = True
) -> list[ClevrQuestion]:
    """Draw questions with programs of given lengths; half of the *no* and *0* are dropped if *balance*."""
    random = Random(seed)
    out: list[ClevrQuestion] = []
    for number, world in enumerate(scenes):
        made = 0
        while made < per_scene:
            program, text = draw_program(random, random.choice(lengths))
            answer = execute(program, world)
            if answer is None or (balance and answer in ("0", "no") and random.random() < 0.5):
                continue
            out.append(ClevrQuestion(text, program, answer, number))
            made += 1
    return out
