"""Storyboards: the keyframes of a summary in time order with their terms, as a page or a picture."""

from __future__ import annotations

import base64
import io
import textwrap
from html import escape
from typing import TYPE_CHECKING

from kgmm.errors import BadInput
from kgmm.scene.images import read_image
from kgmm.stories.video.clock import clock

if TYPE_CHECKING:
    from PIL.Image import Image

    from kgmm.stories.summaries.summary import RankedFrame, Summary

#: pixels a keyframe is wide on a page and in a picture
WIDE, TALL = 320, 180
_STYLE = """
.kgmm-story{font:15px/1.45 system-ui,sans-serif;color:#1a1d21;background:#fff;max-width:1120px;margin:auto;padding:1em}
.kgmm-story h1{font-size:1.5em;margin:0 0 .2em}.kgmm-story .about{color:#565d66;margin:0 0 1em}
.kgmm-story ol.frames{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:1em;list-style:none;padding:0}
.kgmm-story figure{margin:0;border:1px solid #d5d9de;border-radius:6px;overflow:hidden;height:100%}
.kgmm-story figure img,.kgmm-story .blank{width:100%;aspect-ratio:16/9;object-fit:cover;display:block;background:#e9ecef}
.kgmm-story figcaption{padding:.6em .8em}.kgmm-story time{font-weight:600}
.kgmm-story .said{color:#333a42;margin:.4em 0}.kgmm-story mark{background:#ffe9a8;color:inherit}
.kgmm-story ul.terms{list-style:none;padding:0;display:grid;gap:.35em}
.kgmm-story ul.terms b{display:inline-block;min-width:11em}.kgmm-story .fact{color:#565d66}
.kgmm-story .bar{display:inline-block;height:.7em;background:#3b6ea8;margin-right:.6em;border-radius:2px}
"""


def page(summary: Summary) -> str:
    """Return one HTML page that needs no other file and no network."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(summary.query)} – story</title></head><body>{fragment(summary)}</body></html>\n"
    )


def fragment(summary: Summary) -> str:
    """Return the storyboard as HTML without a page around it, for notebooks."""
    frames = summary.in_time_order()
    count = len({f.shot.broadcast for f in frames})
    about = (
        f"{len(frames)} of {summary.story.edges.frame_count:,} shots from {count} broadcast"
        f"{'' if count == 1 else 's'}, by {escape(summary.method)}"
    )
    cards = "".join(_card(summary, frame) for frame in frames)
    highest = max((t.score for t in summary.terms), default=1.0)
    rows = "".join(
        f'<li><span class="bar" style="width:{60 * t.score / highest:.0f}px"></span>'
        f"<b{_title(t.concept)}>{escape(t.term)}</b> "
        f'<span class="fact">{escape("; ".join(t.facts))}</span></li>'
        for t in summary.terms
    )
    return (
        f'<style>{_STYLE}</style><main class="kgmm-story"><h1>{escape(summary.query)}</h1>'
        f'<p class="about">{about}</p><ol class="frames">{cards}</ol>'
        f'<h2>Terms</h2><ul class="terms">{rows}</ul></main>'
    )


def _title(concept: str | None) -> str:
    return "" if concept is None else f' title="{escape(concept, quote=True)}"'


def _card(summary: Summary, frame: RankedFrame) -> str:
    shot = frame.shot
    place = f"{escape(_when(summary, frame))} <time>{clock(shot.start)}</time>"
    image = _data_uri(shot.image)
    shown = f'<img alt="keyframe of shot {escape(shot.id, quote=True)}" src="{image}">' if image else ""
    said = _marked(shot.text or ", ".join(shot.terms), {t.term for t in summary.terms})
    return (
        f"<li><figure>{shown or '<div class=blank></div>'}<figcaption>{place}"
        f'<p class="said">{said}</p><small>place {frame.place}, score {frame.score:.4f}</small>'
        f"</figcaption></figure></li>"
    )


def _when(summary: Summary, frame: RankedFrame) -> str:
    for b in summary.story.broadcasts:
        if b.id == frame.shot.broadcast:
            return " ".join(part for part in (b.title or b.id, b.date) if part)
    return frame.shot.broadcast


def _marked(text: str, terms: set[str]) -> str:
    """Return a transcript with the words of the summary's terms marked."""
    from kgmm.language.words import lemma

    wanted = {word for term in terms for word in term.split()}
    words = []
    for word in text.split():
        bare = word.strip(".,;:!?\"'()“”’").lower().removesuffix("'s")
        hit = bool(bare) and (bare in wanted or lemma(bare) in wanted)
        words.append(f"<mark>{escape(word)}</mark>" if hit else escape(word))
    return " ".join(words)


def _keyframe(path: str | None) -> Image | None:
    """Return a keyframe reduced to what a storyboard shows, or None if its file is gone or damaged."""
    from PIL import Image, ImageOps

    if path is None:
        return None
    try:
        pixels = read_image(path, max_side=2 * WIDE).pixels
    except BadInput:
        return None
    return ImageOps.fit(Image.fromarray(pixels), (WIDE, TALL))


def _data_uri(path: str | None) -> str:
    image = _keyframe(path)
    if image is None:
        return ""
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def picture(summary: Summary, columns: int = 5) -> Image:
    """Return the storyboard as a Pillow image."""
    from PIL import Image, ImageDraw, ImageFont

    frames = summary.in_time_order()
    columns = max(1, min(columns, len(frames)))
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
