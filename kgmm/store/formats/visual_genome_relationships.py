"""Visual Genome's relationships.json (Krishna et al., IJCV 2017): pictures, each relationship with its two objects."""

from pathlib import Path
from typing import Any

from kgmm.errors import reason_of
from kgmm.store.formats import visual_genome
from kgmm.store.formats._json import outline
from kgmm.store.formats._scenes import WRONG, Built, each_item, readers

NAME = "visual-genome-relationships"
SUFFIXES = (".json",)


def sniff(path: Path, head: bytes) -> float:
    """Look for pictures whose relationships hold a subject and an object."""
    shape = outline(head)
    if shape is None or shape.opening != "[" or "relationships" not in shape.at(1):
        return 0.0
    return 0.95 if {"subject", "object", "predicate"} <= shape.at(2) else 0.0


def _build(picture: dict[str, Any]) -> Built:
    objects: list[Any] = []
    relations, problems = [], []
    for entry in picture["relationships"]:
        try:
            ends = entry["subject"], entry["object"]
            for end in ends:
                visual_genome.object_of(end)
            objects += ends
            relations.append(
                {"subject_id": ends[0]["object_id"], "predicate": entry["predicate"], "object_id": ends[1]["object_id"]}
            )
        except WRONG as error:
            problems.append(reason_of(error, "relation left out"))
    scene, more = visual_genome.build({**picture, "objects": objects, "relationships": relations})
    return Built(scene, problems + more)


scenes, read = readers(each_item(_build))
