"""Telling Turtle, TriG and what is neither apart by the start of a file."""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

#: What hides braces and dots from a look at the structure: comments, strings, IRIs.
_OPAQUE = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"""|\Z)|"(?:[^"\\\n]|\\.)*+"?|<[^<>\s]*>|#[^\n]*|\'(?:[^\'\\\n]|\\.)*+\'?', re.DOTALL
)
#: Runs of space, which the patterns below would look at again from each of its places.
_RUN = re.compile(r"([^\S\n])[^\S\n]+|\n\s+")
_PREFIX = re.compile(r"^\s*(?:@prefix|@base|prefix|base|@version|version)\b\s*[\w-]*:?\s*I", re.I | re.M)
_STATEMENT = re.compile(r"^\s*(?:I|[\w.-]*+:\w[\w.-]*+|_:\w++|\[)\s*(?:I|a\b|[\w-]*+:\w++)\s+\S", re.M)
_GRAPH = re.compile(r"(?:^|[.}\s])(?:GRAPH\s+)?(?:I|[\w-]*+:[\w.-]*+|_:\w++)?\s*\{(?!\|)", re.I)


class Family(NamedTuple):
    """Confidence that a file is Turtle, and that it is TriG."""

    turtle: float
    trig: float


@lru_cache(maxsize=4)
def turtle_family(path: Path, head: bytes) -> Family:
    """Return how surely a file is Turtle or TriG."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    if text.lstrip()[:2] in ("<?", "<!") or "\t" in text.split("\n", 1)[0].strip():
        return Family(0.0, 0.0)
    bare = _OPAQUE.sub(lambda m: "I" if m[0][0] == "<" else "" if m[0][0] == "#" else '"', text)
    bare = _RUN.sub(lambda m: m[1] or "\n", bare)
    sure = 0.9 if _PREFIX.search(bare) else 0.6 if _STATEMENT.search(bare) else 0.0
    if not sure and bare.lstrip().startswith(("{", "GRAPH")) and ":" in bare and '" :' not in bare and '":' not in bare:
        sure = 0.4
    if _GRAPH.search(bare):
        return Family(0.0, sure)
    wants_trig = path.name.lower().removesuffix(".gz").endswith(".trig")
    return Family(0.5 * sure, sure) if wants_trig else Family(sure, 0.9 * sure)
