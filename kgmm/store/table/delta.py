"""The truth of a store: one Delta Lake table of statements, and the list of terms in the order of their ids."""

import json
import os
import re
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from xxhash import xxh64_hexdigest

from kgmm.errors import StoreCorrupt, StoreError
from kgmm.files import publish, sync, sync_folder
from kgmm.store.table.schema import FACTS as FACTS
from kgmm.store.table.schema import MORE as MORE
from kgmm.store.table.schema import SAID as SAID
from kgmm.store.table.schema import SCHEMA as SCHEMA
from kgmm.store.table.schema import Entry as Entry
from kgmm.store.table.schema import completed as completed
from kgmm.store.table.schema import may_stand as may_stand
from kgmm.store.table.schema import says as says
from kgmm.store.table.schema import standing as standing
from kgmm.store.table.schema import stands as stands
from kgmm.store.table.schema import together as together

FILE_ROWS = 1 << 16  #: rows of one data file at most: what a removal has to rewrite
CHECKPOINT = 100  #: commits between two checkpoints of the log
INFO = "kgmm"  #: the key of our part of a commit's information
OLDEST = "_kgmm_oldest.json"  #: beside the table: the oldest version that a vacuum left
#: how our data files are called; a stranger's are not ours to delete
_OURS = re.compile("(?:part|more)-([0-9a-f]{16})-[0-9a-f]{16}[.]parquet")
_SUM = re.compile(r'"kgmmSum": "([0-9a-f]{16})"')  #: the checksum of an entry of the log, made of its text without it
_BEYOND = re.compile("[\U00010000-\U0010ffff]")


def log_path(folder: Path, version: int) -> Path:
    """Return where the table's log keeps a version."""
    return folder / "_delta_log" / f"{version:020d}.json"


def exists(folder: Path) -> bool:
    """Tell whether there is a table, without looking at all of its log."""
    return next(_entries(folder), None) is not None


def latest(folder: Path, known: int = -1) -> int:
    """Return the newest version of the table, or -1 if there is none; *known* is a version to start from."""
    if known >= 0:
        while log_path(folder, known + 1).exists():
            known += 1
        return known
    return max(_entries(folder), default=-1)


def _entries(folder: Path) -> Iterator[int]:
    """Yield the versions that have an entry in the log, in no order."""
    log = folder / "_delta_log"
    names = (entry.name for entry in os.scandir(log)) if log.is_dir() else ()
    return (int(name[:20]) for name in names if name.endswith(".json") and name[:20].isdecimal())


def identity(folder: Path, version: int) -> str:
    """Return what tells a version from any other of its number: a checksum of its entry in the log; empty if none."""
    try:
        return xxh64_hexdigest(log_path(folder, version).read_bytes())
    except OSError:
        return ""


def actions(folder: Path, version: int) -> list[dict[str, Any]]:
    """Return what one commit did, as the log says it; StoreCorrupt if the log's entry cannot be read."""
    text = _entry(str(log_path(folder, version)))
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _entry(path: str) -> str:
    """Return an entry of the log, checked."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if (said := _SUM.search(text)) is None:
            for line in filter(str.strip, text.split("\n")):  # another program's
                json.loads(line)
        elif said[1] != _checksum(text.replace(said[1], "", 1)):
            raise ValueError("its checksum is wrong")
        return text
    except (OSError, ValueError) as error:
        raise StoreCorrupt(f"{path}: the table's log is damaged: {error}") from error


def verify_log(folder: Path, version: int) -> None:
    """Read the entries of the log up to a version; StoreCorrupt if one is damaged."""
    log = str(folder / "_delta_log")
    for entry in sorted(_entries(folder)):
        if entry <= version:
            _entry(f"{log}/{entry:020d}.json")


def _checksum(text: str) -> str:
    return xxh64_hexdigest(text.encode("utf-8", "surrogatepass"))


def info(folder: Path, version: int) -> dict[str, Any]:
    """Return our part of a commit's information: how many terms there are, what was done; empty if foreign."""
    return _ours(_commit_info(folder, version))


def _commit_info(folder: Path, version: int) -> dict[str, Any]:
    return next((action["commitInfo"] for action in actions(folder, version) if "commitInfo" in action), {})


def _ours(commit_info: dict[str, Any]) -> dict[str, Any]:
    found = commit_info.get(INFO)
    return dict(json.loads(found)) if isinstance(found, str) else {}


class Version(TypedDict):
    """A version of a store: its number, when it was made (ISO 8601), and what was done."""

    version: int
    time: str
    operation: str


def versions(folder: Path) -> list[Version]:
    """Return the versions of the table that can be opened, oldest first."""
    found: list[Version] = []
    for version in range(oldest(folder), latest(folder) + 1):
        if log_path(folder, version).exists():
            did = _commit_info(folder, version)
            time = datetime.fromtimestamp((did.get("timestamp") or 0) / 1000, UTC).isoformat(timespec="milliseconds")
            found.append({"version": version, "time": time, "operation": _ours(did).get("operation", "foreign")})
    return found


def oldest(folder: Path) -> int:
    """Return the oldest version that opens: 0 until a vacuum deletes files; StoreCorrupt if its note cannot be read."""
    path = folder / OLDEST
    try:
        return int(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, TypeError) as error:
        raise StoreCorrupt(f"{path}: damaged ({error}); write the number of the oldest version there") from error


def vacuum(folder: Path, since: float) -> tuple[int, int]:
    """Give up the versions that were replaced before a time (seconds since 1970); return how many files and bytes went.

    Only our own data files that no version from then on knows are deleted. The caller holds the writer's lock, so
    none of them is one that a commit is about to name.
    """
    newest, before = latest(folder), oldest(folder)
    first = before
    while first < newest and (_commit_info(folder, first + 1).get("timestamp") or 0) < since * 1000:
        first += 1
    kept = {file["path"] for file in files(folder, first)}
    for version in range(first + 1, newest + 1):
        kept |= {action["add"]["path"] for action in actions(folder, version) if "add" in action}
    gone = [path for path in folder.iterdir() if _OURS.fullmatch(path.name) and path.name not in kept]
    # told before it is done: interrupted, the next vacuum deletes what is left
    publish(folder / OLDEST, json.dumps(first).encode())
    sync(folder / OLDEST)
    sync_folder(folder)
    for version in sorted({first, newest}) if first > before else ():
        _checkpoint(folder, version)  # the first in the place of the entries before it, the newest to open quickly
    gone += [path for version in range(first) if (path := log_path(folder, version)).exists()]
    _drop_checkpoints(folder)
    size = 0
    for path in gone:
        size += path.stat().st_size
        path.unlink()
    return len(gone), size


@contextmanager
def _plainly_named(folder: Path) -> Iterator[str]:
    """Give a name of the table that the deltalake package takes as it is: it decodes percent signs, for one."""
    if re.fullmatch(r"[\w/.-]+", str(folder), re.ASCII):
        yield str(folder)
        return
    with tempfile.TemporaryDirectory(prefix="kgmm-") as place:
        (Path(place) / "_delta_log").symlink_to(folder / "_delta_log")
        yield place


def create(folder: Path) -> None:
    """Make an empty table, version 0."""
    from deltalake import CommitProperties, DeltaTable

    about = {INFO: json.dumps({"operation": "create", "terms": 0})}
    (folder / "_delta_log").mkdir(parents=True)
    with _plainly_named(folder) as place:
        DeltaTable.create(place, SCHEMA, commit_properties=CommitProperties(custom_metadata=about))
    sync(log_path(folder, 0))
    sync_folder(folder / "_delta_log")


def write_file(folder: Path, rows: pa.Table, drafts: list[Path], kind: str = FACTS) -> dict[str, Any]:
    """Write one data file that no version knows yet, noted in *drafts*; return what a commit needs to know of it."""
    made = pa.BufferOutputStream()
    rows = rows.drop_columns([f.name for f in SAID if f.name in rows.column_names and _empty(rows[f.name])])
    how: Entry = {"compression": "zstd", "compression_level": 1, "dictionary_pagesize_limit": 1 << 24}
    bounded = ["graph", "subject", "predicate", "weight", "source"]
    coded = _worth_a_dictionary(rows)
    pq.write_table(rows, made, use_dictionary=coded, write_statistics=bounded, store_schema=False, **how)
    data = memoryview(made.getvalue())
    # its checksum is in its name, and so in the commit
    path = folder / f"{kind}-{xxh64_hexdigest(data)}-{uuid.uuid4().hex[:16]}.parquet"
    drafts.append(path)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return {"path": path.name, "size": len(data), "stats": _stats(rows)}


def write_files(folder: Path, rows: pa.Table, drafts: list[Path], kind: str = FACTS) -> list[dict[str, Any]]:
    """Write rows as data files of at most :data:`FILE_ROWS` rows, each as :func:`write_file` does."""
    starts = range(0, rows.num_rows, FILE_ROWS)
    return [write_file(folder, rows.slice(start, FILE_ROWS), drafts, kind) for start in starts]


def _empty(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count == len(column))


def widened(folder: Path, version: int) -> dict[str, Any] | None:
    """Return what makes a table one with the columns of assertions, for a commit; None if it is one."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        with _plainly_named(folder) as place:
            opened = DeltaTable(place, version=version)
            schema, about = json.loads(opened.schema().to_json()), opened.metadata()
    except (DeltaError, OSError) as error:
        raise StoreCorrupt(f"{folder}: version {version} of the table cannot be read: {_first_line(error)}") from error
    have = {field["name"] for field in schema["fields"]}
    kinds = {pa.string(): "string", pa.float64(): "double", pa.int8(): "byte", pa.int32(): "integer"}
    more = [f for f in SAID if f.name not in have]
    if not more:
        return None
    schema["fields"] += [{"name": f.name, "type": kinds[f.type], "nullable": True, "metadata": {}} for f in more]
    return {
        "id": str(about.id),
        "name": about.name,
        "description": about.description,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps(schema),
        "partitionColumns": list(about.partition_columns),
        "createdTime": about.created_time,
        "configuration": dict(about.configuration),
    }


def drop(folder: Path, drafts: list[Path]) -> None:
    """Delete files that a writer made for a commit that did not come about, while it still holds the lock."""
    made = {path.name for path in drafts}
    if not any("add" in action and action["add"]["path"] in made for action in actions(folder, latest(folder))):
        for path in drafts:
            path.unlink(missing_ok=True)


def _worth_a_dictionary(rows: pa.Table) -> list[str]:
    """Return the columns that Parquet writes as numbers into a list of values; most objects come once a file."""
    plain = {"surface"} if pa.types.is_dictionary(rows.schema.field("object").type) else {"surface", "object"}
    return [name for name in rows.column_names if name not in plain]


def _stats(rows: pa.Table) -> str:
    low, high = {}, {}
    for column in ("graph", "subject", "predicate", "object"):
        ends = _ends(rows[column])
        # the Delta protocol lets long values be cut: a lower bound by its start, an upper one padded to be above
        low[column], padded = ends["min"][:32], ends["max"][:32] + "\U0010ffff"
        high[column] = ends["max"] if len(ends["max"]) <= 32 or ends["max"] > padded else padded
    about = {"numRecords": rows.num_rows, "minValues": low, "maxValues": high, "nullCount": {}}
    return json.dumps(about, ensure_ascii=False)  # deltalake misreads escaped characters above U+1FFFF


def _ends(column: pa.ChunkedArray) -> dict[str, str]:
    """Return the least and the greatest string of a column."""
    if pa.types.is_dictionary(column.type):
        column = pa.chunked_array([chunk.dictionary for chunk in column.chunks])
    return dict(pc.min_max(column).as_py()) if len(column) else {"min": "", "max": ""}


def commit(
    folder: Path,
    version: int,
    files: Iterable[Entry],
    removed: Iterable[str],
    about: Entry,
    data_change: bool = True,
    widened: Entry | None = None,
) -> int:
    """Add and remove data files in one step; return the new version; StoreError if another program wrote meanwhile."""
    now = int(time.time() * 1000)
    operation, ours = str(about.get("operation", "WRITE")).upper(), {"engineInfo": "kgmm", INFO: json.dumps(about)}
    gone = {"dataChange": data_change, "deletionTimestamp": now, "extendedFileMetadata": False}
    new_file = {"partitionValues": {}, "modificationTime": now, "dataChange": data_change}
    lines: list[dict[str, Any]] = [
        {"commitInfo": {"kgmmSum": "", "timestamp": now, "operation": operation, "operationParameters": {}, **ours}},
        *([{"metaData": widened}] if widened else ()),
        *({"remove": {"path": name, **gone}} for name in removed),
        *({"add": {**file, **new_file}} for file in files),
    ]
    new = version + 1
    path = log_path(folder, new)
    draft = path.with_name(f".{uuid.uuid4().hex}.tmp")
    sync_folder(folder)
    try:
        with draft.open("w", encoding="utf-8") as log:
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            log.write(text.replace('"kgmmSum": ""', f'"kgmmSum": "{_checksum(text)}"', 1))
            log.flush()
            os.fsync(log.fileno())
        os.link(draft, path)  # the protocol's "put if absent"
    except FileExistsError:
        raise StoreError(f"{folder}: another program wrote version {new} meanwhile; try again") from None
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
    if new % CHECKPOINT == 0:
        with suppress(StoreCorrupt):  # the commit holds without; what is damaged is named where it is read
            _checkpoint(folder, new)
            _drop_checkpoints(folder)
    return new


def _checkpoint(folder: Path, version: int) -> None:
    """Sum the log up to a version up, so that opening the table stays quick."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        with _plainly_named(folder) as place:
            DeltaTable(place, version=version).create_checkpoint()
    except (DeltaError, OSError) as error:
        raise StoreCorrupt(f"{folder}: the table's log cannot be summed up: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """Return what deltalake says, without the frames of its own code."""
    return str(error).partition("\n")[0]


def _drop_checkpoints(folder: Path) -> None:
    """Delete the log's checkpoints but the newest and the one the oldest version needs; they sum up what entries say."""
    first = oldest(folder)
    if not log_path(folder, first).exists():
        return  # another program has cleared the log
    found = sorted((folder / "_delta_log").glob("[0-9]*.checkpoint.parquet"))
    needed = [path for path in found if int(path.name[:20]) <= first][-1:] + found[-1:]
    for path in found:
        if path not in needed:
            path.unlink()


def files(folder: Path, version: int) -> list[dict[str, Any]]:
    """Return a version's data files with their statistics, oldest first; StoreError if there is no such version."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        with _plainly_named(folder) as place:
            adds = pa.table(DeltaTable(place, version=version).get_add_actions()).to_pylist()
    except (DeltaError, OSError) as error:
        raise StoreCorrupt(f"{folder}: version {version} of the table cannot be read: {_first_line(error)}") from error
    return sorted(adds, key=lambda add: (add["modification_time"], add["path"]))


def read(folder: Path, name: str, columns: list[str] | None = None) -> pa.Table:
    """Return the rows of a data file; StoreCorrupt if it is missing or damaged."""
    try:
        data = (folder / name).read_bytes()
        if (named := re.match("(?:part|more)-([0-9a-f]{16})-", name)) and named[1] != xxh64_hexdigest(data):
            raise OSError("its checksum is wrong")
        return pq.ParquetFile(pa.BufferReader(data)).read(columns)  # a third of the time of read_table
    except (OSError, pa.ArrowException) as error:
        wrong = f"{folder / name}: a table file is missing or damaged ({error})"
        way_out = "restore it from a backup, or open an earlier version with version=…"
        raise StoreCorrupt(f"{wrong}; {way_out}") from error


def may_overlap(file: Entry, column: str, least: str, most: str) -> bool:
    """Tell from a data file's statistics whether a column may have a value from *least* to *most*."""
    low, high = (file.get("min") or {}).get(column), (file.get("max") or {}).get(column)
    if low is None or high is None:
        return True
    return most >= low and (least <= high or least.startswith(_BEYOND.split(high, 1)[0]))


def may_hold(file: Entry, wanted: Mapping[str, str]) -> bool:
    """Tell from a data file's statistics whether it may hold a row with these values."""
    low, high = file.get("min") or {}, file.get("max") or {}
    for column, value in wanted.items():
        least, most = low.get(column), high.get(column)
        if least is None or most is None:
            continue
        # earlier versions padded bounds with a character that comes in terms too, and deltalake misreads it escaped
        if value < least or (value > most and not value.startswith(_BEYOND.split(most, 1)[0])):
            return False
    return True
