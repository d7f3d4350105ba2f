"""Random histories of facts said, corrected and taken back, and what a slow, literal oracle says of any time and version."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from kgmm.store import Assertion, Fact, LocalStore

FUNCTIONAL, PLAIN = "http://example.org/at", "http://example.org/likes"
PEOPLE = ("ann", "bob", "cem")
VALUES = ("p", "q", "r")
FIRST_YEAR, LAST_YEAR = 2018, 2021


def bound(chance: random.Random) -> str:
    year, month, day = chance.randint(FIRST_YEAR, LAST_YEAR), chance.randint(1, 12), chance.randint(1, 28)
    return chance.choice([f"{year}", f"{year}-{month:02}", f"{year}-{month:02}-{day:02}"])


def days(text: str) -> tuple[date, date]:
    """Return the first and the last day of a year, month or day, by the calendar of Python."""
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return date(*parts), date(*parts)
    if len(parts) == 2:
        after = date(parts[0] + parts[1] // 12, parts[1] % 12 + 1, 1)
        return date(parts[0], parts[1], 1), after - timedelta(days=1)
    return date(parts[0], 1, 1), date(parts[0], 12, 31)


@dataclass(frozen=True)
class Said:
    """What somebody said: whether a subject's relation has a value, from when to when."""

    predicate: str
    value: str
    contributor: str
    start: str | None
    end: str | None
    speaks_for: bool
    bare: bool = False


@dataclass
class Oracle:
    """All that is said of one subject, now."""

    said: set[Said] = field(default_factory=set)

    def holds(self, predicate: str, value: str, at: str | None) -> bool:
        mine = [s for s in self.said if (s.predicate, s.value) == (predicate, value) and s.speaks_for]
        if at is None:
            return bool(mine)
        day, last = days(at)
        while day <= last:
            if any(self._held(s, day) for s in mine):
                return True
            day += timedelta(days=1)
        return False

    def _held(self, said: Said, day: date) -> bool:
        if said.start is not None and day < days(said.start)[0]:
            return False
        if said.end is not None:
            return day <= days(said.end)[1]
        if said.predicate != FUNCTIONAL or said.start is None:
            return True
        begun = days(said.start)[0]
        others = [s for s in self.said if s.predicate == FUNCTIONAL and s.value != said.value and s.speaks_for]
        starts = [days(s.start)[0] for s in others if s.start is not None]
        return not any(begun < other <= day for other in starts)


@dataclass
class History:
    """A subject, what happens to it step by step, and the oracle after each version."""

    subject: str
    now: Oracle = field(default_factory=Oracle)
    past: dict[int, Oracle] = field(default_factory=dict)

    def adding(self, chance: random.Random) -> list[Assertion]:
        """Return what is said of the subject in a step; the oracle takes it in."""
        found = []
        for _ in range(chance.choice([0, 1, 1, 2])):
            predicate, value = chance.choice([FUNCTIONAL, PLAIN]), chance.choice(VALUES)
            fact = Fact(self.subject, predicate, value)
            if chance.random() < 0.1:
                held = any((s.predicate, s.value, s.bare) == (predicate, value, True) for s in self.now.said)
                if not held:
                    self.now.said.add(Said(predicate, value, "", None, None, True, bare=True))
                found.append(Assertion(fact))
                continue
            if self.now.said and chance.random() < 0.15:  # said again, which says nothing
                said = chance.choice(sorted((s for s in self.now.said if not s.bare), key=repr) or [None])  # type: ignore[list-item]
                if said is not None:
                    found.append(self._assertion(said))
                continue
            start, end = (bound(chance) if chance.random() < 0.7 else None for _ in range(2))
            if start and end and days(start)[0] > days(end)[1]:
                start, end = end, start
            if end and chance.random() < 0.5:
                end = None
            said = Said(predicate, value, f"{self.subject} {chance.choice(PEOPLE)}", start, end, chance.random() < 0.85)
            self.now.said.add(said)
            found.append(self._assertion(said))
        return found

    def _assertion(self, said: Said) -> Assertion:
        fact = Fact(self.subject, said.predicate, said.value)
        return Assertion(fact, said.contributor, 1 if said.speaks_for else -1, valid=(said.start, said.end))

    def removing(self, chance: random.Random) -> tuple[str, str]:
        """Return a fact that is removed if it is there; the oracle forgets all that was said of it."""
        predicate, value = chance.choice([FUNCTIONAL, PLAIN]), chance.choice(VALUES)
        if self.now.holds(predicate, value, None):
            self.now.said = {s for s in self.now.said if (s.predicate, s.value) != (predicate, value)}
        return predicate, value

    def withdrawing(self, chance: random.Random) -> str:
        """Return somebody who takes back all that they said of the subject."""
        who = f"{self.subject} {chance.choice(PEOPLE)}"
        self.now.said = {s for s in self.now.said if s.contributor != who}
        return who

    def keep(self, version: int) -> None:
        self.past[version] = replace(self.now, said=set(self.now.said))


def played(folder: Path, count: int, steps: int, seed: int, looks: int = 12) -> dict[str, int]:
    """Play histories in one store, look at random times and versions; return how many looks, and how many were wrong."""
    chance = random.Random(seed)
    told: dict[str, Any] = {"histories": count, "looks": 0, "wrong": 0}
    with LocalStore(folder) as kb:
        kb.functional(FUNCTIONAL)
        stories = [History(f"thing {seed} {n}") for n in range(count)]
        versions = []
        for step in range(steps):
            batch = [said for story in stories for said in story.adding(chance)]
            chance.shuffle(batch)
            kb.add(batch)
            act = chance.random()
            if act < 0.35:
                for story in chance.sample(stories, min(3, count)):
                    kb.remove(story.subject, *story.removing(chance))
            elif act < 0.75:
                kb.withdraw(
                    contributor=[story.withdrawing(chance) for story in chance.sample(stories, count // 2 or 1)]
                )
            if act > 0.9:
                kb.compact()
            if act > 0.8:
                shutil.rmtree(folder / "index")  # what is derived is derived again
                kb.refresh()
            versions.append(kb.version)
            for story in stories:
                story.keep(kb.version)
            if step == steps - 1:
                assert kb.check() == []
        for version in chance.sample(versions, min(3, len(versions))) + versions[-1:]:
            past = kb if version == kb.version else kb.as_of(version=version)
            for story in stories:
                for at in [None, *(bound(chance) for _ in range(looks // 4))]:
                    found = {(f.predicate, f.object) for f in past.find(story.subject, at=at)}
                    oracle = story.past[version]
                    wanted = {(p, f"/c/en/{v}") for p in (FUNCTIONAL, PLAIN) for v in VALUES if oracle.holds(p, v, at)}
                    told["looks"] += 1
                    told["wrong"] += found != wanted
                    if found != wanted:
                        told.setdefault("first", f"{story.subject} at {at} in {version}: {found ^ wanted}")
            at = bound(chance)
            whole = {(f.subject, f.predicate, f.object) for f in past.as_of(at).find() if f.graph == "facts"}
            told["looks"] += 1
            told["wrong"] += whole != {(f.subject, f.predicate, f.object) for f in past.find(graph="facts", at=at)}
    return told
