"""Invented films as real video: MP4 files with subtitles, pictures of their titles, and ``films.json`` of what is planted."""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from kgmm.errors import needed
from kgmm.files import publish
from kgmm.progress import Progress, silent
from kgmm.stories.example.drawing import TALL, WIDE, Pixels, Studio, numbers
from kgmm.stories.example.scripts import SECONDS, PlantedFilm, PlantedShot, script
from kgmm.stories.example.subjects import BROAD, setting, subject
from kgmm.stories.story import Shot
from kgmm.stories.video.subtitles import Cue, write_srt

FPS = 10
PICTURES = 6  #: of each title
NOTES = "films.json"


class Scene:
    """Draws a subject before its setting, or the setting alone: a scene's takes differ in light and in what is cut off."""

    def __init__(self, shot: PlantedShot, take: str) -> None:
        self.shot = shot
        self.ground: Pixels = np.asarray(setting(shot.setting, shot.scene))
        random, self.spark = numbers("scene", shot.scene), numbers("sparks", shot.scene)
        size = int(TALL * random.uniform(0.68, 0.92) * (0.3 if shot.small else 1))
        self.thing: Image.Image | None = None
        if shot.subject:
            thing = subject(shot.subject, shot.scene).resize((size, size), Image.Resampling.LANCZOS)
            self.thing = thing.filter(ImageFilter.GaussianBlur(2)) if shot.small else thing
        self.place = random.uniform(10, WIDE - size - 10), random.uniform(4, max(TALL - size, 5))
        self.drift: float = float(random.uniform(-14, 14))
        self.pan: float = float(random.uniform(-24, 24))
        random = numbers("take", take)
        self.light: float = float(random.uniform(0.94, 1.06))
        self.cut: int = int(random.integers(0, 6))

    def at(self, second: float) -> Pixels:
        """Return the picture at a second of the shot, (180, 320, 3)."""
        left = int(np.clip((BROAD - WIDE) / 2 + self.pan * (second - 1.5), 0, BROAD - WIDE))
        image = Image.fromarray(self.ground[:, left : left + WIDE])
        if self.thing is not None:
            x = self.place[0] + self.drift * (second - 1.5)
            y = self.place[1] + 3 * math.sin(3 * second)
            image.paste(self.thing, (round(x), round(y)), self.thing)
        if self.shot.event:
            _sparks(ImageDraw.Draw(image), self.shot.scene, second)
        if self.cut:
            image = image.crop((self.cut, self.cut, WIDE - self.cut, TALL - self.cut)).resize((WIDE, TALL))
        return np.asarray(image.point(lambda value: min(255, int(value * self.light))))


def _sparks(draw: ImageDraw.ImageDraw, scene: str, second: float) -> None:
    """Draw bursts of sparks that spread and fall."""
    random = numbers("sparks", scene)
    for _ in range(6):
        x, y, born = random.uniform(20, WIDE - 20), random.uniform(15, 120), random.uniform(0, 0.8)
        colour = [(255, 240, 90), (255, 120, 200), (120, 240, 255), (255, 255, 255)][int(random.integers(4))]
        age = (second + born) % 0.8
        for k in range(14):
            angle = k * math.pi / 7
            for part in (0.6, 1.0):
                far = 62 * age * part + 4
                at = x + far * math.cos(angle), y + far * math.sin(angle) + 20 * age * age
                draw.ellipse((at[0] - 2.6, at[1] - 2.6, at[0] + 2.6, at[1] + 2.6), fill=colour)


def drawn(film: PlantedFilm, number: int) -> Scene | Studio:
    """Return what draws a shot of a film."""
    shot = film.shots[number]
    if shot.kind != "studio":
        return Scene(shot, f"{film.name}/{number}")
    return Studio(Shot(f"{film.name}/{number}", shot.start, shot.end, text=shot.text, broadcast=film.name))


def film_planted(
    folder: str | Path,
    seeds: Iterable[int],
    *,
    seconds: float = SECONDS,
    pictures: int = PICTURES,
    progress: Progress = silent,
) -> Path:
    """Write films of seeds: ``planted-SEED.mp4``, ``.srt``, a folder of title pictures each, and ``films.json``.

    Films that are there already are left as they are.

    Args:
        folder: made if it is not there.
        seeds: of the films.
        seconds: how long each is at least.
        pictures: of each title: its subject in its setting, as other films show them.
        progress: told the films written.

    Returns:
        The path of ``films.json``, for :func:`kgmm.data.noted_films.read_noted`.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    films = [script(seed, seconds) for seed in seeds]
    for number, film in enumerate(films):
        video = place / f"{film.name}.mp4"
        if not video.exists():
            write_srt([Cue(s.start, s.end - 0.04, s.text) for s in film.shots], video.with_suffix(".srt"))
            (place / film.name).mkdir(exist_ok=True)
            for k in range(pictures):
                title_picture(film, k).save(place / film.name / f"{k}.png")
            _encode(film, video)
        progress(number + 1, len(films), "drawing films")
    notes = {"films": [noted(film, pictures) for film in films]}
    publish(place / NOTES, (json.dumps(notes, indent=1, ensure_ascii=False) + "\n").encode())
    return place / NOTES


def title_picture(film: PlantedFilm, number: int) -> Image.Image:
    """Return a picture that one finds by a film's title; its scene is in no film."""
    scene = f"picture/{film.name}/{number}"
    shot = PlantedShot(0, 3, "subject", film.subject, film.setting, False, False, scene, 0, "")
    return Image.fromarray(Scene(shot, scene).at(1.5))


def noted(film: PlantedFilm, pictures: int) -> dict[str, Any]:
    """Return what is planted in a film as JSON, in the layout that people's notes on their own films have."""
    shots = [
        {
            "start": s.start,
            "end": s.end,
            "importance": [row[i] for row in film.people],
            "concepts": list(s.concepts),
            "scene": s.scene,
        }
        for i, s in enumerate(film.shots)
    ]
    return {
        "name": film.name,
        "video": f"{film.name}.mp4",
        "subtitles": f"{film.name}.srt",
        "title": film.title,
        "title_images": [f"{film.name}/{k}.png" for k in range(pictures)],
        "tags": list(film.tags),
        "queries": {query: list(shown) for query, shown in film.queries().items()},
        "thumbnail": film.thumbnail,
        "clicks": [{"query": query, "shot": shot} for query, shot in film.clicks],
        "shots": shots,
    }


def _encode(film: PlantedFilm, video: Path) -> None:
    with needed("av", "video"):
        import av
    draft = video.with_name(f".{video.stem}.part.mp4")
    with av.open(str(draft), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDE, TALL, "yuv420p"
        for number, shot in enumerate(film.shots):
            picture = drawn(film, number)
            for i in range(round((shot.end - shot.start) * FPS)):
                pixels = np.ascontiguousarray(picture.at(i / FPS))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    draft.replace(video)
