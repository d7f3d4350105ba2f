"""Large JSON files as streams of items, and an outline of a JSON file from its first bytes."""

import codecs
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from kgmm.errors import BadInput
from kgmm.progress import Progress, silent
from kgmm.store.formats._stream import BLOCK, open_stream

ITEM_LIMIT = 64 << 20  #: Longest single item (one scene, one annotation), in characters.
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\]:]', re.DOTALL)


class Item(NamedTuple):
    """One item: its top-level key (None in a top-level array), its value, the line it starts on."""

    key: str | None
    value: Any
    line: int


class Outline(NamedTuple):
    """Whether a JSON file opens with an array or an object, and the keys seen at each object depth."""

    opening: str
    keys: tuple[frozenset[str], ...]

    def at(self, depth: int) -> frozenset[str]:
        """Return the keys of objects *depth* deep, 1 being the outermost."""
        return self.keys[depth - 1] if depth <= len(self.keys) else frozenset()


@lru_cache(maxsize=4)
def outline(head: bytes) -> Outline | None:
    """Return the outline of a JSON file from its (cut) head, or None if it is not JSON."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip()
    if text[:1] not in ("{", "["):
        return None
    depth, keys, last = 0, [set[str]()], ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == "{":
            depth += 1
            if depth > len(keys):
                keys.append(set())
        elif token == "}":
            depth -= 1
        elif token == ":" and last.startswith('"') and depth > 0:
            keys[depth - 1].add(last[1:-1])
        last = token
    return Outline(text[0], tuple(frozenset(k) for k in keys))


class _Window:
    """The part of a JSON text being read: grows at its end, forgets at its start, counts lines."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self.path, self.text, self.at = path, "", 0
        self._line, self._counted = 1, 0
        self._stream = open_stream(path, progress)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder().raw_decode
        self._more = True

    def grow(self, size: int = BLOCK) -> bool:
        """Read on; return whether there was more."""
        if not self._more:
            return False
        data = self._stream.read(size)
        self._more = bool(data)
        try:
            new = self._decoder.decode(data or b"", final=not data)
        except UnicodeDecodeError as error:
            raise BadInput(self.path, f"not UTF-8: {error.reason}", self.here) from error
        self._line, self._counted = self.here, 0
        self.text, self.at = self.text[self.at :] + new, 0
        return bool(data)

    def peek(self) -> str:
        """Return the next character that is not space, or an empty string at the end."""
        while True:
            self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.grow():
                return ""

    def expect(self, allowed: str) -> str:
        """Take the next character, which must be one of *allowed*."""
        found = self.peek()
        if not found or found not in allowed:
            what = f"found {found!r}" if found else "the file ends here (cut?)"
            raise BadInput(self.path, f"not JSON: expected one of {' '.join(allowed)}, {what}", self.here)
        self.at += 1
        return found

    def value(self) -> Any:
        """Take one whole value, reading on until it is complete."""
        self.peek()
        size = BLOCK
        while True:
            try:
                value, end = self._scan(self.text, self.at)
            except json.JSONDecodeError as error:
                if len(self.text) - self.at > ITEM_LIMIT:
                    raise self._broken(error) from error
                if not self.grow(size):
                    raise self._broken(error) from error
                size *= 2
                continue
            except (RecursionError, ValueError) as error:
                why = "nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"
                raise BadInput(self.path, f"not usable JSON: {why}", self.here) from error
            if end == len(self.text) and not isinstance(value, (dict, list, str)) and self.grow():
                continue  # a number may go on in the next block
            self.at = end
            return value

    @property
    def here(self) -> int:
        """Line of the next character."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def _broken(self, error: json.JSONDecodeError) -> BadInput:
        if len(self.text) - self.at > ITEM_LIMIT:
            return BadInput(self.path, f"one item is longer than {ITEM_LIMIT} characters", self.here)
        line = self.here + self.text.count("\n", self.at, error.pos)
        return BadInput(self.path, f"not JSON, or cut: {error.msg}", line)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def items(path: Path, progress: Progress = silent) -> Iterator[Item]:
    """Stream a JSON file: the items of a top-level array, or the members of a top-level object.

    A member that is an array is streamed item by item under its key.

    Raises:
        BadInput: if the file is not JSON, is cut, or one item exceeds 64 million characters.
    """
    window = _Window(path, progress)
    try:
        if window.expect("[{") == "[":
            yield from _array(window, None)
        else:
            yield from _object(window)
        if window.peek():
            raise BadInput(path, "not JSON: text after the end", window.here)
    finally:
        window.close()


def _array(window: _Window, key: str | None) -> Iterator[Item]:
    if window.peek() == "]":
        window.expect("]")
        return
    while True:
        window.peek()
        line = window.here
        yield Item(key, window.value(), line)
        if window.expect(",]") == "]":
            return


def _object(window: _Window) -> Iterator[Item]:
    if window.peek() == "}":
        window.expect("}")
        return
    while True:
        if window.peek() != '"':
            window.expect('"')
        line = window.here
        key = str(window.value())
        window.expect(":")
        if window.peek() == "[":
            window.expect("[")
            yield from _array(window, key)
        else:
            yield Item(key, window.value(), line)
        if window.expect(",}") == "}":
            return
