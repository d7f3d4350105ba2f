"""A writer killed at a random moment: every reopening succeeds, what was acknowledged is there, nothing is half there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgmm.encode.vectors import features
from kgmm.language.names import label
from kgmm.store import LocalStore

WRITER = """
import sys
from kgmm.store import LocalStore
kb, first, file = LocalStore(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
print("open", flush=True)
for n in range(first, first + 10_000):
    facts = [(f"thing {n} {i}", "IsA", f"kind {n}") for i in range(5)]
    kb.add(facts)
    print("add", n, flush=True)
    if n % 3 == 0:
        kb.remove(None, None, f"kind {n}")
        print("remove", n, flush=True)
    if n % 7 == 0:
        kb.compact()
        kb.vacuum("0s")
    if n % 11 == 0:
        with open(file, "w") as f:
            f.writelines(f"loaded {n} {i}\\tIsA\\tlot {n}\\n" for i in range(50))
        kb.load(file, format="tabular")
        print("load", n, flush=True)
"""

BULK_LOADER = """
import sys
from kgmm.store import LocalStore
from kgmm.store.formats import conceptnet
from kgmm.store.index import encoding
from kgmm.store.load import bulk  # compiled code is loaded before the first kill
encoding.BULK = conceptnet.COMPILED = 0  # as dumps of millions of lines are loaded
kb, first, file = LocalStore(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
print("open", flush=True)
for n in range(first, first + 10_000):
    with open(file, "w") as f:
        for i in range(400):
            f.write(f"/a/{n}/{i}\\t/r/IsA\\t/c/en/dumped_{n}_{i}\\t/c/en/dump_{n}\\t{{}}\\n")
    kb.load(file)
    print("load", n, flush=True)
"""


DERIVER = """
import sys
import numpy as np
from kgmm.encode.vectors import features
from kgmm.store import LocalStore
from kgmm.store.facts import node
from kgmm.store.rdf.terms import full_iri
class Letters:
    dim, checksum = 26, "letters"
    def encode(self, texts):
        return np.array([[t.count(chr(97 + i)) for i in range(26)] for t in texts], np.float32)
encoder = Letters()
kb, first = LocalStore(sys.argv[1]), int(sys.argv[2])
print("open", flush=True)
for n in range(first, first + 10_000):
    kb.add([(f"thing {n} {i}", "IsA", f"kind {n}") for i in range(40)])
    print("add", n, flush=True)
    assert len(kb.sparql(f"SELECT ?x {{ ?x ?isa <{full_iri(node(f'kind {n}'))}> }}")) == 40
    features(kb, np.arange(len(kb.terms)), encoder)
    if n % 3 == 0:
        kb.compact()
        kb.vacuum("0s")
"""


def kill_derivers(folder: Path, times: int, seed: int) -> None:
    """Kill who builds SPARQL's index and a cache of vectors, compacts and vacuums."""
    draw, first = random.Random(seed), 0
    space: dict[str, Any] = {}
    exec(DERIVER.partition("kb, first")[0], space)
    encoder = space["encoder"]
    for _ in range(times):
        command = [sys.executable, "-c", DERIVER, str(folder / "kb"), str(first)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None and writer.stdout.readline() == "open\n"
        time.sleep(draw.random() * 0.8)
        writer.send_signal(signal.SIGKILL)
        first += len(writer.communicate()[0].splitlines())
        with LocalStore(folder / "kb") as kb:
            assert kb.count(object=f"kind {first}") in (0, 40), "half a commit is visible"
            first += kb.count(object=f"kind {first}") > 0
            assert len(kb) == len(kb.sparql("SELECT * { ?s ?p ?o }", limit=None)) == 40 * first
            ids = np.arange(len(kb.terms))
            wanted = encoder.encode([label(term) for term in kb.terms.names(ids)])
            assert np.allclose(features(kb, ids, encoder), wanted, atol=0.01)
    with LocalStore(folder / "kb") as kb:
        assert kb.check() == []
        kb.add(("thing", "IsA", "last"))
        kb.sparql(
            "ASK { ?s ?p ?o }", engine="oxigraph"
        )  # who builds the next index sweeps up what the killed left behind
        left = [path for path in kb.path.rglob("*") if ".draft-" in path.name or path.name.endswith(".tmp")]
        assert not left


def kill_bulk_loaders(folder: Path, times: int, seed: int) -> None:
    draw, first = random.Random(seed), 0
    for _ in range(times):
        command = [sys.executable, "-c", BULK_LOADER, str(folder / "kb"), str(first), str(folder / "dump.csv")]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        if first == 0:
            assert writer.stdout.readline() == "load 0\n", "the first load compiles"
            first = 1
        time.sleep(draw.random() * 0.8)
        writer.send_signal(signal.SIGKILL)
        first += len(writer.communicate()[0].splitlines())
        with LocalStore(folder / "kb") as kb:
            assert [kb.count(object=f"dump {n}") for n in range(first)] == [400] * first
            assert kb.count(object=f"dump {first}") in (0, 400), "half a load is visible"
            assert kb.check() == []


def kill_writers(folder: Path, times: int, seed: int) -> None:
    draw, said = random.Random(seed), {}
    first = 0
    for _ in range(times):
        command = [sys.executable, "-c", WRITER, str(folder / "kb"), str(first), str(folder / "facts.tsv")]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        time.sleep(draw.random() * 0.6)
        writer.send_signal(signal.SIGKILL)
        for line in writer.communicate()[0].splitlines():
            parts = line.split()
            if len(parts) == 2:
                said[int(parts[1])] = said.get(int(parts[1]), set()) | {parts[0]}
        first = max(said, default=0) + 1
        with LocalStore(folder / "kb") as kb:
            for n, acts in said.items():
                count = kb.count(object=f"kind {n}")
                if "remove" in acts:
                    assert count == 0
                elif n % 3 == 0:  # killed before it could say that the removal was done
                    assert count in (0, 5)
                else:
                    assert count == 5
                if "load" in acts:
                    assert kb.count(object=f"lot {n}") == 50
            assert kb.count(object=f"kind {first}") in (0, 5), "half a commit is visible"
            assert kb.count(object=f"lot {first - 1}") in (0, 50), "half a load is visible"
            first += 1
    with LocalStore(folder / "kb") as kb:
        assert kb.check() == []


def test_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    kill_writers(tmp_path, 5, seed=1)


def test_killed_bulk_load_leaves_the_version_before_or_after(tmp_path: Path) -> None:
    kill_bulk_loaders(tmp_path, 2, seed=1)


def test_killed_while_sparql_s_index_and_vectors_are_made(tmp_path: Path) -> None:
    kill_derivers(tmp_path, 3, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_hundred_kills(tmp_path: Path) -> None:
    (tmp_path / "bulk").mkdir()
    (tmp_path / "derived").mkdir()
    kill_writers(tmp_path, 200, seed=2)
    kill_bulk_loaders(tmp_path / "bulk", 100, seed=3)
    kill_derivers(tmp_path / "derived", 200, seed=4)
