"""What a film summarizer gives: the clips to keep, and how much each moment of the film matters."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kgmm.files import kept
from kgmm.scene.show import picture_uri
from kgmm.stories.page import WIDE, rendered
from kgmm.stories.video.clips import Clip, write_clips
from kgmm.stories.video.clock import clock
from kgmm.stories.video.decoding import frames

RATE = 0.15  #: share of a film that is kept where nothing else is said; TVSum's protocol (Song et al., CVPR 2015)
POINTS = 500  #: points of the curve on a page


@dataclass(frozen=True, eq=False)
class Skim:
    """A film cut down to the parts that matter."""

    video: Path  #: the film
    method: str  #: what chose the clips
    clips: tuple[Clip, ...]  #: what is kept, in order of time
    times: NDArray[np.float64]  #: seconds of the moments that have a score, ascending
    scores: NDArray[np.float64]  #: how much each of these moments matters, from 0 on
    #: what else the method found, by name: text or clips
    details: Mapping[str, str | tuple[Clip, ...]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long the clips last together."""
        return sum(clip.end - clip.start for clip in self.clips)

    def write(self, path: str | Path) -> Path:
        """Write the clips one after the other as an MP4; see :func:`kgmm.stories.video.clips.write_clips`."""
        return write_clips(self.video, self.clips, path)

    def to_dict(self) -> dict[str, Any]:
        """Return the skim as JSON-ready data, without the scores of all moments."""
        details = {
            name: value if isinstance(value, str) else [{"start": c.start, "end": c.end} for c in value]
            for name, value in self.details.items()
        }
        clips = [asdict(clip) for clip in self.clips]
        return {"video": str(self.video), "method": self.method, **details, "clips": clips}

    def to_html(self, path: str | Path | None = None) -> str:
        """Return one self-contained page with a frame of each clip and the scores, and write it to *path* if given."""
        text = rendered("page.html", title=f"{self.video.name} – skim", board="skim.html", **self._values())
        return kept(text, path, end="")

    def _repr_html_(self) -> str:
        return rendered("skim.html", **self._values())

    def __repr__(self) -> str:
        count = len(self.clips)
        return f"<Skim of {self.video.name} by {self.method}: {self.seconds:.1f} s in {count} clip{'s' * (count != 1)}>"

    def _values(self) -> dict[str, Any]:
        cards = [
            {"start": clock(c.start), "end": clock(c.end), "seconds": c.end - c.start, "score": c.score, "image": image}
            for c, image in zip(self.clips, middle_frames(self.video, self.clips), strict=True)
        ]
        long = float(self.times[-1]) if len(self.times) else 0.0
        scale = 1000 / long if long > 0 else 0.0
        about = {"name": self.video.name, "method": self.method, "seconds": self.seconds, "cards": cards}
        bars = [(round(c.start * scale, 1), round((c.end - c.start) * scale, 1)) for c in self.clips]
        details = {name: spoken(value) for name, value in self.details.items()}
        return {**about, "curve": self._curve(scale) if scale else "", "kept": bars, "details": details}

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
