"""Story graphs in a store: one named graph each, whose terms are the store's own concepts."""

import json
from collections import defaultdict
from dataclasses import asdict
from functools import partial
from typing import Any

from kgmm.errors import UnknownConcept
from kgmm.language import names
from kgmm.store import Fact, LocalStore
from kgmm.stories.edges import frame_node, logo_node
from kgmm.stories.story import Broadcast, Logo, Shot, StoryGraph

_DOUBLE = "^^<http://www.w3.org/2001/XMLSchema#double>"
_INTEGER = "^^<http://www.w3.org/2001/XMLSchema#integer>"
_text = partial(json.dumps, ensure_ascii=False)


def facts(story: StoryGraph) -> list[Fact]:
    """Return a story as facts: ``SameLogo`` and ``Mentions`` are the edges, literals hold times and provenance."""
    rows: list[tuple[str, str, str]] = []
    top = f"/t/{story.id}"
    parts: list[tuple[Broadcast | Logo, str, str, int]]
    parts = [(x, f"{top}/broadcast/{x.id}", "HasBroadcast", place) for place, x in enumerate(story.broadcasts)]
    parts += [(x, logo_node(story.id, x.id), "HasLogo", place) for place, x in enumerate(story.logos)]
    for part, node, relation, place in parts:
        rows += [(top, relation, node), (node, "place", f'"{place}"{_INTEGER}')]
        rows += [(node, k, _text(v)) for k, v in asdict(part).items() if v and k != "id"]
    for place, s in enumerate(story.shots):
        node = frame_node(story.id, s.id)
        rows += [(top, "Contains", node), (node, "place", f'"{place}"{_INTEGER}')]
        rows += [(node, key, f'"{getattr(s, key)!r}"{_DOUBLE}') for key in ("start", "end")]
        rows += [(node, k, _text(getattr(s, k))) for k in ("text", "image", "story") if getattr(s, k)]
        if s.broadcast:
            rows.append((node, "InBroadcast", f"{top}/broadcast/{s.broadcast}"))
        rows += [(node, "Mentions", names.concept(term)) for term in s.terms]
        rows += [(logo_node(story.id, logo), "SameLogo", node) for logo in s.logos]
    rows += [(top, "annotation", _text(_text([label, *terms]))) for label, terms in story.annotations.items()]
    if story.source:
        rows.append((top, "source", _text(story.source)))
    videos = {b.id: b.video for b in story.broadcasts}
    origin = {frame_node(story.id, s.id): videos.get(s.broadcast, "") for s in story.shots}
    return [Fact(a, p, b, 1.0, story.graph, origin.get(a, "") or story.source) for a, p, b in rows]


def save(story: StoryGraph, store: LocalStore) -> int:
    """Put a story in a store, in place of an earlier one of the same id; return its number of facts."""
    found = facts(story)
    if story.graph in store.graphs():
        store.remove(graph=story.graph)
    store.add(found)
    return len(found)


def from_store(store: LocalStore, id: str) -> StoryGraph:
    """Read a story back.

    Raises:
        UnknownConcept: if the store has no such story.
    """
    graph = id if id.startswith("story/") else f"story/{id}"
    if graph not in store.graphs():
        there = [g.removeprefix("story/") for g in store.graphs() if g.startswith("story/")]
        raise UnknownConcept(id, there, where="the store's stories")
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for fact in store.find(graph=graph):
        found[fact.subject][fact.predicate].append(fact.object)
    id = graph.removeprefix("story/")
    top = found[f"/t/{id}"]

    def told(node: str, predicate: str) -> Any:
        return _value(found[node][predicate])

    def listed(predicate: str) -> list[str]:
        return sorted(top[predicate], key=lambda node: int(told(node, "place")))

    seen: dict[str, list[str]] = defaultdict(list)
    logos = listed("HasLogo")
    for node in logos:
        for frame in found[node]["SameLogo"]:
            seen[frame].append(_last(node))
    annotations = (json.loads(_value([a])) for a in top["annotation"])
    return StoryGraph(
        id,
        tuple(_shot(node, found[node], tuple(seen[node])) for node in listed("Contains")),
        tuple(Logo(_last(n), told(n, "name"), told(n, "image") or None, told(n, "hash")) for n in logos),
        tuple(Broadcast(_last(n), *(told(n, k) for k in ("title", "date", "video"))) for n in listed("HasBroadcast")),
        _value(top["source"]),
        {label: tuple(terms) for label, *terms in annotations},
    )


def _shot(node: str, of: dict[str, list[str]], logos: tuple[str, ...]) -> Shot:
    start, end = (float(_value(of[key])) for key in ("start", "end"))
    terms = tuple(names.label(term) for term in of["Mentions"])
    broadcast = _last(of["InBroadcast"][0]) if of["InBroadcast"] else ""
    text, image, story = (_value(of[key]) for key in ("text", "image", "story"))
    return Shot(_last(node), start, end, terms, logos, broadcast, text, image or None, story)


def _last(node: str) -> str:
    return node.rsplit("/", 1)[-1]


def _value(literals: list[str]) -> Any:
    """Return the text of the first literal, or nothing."""
    return json.loads(literals[0][: literals[0].rindex('"') + 1]) if literals else ""
