"""The bundled example: four evening programmes of an invented channel, their stories known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from kgmm import bundled
from kgmm.stories.example.drawing import draw_keyframe, draw_logo
from kgmm.stories.files import read
from kgmm.stories.story import StoryGraph


def news(keyframes: str | Path | None = None) -> StoryGraph:
    """Return the bundled story graph: 21 stories and 324 shots in four programmes.

    Args:
        keyframes: a folder to draw the keyframes and logos into, so that storyboards have pictures.

    Example:
        >>> news()
        <StoryGraph news: 21 logos, 324 frames, 718 terms, 1,788 edges>
    """
    story = read(bundled.folder("graphs") / "stories" / "news.json")
    if keyframes is None:
        return story
    folder = Path(keyframes)
    (folder / "logos").mkdir(parents=True, exist_ok=True)
    shots, logos = [], []
    for shot in story.shots:
        place = folder / f"{shot.id}.jpg"
        draw_keyframe(shot).save(place, quality=85)
        shots.append(replace(shot, image=str(place)))
    for logo in story.logos:
        place = folder / "logos" / f"{logo.id}.png"
        Image.fromarray(draw_logo(logo.id)).save(place)
        logos.append(replace(logo, image=str(place)))
    return replace(story, shots=tuple(shots), logos=tuple(logos))
