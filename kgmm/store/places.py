"""Where a store keeps what: the table, the list of terms, the index, what is derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: what a store's folder may hold
OURS = {".lock", "table", "terms", "index", "cache"}


@dataclass(frozen=True)
class Places:
    """The folders inside a store's folder.

    Example:
        >>> Places(Path("kb")).index.as_posix()
        'kb/index'
    """

    path: Path

    @property
    def table(self) -> Path:
        """The folder of the Delta Lake table."""
        return self.path / "table"

    @property
    def terms(self) -> Path:
        """The folder of the list of terms, in the order of their ids."""
        return self.path / "terms"

    @property
    def index(self) -> Path:
        """The folder of the index."""
        return self.path / "index"

    @property
    def cache(self) -> Path:
        """The folder of what is derived from the store and keyed by term ids."""
        return self.path / "cache"
