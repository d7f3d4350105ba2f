"""Make news.json, the bundled story graph, from the hand-written scripts beside this file.

Run with ``python graphs/stories/build.py`` after editing a script. Timing, terms and logos follow from the scripts;
nothing is random.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from kgmm.stories import Broadcast, Logo, Shot, StoryGraph, to_json
from kgmm.stories.example.drawing import draw_logo
from kgmm.stories.terms.extraction import capitalized, dictionary_form, terms
from kgmm.stories.video.newslogos import perceptual_hash

HERE = Path(__file__).parent
#: programmes are this many days apart
DAYS = ("2026-03-02", "2026-03-04", "2026-03-12", "2026-03-30")
#: how fast an anchor speaks, and how long a shot lasts at least
WORDS_A_SECOND, LEAST = 2.6, 3.0
MARK = re.compile(r"\[([^\]]+)\]")
LINE = re.compile(r"(?P<programme>[1-4]) (?P<logo>logo )?(?P<text>.+)")


def lines(shots: str) -> Iterator[tuple[str, bool, str]]:
    """Yield programme, whether the logo is shown, and what is said."""
    for line in shots.strip().splitlines():
        found = LINE.fullmatch(line.strip())
        if found is None:
            raise SystemExit(f"not a shot: {line!r}")
        yield found["programme"], bool(found["logo"]), found["text"]


def annotated(texts: list[str], found: set[str]) -> tuple[str, ...]:
    """Return which of a story's terms are made of marked words alone."""
    marked = {word for text in texts for mark in MARK.findall(text) for word in mark.lower().split()}
    marked = {word.removesuffix("'s") for word in marked}
    words = marked | {dictionary_form(word) for word in marked}
    return tuple(sorted(term for term in found if all(word in words for word in term.split())))


def items() -> Iterator[tuple[str, list[tuple[str, bool, str]]]]:
    """Yield each story's id with its shots; the filler has none."""
    for file in sorted(HERE.glob("scripts-*.toml")):
        for story in tomllib.loads(file.read_text(encoding="utf-8"))["story"]:
            yield story["id"], list(lines(story["shots"]))
    yield "", list(lines(tomllib.loads((HERE / "filler.toml").read_text(encoding="utf-8"))["shots"]))


def names() -> dict[str, str]:
    """Return the title of each story."""
    files = sorted(HERE.glob("scripts-*.toml"))
    return {s["id"]: s["name"] for f in files for s in tomllib.loads(f.read_text(encoding="utf-8"))["story"]}


def chain(all_items: list[tuple[str, list[tuple[str, bool, str]]]]) -> list[tuple[str, bool, str]]:
    """Return all shots, one after the other."""
    return [shot for _, shots in all_items for shot in shots]


def programme(number: str, all_items: list[tuple[str, list[tuple[str, bool, str]]]]) -> Iterator[Shot]:
    """Yield the shots of one programme: the opening, the stories with filler between them, the farewell."""
    known = capitalized(" ".join(MARK.sub(r"\1", text) for n, _, text in chain(all_items) if n == number))
    filler = [shot for shot in dict(all_items)[""] if shot[0] == number]
    stories = [(id, [s for s in shots if s[0] == number]) for id, shots in all_items if id]
    turn = int(number) * 5 % len(stories)
    stories = stories[turn:] + stories[:turn]
    heads = [(id, shot) for id, shots in stories for shot in shots if shot[2].startswith("Headlines")]
    order: list[tuple[str, tuple[str, bool, str]]] = [("", filler[0]), *heads]
    middle = filler[1:-1] if number == "4" else filler[1:]
    for place, (id, shots) in enumerate(stories):
        order += [(id, shot) for shot in shots if (id, shot) not in heads]
        if place % 4 == 3 and middle:
            order.append(("", middle.pop(0)))
    order += [("", shot) for shot in (*middle, *(filler[-1:] if number == "4" else ()))]
    at = 0.0
    for place, (id, (_, logo, text)) in enumerate(order, 1):
        said = MARK.sub(r"\1", text)
        long = max(LEAST, round(len(said.split()) / WORDS_A_SECOND * 10) / 10)
        yield Shot(
            f"b{number}-{place:03}",
            round(at, 1),
            round(at + long, 1),
            tuple(terms(said, known)),
            (id,) if logo else (),
            f"b{number}",
            said,
            story=id,
        )
        at += long


def build() -> StoryGraph:
    """Return the whole story graph."""
    all_items = list(items())
    shots = [shot for number in "1234" for shot in programme(number, all_items)]
    logos = [Logo(id, name, None, perceptual_hash(draw_logo(id))) for id, name in names().items()]
    programmes = [Broadcast(f"b{i}", "Channel Nine evening news", day) for i, day in enumerate(DAYS, 1)]
    marks = {
        id: annotated([text for _, _, text in texts], {t for s in shots if s.story == id for t in s.terms})
        for id, texts in all_items
        if id
    }
    source = "written by hand for kgmm; places, people and events do not exist"
    return StoryGraph("news", tuple(shots), tuple(logos), tuple(programmes), source, marks)


if __name__ == "__main__":
    story = build()
    to_json(story, HERE / "news.json")
    print(story)
