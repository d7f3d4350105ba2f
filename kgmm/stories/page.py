"""Pages of stories and films: one HTML file each, that needs no other file and no network."""

from __future__ import annotations

import base64
import io
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from PIL.Image import Image

#: pixels of a keyframe on a page and in a picture
WIDE, TALL = 320, 180


def rendered(template: str, **values: Any) -> str:
    """Return a template of ``kgmm/stories/templates`` filled in; all values are escaped."""
    return _templates().get_template(template).render(values)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("kgmm.stories"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def jpeg_uri(image: Image) -> str:
    """Return a picture as a ``data:`` address, for pages without other files."""
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
