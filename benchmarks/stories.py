"""Summaries of the bundled stories by every method, also amid unrelated footage; and of 1.2 million frames.

Run with ``python benchmarks/stories.py``; ``--video PACE`` also renders the programmes to MP4, PACE times faster than
life, and reads them back from nothing but pixels and subtitles.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from kgmm import stories
from kgmm.evaluate.stories import evaluate, with_unrelated
from kgmm.evaluate.video_stories import compare
from kgmm.stories import StoryGraph, summarize, summarizers
from kgmm.stories.edges import StoryEdges
from kgmm.stories.example.news import news
from kgmm.stories.example.render import render


def table(story: StoryGraph, title: str) -> None:
    print(f"\n{title}: {story}")
    print(f"{'':16}{'frames@5':>10}{'least':>8}{'frames@10':>11}{'terms@10':>10}{'least':>8}")
    for method in ("mmss", *(m for m in summarizers() if m != "mmss")):
        five, ten = evaluate(story, method), evaluate(story, method, frames=10)
        print(
            f"{method:16}{five.frames:10.3f}{five.least_frames:8.2f}{ten.frames:11.3f}"
            f"{five.terms:10.3f}{five.least_terms:8.2f}"
        )


def synthetic(frames: int, terms: int = 200_000, logos: int = 20_000, seed: int = 0) -> StoryGraph:
    """Return footage as a graph: 8 words a shot by Zipf's law, a logo in every eighth shot."""
    random = np.random.default_rng(seed)
    share = np.cumsum(1 / (np.arange(terms) + 10.0))
    frame = np.repeat(np.arange(frames, dtype=np.int64), 8)
    term = np.searchsorted(share / share[-1], random.random(len(frame)))
    pairs = np.unique(frame * terms + term)
    shown = np.flatnonzero(random.random(frames) < 1 / 8)
    columns = StoryEdges(
        random.integers(0, logos, len(shown)).astype(np.int32),
        shown.astype(np.int32),
        (pairs // terms).astype(np.int32),
        (pairs % terms).astype(np.int32),
        _Names("t", terms),
        logos,
        frames,
    )
    return stories.from_columns("synthetic", columns)


class _Names(Sequence[str]):
    def __init__(self, letter: str, count: int) -> None:
        self.letter, self.count = letter, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, at: Any) -> Any:
        return f"{self.letter}{at}"


def large(frames: int) -> None:
    summarize(synthetic(1000), "0")  # compiles and imports
    story = synthetic(frames)
    begin = time.perf_counter()
    first = summarize(story, "0")
    middle = time.perf_counter()
    summarize(story, "1")
    end = time.perf_counter()
    print(f"\n{frames:,} frames, {len(story.edges.term):,} edges: first summary {middle - begin:.2f} s")
    print(f"with the graph built, {end - middle:.2f} s; {len(first.frames)} frames, {len(first.terms)} terms")


def from_pixels(pace: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        videos = render(news(), folder, pace=pace)
        middle = time.perf_counter()
        seen = stories.from_video(videos)
        end = time.perf_counter()
    long = sum(max(s.end for s in seen.shots if s.broadcast == b.id) for b in seen.broadcasts)
    found = compare(news(), seen, pace)
    print(
        f"\nFrom {long:.0f} s of MP4 (pace {pace:g}), rendered in {middle - begin:.0f} s, read in {end - middle:.0f} s:"
    )
    print(f"shots F1 {found.cuts:.3f}, logos adjusted Rand {found.logos:.3f}, {len(seen.logos)} logos;")
    print(f"summaries: frames@5 {found.summaries.frames:.3f}, terms@10 {found.summaries.terms:.3f}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--frames", type=int, default=1_200_000)
    arguments.add_argument("--video", type=float, metavar="PACE")
    chosen = arguments.parse_args()
    table(news(), "Bundled stories")
    table(with_unrelated(news()), "With as much unrelated footage")
    large(chosen.frames)
    if chosen.video:
        from_pixels(chosen.video)
