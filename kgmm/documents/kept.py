"""Passages on disk: Parquet files named by a list that is replaced whole, so that a change is there whole or not at all.

What a removed document said is in none of the files that the list names, and others are deleted; the store's earlier
versions are about facts and do not keep it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from xxhash import xxh3_64_hexdigest

from kgmm.documents.parting import parts
from kgmm.documents.passage import Document
from kgmm.errors import StoreCorrupt
from kgmm.files import sync_folder, whole

LIST = "current.json"
FILE_ROWS = 4096  #: passages of a file, about: what a removal has to write again
SCHEMA = pa.schema(
    [
        ("document", pa.string()),
        ("digest", pa.string()),
        ("part", pa.int32()),
        ("start", pa.int64()),
        ("page", pa.int32()),
    ]
    + [(name, pa.string()) for name in ("text", "title", "source", "date")]
)


class Kept:
    """The passages of one moment: which files hold them, and their rows."""

    def __init__(self, folder: Path) -> None:
        self.folder: Path = folder
        self.files: list[dict[str, Any]] = _listed(folder)

    @property
    def key(self) -> str:
        """What tells this state from any other: a checksum of the files' names, which are checksums of their content."""
        return xxh3_64_hexdigest(" ".join(sorted(file["name"] for file in self.files)).encode())

    def __len__(self) -> int:
        return sum(file["rows"] for file in self.files)

    def table(self, columns: list[str] | None = None) -> pa.Table:
        """Return the passages in the order of documents' ids and their parts, whatever was read first."""
        read = [
            self._file(file["name"], sorted({"document", "part", *columns}) if columns else None) for file in self.files
        ]
        table = pa.concat_tables(read) if read else SCHEMA.empty_table()
        table = table.take(pc.sort_indices(table, [("document", "ascending"), ("part", "ascending")]))
        return (table.select(columns) if columns else table).combine_chunks()

    def _file(self, name: str, columns: list[str] | None) -> pa.Table:
        try:
            data = (self.folder / name).read_bytes()
            if name != _named(data):
                raise OSError("its checksum is wrong")
            return pq.read_table(pa.BufferReader(data), columns=columns)
        except (OSError, pa.ArrowException) as error:
            raise StoreCorrupt(f"{self.folder / name}: passages are damaged or gone: {error}") from error

    def digests(self) -> dict[str, str]:
        """Return the documents' ids and what tells their content."""
        found: dict[str, str] = {}
        for file in self.files:
            table = self._file(file["name"], ["document", "digest"])
            found.update(zip(*(table[name].to_pylist() for name in ("document", "digest")), strict=True))
        return found

    def changed(self, gone: Iterable[str], new: Iterable[Document]) -> Kept:
        """Write what there is without some documents and with others; the list that names it comes last."""
        removed = pa.array(sorted(gone), pa.string())
        kept: list[dict[str, Any]] = []
        loose: list[pa.Table] = []
        for file in self.files:
            rows = self._file(file["name"], None) if len(removed) or file["rows"] < FILE_ROWS else None
            if rows is None:
                kept.append(file)
                continue
            left = rows.filter(pc.invert(pc.is_in(rows["document"], removed)))
            if len(left) == file["rows"] >= FILE_ROWS:
                kept.append(file)
            elif len(left):
                loose.append(left)
        loose.append(rows_of(new))
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = pa.concat_tables(loose)
        for start in range(0, len(rows), FILE_ROWS):
            kept.append(self._write(rows.slice(start, FILE_ROWS)))
        self._publish(kept)
        return Kept(self.folder)

    def _write(self, rows: pa.Table) -> dict[str, Any]:
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd")
        data = sink.getvalue().to_pybytes()
        name = _named(data)
        with whole(self.folder / name, durable=True) as draft:
            draft.write_bytes(data)
        return {"name": name, "rows": len(rows)}

    def _publish(self, files: list[dict[str, Any]]) -> None:
        sync_folder(self.folder)
        with whole(self.folder / LIST, durable=True) as draft:
            draft.write_text(json.dumps({"format": 1, "files": files}))
        sync_folder(self.folder)
        named = {file["name"] for file in files}
        for path in self.folder.glob("passages-*.parquet"):
            if path.name not in named:
                with suppress(OSError):
                    path.unlink()


def _named(data: bytes) -> str:
    return f"passages-{xxh3_64_hexdigest(data)}.parquet"


def _listed(folder: Path) -> list[dict[str, Any]]:
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
        if listed["format"] != 1:
            raise StoreCorrupt(f"{folder / LIST}: made by a newer kgmm; update it to read these documents")
        return [{"name": str(file["name"]), "rows": int(file["rows"])} for file in listed["files"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreCorrupt(f"{folder / LIST}: the list of passages is damaged: {error}") from error


def rows_of(documents: Iterable[Document]) -> pa.Table:
    """Return documents' passages as they are kept, those of each in order."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for document in documents:
        digest = document.digest
        for part, (start, end) in enumerate(parts(document)):
            row = (
                document.id,
                digest,
                part,
                start,
                bisect_right(document.pages, start) + 1 if document.pages else 0,
                document.text[start:end],
                document.title,
                document.source,
                document.date,
            )
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    return pa.table(columns, schema=SCHEMA)
