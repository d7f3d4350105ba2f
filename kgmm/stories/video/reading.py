"""A story graph from films and their subtitles: shots, keyframes, newslogos, terms."""

import datetime
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kgmm.errors import BadInput
from kgmm.perceivers import perceive
from kgmm.progress import Progress, silent
from kgmm.stories.story import Broadcast, Logo, Shot, StoryGraph
from kgmm.stories.terms.extraction import capitalized, terms
from kgmm.stories.video import newslogos, subtitles
from kgmm.stories.video.decoding import PathLike, Pixels
from kgmm.stories.video.newslogos import distance
from kgmm.stories.video.shots import Cut, find_shots

SURE = 0.8  #: score from which words in a frame are believed


class _Pictures:
    """What is kept of the pictures of all shots: insets, keyframes on disk, and the still picture as JPEG."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.sightings: list[newslogos.Sighting] = []
        self.keyframes: list[str | None] = []
        self._still: list[bytes] = []

    def add(self, shot: Cut, name: str) -> None:
        """Take what is needed of a shot."""
        self.sightings += newslogos.insets(shot, len(self._still))
        self.keyframes.append(_written(shot.keyframe, self.folder, f"{name}.jpg"))
        stream = io.BytesIO()
        still = np.median(newslogos.inner(shot), axis=0).astype(np.uint8)
        Image.fromarray(still).save(stream, format="JPEG", quality=92)
        self._still.append(stream.getvalue())

    def still(self, shot: int) -> Pixels:
        """Return what a shot's samples have in common."""
        return np.asarray(Image.open(io.BytesIO(self._still[shot])).convert("RGB"))

    def logos(self) -> list[list[newslogos.Sighting]]:
        """Return the sightings of each newslogo."""
        count = len(self._still)
        return newslogos.logos(newslogos.matched(self.sightings, self.still, count), count)


def from_video(
    video: PathLike | Sequence[PathLike],
    subtitle_file: PathLike | Sequence[PathLike] | None = None,
    *,
    id: str | None = None,
    keyframes: PathLike | None = None,
    read_frames: bool = False,
    progress: Progress = silent,
) -> StoryGraph:
    """Read one or several broadcasts; a logo seen in several of them is one logo.

    Args:
        video: a file, or several in order of broadcast; any container PyAV reads.
        subtitle_file: SRT or WebVTT, one for each video; by default a file of the video's name with ``.srt`` or
            ``.vtt`` beside it, else the subtitles embedded in it, else none: frames then have no terms.
        id: the story's id; by default the first video's name.
        keyframes: a folder to write keyframes and logos to; without it the story has no pictures.
        read_frames: whether words that stand in each shot's middle frame are taken as if they were said: straps, captions.
        progress: told the seconds read.

    Raises:
        BadInput: if a video or its subtitles cannot be read.
        MissingExtra: if PyAV, PySceneDetect or OpenCV is not installed (``pip install 'kgmm[video]'``), or to read frames
            rapidocr-onnxruntime (``kgmm[ocr]``).
    """
    videos = [Path(v) for v in ([video] if isinstance(video, str | Path) else video)]
    given = _paired(videos, subtitle_file)
    name = re.sub(r"[^\w.-]+", "-", id or videos[0].stem).strip("-.") or "story"
    folder = None if keyframes is None else Path(keyframes)
    pictures = _Pictures(folder)
    pairs = enumerate(zip(videos, given, strict=True), 1)
    stands = words_in if read_frames else None
    films = [(f"b{i}", *_film(one, cues, f"b{i}", pictures, stands, progress)) for i, (one, cues) in pairs]
    groups = pictures.logos()
    logos = tuple(_logo(i, group, folder) for i, group in enumerate(groups, 1))
    seen: dict[int, list[str]] = {}
    for logo, group in zip(logos, groups, strict=True):
        for number in sorted({s.shot for s in group}):
            seen.setdefault(number, []).append(logo.id)
    shots: list[Shot] = []
    for broadcast, cuts, words in films:
        known = capitalized(" ".join(words))
        for place, (cut, said) in enumerate(zip(cuts, words, strict=True), 1):
            shot = f"{broadcast}-{place:03}"
            span, spoken = (round(cut.start, 3), round(cut.end, 3)), tuple(terms(said, known))
            shown, image = tuple(seen.get(len(shots), ())), pictures.keyframes[len(shots)]
            shots.append(Shot(shot, *span, spoken, shown, broadcast, said, image))
    broadcasts = [Broadcast(f"b{i}", video.stem, _day(video.stem), str(video)) for i, video in enumerate(videos, 1)]
    return StoryGraph(name, shots, logos, broadcasts, ", ".join(map(str, videos)))


def _paired(videos: list[Path], given: PathLike | Sequence[PathLike] | None) -> list[Path | None]:
    if not videos:
        raise BadInput("videos", "at least one is needed")
    if given is None:
        beside = ([video.with_suffix(suffix) for suffix in (".srt", ".vtt")] for video in videos)
        return [next((file for file in files if file.is_file()), None) for files in beside]
    files: list[Path | None] = [Path(g) for g in ([given] if isinstance(given, str | Path) else given)]
    if len(files) != len(videos):
        raise BadInput("subtitles", f"{len(videos)} videos need as many subtitle files, there are {len(files)}")
    return files


def _film(
    video: Path,
    subtitle_file: Path | None,
    id: str,
    pictures: _Pictures,
    stands: Callable[[Pixels], str] | None,
    progress: Progress,
) -> tuple[list[Cut], list[str]]:
    """Return a video's shots, without their pixels, and what is said in each, and stands in it if that is asked for."""
    cues = subtitles.read_subtitles(subtitle_file) if subtitle_file else subtitles.embedded_subtitles(video)
    shots, stood = [], []
    for place, shot in enumerate(find_shots(video, progress), 1):
        pictures.add(shot, f"{id}-{place:03}")
        shots.append(Cut(shot.start, shot.end))
        stood.append(stands(shot.keyframe) if stands else "")
    said = subtitles.aligned(cues, shots)
    return shots, ["\n".join(filter(None, words)) for words in zip(said, stood, strict=True)]


def words_in(frame: Pixels) -> str:
    """Return the words that stand in a frame, a sentence a line; capitals throughout are how straps are set, and no names."""
    lines = [o.text for o in perceive(frame, "ocr", threshold=SURE).objects]
    return " ".join((line.lower() if line.isupper() else line).rstrip(".") + "." for line in lines)


def _day(name: str) -> str:
    """Return the date written in a file's name, or nothing if there is none."""
    day = re.search(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)", name)
    try:
        return datetime.date.fromisoformat(day[1]).isoformat() if day else ""
    except ValueError:
        return ""


def _logo(number: int, group: list[newslogos.Sighting], folder: Path | None) -> Logo:
    """Return a logo by its most typical sighting: the one nearest to all others."""
    some = group[:50]
    typical = min(some, key=lambda s: sum(distance(s.hash, other.hash) for other in some))
    name = f"logo-{number:02}"
    return Logo(name, "", _written(typical.pixels, folder, f"logos/{name}.png"), typical.hash)


def _written(pixels: Pixels, folder: Path | None, name: str) -> str | None:
    if folder is None:
        return None
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(place, quality=88)
    return str(place)
