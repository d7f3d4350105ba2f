"""Forgetting: what is forgotten is in no file of the store, in no version, list or cache; all else stays."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from kgmm.cli import cli
from kgmm.encode.vectors import features
from kgmm.errors import BadInput, StoreError
from kgmm.store import Fact, LocalStore

LABELS = (b"zelda quinn", b"zelda_quinn", b"zelda%20quinn")


def found_in(folder: Path) -> list[str]:
    """Return the files that hold the label in their bytes, or decoded in a Parquet file's columns."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".parquet":
                data += json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False).encode()
            if any(label in data.lower() for label in LABELS):
                found.append(path.name)
    return found


class Letters:
    dim, checksum = 26, "letters"

    def encode(self, texts: list[str]) -> np.ndarray:
        return np.array([[text.count(chr(97 + i)) for i in range(26)] for text in texts], np.float32)


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    kb = LocalStore(tmp_path / "kb")
    kb.add([("bonn", "IsA", "city"), ("Zelda Quinn", "LivesIn", "bonn"), ("/c/en/zelda_quinn/n", "IsA", "person")])
    kb.add(("bonn", "HasA", '"the house of Zelda Quinn"'))
    kb.add(("bonn", "IsA", "city"), contributor="Zelda Quinn", text="as Zelda Quinn said", valid=("1990", None))
    kb.add(("bonn", "IsA", "town"), contributor="ann", source="http://example.org/zelda_quinn.html")
    kb.add(("bonn", "Knows", "her"), method="mined", rests_on=[("Zelda Quinn", "LivesIn", "bonn")])
    kb.add(("cologne", "IsA", "city"))
    kb.add(("zelda quinns", "IsA", "band"))
    kb.remove("zelda quinns")
    return kb


def test_what_is_forgotten_is_in_no_file(kb: LocalStore) -> None:
    ids = {term: kb.terms.id(term) for term in ("/c/en/bonn", "/c/en/city", "/c/en/cologne")}
    kb.sparql("ASK { ?s ?p ?o }", engine="oxigraph")
    kb.search("zel")
    features(kb, np.arange(len(kb.terms)), Letters())  # type: ignore[arg-type]
    assert found_in(kb.path)
    would = kb.forget("zelda quinn", dry=True)
    assert (would.facts, would.terms) == (4, 3) and kb.concept("zelda quinn")
    done = kb.forget("zelda quinn")
    assert (done.facts, done.assertions, done.texts, done.left) == (4, 4, 2, ()) and done.searched > 5
    left = [name for name in found_in(kb.path) if name not in ("blob", "000000000000.parquet")]
    assert left == [], left
    assert {(f.subject[6:], f.object[6:]) for f in kb.find()} == {
        ("bonn", "city"),
        ("bonn", "town"),
        ("cologne", "city"),
    }
    assert {term: kb.terms.id(term) for term in ids} == ids, "ids stay"
    assert kb.check() == [] and LocalStore(kb.path).concept("zelda quinn") is None
    assert [v["version"] for v in kb.versions()] == [kb.version]
    with pytest.raises(StoreError, match="vacuumed"):
        LocalStore(kb.path, version=3)
    assert {one.contributor for one in kb.assertions(("bonn", "IsA", "city"))} == {""}
    assert kb.add(("Zelda Quinn", "IsA", "person")) == 1 and kb.check() == [], "it can be learned again"


def test_a_longer_name_is_another(kb: LocalStore) -> None:
    kb.add(("zelda quinnling", "IsA", "band"))
    kb.forget("zelda quinn")
    assert kb.count("zelda quinnling") == 1


def test_forgetting_what_was_removed_before_clears_the_past(kb: LocalStore) -> None:
    kb.remove(None, "LivesIn", None)
    for fact in list(kb.find()):
        if "elda" in "".join((fact.subject, fact.object)):
            kb.remove(fact.subject, fact.predicate, fact.object)
    kb.forget("zelda quinn")
    kb.forget("zelda quinns")
    assert found_in(kb.path) == [] and kb.check() == [] and kb.count("bonn") >= 2


def test_forgetting_nothing_is_one_clear_error(kb: LocalStore) -> None:
    for wrong in ["", "  ", "/c/en/"]:
        with pytest.raises(BadInput):
            kb.forget(wrong)
    assert kb.forget("nobody at all").facts == 0
    with pytest.raises(StoreError):
        kb.as_of("1990").forget("bonn")


def test_command(kb: LocalStore) -> None:
    path = str(kb.path)
    told = CliRunner().invoke(cli, ["forget", path, "zelda quinn", "--dry"], catch_exceptions=False)
    assert "would go: 4 facts" in told.output and kb.refresh() and kb.count("zelda quinn")
    done = CliRunner().invoke(cli, ["forget", path, "zelda quinn", "--json"], catch_exceptions=False)
    assert json.loads(done.output)["left"] == [] and done.exit_code == 0


def test_killed_while_forgetting_it_is_forgotten_the_next_time(kb: LocalStore) -> None:
    code = (
        "import os, sys\n"
        "from kgmm.store import LocalStore\n"
        "from kgmm.store.assertions import forgetting as f\n"
        "act = f.{0} if '{0}' != 'vacuum' else None\n"
        "def die(*a, **k):\n"
        "    os.kill(os.getpid(), 9)\n"
        "if act is None:\n"
        "    f.table.vacuum = die\n"
        "else:\n"
        "    f.{0} = die\n"
        "LocalStore(sys.argv[1]).forget('zelda quinn')\n"
    )
    rest = {fact for fact in kb.find() if "elda" not in f"{fact}" and fact.predicate != "Knows"}
    for stage in ("_lists", "vacuum"):
        done = subprocess.run([sys.executable, "-c", code.replace("{0}", stage), str(kb.path)], check=False)
        assert done.returncode == -9
        with LocalStore(kb.path) as again:
            assert again.check() == [] and rest <= set(again.find()) | {Fact("bonn", "IsA", "town")}
    kb = LocalStore(kb.path)
    assert kb.forget("zelda quinn").left == () and kb.forget("zelda quinns").left == () and found_in(kb.path) == []
