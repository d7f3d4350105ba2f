"""Subtitles: SRT and WebVTT files, or those embedded in a video, as cues with seconds."""

import bisect
import html
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgmm.errors import BadInput
from kgmm.stories.video.clock import seconds
from kgmm.stories.video.decoding import opened
from kgmm.stories.video.shots import Cut

_TIMES = re.compile(r"^\s*((?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3})\s*-->\s*((?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3})(?:\s.*)?$")
#: what seems to be meant for a time line
_NO_TIME = re.compile(r"\d\s*[:.,].*-->|-->.*\d\s*[:.,]|^\s*(?:\d+\s*:\s*)+\d[\d\s.,]*[-\u2013\u2014]+>")
#: blocks of WebVTT that are no cues
_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_BREAK = re.compile(r"<br\s*/?>|\\[Nnh]", re.IGNORECASE)
#: markup of SRT, WebVTT and ASS; other angle brackets are characters
_TAG = re.compile(
    r"</?(?:[cibus]|ruby|r[tp]|em|strong)(?:\.[^\s<>]*)?\s*/?>"
    r"|</?(?:v|lang)(?:[.\s][^<>]*)?>"
    r"|</?(?:font|span|p|div|a)(?:\s+[\w:-]+\s*=[^<>]*)?\s*/?>"
    r"|<(?:\d+:)?\d+:\d+[.,]\d+>"
    r"|\{\\[^{}]*\}",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"^\s*(?:>>+|-(?!\d))\s*")
_Shown = tuple[float, float, list[str]]  #: seconds from and to which lines are shown


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
    cues = _unrolled(shown := list(_cues(text, file)))
    first, *others = re.split(r"(?:\r*\n){2,}", text.strip())
    said = others if first.startswith("WEBVTT") else [first]
    if not shown and any(block and not _BLOCK.match(block) for block in said):
        raise BadInput(file, "no cue found; SRT or WebVTT with lines like 00:00:01,000 --> 00:00:02,000 is expected")
    return cues


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _cues(text: str, file: Path) -> Iterator[_Shown]:
    """Yield what each cue shows: all lines up to the next cue's time, whatever blank lines there are between them."""
    lines = re.sub(r"\r*\n|\r", "\n", text).split("\n")
    web = text.lstrip().startswith("WEBVTT")
    times: list[int] = []
    for at, line in enumerate(lines):
        if _TIMES.match(line):
            times.append(at)
        elif _NO_TIME.search(line) and not _BLOCK.match(line):
            raise BadInput(file, f"not a time: {line.strip()[:60]!r}", at + 1)
    for at, following in itertools.pairwise([*times, len(lines)]):
        found = _TIMES.match(lines[at])
        assert found is not None
        start, end = round(seconds(found[1]), 3), round(seconds(found[2]), 3)
        if end < start:
            raise BadInput(file, f"a cue ends at {found[2]}, before it starts at {found[1]}", at + 1)
        said = lines[at + 1 : following]
        if following < len(lines) and said and _is_label(said, web):
            said.pop()
        if web:
            first, *others = re.split(r"\n\n+", "\n".join(said))
            said = [
                line for block in [first, *(b for b in others if not _BLOCK.match(b))] for line in block.split("\n")
            ]
        yield start, end, said


def _is_label(lines: list[str], web: bool) -> bool:
    """Tell whether the line before the next cue's time is its label: a number, or in WebVTT a block of one line."""
    alone = len(lines) > 1 and lines[-2] == "" and any(line.strip() for line in lines[:-1])
    return lines[-1].strip().isdigit() or (web and alone and lines[-1] != "")


def _unrolled(shown: Iterable[_Shown]) -> list[Cue]:
    """Return cues in order of time; in rolling captions, which show lines again and add to them, only what is added.

    Captions roll if at least half of the cues that follow another at once, and differ from it, go on from it.
    """
    cleaned = [(start, end, [words for line in lines if (words := _unmarked(line))]) for start, end, lines in shown]
    cleaned.sort(key=lambda cue: cue[:2])
    added: list[list[str] | None] = [None]
    for (_, before, old), (start, _, new) in itertools.pairwise(cleaned):
        added.append(_added(old, new) if old and new and start - before <= 0.1 else None)
    at_once = [i for i in range(1, len(cleaned)) if cleaned[i][0] - cleaned[i - 1][1] <= 0.1 and added[i] != []]
    rolling = 2 * sum(bool(added[i]) for i in at_once) >= max(len(at_once), 1)
    said = [
        (a, b, more if rolling and more is not None else new) for (a, b, new), more in zip(cleaned, added, strict=False)
    ]
    cues = [Cue(a, b, " ".join(_SPEAKER.sub("", " ".join(lines)).split())) for a, b, lines in said]
    return [cue for cue in cues if cue.text or not rolling]


def _added(before: list[str], lines: list[str]) -> list[str] | None:
    """Return what lines add to those shown before; None if they do not go on from them."""
    for first in range(len(before)):
        if lines[: len(before) - first] == before[first:]:
            return lines[len(before) - first :]
    whole, new = " ".join(before), " ".join(lines)
    return [new[len(whole) :]] if new.startswith(whole + " ") else None


def _unmarked(line: str) -> str:
    """Return a line without markup and double spaces."""
    return " ".join(html.unescape(_TAG.sub("", _BREAK.sub(" ", line))).split())


def embedded_subtitles(video: str | Path) -> list[Cue]:
    """Return the cues of a video's first text subtitle stream, none if it has none; BadInput if it is no video."""
    with opened(Path(video)) as container:
        if not container.streams.subtitles:
            return []
        return _unrolled(_packets(container, container.streams.subtitles[0]))


def _packets(container: Any, stream: Any) -> Iterator[_Shown]:
    """Yield what is shown, in seconds of the film, which may start late on its own clock."""
    import av

    pictures = container.streams.video[:1]
    first = float(pictures[0].start_time * pictures[0].time_base) if pictures and pictures[0].start_time else 0.0
    for packet in container.demux(stream):
        if packet.pts is None:
            continue
        start = float(packet.pts * packet.time_base) - first
        long = float((packet.duration or 0) * packet.time_base)
        try:
            rows = packet.decode()
        except av.FFmpegError:
            continue  # one damaged cue does not cost the others
        for row in rows:
            raw = getattr(row, "dialogue", b"") or getattr(row, "ass", b"") or getattr(row, "text", b"")
            text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
            if text.strip():
                yield round(max(start, 0), 3), round(max(start + long, 0), 3), re.split(r"\\N|\n", text)


def aligned(cues: Sequence[Cue], shots: Sequence[Cut]) -> list[str]:
    """Return what is said in each shot: a cue goes, word by word, to the shots it is spoken over for a word's share."""
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
