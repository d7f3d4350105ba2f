"""The bundled example: four evening programmes of an invented channel, their stories known."""

from dataclasses import replace
from pathlib import Path
from typing import Any

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

    def pictured(one: Any, image: Image.Image, name: str) -> Any:
        image.save(folder / name, quality=85)
        return replace(one, image=str(folder / name))

    shots = tuple(pictured(s, draw_keyframe(s), f"{s.id}.jpg") for s in story.shots)
    logos = tuple(pictured(x, Image.fromarray(draw_logo(x.id)), f"logos/{x.id}.png") for x in story.logos)
    return replace(story, shots=shots, logos=logos)
