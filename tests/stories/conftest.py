"""Rendered programmes that several tests read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kgmm.stories import StoryGraph
from kgmm.stories.example.news import news
from kgmm.stories.example.render import render

#: how many times faster than life the programmes are rendered, so that tests stay short
PACE = 5.0


@pytest.fixture(scope="session")
def pace() -> float:
    """What ``videos`` are rendered with."""
    return PACE


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All four programmes as MP4 with SRT."""
    return render(news(), tmp_path_factory.mktemp("videos"), pace=PACE)


@pytest.fixture(scope="session")
def three_shots() -> StoryGraph:
    """A story of the shots 29 to 31 of the first programme: two logos and footage."""
    shots = news().shots[16:20]
    logos = {logo for shot in shots for logo in shot.logos}
    return replace(
        news(),
        id="brief",
        shots=shots,
        broadcasts=news().broadcasts[:1],
        annotations={},
        logos=tuple(x for x in news().logos if x.id in logos),
    )
