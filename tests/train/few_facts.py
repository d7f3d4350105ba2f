"""A store for commands that want the bundled knowledge, with few facts in its graphs."""

from __future__ import annotations

from pathlib import Path

from kgmm import bundled
from kgmm.store import LocalStore


def store_of_few(place: Path, facts: list[tuple[str, str, str]]) -> Path:
    """Make a store that counts as having the bundled knowledge, with *facts* in its general graphs; return where it is."""
    with LocalStore(place) as store:
        for graph in ("commonsense", "wordnet"):
            store.add(facts, graph=graph)
        for scene in sorted((bundled.folder("graphs") / "scenes").glob("*.json")):
            store.add([("cup", "IsA", "thing")], graph=f"scene/{scene.stem}")
    return place
