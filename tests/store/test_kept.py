"""What is kept beside a store's index is read by ``check``: damaged, outdated and half-written files go, with a line."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

from kgmm import files
from kgmm.store import Fact, LocalStore, kept
from kgmm.store.index import arrays, stamps

FACTS = [Fact(f"thing {i}", "IsA", f"kind {i % 7}") for i in range(50)]
NUMBERS = np.arange(1000, dtype=np.int32)


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "kb")
    store.add(FACTS)
    for name in "ab":
        kept.keep(store, "view", [name], {"of": name}, {"numbers": NUMBERS})
    return store


def places(kb: LocalStore) -> list[Path]:
    return sorted(kb.path.glob("cache/made/*/view-*"))


def test_what_is_sound_stays_and_nothing_is_said(kb: LocalStore) -> None:
    assert kb.check() == [] and len(places(kb)) == 2
    found = kept.kept(LocalStore(kb.path), "view", ["a"])
    assert found is not None and found[0] == {"of": "a"} and np.array_equal(found[1]["numbers"], NUMBERS)


@pytest.mark.parametrize(
    ("harm", "said"),
    [("cut", "bytes, .* are expected"), ("flip", "checksum of numbers is wrong"), ("first line", "first line is damaged"),
     ("empty", "too short"), ("foreign", "first line"), ("another's", "something else than its name"),
     ("gone", "holds nothing"), ("no folder", "cannot be read")],
)  # fmt: skip
def test_what_is_damaged_is_removed_with_its_name(kb: LocalStore, harm: str, said: str) -> None:
    place, other = places(kb)
    path = place / "arrays"
    whole = path.read_bytes()
    at = whole.index(NUMBERS.tobytes())
    broken = {
        "cut": whole[: len(whole) // 2],
        "flip": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
        "first line": whole[:30] + b"\xff" + whole[31:],
        "empty": b"",
        "foreign": os.urandom(500),
        "another's": (other / "arrays").read_bytes(),
    }
    stamp = path.stat()
    if harm in broken:
        path.write_bytes(broken[harm])
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    elif harm == "gone":
        path.unlink()
        os.utime(place, (0, 0))
    else:
        path.unlink()
        path.mkdir()
    (line,) = kb.check()
    assert line.startswith(f"{place}: ") and line.endswith(": removed")
    assert re.search(said, line)
    assert places(kb) == [other] and kb.check() == []


def test_what_rots_unseen_is_found_though_the_stamp_says_it_is_whole(kb: LocalStore) -> None:
    place = places(kb)[0]
    path = place / "arrays"
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 4
    path.write_bytes(whole)

    stamps.keep(place, stamps.taken(place))
    assert any("checksum" in line for line in kb.check()) and place not in places(kb)


def test_what_another_version_left_is_removed(kb: LocalStore) -> None:
    stale = kb.path / "cache" / "made" / "0123456789abcdef"
    (stale / "view-1").mkdir(parents=True)
    loose = stale.with_name("loose")
    loose.write_text("x")
    assert kb.check() == [f"{p}: was made of another version of the store: removed" for p in (stale, loose)]
    assert not stale.exists() and not loose.exists() and len(places(kb)) == 2


def test_a_killed_writers_draft_is_removed_and_a_living_ones_stays(kb: LocalStore) -> None:
    place = places(kb)[0]
    left, living = place / ".arrays.1.1.tmp", place / ".arrays.2.2.tmp"
    for draft in (left, living):
        draft.write_bytes(b"half")
    os.utime(left, (time.time() - 2 * kept.ABANDONED,) * 2)
    (place.parent / "view-new").mkdir()  # another process has just begun
    assert kb.check() == [f"{left}: was not finished: removed"] and living.exists()


def test_a_reader_holds_what_check_removes(kb: LocalStore) -> None:
    found = kept.kept(kb, "view", ["a"])
    for place in places(kb):
        os.truncate(place / "stamps", 0)
    (kb.path / "cache" / "made" / places(kb)[0].parent.name).rename(kb.path / "cache" / "made" / "moved")
    assert len(kb.check()) == 1 and found is not None and np.array_equal(found[1]["numbers"], NUMBERS)


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "arrays", []
    flush = os.fsync

    def noted(handle: int) -> None:
        seen.append((os.readlink(f"/proc/self/fd/{handle}"), path.exists()))
        flush(handle)

    monkeypatch.setattr(files.os, "fsync", noted)
    arrays.write(path, {}, {"numbers": NUMBERS})
    (draft, before), (folder, after) = seen
    assert draft.endswith(".tmp") and not before and folder == str(tmp_path) and after
