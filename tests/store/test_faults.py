"""Full disk, read-only folder, damaged files, two writers, a reader held open: a clear error or a repair."""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kgmm.errors import BadInput, KgmmError, StoreBusy, StoreCorrupt, StoreError
from kgmm.store import Fact, LocalStore
from kgmm.store.index import stamps
from kgmm.store.table import delta as table
from kgmm.store.table import vocabulary

FACTS = [Fact(f"thing {i}", "IsA", f"kind {i % 7}", 1 + i % 3, source="me") for i in range(300)]


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "kb", timeout=0.2)
    store.add(FACTS)
    return store


def test_second_writer_is_told_who_writes(kb: LocalStore) -> None:
    with kb.writing(), pytest.raises(StoreBusy, match=f"pid {os.getpid()}"):
        LocalStore(kb.path, timeout=0.1).add([("a", "IsA", "b")])
    assert kb.add([("a", "IsA", "b")]) == 1


def test_reader_keeps_its_snapshot_over_changes_and_compaction(kb: LocalStore) -> None:
    reader = LocalStore(kb.path)
    kept = reader.find("thing 1")
    kb.remove(None, None, "kind 1")
    kb.add([("new", "IsA", "fact")])
    kb.compact()
    assert set(reader.find()) == set(FACTS)
    assert [fact.object for fact in kept] == ["/c/en/kind_1"]
    assert reader.refresh() == kb.version
    assert reader.count() == kb.count() == len([f for f in FACTS if f.object != "/c/en/kind_1"]) + 1


def test_new_reader_sees_an_addition_at_once(kb: LocalStore) -> None:
    kb.add([("new", "IsA", "fact")])
    assert LocalStore(kb.path).count("new", "IsA", "fact") == 1


def test_flipped_bytes_in_every_index_file_are_found_and_repaired(kb: LocalStore) -> None:
    ids = {name: i for i, name in enumerate(kb.terms.names(np.arange(len(kb.terms))))}
    kb.compact()
    for name in sorted(str(p.relative_to(kb.path)) for p in (kb.path / "index").rglob("*") if p.is_file()):
        path = kb.path / name
        if (
            not path.exists() or path.stat().st_size < 8 or path.name == "stamps"
        ):  # a wrong stamp: its file is read again
            continue
        data = bytearray(path.read_bytes())
        used = len(data) // 2 if "slots" not in name else next(i for i, b in enumerate(data) if b)
        data[used] ^= 0xFF
        path.write_bytes(data)
        store = LocalStore(kb.path)
        store.check()  # some damage is repaired by opening already, the rest here
        assert not path.exists() or path.read_bytes() != bytes(data), f"{name}: the damage was not found"
        assert set(store.find()) == set(FACTS)
        assert {term: store.terms.id(term) for term in ids} == ids, "an id changed"
        assert store.check() == []


def test_damaged_overlay_is_rebuilt_when_the_store_is_opened(kb: LocalStore) -> None:
    (overlay,) = (kb.path / "index").glob("overlay-*")
    overlay.write_bytes(overlay.read_bytes()[:-9])
    assert set(LocalStore(kb.path).find()) == set(FACTS)


def test_damaged_list_of_terms_is_written_anew(kb: LocalStore) -> None:
    (listed,) = (kb.path / "terms").glob("*.parquet")
    listed.write_bytes(b"nonsense")
    assert "terms" in kb.check()[0]
    shutil.rmtree(kb.path / "index")
    again = LocalStore(kb.path)
    assert again.terms.id("/c/en/thing_5") == kb.terms.id("/c/en/thing_5")


def test_truncated_table_file_is_named(kb: LocalStore) -> None:
    (file,) = (kb.path / "table").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(StoreCorrupt, match=file.name):
        kb.check()
    assert kb.count() == len(FACTS), "the index still answers"


def test_full_disk_leaves_the_version_before(kb: LocalStore, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: writes fail in the middle."""
    code = (
        "import resource, signal, sys\n"
        "from kgmm.errors import StoreError\n"
        "from kgmm.store import LocalStore\n"
        "kb = LocalStore(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "try:\n"
        "    kb.add([(f'many {i} {i * i * 7919}', 'IsA', 'lot') for i in range(3000)])\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run([sys.executable, "-c", code, str(kb.path)], capture_output=True, text=True, check=True)
    assert "disk is full" in done.stdout, "the write should have failed"
    again = LocalStore(kb.path)
    assert set(again.find()) == set(FACTS)
    assert again.check() == []
    assert again.add([("a", "IsA", "b")]) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of six megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command: a small file system cannot be made")
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(disk: Path, leave: int = 0) -> Path:
    """Write a file that leaves so many bytes free."""
    free = shutil.disk_usage(disk).free
    filler = disk / "filler"
    filler.write_bytes(bytes(max(free - leave, 0)))
    return filler


def _many(count: int) -> list[Fact]:
    return [Fact(f"many {i} {i * i * 7919}", "IsA", "lot") for i in range(count)]


def _load(kb: LocalStore) -> None:
    source = kb.path.parents[1] / "dump.csv"
    with source.open("w") as file:
        for i in range(260_000):
            about = '{"dataset": "/d/me", "weight": 1.0}'
            file.write(f"/a/{i}\t/r/IsA\t/c/en/t{i}\t/c/en/k{i * 7919 % 99991}\t{about}\n")
    kb.load(source)


@pytest.mark.parametrize(
    ("change", "leave"),
    [
        (_load, 5 << 20),
        (lambda kb: kb.add(_many(5000)), 100_000),
        (lambda kb: kb.add(_many(5000)), 0),
        (lambda kb: kb.remove(predicate="IsA", object="kind 1"), 4096),
        (lambda kb: kb.compact(), 4096),
    ],
    ids=["load", "add", "add with nothing left", "remove", "compact"],
)
def test_full_disk_is_told_and_nothing_is_lost(
    change: Callable[[LocalStore], object], leave: int, small_disk: Path
) -> None:
    path = small_disk / "kb"
    kb = LocalStore(path)
    kb.add(FACTS)
    kb.add([("a", "IsA", "b")])
    there = set(kb.find())
    filler = _fill(small_disk, leave)
    free = shutil.disk_usage(small_disk).free
    with pytest.raises(StoreError, match=r"disk.* is full; .*free space and try again"):
        change(kb)
    found = set(LocalStore(path).find())
    whole = there | set(_many(5000))  # the commit was made before the index had no room to follow
    assert found in (there, whole), "readable while the disk is full, all or nothing"
    if found == there:
        assert shutil.disk_usage(small_disk).free >= free - 65536, "what was written in vain is gone"
    filler.unlink()
    there = found
    again = LocalStore(path)
    assert again.check() == []
    assert set(again.find()) == there
    if change is not _load:  # which needs a larger disk anyway
        change(again)
    assert again.add([("c", "IsA", "d")]) == 1
    assert LocalStore(path).check() == []


def test_new_store_on_a_full_disk_is_told(small_disk: Path) -> None:
    filler = _fill(small_disk)
    with pytest.raises(StoreError, match="full"):
        LocalStore(small_disk / "kb")
    filler.unlink()
    assert LocalStore(small_disk / "kb").add(FACTS) == len(FACTS)


@pytest.mark.skipif(os.geteuid() != 0 and not hasattr(os, "chown"), reason="needs to drop privileges")
def test_read_only_folder_is_readable_and_says_so_on_writing(kb: LocalStore) -> None:
    shutil.rmtree(kb.path / "index" / "terms")  # even with a damaged index
    warm = shutil.copytree(kb.path, kb.path.with_name("warm"))
    code = (
        "import os, sys\n"
        "from kgmm.store import LocalStore\n"
        "warm = LocalStore(sys.argv[2])\n"  # imports need the rights that are dropped below
        "warm.cache_dir('x'), warm.add([('a', 'IsA', 'b')])\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "kb = LocalStore(sys.argv[1])\n"
        "print(kb.count(), kb.cache_dir('x').is_dir())\n"
        "try:\n    kb.add([('a', 'IsA', 'b')])\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    _open_ways_to(kb.path)
    for path in (kb.path, *kb.path.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = subprocess.run(
        [sys.executable, "-c", code, str(kb.path), str(warm)], capture_output=True, text=True, check=False
    )
    for path in (kb.path, *kb.path.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    first, _, second = done.stdout.partition("\n")
    assert first == f"{len(FACTS)} True", done.stderr
    assert second.startswith("StoreError") and "cannot be written" in second


def _open_ways_to(path: Path) -> None:
    for folder in path.parents:
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o055)


def test_no_store_and_foreign_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no knowledge store"):
        LocalStore(tmp_path / "none", create=False)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    with pytest.raises(StoreError, match="not a knowledge store"):
        LocalStore(tmp_path / "photos")


def test_past_is_read_only_and_unknown_versions_are_refused(kb: LocalStore) -> None:
    with pytest.raises(StoreError, match="is the past"):
        LocalStore(kb.path, version=0).add([("a", "IsA", "b")])
    with pytest.raises(StoreError, match="no version 9; there are 0 to 1"):
        LocalStore(kb.path, version=9)


def test_a_failed_writer_deletes_only_what_it_made_whatever_the_clock_says(kb: LocalStore, tmp_path: Path) -> None:
    for i in range(3):
        kb.add([(f"more {i}", "IsA", "thing")])
    files = sorted((kb.path / "table").glob("*.parquet"))
    listed = sorted((kb.path / "terms").glob("*.parquet"))
    ahead = time.time() + 3600  # the clock was set back, or the store copied from elsewhere
    for file in files + listed:
        os.utime(file, (ahead, ahead))
    with pytest.raises(KeyboardInterrupt), kb.writing():
        table.write_file(kb.places.table, table.read(kb.places.table, files[0].name), kb.drafts)
        vocabulary.write(kb.places.terms, len(kb.terms), ["/c/en/never"], kb.drafts)
        raise KeyboardInterrupt
    assert sorted((kb.path / "table").glob("*.parquet")) == files
    assert sorted((kb.path / "terms").glob("*.parquet")) == listed
    damaged = min(files, key=lambda file: file.stat().st_size)
    damaged.write_bytes(damaged.read_bytes()[:-50])
    with pytest.raises(StoreCorrupt, match=damaged.name):
        kb.check()
    assert sorted((kb.path / "table").glob("*.parquet")) == files
    assert kb.count() == len(FACTS) + 3


@pytest.mark.parametrize("tail", ["\U0010ffff" * 2, "\U0010ffffz", "\U00020000 of a rare sign", "z" * 40])
@pytest.mark.parametrize("old", [False, True])
def test_a_removed_fact_stays_removed_whatever_its_term_sorts_above(
    kb: LocalStore, tail: str, old: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    highest = "/c/en/" + "z" * 26 + tail

    def as_before(rows: pa.Table) -> str:
        """Return the statistics as they were written: bounds padded at 32 letters, everything escaped."""
        highest = {name: table._ends(rows[name])["max"] for name in ("graph", "subject", "predicate", "object")}
        cut = {name: text if len(text) <= 32 else text[:32] + "\U0010ffff" for name, text in highest.items()}
        return json.dumps({**json.loads(stats(rows)), "maxValues": cut})

    stats = table._stats
    if old:
        monkeypatch.setattr(table, "_stats", as_before)
    kb.add([(highest, "IsA", "end"), ("dog", "IsA", highest)])
    assert kb.remove(highest) == 1
    assert kb.remove(object=highest) == 1
    assert kb.check() == []
    assert kb.count(highest) == kb.count(object=highest) == 0


@pytest.mark.parametrize("name", ["a%20b", "50%", "line\nbreak", "tab\tü ?#&", "a b"])
def test_a_folder_is_called_what_it_is_called(tmp_path: Path, name: str) -> None:
    other = LocalStore(tmp_path / "a b")
    other.add([("other", "IsA", "store")])
    store = LocalStore(tmp_path / name)
    before = len(store)
    store.add([Fact(f"thing {i}", "IsA", "kind") for i in range(5)])
    store.remove("thing 1")
    store.compact()
    assert store.check() == []
    assert bool(store.sparql("ASK { c:thing_2 r:IsA c:kind }"))
    assert len(LocalStore(tmp_path / name, version=store.version)) == len(store) == before + 4
    if name != "a b":
        assert other.refresh() == 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted({"a b", name})


def test_a_name_that_is_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not UTF-8"):
        LocalStore(tmp_path / os.fsdecode(b"caf\xe9"))
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_was_moved_away_is_told_and_nothing_is_made_in_its_place(kb: LocalStore, tmp_path: Path) -> None:
    kb.path.rename(tmp_path / "moved")
    for use in (kb.refresh, lambda: kb.cache_dir("labels"), lambda: kb.add([("a", "IsA", "b")])):
        with pytest.raises(StoreError):
            use()
    assert not kb.path.exists()
    assert set(LocalStore(tmp_path / "moved").find()) == set(FACTS)


def test_a_temporary_index_goes_with_its_store(kb: LocalStore) -> None:
    kb.add([("new", "IsA", "fact")])
    past = LocalStore(kb.path, version=1)
    place = past._scratch
    assert place is not None
    assert place.is_dir()
    del past
    gc.collect()
    assert not place.exists()


def test_the_draft_of_a_killed_sparql_build_is_swept_up(kb: LocalStore) -> None:
    left = kb.cache_dir("sparql") / ".draft-plain-1"
    left.mkdir()
    assert kb.sparql("ASK { ?s r:IsA c:kind_1 }", engine="oxigraph")
    assert not left.exists()


def test_what_was_derived_from_a_table_that_was_replaced_is_not_asked(kb: LocalStore, tmp_path: Path) -> None:
    shutil.copytree(kb.path / "table", tmp_path / "backup")
    kb.add([("old", "IsA", "fact")])
    assert kb.sparql("ASK { c:old r:IsA c:fact }", engine="oxigraph")
    shutil.rmtree(kb.path / "table")
    shutil.copytree(tmp_path / "backup", kb.path / "table")
    elsewhere = LocalStore(kb.path)
    assert elsewhere.add([("new", "IsA", "fact")]) == 1
    assert elsewhere.version == 2, "the number that the lost version had"
    for store in (elsewhere, LocalStore(kb.path)):
        assert (store.count("old"), store.count("new")) == (0, 1)
        assert store.sparql("ASK { c:new r:IsA c:fact }", engine="oxigraph")
        assert not store.sparql("ASK { c:old r:IsA c:fact }", engine="oxigraph")
        assert store.check() == []


def test_an_index_of_another_table_with_as_many_versions_is_built_anew(kb: LocalStore, tmp_path: Path) -> None:
    other = LocalStore(tmp_path / "other")
    other.add([("another", "IsA", "fact")])
    for name in ("table", "terms"):
        shutil.rmtree(kb.path / name)
        shutil.copytree(other.path / name, kb.path / name)
    assert [fact.subject for fact in LocalStore(kb.path).find()] == ["/c/en/another"]


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_in_table_or_log_is_named_and_nothing_rebuilt_from_it(kb: LocalStore, seed: int) -> None:
    kb.add([("new", "IsA", "fact")])
    said, draw = set(kb.find()), random.Random(seed)
    files = [*(kb.path / "table").glob("*.parquet"), *(kb.path / "table" / "_delta_log").glob("*[12].json")]
    damaged = draw.choice(sorted(files, key=lambda file: file.stat().st_size))
    data = bytearray(damaged.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    damaged.write_bytes(data)
    store = LocalStore(kb.path)
    assert set(store.find()) == said
    try:
        found = store.check()
    except StoreCorrupt as error:
        assert damaged.name in str(error)
    else:
        assert damaged.suffix == ".json", "every bit of a data file is in its checksum"
        assert b"kgmmSum" not in data or found == [], "only a log whose checksum cannot be found goes unnoticed"
    assert damaged.read_bytes() == bytes(data), "what is damaged is not overwritten"
    assert set(LocalStore(kb.path).find()) == said


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_in_what_the_index_says_of_itself_is_found_on_opening(kb: LocalStore, seed: int) -> None:
    path, draw = kb.path / "index" / "current.json", random.Random(seed)
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)
    store = LocalStore(kb.path)
    assert set(store.find()) == set(FACTS)
    assert store.check() == []


def test_strangers_files_are_left_alone(kb: LocalStore) -> None:
    strange = [
        kb.path / folder / name for folder in ("terms", "index", "table") for name in (".DS_Store", "._x.parquet")
    ]
    for path in strange:
        path.write_bytes(b"\x00\x05\x16\x07")
    kb.add([("new", "IsA", "fact")])
    kb.compact()
    assert kb.check() == []
    shutil.rmtree(kb.path / "index" / "terms")
    assert len(LocalStore(kb.path)) == len(FACTS) + 1
    assert all(path.exists() for path in strange)


@pytest.mark.parametrize("small", [True, False], ids=["small", "large"])
@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_in_an_index_is_found_on_opening(
    kb: LocalStore, seed: int, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("base", "terms"):  # large files are read again only if they were written to
        monkeypatch.setattr(f"kgmm.store.index.{module}.SMALL", (1 << 18) * small)
    kb.compact()
    kb.add([("new", "IsA", "fact")])
    said, draw = set(kb.find()), random.Random(seed)
    kinds = ["subject", "object", "*.codes", "*.values", "by_*", "*_starts", "overlay-*", "blob", "offsets"]
    found = sorted((kb.path / "index").rglob(kinds[seed % len(kinds)]))
    damaged = draw.choice([path for path in found if path.stat().st_size])
    data = bytearray(damaged.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    damaged.write_bytes(data)
    store = LocalStore(kb.path)
    assert set(store.find()) == said
    assert store.count("new") == store.count(object="fact") == store.count("new", "IsA", "fact") == 1
    assert store.count(object="kind 3") == sum(fact.object == "/c/en/kind_3" for fact in said)
    assert store.check() == []


def written_to(kb: Path) -> set[str]:
    """Return the files of a store's index that would be read as a whole on opening, however large."""
    folders = [path for path in (kb / "index").iterdir() if path.is_dir()]
    return {name for folder in folders for name in stamps.changed(folder, stamps.taken(folder))}


def test_what_a_store_writes_itself_is_not_read_again_and_what_was_copied_is_once(
    kb: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "more.tsv").write_text("".join(f"a{i}\tIsA\tb{i}\n" for i in range(3000)))
    for act in (
        lambda: kb.add([("new", "IsA", "fact")]),
        lambda: kb.load(tmp_path / "more.tsv"),
        lambda: kb.remove("new"),
        kb.compact,
        lambda: kb.add([("newer", "MadeOf", "fact")]),
        lambda: shutil.rmtree(kb.path / "index"),
    ):
        act()
        with LocalStore(kb.path) as store:
            assert not written_to(store.path)
    copied = Path(shutil.copytree(kb.path, tmp_path / "copied"))
    for module in ("base", "terms"):
        monkeypatch.setattr(f"kgmm.store.index.{module}.SMALL", 0)
    with LocalStore(kb.path) as store:  # from now on the old stamps count
        assert not written_to(store.path)
    assert len(written_to(copied)) > 15
    with LocalStore(copied) as store:
        assert not written_to(store.path) and set(store.find()) == set(kb.find())


@pytest.mark.parametrize("name", ["blob", "offsets", "slots"])
def test_a_dictionary_damaged_under_an_open_store_is_repaired(kb: LocalStore, name: str) -> None:
    path = kb.path / "index" / "terms" / name
    data = bytearray(path.read_bytes())
    at = next(i for i, byte in enumerate(data) if byte)
    data[at] ^= 1
    path.write_bytes(data)
    assert len(kb.check()) == 1
    assert kb.check() == []
    assert set(kb.find()) == set(FACTS)


def test_vectors_of_other_terms_are_dropped_with_the_backup_that_is_brought_back(tmp_path: Path) -> None:
    from kgmm.encode.vectors import features

    with LocalStore(tmp_path / "kb") as kb:
        kb.add([("dog", "IsA", "animal")])
    parts = ("table", "terms")
    for part in parts:
        shutil.copytree(tmp_path / "kb" / part, tmp_path / "backup" / part)
    with LocalStore(tmp_path / "kb") as kb:
        kb.add([("violin", "IsA", "instrument")])
        violin = kb.terms.id("/c/en/violin")
        features(kb, [violin])
    for part in parts:
        shutil.rmtree(tmp_path / "kb" / part)
        shutil.copytree(tmp_path / "backup" / part, tmp_path / "kb" / part)
    with LocalStore(tmp_path / "kb") as kb, LocalStore(tmp_path / "fresh") as fresh:
        kb.add([("volcano", "IsA", "mountain")])
        fresh.add([("volcano", "IsA", "mountain")])
        volcano = kb.terms.id("/c/en/volcano")
        assert volcano == violin
        assert np.array_equal(features(kb, [volcano]), features(fresh, [fresh.terms.id("/c/en/volcano")]))


def test_small_commits_leave_one_overlay_and_compaction_one_list_of_terms(kb: LocalStore) -> None:
    for i in range(10):
        kb.add([(f"more {i}", "IsA", f"kind of {i}")])
    assert len(list((kb.path / "index").glob("overlay-*"))) == 1
    ids = {name: i for i, name in enumerate(kb.terms.names(np.arange(len(kb.terms))))}
    kb.compact()
    assert len(list((kb.path / "terms").glob("*.parquet"))) == 1
    assert kb.check() == []
    shutil.rmtree(kb.path / "index")
    again = LocalStore(kb.path)
    assert {name: again.terms.id(name) for name in ids} == ids


def test_many_small_commits_leave_few_files_and_every_version(tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    for i in range(210):
        kb.add([(f"thing {i}", "IsA", f"kind {i}")])
    names = kb.terms.names(np.arange(len(kb.terms)))
    assert len(table.files(kb.path / "table", kb.version)) <= 64
    assert len(list((kb.path / "terms").glob("*.parquet"))) <= 64
    assert len(list((kb.path / "table" / "_delta_log").glob("*.checkpoint.parquet"))) == 1
    assert kb.check() == []
    for version in (50, 64, 65, 150):
        past = LocalStore(kb.path, version=version)
        merges = sum(v["operation"] == "compact" for v in kb.versions() if v["version"] <= version)
        assert {fact.subject for fact in past.find()} == {f"/c/en/thing_{i}" for i in range(version - merges)}
    shutil.rmtree(kb.path / "index")
    again = LocalStore(kb.path)
    assert set(again.find()) == set(kb.find()) and again.terms.names(np.arange(len(names))) == names
    kb.compact()
    kb.vacuum("0s")
    assert len(list((kb.path / "table" / "_delta_log").iterdir())) <= 4
    shutil.rmtree(kb.path / "index")
    again = LocalStore(kb.path)
    again.add([("last", "IsA", "thing")])
    assert len(again.find()) == 211 and again.check() == [] and len(again.versions()) == 2


@pytest.mark.parametrize("damaged", ["table/*.parquet", "table/_delta_log/*03.json", "terms/*.parquet"])
def test_a_damaged_file_that_a_merge_meets_stops_no_commit(damaged: str, tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    for i in range(63):
        kb.add([(f"thing {i}", "IsA", f"kind {i}")])
    victim = min(kb.path.glob(damaged))
    victim.write_bytes(victim.read_bytes()[:-9] + b"?" * 9)
    for i in range(63, 110):  # beyond a checkpoint of the log too
        assert kb.add([(f"thing {i}", "IsA", f"kind {i}")]) == 1
    assert len(kb.find()) == 110
    try:
        assert any("written anew" in problem for problem in kb.check())
    except StoreCorrupt as error:
        assert victim.name in str(error)
    assert len(LocalStore(kb.path).find()) == 110


def test_a_vacuum_that_keeps_some_versions_sums_up_the_log_before_them(kb: LocalStore) -> None:
    for i in range(6):
        kb.add([(f"more {i}", "IsA", "thing")])
        if i == 2:
            time.sleep(2.1)
    kb.vacuum("2s")
    log, first = kb.path / "table" / "_delta_log", kb.versions()[0]["version"]
    assert 1 < first < kb.version and not table.log_path(log.parent, first - 1).exists()
    assert json.loads((log / "_last_checkpoint").read_bytes())["version"] == kb.version
    for version in range(first, kb.version + 1):
        past = LocalStore(kb.path, version=version)
        assert len(past.find()) == len(FACTS) + version - 1
    assert kb.check() == []


def test_a_damaged_log_is_told_in_one_line_where_a_version_needs_it(kb: LocalStore) -> None:
    entry = kb.path / "table" / "_delta_log" / f"{0:020}.json"
    entry.write_bytes(entry.read_bytes().replace(b'"metaData":{', b'"metaData":['))
    for act in (lambda: LocalStore(kb.path, version=1), lambda: kb.vacuum("0s")):
        shutil.rmtree(kb.path / "index", ignore_errors=True)
        with pytest.raises(StoreCorrupt) as error:
            act()
        assert "\n" not in str(error.value)


def test_a_vacuum_leaves_the_versions_it_promises_and_says_what_is_gone(kb: LocalStore) -> None:
    for i in range(5):
        kb.add([(f"more {i}", "IsA", "thing")])
    kb.sparql("ASK { ?s ?p ?o }", engine="oxigraph")
    kb.compact()
    facts, before = set(kb.find()), kb.version
    stranger = kb.path / "table" / "part-00000-abc.snappy.parquet"
    stranger.write_bytes(b"PAR1")
    assert kb.vacuum() == 0, "all of it is younger than thirty days"
    assert not (kb.path / "table" / "_delta_log" / "_last_checkpoint").exists(), "nothing to sum up"
    assert set(LocalStore(kb.path, version=2).find()) < facts
    reader = LocalStore(kb.path, version=3)
    assert kb.vacuum("0s") > 0
    assert len(list((kb.path / "table").glob("*.parquet"))) == 2
    assert stranger.exists()
    assert [entry["version"] for entry in kb.versions()] == [before]
    with pytest.raises(StoreError, match=f"version 2 was vacuumed; there are {before} to {before}"):
        LocalStore(kb.path, version=2)
    assert len(reader.find()) == len(FACTS) + 2, "who has a version open keeps it"
    kb.add([("new", "IsA", "fact")])
    assert kb.sparql("ASK { c:new r:IsA c:fact }", engine="oxigraph")
    assert set(LocalStore(kb.path, version=before).find()) == facts
    assert kb.check() == []
    shutil.rmtree(kb.path / "index")
    assert len(LocalStore(kb.path)) == len(facts) + 1
    with pytest.raises(BadInput, match="30 days"):
        kb.vacuum("30 days")


WRITERS: dict[str, Callable[[LocalStore], object]] = {
    "sparql": lambda kb: kb.sparql("ASK { ?s ?p ?o }", engine="oxigraph"),
    "annotated": lambda kb: kb.sparql("ASK { ?s ?p ?o {| ?a ?b |} }", engine="oxigraph"),
    **{name: (lambda kb, name=name: kb.export(kb.path.parent / f"out.{name}")) for name in ("nq", "parquet", "csv")},
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_derived_has_no_room_is_told_and_leaves_nothing(name: str, small_disk: Path) -> None:
    kb = LocalStore(small_disk / "kb")
    kb.add(_many(5000))
    kb.cache_dir("sparql")
    filler = _fill(small_disk, 8192)
    with pytest.raises(KgmmError, match=f"{small_disk}.*: the disk is full; .*free space and try again"):
        WRITERS[name](kb)
    assert not list(small_disk.glob("*out*")) + list(kb.cache_dir("sparql").glob(".draft*"))
    assert kb.count() == 5000
    filler.unlink()
    WRITERS[name](kb)
    assert kb.check() == []


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_derived_is_larger_than_a_file_may_be(name: str, kb: LocalStore) -> None:
    before = sorted(kb.path.parent.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(KgmmError, match="the disk is full"):
            WRITERS[name](kb)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(kb.path.parent.iterdir()) == before
    WRITERS[name](kb)
    assert kb.check() == []
