"""How well a story graph read from rendered video agrees with the labelled one: shots, logos, summaries."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kgmm.evaluate.stories import Precision, evaluate_logo
from kgmm.stories.example.render import FPS, cues_of
from kgmm.stories.story import Shot, StoryGraph


@dataclass(frozen=True)
class Agreement:
    """F1 of the cuts, adjusted Rand index of the logos over the shots, and the precision of the summaries."""

    cuts: float
    logos: float
    summaries: Precision


def compare(labelled: StoryGraph, seen: StoryGraph, pace: float = 1.0, tolerance: float = 0.25) -> Agreement:
    """Compare what was read from rendered videos with their script; cuts may be *tolerance* seconds off."""
    right = wrong = missed = 0
    truth, found, named = list[str](), list[str](), list[Shot]()
    for b in range(len(labelled.broadcasts)):
        scripts, starts = _timed(labelled, b, pace)
        shots = [s for s in seen.shots if s.broadcast == seen.broadcasts[b].id]
        hits = _matched([s.start for s in shots[1:]], starts[1:-1], tolerance)
        right += hits
        wrong += len(shots) - 1 - hits
        missed += len(scripts) - 1 - hits
        for shot in shots:
            script = scripts[_under((shot.start + shot.end) / 2, starts)]
            truth.append(next(iter(script.logos), ""))
            found.append(next(iter(shot.logos), ""))
            named.append(replace(shot, story=script.story))
    f1 = 2 * right / max(2 * right + wrong + missed, 1)
    told = replace(seen, shots=tuple(named), annotations=labelled.annotations)
    return Agreement(f1, adjusted_rand(truth, found), _of_labels(told, truth, found))


def _timed(labelled: StoryGraph, broadcast: int, pace: float) -> tuple[list[Shot], list[float]]:
    """Return a broadcast's shots and, in seconds of its video, where each starts, and the end."""
    shots = [s for s in labelled.shots if s.broadcast == labelled.broadcasts[broadcast].id]
    lengths = [max(12, round((s.end - s.start) * FPS / pace)) for s in shots]
    return shots, [c.start for c in cues_of(shots, lengths)] + [sum(lengths) / FPS]


def _under(second: float, starts: Sequence[float]) -> int:
    return min(max(int(np.searchsorted(starts, second, side="right")) - 1, 0), len(starts) - 2)


def _matched(found: Sequence[float], truth: Sequence[float], tolerance: float) -> int:
    """Return how many of the true cuts were found, each found one counting once."""
    left = list(found)
    for cut in truth:
        near = [f for f in left if abs(f - cut) <= tolerance]
        if near:
            left.remove(min(near, key=lambda f: abs(f - cut)))
    return len(found) - len(left)


def _of_labels(told: StoryGraph, truth: list[str], found: list[str]) -> Precision:
    """Return the precision of each label's summary, asked for by the logo that mostly shows it; 0 if there is none."""
    result: dict[str, tuple[float, float]] = dict.fromkeys(set(truth) - {""}, (0.0, 0.0))
    for logo in told.logos:
        votes = Counter(t for t, f in zip(truth, found, strict=True) if f == logo.id)
        if votes and (label := votes.most_common(1)[0][0]):
            result[label] = max(result[label], evaluate_logo(told, logo.id, label))
    return Precision(result)


def adjusted_rand(a: Sequence[str], b: Sequence[str]) -> float:
    """Return the adjusted Rand index of two labellings (Hubert and Arabie, 1985).

    >>> adjusted_rand("aabb", "xxyy"), round(adjusted_rand("aabb", "xyxy"), 2)
    (1.0, -0.5)
    """

    def pairs(counts: Counter[object]) -> float:
        return sum(n * (n - 1) / 2 for n in counts.values())

    both, first, second = pairs(Counter(zip(a, b, strict=True))), pairs(Counter(a)), pairs(Counter(b))
    expected = first * second / max(len(a) * (len(a) - 1) / 2, 1)
    most = (first + second) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)
