"""Writers of assertions killed, on a full disk, two at once: every commit is there whole or not at all."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kgmm.errors import StoreBusy
from kgmm.store import Fact, LocalStore
from kgmm.store.assertions.forgetting import search

WRITER = """
import sys
from kgmm.store import LocalStore
kb, other, first = LocalStore(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("open", flush=True)
for n in range(first, first + 10_000):
    kb.add([(f"thing {n} {i}", "IsA", f"kind {n}") for i in range(5)], contributor=f"c {n}", valid=("2000", None))
    kb.add([(f"thing {n} {i}", "IsA", f"kind {n}") for i in range(2)], contributor="all")
    print("add", n, flush=True)
    kb.withdraw(contributor=f"c {n}")
    print("withdraw", n, flush=True)
    if n % 3 == 0:
        kb.compact()
        kb.vacuum("0s")
    if n % 4 == 0:
        kb.remove(None, None, "merged kind")
        kb.merge(other)
        print("merge", n, flush=True)
    if n % 2 == 0:
        kb.add((f"secret{n}x", "IsA", "hidden"), contributor="spy", text=f"of secret{n}x")
        kb.forget(f"secret{n}x")
        print("forget", n, flush=True)
"""


@pytest.fixture
def other(tmp_path: Path) -> Path:
    with LocalStore(tmp_path / "other") as kb:
        kb.add([(f"thing {i}", "IsA", "merged kind") for i in range(40)], contributor="bob", valid=("1990", None))
        return kb.path


def kill_writers(folder: Path, other: Path, times: int, seed: int) -> None:
    draw, first = random.Random(seed), 0
    for _ in range(times):
        command = [sys.executable, "-c", WRITER, str(folder / "kb"), str(other), str(first)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None and writer.stdout.readline() == "open\n"
        time.sleep(draw.random() * 2)
        writer.send_signal(signal.SIGKILL)
        acts = [line.split() for line in writer.communicate()[0].splitlines() if len(line.split()) == 2]
        said = {(act, int(n)) for act, n in acts}
        last = max((n for _, n in said), default=first - 1)
        with LocalStore(folder / "kb") as kb:
            for n in range(last + 2):
                count, whole = kb.count(object=f"kind {n}", at="2001"), ("withdraw", n) in said or n < first
                assert count == 2 if whole else count in (0, 2, 5), "half a commit is visible"
                if count == 2 and ("add", n) in said:
                    fact = Fact(f"thing {n} 0", "IsA", f"kind {n}")
                    assert [a.contributor for a in kb.assertions(fact)] == ["all"]
            assert kb.count(object="merged kind") in (0, 40), "half a merge is visible"
            assert kb.check() == []
            for n in range(first, last + 2):  # what was forgotten is nowhere; half-way, it is by forgetting again
                if ("forget", n) not in said and n % 2 == 0:
                    assert kb.count(f"secret{n}x") in (0, 1) and kb.forget(f"secret{n}x").left == ()
                assert search(kb, f"secret{n}x")[1] == []
            assert kb.check() == []
            for n in (last, last + 1):  # what the kill left is brought to the end
                kb.withdraw(contributor=f"c {max(n, 0)}")
                kb.add([(f"thing {n} {i}", "IsA", f"kind {n}") for i in range(2)], contributor="all")
        first = last + 2


def test_killed_writers_of_assertions_lose_nothing(tmp_path: Path, other: Path) -> None:
    kill_writers(tmp_path, other, 2, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_kills(tmp_path: Path, other: Path) -> None:
    kill_writers(tmp_path, other, 100, seed=2)


@pytest.mark.parametrize("act", ["withdraw", "merge"])
def test_full_disk_leaves_the_version_before(tmp_path: Path, other: Path, act: str) -> None:
    """A limit on the size of files stands for a full disk: writes fail in the middle."""
    kb = LocalStore(tmp_path / "kb")
    kb.add([(f"many {i} {i * i * 7919}", "IsA", "lot") for i in range(2000)], contributor="ann", valid=("2000", None))
    kb.add([("a", "IsA", "b")], contributor="eve")
    code = (
        "import resource, signal, sys\n"
        "from kgmm.errors import StoreError\n"
        "from kgmm.store import LocalStore\n"
        "kb = LocalStore(sys.argv[1])\n"
        "acts = {'withdraw': lambda: kb.withdraw(contributor='ann'), 'merge': lambda: kb.merge(sys.argv[2])}\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "try:\n"
        "    acts[sys.argv[3]]()\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    if act == "merge":
        with LocalStore(other) as more:
            more.add([(f"other {i} {i * i * 7919}", "IsA", "lot") for i in range(3000)], contributor="bob")
    before, version = set(kb.find()), kb.version
    command = [sys.executable, "-c", code, str(kb.path), str(other), act]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "disk is full" in done.stdout, "the write should have failed"
    again = LocalStore(kb.path)
    assert again.version == version and set(again.find()) == before and again.check() == []
    named = {file["path"] for file in _files(again)}
    assert {path.name for path in (kb.path / "table").glob("*.parquet")} <= named | _old(again, named), "no leftovers"


def _files(kb: LocalStore) -> list[dict[str, str]]:
    from kgmm.store.table import delta as table

    return table.files(kb.places.table, kb.version)


def _old(kb: LocalStore, now: set[str]) -> set[str]:
    from kgmm.store.table import delta as table

    return {file["path"] for version in range(kb.version) for file in table.files(kb.places.table, version)} - now


def test_two_writers_take_turns_and_the_second_is_told(tmp_path: Path, other: Path) -> None:
    kb = LocalStore(tmp_path / "kb", timeout=0.1)
    late = LocalStore(kb.path, timeout=0.1)
    with kb.writing():
        for act in (lambda: late.withdraw(contributor="bob"), lambda: late.merge(other)):
            with pytest.raises(StoreBusy):
                act()
    late.merge(other)
    assert kb.add([("thing 1", "IsA", "merged kind")], contributor="eve") == 1, "kb moves on to what late wrote first"
    assert late.withdraw(contributor="bob") == 40 and len(late) == 1
    assert kb.refresh() == late.version and kb.check() == []


def test_damaged_rows_of_assertions_are_named(tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    kb.add(("a", "IsA", "b"), contributor="ann")
    kb.add(("a", "IsA", "b"), contributor="bob")
    (more,) = (kb.path / "table").glob("more-*.parquet")
    data = bytearray(more.read_bytes())
    data[len(data) // 2] ^= 0xFF
    more.write_bytes(data)
    shutil.rmtree(kb.path / "index")
    from kgmm.errors import StoreCorrupt

    with pytest.raises(StoreCorrupt, match=more.name):
        LocalStore(kb.path)
