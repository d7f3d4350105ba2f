"""Pages of stories and films: one HTML file each, that needs no other file and no network."""

from pathlib import Path
from typing import Any

from kgmm.templates import templates

WIDE, TALL = 320, 180  #: pixels of a keyframe on a page and in a picture


def rendered(template: str, **values: Any) -> str:
    """Return a template of ``kgmm/stories/templates`` filled in; all values are escaped."""
    return templates(Path(__file__).with_name("templates")).get_template(template).render(values)
