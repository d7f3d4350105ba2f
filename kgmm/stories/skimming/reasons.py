"""Why segments matter, in words: what is seen and said there, and what of it was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kgmm.language.words import content
from kgmm.stories.footage.footage import Footage
from kgmm.stories.skimming.request import Reason
from kgmm.stories.skimming.wanted import Wanted

SURE = 0.1  #: mean score from which on a concept is said to be seen in a segment
WANTED = 0.03  #: the same for one that was asked for: then a guess counts
MOST = 3  #: concepts, and words, that are named


def reasons(footage: Footage, wanted: Wanted | None = None, also: Sequence[str] = ()) -> tuple[Reason, ...]:
    """Return a reason for each segment of a film.

    Args:
        footage: the film.
        wanted: what was asked for: its concepts and words come first, with the facts that lead to them.
        also: what the method itself says of each segment, put first; empty for none.

    Example:
        >>> film = Footage(np.eye(2, dtype=np.float32), concepts=("dog",), scores=np.ones((2, 1), np.float32))
        >>> reasons(film, also=["in the middle"])[0].text
        'in the middle; shows dog'
    """
    seen = footage.of_segments(footage.scores.T).T if footage.concepts else np.zeros((len(footage.edges) - 1, 0))
    weights = np.zeros(len(footage.concepts)) if wanted is None else wanted.weights
    asked = set(content(wanted.text)) if wanted is not None and wanted.text.strip() else set()
    spoken = [content(text) if (text := footage.said(a, b)).strip() else () for a, b in _spans(footage)]
    rarity = Counter(word for words in spoken for word in set(words))
    made = []
    for number, words in enumerate(spoken):
        row = seen[number]
        hits = [i for i in np.argsort(-row * weights, kind="stable")[:MOST] if weights[i] and row[i] >= WANTED]
        usual = [i for i in np.argsort(-row, kind="stable")[:MOST] if row[i] >= SURE and i not in hits]
        shown = tuple(footage.concepts[i] for i in (hits + usual)[:MOST])
        matched = [word for word in dict.fromkeys(words) if word in asked]
        counts = Counter(words)
        telling = sorted((w for w in counts if w not in asked and len(w) > 2), key=lambda w: -counts[w] / rarity[w])
        named = tuple((matched + telling)[:MOST])
        facts = () if wanted is None else tuple(dict.fromkeys(f for name in shown for f in wanted.facts.get(name, ())))
        first = also[number] if also else ""
        parts = [first, f"shows {', '.join(shown)}" if shown else "", _told_words(named)]
        made.append(Reason("; ".join(part for part in parts if part), named, shown, (), facts))
    return tuple(made)


def tagged(reason: Reason, tags: Sequence[str]) -> Reason:
    """Return a reason with the tags that are located there."""
    if not tags:
        return reason
    text = f"{', '.join(tags)} is here" if len(tags) == 1 else f"{', '.join(tags)} are here"
    return replace(reason, tags=tuple(tags), text="; ".join(part for part in (text, reason.text) if part))


def _told_words(words: tuple[str, ...]) -> str:
    return "says " + ", ".join(f"“{word}”" for word in words) if words else ""


def _spans(footage: Footage) -> list[tuple[float, float]]:
    return list(zip(footage.starts[:-1].tolist(), footage.starts[1:].tolist(), strict=True))
