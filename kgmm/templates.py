"""HTML from templates: what is put into one is escaped, a name it lacks is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kgmm.language import names

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def templates(folder: Path) -> Environment:
    """Return the Jinja templates of a folder; ``number`` rounds, the filter ``label`` names a concept.

    >>> templates(Path()).from_string("{{ c|label }} {{ number(-0.001) }}").render(c="/c/en/<b>")
    '&lt;b&gt; 0.00'
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader(folder))
    made.globals["number"], made.filters["label"] = _number, names.label
    return made


def _number(value: float, digits: int = 2) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}"  # no minus before a zero
