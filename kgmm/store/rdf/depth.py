"""How deep RDF and SPARQL results lie in each other: 10,000 levels end Oxigraph's parsers, and so the process."""

import re

import numpy as np

#: deepest that triple terms, elements and JSON values may lie in each other
DEPTH_LIMIT = 1000
_IRI_OR_COMMENT = re.compile(rb"<[^<>\"\s]*>|#[^\n]*|\\.")
_END = re.compile(rb"[\"']|>>")
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_TRIPLE = re.compile(rb"<(?:[\w.-]+:)?triple\b")
_BLOCK = 1 << 20


class Nesting:
    """How many triple terms are open at a place in Turtle and its kin, read block by block."""

    def __init__(self) -> None:
        self._open = 0

    def too_deep(self, block: bytes) -> bool:
        """Read on; tell whether more than :data:`DEPTH_LIMIT` begin before one ends or a string begins."""
        if not self._open and b"<<" not in block:
            return False
        first, *others = [part.count(b"<<") for part in _END.split(_IRI_OR_COMMENT.sub(b"", block))]
        deepest = max(self._open + first, *others, 0)
        self._open = others[-1] if others else self._open + first
        return deepest > DEPTH_LIMIT


def results_too_deep(data: bytes, xml: bool) -> bool:
    """Tell whether values of a SPARQL result lie too deep in each other."""
    if xml:
        return sum(1 for _ in _TRIPLE.finditer(data)) > DEPTH_LIMIT
    depth, quoted = 0, 0
    data = _ESCAPED.sub(b"", data)
    for start in range(0, len(data), _BLOCK):
        block = np.frombuffer(data, np.uint8, min(_BLOCK, len(data) - start), start)
        inside = (np.cumsum(block == ord('"')) + quoted) & 1
        quoted = int(inside[-1])
        opening, closing = ((block == ord(a)) | (block == ord(b)) for a, b in ("{[", "}]"))
        depths = depth + np.cumsum(np.where(inside, 0, opening.astype(np.int64) - closing))
        if depths.max() > DEPTH_LIMIT:
            return True
        depth = int(depths[-1])
    return False
