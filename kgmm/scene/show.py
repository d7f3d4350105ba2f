"""How a scene is shown: its picture as a data URI, boxes in percent of it, and the whole in a notebook."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import KgmmError
from kgmm.templates import templates

if TYPE_CHECKING:
    from PIL.Image import Image

    from kgmm.scene import SceneGraph

MAX_SIDE = 1000  #: longest side of the embedded picture, pixels
LOSSLESS = 1 << 16  #: a picture of at most this many pixels is kept as PNG: small ones are drawings, which JPEG blurs


def data_uri(scene: SceneGraph | None) -> str:
    """Return the scene's picture, at most 1000 pixels a side, '' if there is none to be read."""
    if scene is None or not scene.image or not scene.width or not Path(scene.image).is_file():
        return ""
    from PIL import Image

    from kgmm.scene.images import read_image

    try:
        picture = Image.fromarray(read_image(scene.image, max_side=MAX_SIDE).pixels)
    except KgmmError:  # a scene can outlive its picture; it is shown without
        return ""
    return picture_uri(picture, "PNG" if picture.width * picture.height <= LOSSLESS else "JPEG")


def picture_uri(picture: Image, kind: str = "JPEG") -> str:
    """Return a picture as a ``data:`` address, for pages that need no other file."""
    data = io.BytesIO()
    picture.save(data, kind, quality=85)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(data.getvalue()).decode()


def boxes(scene: SceneGraph | None) -> list[dict[str, Any]]:
    """Return each object with a box: its place in the scene, name, score and style (percent of it), largest first."""
    if scene is None or not scene.width or not scene.height:
        return []
    drawn = [(o.box, str(i), o) for i, o in enumerate(scene.objects) if o.box is not None]
    drawn.sort(key=lambda entry: -entry[0][2] * entry[0][3])  # a smaller box lies on top
    size = scene.width, scene.height
    return [{"id": at, "name": o.name, "score": o.score, "style": percent(box, *size)} for box, at, o in drawn]


def percent(box: tuple[float, ...] | list[float], width: float, height: float) -> str:
    """Return a box (x, y, w, h in pixels) as CSS that places it, cut at the picture's edges.

    >>> percent((10, 0, 20, 50), 100, 100)
    'left:10.00%;top:0.00%;width:20.00%;height:50.00%'
    """
    left, top = max(0.0, box[0] / width), max(0.0, box[1] / height)
    right, bottom = min(1.0, (box[0] + box[2]) / width), min(1.0, (box[1] + box[3]) / height)
    sides = {"left": left, "top": top, "width": max(0.0, right - left), "height": max(0.0, bottom - top)}
    return ";".join(f"{side}:{100 * share:.2f}%" for side, share in sides.items())


def scene_html(scene: SceneGraph) -> str:
    """Return a scene for a notebook: the picture with its boxes, the objects and their relations."""
    shown = {"scene": scene, "picture": data_uri(scene), "boxes": boxes(scene)}
    return templates(Path(__file__).with_name("templates")).get_template("scene.html").render(**shown)
