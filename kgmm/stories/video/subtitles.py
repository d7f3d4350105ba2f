"""Subtitles: SRT and WebVTT files, or those embedded in a video, as cues with seconds."""

from __future__ import annotations

import bisect
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import BadInput
from kgmm.stories.video.clock import seconds
from kgmm.stories.video.decoding import opened

if TYPE_CHECKING:
    from kgmm.stories.video.shots import Cut

_TIMES = re.compile(r"^\s*((?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3})\s*-->\s*((?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3})(?:\s.*)?$")
_TAG = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_SPEAKER = re.compile(r"^\s*(?:>>+|-)\s*")


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said between two times, in seconds."""

    start: float
    end: float
    text: str


def read_subtitles(path: str | Path) -> list[Cue]:
    r"""Read an SRT or WebVTT file, in order of time; markup is taken off.

    Raises:
        BadInput: if it cannot be read, or holds no cue; the message names the line.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.srt"
        >>> _ = file.write_text("1\n00:00:01,500 --> 00:00:03,000\n<i>Good</i> evening.\n")
        >>> read_subtitles(file)
        [Cue(start=1.5, end=3.0, text='Good evening.')]
    """
    file = Path(path).expanduser()
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise BadInput(file, f"no subtitles can be read: {error.strerror}") from error
    text = _decoded(raw)
    cues = sorted(_cues(text, file), key=lambda cue: (cue.start, cue.end))
    if not cues and text.strip() and not text.lstrip().startswith("WEBVTT"):
        raise BadInput(file, "no cue found; SRT or WebVTT with lines like 00:00:01,000 --> 00:00:02,000 is expected")
    return cues


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _cues(text: str, file: Path) -> Iterator[Cue]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = 0
    while at < len(lines):
        found = _TIMES.match(lines[at])
        if found is None:
            if "-->" in lines[at] and not lines[at].startswith(("NOTE", "STYLE", "REGION")):
                raise BadInput(file, f"not a time: {lines[at].strip()[:60]!r}", at + 1)
            at += 1
            continue
        start, end = round(seconds(found[1]), 3), round(seconds(found[2]), 3)
        if end < start:
            raise BadInput(file, f"a cue ends at {found[2]}, before it starts at {found[1]}", at + 1)
        said = []
        at += 1
        while at < len(lines) and lines[at].strip() and not _TIMES.match(lines[at]):
            said.append(lines[at])
            at += 1
        if at < len(lines) and said and _TIMES.match(lines[at]):  # no blank line before the next cue's number
            said = said[:-1] if said[-1].strip().isdigit() else said
        yield Cue(start, end, plain(" ".join(said)))


def plain(text: str) -> str:
    """Return a cue's text without markup, speaker marks and double spaces."""
    return " ".join(_SPEAKER.sub("", html.unescape(_TAG.sub("", text))).replace("\\N", " ").split())


def embedded_subtitles(video: str | Path) -> list[Cue]:
    """Return the cues of a video's first text subtitle stream; none if it has no such stream.

    Raises:
        BadInput: if the video cannot be opened.
    """
    with opened(Path(video)) as container:
        if not container.streams.subtitles:
            return []
        return sorted(_packets(container, container.streams.subtitles[0]), key=lambda cue: cue.start)


def _packets(container: Any, stream: Any) -> Iterator[Cue]:
    import av

    for packet in container.demux(stream):
        if packet.pts is None:
            continue
        start = float(packet.pts * packet.time_base)
        long = float((packet.duration or 0) * packet.time_base)
        try:
            rows = packet.decode()
        except av.FFmpegError:
            continue  # one damaged cue does not cost the others
        for row in rows:
            text = _dialogue(row)
            if text:
                yield Cue(round(start, 3), round(start + long, 3), text)


def _dialogue(row: Any) -> str:
    raw = getattr(row, "dialogue", b"") or getattr(row, "ass", b"") or getattr(row, "text", b"")
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return plain(text.replace("\\N", " "))


def aligned(cues: Sequence[Cue], shots: Sequence[Cut]) -> list[str]:
    """Return what is said in each shot: a cue goes, word by word, to the shots it is spoken over.

    A cue that runs into the next shot for less than a word's share stays whole.
    """
    said: list[list[str]] = [[] for _ in shots]
    for cue in cues:
        over = _shots_under(cue, shots)
        if not over:
            continue
        words = cue.text.split()
        long = sum(share for _, share in over)
        taken, passed = 0, 0.0
        for i, share in over:
            passed += share
            upto = len(words) if i == over[-1][0] else round(len(words) * passed / long)
            said[i] += words[taken:upto]
            taken = max(taken, upto)
    return [" ".join(words) for words in said]


def _shots_under(cue: Cue, shots: Sequence[Cut]) -> list[tuple[int, float]]:
    """Return the shots a cue is spoken over, each with for how long; slivers under 0.35 s do not count."""
    first = max(0, bisect.bisect_right(shots, cue.start, key=lambda shot: shot.start) - 1)
    found = []
    for i in range(first, len(shots)):
        if shots[i].start > cue.end:
            break
        share = min(cue.end, shots[i].end) - max(cue.start, shots[i].start)
        if share >= 0:
            found.append((i, share))
    most = max((share for _, share in found), default=0.0)
    return [(i, max(share, 1e-6)) for i, share in found if share >= min(0.35, most)]


def write_srt(cues: Iterable[Cue], path: str | Path) -> Path:
    """Write cues as an SRT file; return its path."""
    rows = [f"{i}\n{_stamp(c.start)} --> {_stamp(c.end)}\n{c.text}\n" for i, c in enumerate(cues, 1)]
    Path(path).write_text("\n".join(rows), encoding="utf-8")
    return Path(path)


def _stamp(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02},{whole % 1000:03}"
