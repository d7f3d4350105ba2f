"""The shots of a news story that passages of its transcript were said in; see :mod:`kgmm.stories.transcript`."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kgmm.store import LocalStore

STORY = "story/"  #: what the ids of transcripts begin with, as do the graphs of stories


class Told(NamedTuple):
    """A shot of a story in the store."""

    node: str
    begins: float  #: seconds of the broadcast
    ends: float
    text: str


def shot_of(store: LocalStore, document: str, number: int, text: str) -> Told | None:
    """Return the shot that a passage of a transcript was said in.

    Args:
        store: that has the story too.
        document: the transcript's id: ``story/STORY`` or ``story/STORY/BROADCAST``.
        number: the shot's place among those in which something is said, from 1; 0 for the only one.
        text: the passage's; None comes back where the shot does not say it, since the story is another one by now.
    """
    shots = shots_of(store, document)
    number = max(number, 1)  # one with a single shot has no pages
    if not 0 < number <= len(shots) or text not in shots[number - 1].text:
        return None
    return shots[number - 1]


def shots_of(store: LocalStore, document: str) -> list[Told]:
    """Return the shots of a transcript in which something is said, in their order."""
    if not document.startswith(STORY):
        return []
    story, _, broadcast = document.removeprefix(STORY).partition("/")
    told: dict[str, list[Told]] = store.derived(("transcript", story), lambda: _shots(store, story))
    return told.get(broadcast, [])


def _shots(store: LocalStore, story: str) -> dict[str, list[Told]]:
    """Return a story's shots in which something is said, by broadcast."""
    of: dict[str, dict[str, str]] = defaultdict(dict)
    for fact in store.find(graph=STORY + story):
        of[fact.subject][fact.predicate] = fact.object
    found: dict[str, list[tuple[int, Told]]] = defaultdict(list)
    for node, said in of.items():
        if {"text", "place", "start", "end"} <= said.keys():
            place, begins, ends, text = (_value(said[key]) for key in ("place", "start", "end", "text"))
            broadcast = said.get("InBroadcast", "").rsplit("/", 1)[-1]
            found[broadcast].append((int(place), Told(node, float(begins), float(ends), text)))
    return {broadcast: [shot for _, shot in sorted(shots)] for broadcast, shots in found.items()}


def _value(literal: str) -> str:
    return str(json.loads(literal[: literal.rindex('"') + 1]))
