"""Worlds of coloured shapes that networks know: words, answers, attributes, how they are drawn, networks for them.

CLEVR-like worlds are after CLEVR (Johnson et al., CVPR 2017), in two dimensions; easy-vqa's pictures show one shape.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image, ImageDraw

from kgmm.nn.program import Program as Program
from kgmm.nn.program import ProgramNetwork
from kgmm.nn.program import ProgramStep as ProgramStep
from kgmm.nn.vqa import VqaNetwork
from kgmm.reason.visual.segments import FEATURE_DIM
from kgmm.scene import SceneGraph, SceneObject

#: width and height of a CLEVR-like picture
SIZE = 160
COLOURS = {
    "red": (200, 40, 40),
    "blue": (45, 75, 205),
    "green": (40, 150, 60),
    "yellow": (235, 205, 50),
    "gray": (120, 120, 120),
    "purple": (130, 50, 165),
    "cyan": (45, 190, 200),
    "brown": (130, 80, 40),
}
SHAPES = ("circle", "square", "triangle", "star")
SIZES = {"small": 8.0, "large": 14.0}
RELATIONS = ("left_of", "right_of", "above", "below")
ATTRIBUTES = {"colour": tuple(COLOURS), "shape": SHAPES, "size": tuple(SIZES)}
#: every word a step can take as its argument
WORDS = (*COLOURS, *SHAPES, *SIZES, *RELATIONS, *ATTRIBUTES)
#: how two sets are joined in English; the word before the first set makes every question readable in one way only
JOINED = {"and": ("both", "and"), "or": ("either", "or"), "except": ("all", "except")}
ANSWERS = ("yes", "no", *map(str, range(11)), *COLOURS, *SHAPES, *SIZES)
#: easy-vqa's
EASY_COLOURS = ("red", "green", "blue", "black", "gray", "teal", "brown", "yellow")
EASY_SHAPES = ("circle", "rectangle", "triangle")


@dataclass(frozen=True)
class World:
    """What networks must know of a data set: words, answers, attributes and their values."""

    name: str
    words: tuple[str, ...]
    answers: tuple[str, ...]
    attributes: dict[str, tuple[str, ...]]


WORLDS = {
    "easy-vqa": World(
        "easy-vqa",
        (*EASY_COLOURS, *EASY_SHAPES, "colour", "shape"),
        ("yes", "no", *EASY_COLOURS, *EASY_SHAPES),
        {"colour": EASY_COLOURS, "shape": EASY_SHAPES},
    ),
    "clevr": World("clevr", WORDS, ANSWERS, ATTRIBUTES),
}


def make_network(network: str, world: World, vocabulary: int, dim: int) -> torch.nn.Module:
    """Return an untrained network for a world."""
    if network == "modules":
        return ProgramNetwork(world.words, world.answers, dict(world.attributes), FEATURE_DIM, dim)
    return VqaNetwork(network, vocabulary, len(world.answers), FEATURE_DIM, dim)


def centre(o: SceneObject) -> tuple[float, float]:
    """Return the middle of an object's box."""
    assert o.box is not None
    return o.box[0] + o.box[2] / 2, o.box[1] + o.box[3] / 2


def value(o: SceneObject, attribute: str) -> str:
    """Return an object's colour, shape or size."""
    return {"shape": o.name, "colour": o.attributes[0], "size": o.attributes[1]}[attribute]


def draw(world: SceneGraph) -> Image.Image:
    """Draw a scene as a picture."""
    image = Image.new("RGB", (world.width, world.height), (236, 236, 232))
    pen = ImageDraw.Draw(image)
    for o in world.objects:
        assert o.box is not None
        _draw_shape(pen, o.name, *centre(o), o.box[2] / 2, COLOURS[value(o, "colour")])
    return image


def _draw_shape(pen: Any, shape: str, x: float, y: float, r: float, fill: tuple[int, int, int]) -> None:
    if shape == "circle":
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)
    elif shape == "square":
        s = 0.86 * r
        pen.rectangle((x - s, y - s, x + s, y + s), fill=fill)
    else:
        points = 3 if shape == "triangle" else 10
        radii = [r if points == 3 or i % 2 == 0 else r * 0.45 for i in range(points)]
        angles = [-math.pi / 2 + 2 * math.pi * i / points for i in range(points)]
        pen.polygon([(x + q * math.cos(a), y + q * math.sin(a)) for q, a in zip(radii, angles, strict=True)], fill=fill)
