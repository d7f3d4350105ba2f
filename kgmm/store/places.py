"""Where a store keeps what: the table, the list of terms, the index, what is derived from them, documents."""

from pathlib import Path

OURS = {".lock", "table", "terms", "index", "cache", "documents", "alignments"}  #: what a store's folder may hold


class Places:
    """The folders inside a store's folder.

    The Delta Lake table, the list of terms in the order of their ids, the index, and the cache of what is derived
    from the store and keyed by term ids, the passages of documents that were read, and maps between encoders.

    >>> Places(Path("kb")).index.as_posix()
    'kb/index'
    """

    def __init__(self, path: Path) -> None:
        self.table: Path = path / "table"
        self.terms: Path = path / "terms"
        self.index: Path = path / "index"
        self.cache: Path = path / "cache"
        self.documents: Path = path / "documents"
        self.alignments: Path = path / "alignments"
