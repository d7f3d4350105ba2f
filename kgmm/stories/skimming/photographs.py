"""A store's pictures of what a title names: photographs of scenes, and keyframes of stories."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kgmm import bundled
from kgmm.retrieve.ground import ground_text

if TYPE_CHECKING:
    from kgmm.store import Fact, LocalStore

MOST = 24  #: pictures at most
BOUND = 500  #: facts about one concept that are looked at


def photographs(kb: LocalStore, title: str) -> list[tuple[Path, Fact]]:
    """Return pictures of the concepts that a title names, each once with the fact that it shows one; perhaps none.

    A scene's picture is that of its ``image``, or of the bundled photograph of its name; a story frame's is its keyframe.
    Files that are gone are left out.
    """
    found: dict[Path, Fact] = {}
    for link in dict.fromkeys(link.concept for link in ground_text(kb, title)):
        for relation in ("Depicts", "Mentions"):
            facts = kb.find(None, relation, link, limit=BOUND)
            for fact in sorted(facts, key=lambda f: (-f.weight, f.subject)):
                for path in _files(kb, fact.subject):
                    found.setdefault(path, fact)
                if len(found) >= MOST:
                    return list(found.items())[:MOST]
    return list(found.items())


def _files(kb: LocalStore, node: str) -> Iterator[Path]:
    named = [text for fact in kb.find(node, "image", None, limit=3) if (text := _text(fact.object))]
    yield from _there(Path(name) for name in named)
    name = node.removeprefix("/s/")
    if node.startswith("/s/") and name.replace("-", "").replace("_", "").isalnum():
        yield from _there([bundled.folder("graphs") / "photos" / f"{name}.jpg"])


def _there(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if len(str(path)) < 4096 and "\0" not in str(path) and path.is_file():
            yield path


def _text(literal: str) -> str:
    try:
        value = json.loads(literal.split("^^")[0])
    except ValueError:
        return ""
    return value if isinstance(value, str) else ""
