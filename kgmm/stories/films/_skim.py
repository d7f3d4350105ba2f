"""What a film summarizer gives: the clips to keep, and how much each moment of the film matters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kgmm.files import kept
from kgmm.language.phrase import phrase
from kgmm.scene.show import picture_uri
from kgmm.stories.page import WIDE, rendered
from kgmm.stories.skimming.request import Reason
from kgmm.stories.video.clips import Clip, write_clips
from kgmm.stories.video.clock import clock
from kgmm.stories.video.decoding import frames

RATE = 0.15  #: share of a film that is kept where nothing else is said; TVSum's protocol (Song et al., CVPR 2015)
POINTS = 500  #: points of the curve on a page


@dataclass(frozen=True, slots=True)
class Segment:
    """A shot of a film, or a part of one: how much it matters, whether it is kept, and why."""

    start: float
    end: float
    score: float
    kept: bool
    reason: Reason = field(default_factory=Reason)

    def to_dict(self) -> dict[str, Any]:
        """Return the segment as JSON-ready data."""
        told = {"start": self.start, "end": self.end, "score": self.score, "kept": self.kept}
        return {**told, "reason": self.reason.to_dict()}


@dataclass(frozen=True, eq=False)
class Skim:
    """A film cut down to the parts that matter, or several films to one."""

    video: Path  #: the film; of several the first
    method: str  #: what chose the clips
    clips: tuple[Clip, ...]  #: what is kept, in order of films and time
    times: NDArray[np.float64]  #: seconds of the moments that have a score, ascending; of several films see ``films``
    scores: NDArray[np.float64]  #: how much each of these moments matters, from 0 on
    #: what else the method found, by name: text or clips
    details: Mapping[str, str | tuple[Clip, ...]] = field(default_factory=dict)
    #: of methods that judge segments: all of them in order of time, with the reason for each
    segments: tuple[Segment, ...] = ()
    films: tuple[Skim, ...] = ()  #: of several films each one's own skim, else empty

    @property
    def seconds(self) -> float:
        """How long the clips last together."""
        return sum(clip.end - clip.start for clip in self.clips)

    def write(self, path: str | Path) -> Path:
        """Write the clips one after the other as an MP4; see :func:`kgmm.stories.video.clips.write_clips`."""
        return write_clips([film.video for film in self.each()], self.clips, path)

    save = write

    def each(self) -> tuple[Skim, ...]:
        """Return the skim of each film: of one film itself."""
        return self.films or (self,)

    def reason(self, clip: Clip) -> Reason:
        """Return why a clip is kept: its segment's reason; an empty one where a method gives none."""
        inside = (s for s in self.each()[clip.film].segments if s.start <= clip.start < s.end)
        return next((segment.reason for segment in inside), Reason())

    def to_dict(self) -> dict[str, Any]:
        """Return the skim as JSON-ready data.

        Scores of moments are in it for methods that judge segments: two a second.
        """
        if self.films:
            return {"method": self.method, "films": [film.to_dict() for film in self.films]}
        details = {
            name: value if isinstance(value, str) else [{"start": c.start, "end": c.end} for c in value]
            for name, value in self.details.items()
        }
        clips = [{k: v for k, v in asdict(clip).items() if k != "film"} for clip in self.clips]
        told = {"video": str(self.video), "method": self.method, **details, "clips": clips}
        if not self.segments:
            return told
        curve = {"times": self.times.tolist(), "scores": [round(float(score), 6) for score in self.scores]}
        return {**told, "segments": [segment.to_dict() for segment in self.segments], "moments": curve}

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the skim as a JSON document, and write it to *path* if given."""
        return kept(json.dumps(self.to_dict(), ensure_ascii=False, indent=1), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return one self-contained page with a frame of each clip, why it is there, and the scores; write it to *path* if given."""
        text = rendered("page.html", title=f"{self.video.name} – skim", board="skim.html", **self._values())
        return kept(text, path, end="")

    def _repr_html_(self) -> str:
        return rendered("skim.html", **self._values())

    def __repr__(self) -> str:
        count, films = len(self.clips), len(self.films)
        name = f"{films} films" if films > 1 else self.video.name
        return f"<Skim of {name} by {self.method}: {self.seconds:.1f} s in {count} clip{'s' * (count != 1)}>"

    def _values(self) -> dict[str, Any]:
        films = self.each()
        name = self.video.name if len(films) == 1 else f"{len(films)} films"
        about = {"name": name, "method": self.method, "seconds": self.seconds, "count": len(self.clips)}
        return {**about, "films": [film._board() for film in films]}

    def _board(self) -> dict[str, Any]:
        """Return what a page tells of one film."""
        cards = []
        for c, image in zip(self.clips, middle_frames(self.video, self.clips), strict=True):
            why = self.each()[0].reason(Clip(c.start, c.end))
            facts = [
                {"said": phrase(f.subject, f.predicate, f.object), "terms": f"{f.subject} {f.predicate} {f.object}"}
                for f in why.facts
            ]
            when = {"start": clock(c.start), "end": clock(c.end), "seconds": c.end - c.start, "score": c.score}
            cards.append({**when, "image": image, "why": why.text, "facts": facts})
        long = float(self.times[-1]) if len(self.times) else 0.0
        scale = 1000 / long if long > 0 else 0.0
        bars = [(round(c.start * scale, 1), round((c.end - c.start) * scale, 1)) for c in self.clips]
        details = {name: spoken(value) for name, value in self.details.items()}
        curve = self._curve(scale) if scale else ""
        return {"name": self.video.name, "cards": cards, "curve": curve, "kept": bars, "details": details}

    def _curve(self, scale: float) -> str:
        """Return the scores as points of an SVG line, 1000 wide and 100 high."""
        step = max(1, len(self.times) // POINTS)
        high = float(self.scores.max()) or 1.0
        pairs = zip(self.times[::step] * scale, 98 - 96 * self.scores[::step] / high, strict=True)
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)


def spoken(value: str | tuple[Clip, ...]) -> str:
    """Return a detail as people read it: text as it is, clips by their times.

    >>> spoken((Clip(16, 32), Clip(48, 64)))
    '0:00:16 – 0:00:32, 0:00:48 – 0:01:04'
    """
    if isinstance(value, str):
        return value
    return ", ".join(f"{clock(c.start)} – {clock(c.end)}" for c in value)


def middle_frames(video: Path, clips: tuple[Clip, ...]) -> list[str]:
    """Return the frame in the middle of each clip as a ``data:`` address; '' where the film ends before it."""
    images: list[str] = []
    for at, pixels in frames(video, 2 * WIDE) if clips else ():
        while len(images) < len(clips) and at >= (clips[len(images)].start + clips[len(images)].end) / 2:
            images.append(picture_uri(Image.fromarray(pixels)))
        if len(images) == len(clips):
            break
    return images + [""] * (len(clips) - len(images))
