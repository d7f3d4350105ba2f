"""The 1,000 classes of ImageNet as concepts: their names, the basic kinds they belong to, which are places."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kgmm.bundled import folder
from kgmm.errors import BadInput

#: Classes the network falls back to on bare textures and drawings; they need near certainty to be believed.
TEXTURES = frozenset(
    """
    nematode trilobite bubble spotlight maze jigsaw_puzzle petri_dish window_screen chainlink_fence honeycomb envelope
    web_site crossword_puzzle doormat shower_curtain velvet wool band_aid nail screw plectrum pick tick flatworm
    jellyfish brain_coral sea_anemone matchstick hair_slide lampshade theater_curtain pill_bottle lotion sunscreen
    eraser rubber_eraser rule ruler safety_pin digital_clock oscilloscope screen
    """.split()
)
#: Classes that name where a picture is taken; they become tags of the scene, not objects.
PLACES = frozenset(
    """
    alp bookshop bookstore cliff coral_reef dock geyser greenhouse grocery_store home_theater lakeside library
    movie_theater cinema prison promontory restaurant sandbar seashore shoe_shop stage steel_arch_bridge tobacco_shop
    toyshop valley volcano confectionery bakery butcher_shop barbershop planetarium patio
    """.split()
)
#: What a picture taken at such a place shows.
SHOWN = {
    "lakeside": ("lake",),
    "seashore": ("sea", "beach", "shore", "coast"),
    "alp": ("mountain",),
    "steel_arch_bridge": ("bridge",),
    "coral_reef": ("reef",),
}


@dataclass(frozen=True)
class Node:
    """A class or kind the perceiver can name: the class indices below it, and coarser kinds, finest first."""

    name: str
    classes: tuple[int, ...]
    aliases: tuple[str, ...]
    kinds: tuple[str, ...]
    fine: bool


@dataclass(frozen=True)
class Classes:
    """All nodes, and which class belongs to which as a matrix (1000, nodes)."""

    nodes: tuple[Node, ...]
    members: NDArray[np.float32]
    places: dict[int, str]
    textures: frozenset[int]


@cache
def imagenet() -> Classes:
    """Read ``knowledge/imagenet.tsv``: class index, synset, label, concept, basic kinds (finest first)."""
    return _read(folder("knowledge") / "imagenet.tsv")


def _read(path: Path) -> Classes:
    if not path.is_file():
        raise BadInput(path, "the map of ImageNet classes is missing; reinstall kgmm")
    with path.open(encoding="utf-8", newline="") as stream:
        lines = (line for line in stream if not line.startswith("#"))
        rows = [row for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if row[0].isdigit()]
    if [int(row[0]) for row in rows] != list(range(1000)):
        raise BadInput(path, f"expected the classes 0 to 999 in order, found {len(rows)} rows")
    kinds_of = [[_words(kind) for kind in row[4].replace("|", ",").split(",") if kind.strip()] for row in rows]
    concepts = [_words(row[3]) for row in rows]
    places = {i: name for i, name in enumerate(concepts) if name.replace(" ", "_") in PLACES}
    below: dict[str, list[int]] = {}
    above: dict[str, list[str]] = {}
    textures = frozenset(i for i, name in enumerate(concepts) if name.replace(" ", "_") in TEXTURES)
    for index, kinds in enumerate(kinds_of):
        for level, kind in enumerate(() if index in places or index in textures else kinds):
            below.setdefault(kind, []).append(index)
            above.setdefault(kind, kinds[level + 1 :])
    nodes = [
        Node(name, (i,), _distinct([*rows[i][2].split(","), *kinds_of[i]], name), tuple(kinds_of[i]), fine=True)
        for i, name in enumerate(concepts)
        if i not in places
    ]
    fine_names = {node.name: node.classes for node in nodes}
    for kind, classes in below.items():
        if fine_names.get(kind) != tuple(classes):
            nodes.append(Node(kind, tuple(classes), _distinct(above[kind], kind), tuple(above[kind]), fine=False))
    members = np.zeros((1000, len(nodes)), np.float32)
    for column, node in enumerate(nodes):
        members[list(node.classes), column] = 1
    return Classes(tuple(nodes), members, places, textures)


def _words(concept: str) -> str:
    """``/c/en/tabby_cat`` or ``tabby_cat`` to ``tabby cat``."""
    return concept.strip().removeprefix("/c/en/").split("/")[0].replace("_", " ").lower()


def _distinct(names: list[str], name: str) -> tuple[str, ...]:
    return tuple(a for a in dict.fromkeys(map(str.strip, names)) if a and a.lower() != name)
