"""Storyboards: the keyframes of a summary in time order with their terms, as a page or a picture."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

from kgmm.errors import BadInput
from kgmm.language.words import lemma
from kgmm.scene.images import read_image
from kgmm.scene.show import picture_uri
from kgmm.stories.page import TALL, WIDE, rendered
from kgmm.stories.video.clock import clock

if TYPE_CHECKING:
    from kgmm.stories.summaries.summary import RankedFrame, Summary

COLUMNS = 5  #: keyframes in a row of a picture


def page(summary: Summary) -> str:
    """Return one HTML page that needs no other file and no network."""
    return rendered("page.html", title=f"{summary.query} – story", board="storyboard.html", **_values(summary))


def fragment(summary: Summary) -> str:
    """Return the storyboard as HTML without a page around it, for notebooks."""
    return rendered("storyboard.html", **_values(summary))


def _values(summary: Summary) -> dict[str, Any]:
    frames = summary.in_time_order()
    about = {"query": summary.query, "method": summary.method, "terms": summary.terms}
    counts = {"shots": summary.story.edges.frame_count, "broadcasts": len({f.shot.broadcast for f in frames})}
    return {**about, **counts, "cards": [_card(summary, frame) for frame in frames]}


def _card(summary: Summary, frame: RankedFrame) -> dict[str, Any]:
    shot, image = frame.shot, _keyframe(frame.shot.image)
    said = _marked(shot.text or ", ".join(shot.terms), {t.term for t in summary.terms})
    about = {"shot": shot, "place": frame.place, "score": frame.score, "said": said}
    shown = {"day": _when(summary, frame), "time": clock(shot.start)}
    return {**about, **shown, "image": "" if image is None else picture_uri(image)}


def _when(summary: Summary, frame: RankedFrame) -> str:
    own = (b for b in summary.story.broadcasts if b.id == frame.shot.broadcast)
    return next((f"{b.title or b.id} {b.date}".strip() for b in own), frame.shot.broadcast)


def _marked(text: str, terms: set[str]) -> list[tuple[str, bool]]:
    """Return a transcript's words, each with whether it is one of the summary's terms."""
    wanted = {word for term in terms for word in term.split()}
    bare = ((word, word.strip(".,;:!?\"'()“”’").lower().removesuffix("'s")) for word in text.split())
    return [(word, bool(form) and (form in wanted or lemma(form) in wanted)) for word, form in bare]


def _keyframe(path: str | None) -> Image.Image | None:
    """Return a keyframe reduced to what a storyboard shows, or None if its file is gone or damaged."""
    if path is None:
        return None
    try:
        pixels = read_image(path, max_side=2 * WIDE).pixels
    except BadInput:
        return None
    return ImageOps.fit(Image.fromarray(pixels), (WIDE, TALL))


def picture(summary: Summary) -> Image.Image:
    """Return the storyboard as a Pillow image."""
    frames = summary.in_time_order()
    columns = max(1, min(COLUMNS, len(frames)))
    rows = max(1, -(-len(frames) // columns))
    caption, gap, head, foot = 74, 14, 48, 60
    size = gap + columns * (WIDE + gap), head + rows * (TALL + caption + gap) + foot
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(24), ImageFont.load_default(14)
    draw.text((gap, 10), summary.query, fill="#1a1d21", font=large)
    for i, frame in enumerate(frames):
        x, y = gap + (i % columns) * (WIDE + gap), head + (i // columns) * (TALL + caption + gap)
        image = _keyframe(frame.shot.image)
        draw.rectangle((x, y, x + WIDE, y + TALL), fill="#e9ecef")
        if image is not None:
            sheet.paste(image, (x, y))
        when = f"{_when(summary, frame)} {clock(frame.shot.start)}".strip()
        draw.text((x, y + TALL + 4), when, fill="#1a1d21", font=small)
        said = textwrap.wrap(frame.shot.text or ", ".join(frame.shot.terms), 46)[:3]
        draw.multiline_text((x, y + TALL + 22), "\n".join(said), fill="#565d66", font=small, spacing=2)
    terms = textwrap.wrap(" · ".join(t.term for t in summary.terms), max(30, size[0] // 9))[:2]
    draw.multiline_text((gap, size[1] - foot + 6), "\n".join(terms), fill="#1a1d21", font=small)
    return sheet
