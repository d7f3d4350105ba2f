"""How lists of expectations are judged by a key, as ``tests/gold/README-events.md`` says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kgmm.complete.expect_text import forms
from kgmm.language.words import tokens

_EMPTY = frozenset(
    "a an the i you he she it we they me him us them my your his its our their this that these those someone something"
    " of in into on onto at to for from with by about under above behind near through against between across around"
    " along during inside than upon toward over and or but so because while be is are was were have has had do does did get"
    " gets got become becomes".split()
) - {"over"}
_NEGATIONS = frozenset("not no cannot never without nothing nobody".split())


@dataclass
class Totals:
    """What lists come to: expected steps that are listed, listed steps that are absurd."""

    expected: int = 0
    found: int = 0
    of_kind: int = 0
    listed: int = 0
    absurd: int = 0
    unjudged: int = 0
    events: int = 0

    def __str__(self) -> str:
        return (
            f"expected listed {self.found}/{self.expected} = {self.found / self.expected:.3f} "
            f"(of its kind {self.of_kind / self.expected:.3f}); "
            f"absurd {self.absurd}/{self.listed} = {self.absurd / max(1, self.listed):.4f}; "
            f"unjudged {self.unjudged / max(1, self.listed):.3f}; a list has {self.listed / self.events:.1f} steps"
        )


def _content(text: str) -> tuple[list[frozenset[str]], bool]:
    words = [w for w in tokens(text) if w not in _EMPTY and w not in _NEGATIONS and not w.endswith("n't")]
    denied = bool(re.search(r"n't\b|n’t\b", text)) or bool(_NEGATIONS & set(tokens(text)))
    return [forms(w) | {w} for w in words], denied


def fits(step: str, wording: str) -> bool:
    """Tell whether a listed step matches a wording of the key."""
    (a, a_denied), (b, b_denied) = _content(step), _content(wording)
    if a_denied != b_denied or not a or not b:
        return False

    def within(few: Iterable[frozenset[str]], many: list[frozenset[str]]) -> bool:
        return all(any(word & other for other in many) for word in few)

    return within(b, a) or within(a, b)


def judge(events: list[dict[str, Any]], listed: Callable[[str], list[tuple[str, str]]]) -> Totals:
    """Judge lists of (text, kind), one an event."""
    totals = Totals()
    for event in events:
        steps = listed(event["text"])
        totals.events += 1
        totals.listed += len(steps)
        wordings = [w for e in event["expected"] for w in e["any"]]
        for e in event["expected"]:
            kinds = {kind for text, kind in steps if any(fits(text, w) for w in e["any"])}
            totals.expected += 1
            totals.found += bool(kinds)
            totals.of_kind += e["kind"] in kinds or (e["kind"] == "effect" and "subevent" in kinds)
        for text, _ in steps:
            if not any(fits(text, w) for w in wordings):
                wrong = any(fits(text, w) for w in event["absurd"])
                totals.absurd += wrong
                totals.unjudged += not wrong
    return totals
