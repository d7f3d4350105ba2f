"""Texts of many terms at once, as columns: what filters by text and orders by name read without making terms one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.language.names import CONCEPTNET
from kgmm.store.sparql.engine.algebra import LANG_STRING, STRING, Blank, Lit, Var
from kgmm.store.sparql.engine.vocabulary import Ids

if TYPE_CHECKING:
    from kgmm.store.sparql.engine.context import Context

#: concepts whose IRI is their name after ConceptNet's own: no character of these is escaped in an IRI
_CONCEPT = r"^/c/[A-Za-z0-9_/.,'()\-\p{L}\p{N}]*$"
#: literals without escapes
_PLAIN = r'^"(?P<text>[^"\\\n\r]*)"(?:@[a-z]{2,3}(?:-[a-z]{2})?)?$'
_TYPED = r'^"(?P<text>[^"\\\n\r]*)"\^\^<http://www\.w3\.org/2001/XMLSchema#[A-Za-z]+>$'
PART = 1 << 16  #: terms whose texts are made at once


def strings(context: Context, ids: Ids, of: str = "STR") -> Any:
    """Return terms' texts as a column of strings.

    Args:
        context: the query.
        ids: numbers of terms, or negative ones for none.
        of: ``STR`` for the texts of IRIs and literals, ``string`` for those of literals that are strings; others are null.
    """
    import pyarrow.compute as pc

    words = context.words
    host, none = (pa.scalar(text, pa.large_string()) for text in (CONCEPTNET, ""))
    parts = [_texts([])]
    for low in range(0, len(ids), PART):
        context.check()
        some = ids[low : low + PART]
        stored = (some >= 0) & (some < words.size)
        try:
            raw = words.column().take(_numbers(np.where(stored, some, 0))).cast(pa.large_string())
        except pa.ArrowInvalid:  # half characters
            parts.append(_texts([_one(context, int(i), of) for i in some]))
            continue
        found = pc.struct_field(pc.extract_regex(raw, _PLAIN), "text")
        if of == "STR":
            concept = pc.if_else(pc.match_substring_regex(raw, _CONCEPT), raw, None)
            found = pc.coalesce(pc.binary_join_element_wise(host, concept, none), found)
            found = pc.coalesce(found, pc.struct_field(pc.extract_regex(raw, _TYPED), "text"))
        other = (_array(found.is_null().cast(pa.int8())) > 0) | ~stored
        if other.any():
            rest = [_one(context, int(i), of) for i in some[other]]
            found = pc.replace_with_mask(found, _flags(other), _texts(rest))
        parts.append(found)
    return pa.concat_arrays(parts)


# pyarrow's own ways from Python's and numpy's values to columns and back import pandas first, which takes a second


def _numbers(values: NDArray[np.int64]) -> Any:
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def _flags(values: NDArray[np.bool_]) -> Any:
    bits = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])


def _texts(values: list[str | None]) -> Any:
    data = [b"" if v is None else v.encode("utf-8", "surrogatepass") for v in values]
    offsets = np.zeros(len(data) + 1, np.int64)
    np.cumsum([len(d) for d in data], out=offsets[1:])
    there = np.packbits(np.array([v is not None for v in values], bool), bitorder="little")
    buffers = [pa.py_buffer(there), pa.py_buffer(offsets), pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(pa.large_string(), len(data), buffers)


def _array(column: Any) -> NDArray[np.int8]:
    return np.frombuffer(column.buffers()[1], np.int8, len(column), column.offset)


def _one(context: Context, number: int, of: str) -> str | None:
    context.check()
    if number < 0:
        return None
    term: Any = context.words.term(number)
    if isinstance(term, Blank):
        return None
    if of == "STR":
        return str(term.text)
    return term.text if type(term) is Lit and term.datatype in (STRING, LANG_STRING) else None


def found(context: Context, expr: Any, ids: Ids) -> Any:
    """Return whether texts hold, begin with, end with or match a constant: a truth a term, -1 for none, or None.

    None says that *expr* asks something else of its one variable, whose distinct terms *ids* are.
    """
    name, of, *rest = expr
    if name not in ("CONTAINS", "STRSTARTS", "STRENDS", "REGEX") or not rest or len(rest) > 1 + (name == "REGEX"):
        return None
    if not all(type(part) is Lit and part.datatype == STRING for part in rest):
        return None
    cases = []
    while type(of) is tuple and of[0] in ("LCASE", "UCASE") and len(of) == 2:
        cases.append(of[0])
        of = of[1]
    if type(of) is Var:
        texts = strings(context, ids, "string")
    elif type(of) is tuple and of[0] == "STR" and len(of) == 2 and type(of[1]) is Var:
        texts = strings(context, ids)
    else:
        return None
    for case in reversed(cases):
        changed = [None if t is None else t.lower() if case == "LCASE" else t.upper() for t in texts.to_pylist()]
        texts = _texts(changed)
    try:
        answers = [_asked(name, texts.slice(low, PART), [part.text for part in rest]) for low in _parts(context, ids)]
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return np.full(len(ids), -1, np.int8)
    return np.concatenate([_array(a.cast(pa.int8()).fill_null(-1)) for a in answers])


def _parts(context: Context, ids: Ids) -> Any:
    for low in range(0, len(ids), PART):
        context.check()
        yield low


def _asked(name: str, texts: Any, said: list[str]) -> Any:
    import pyarrow.compute as pc

    from kgmm.store.sparql.engine.functions import expression

    if name == "REGEX":
        return pc.match_substring_regex(texts, expression(said[0], said[1] if len(said) > 1 else ""))
    ways = {"CONTAINS": pc.match_substring, "STRSTARTS": pc.starts_with, "STRENDS": pc.ends_with}
    return ways[name](texts, said[0])
