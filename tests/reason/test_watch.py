"""Questions kept an eye on: what an edit is about decides whether they are asked again, and the answer is that of a fresh store."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kgmm
from kgmm.errors import KgmmError
from kgmm.scene import SceneGraph
from kgmm.store import Fact

THINGS = ("knife", "dog", "umbrella", "car", "bird", "cup", "bicycle", "bed", "penguin")


def scene(*names: str) -> SceneGraph:
    return SceneGraph.from_dict({"id": "s", "objects": [{"id": str(i), "name": n} for i, n in enumerate(names)]})


@pytest.fixture
def kb(tmp_path: Path) -> kgmm.KnowledgeStore:
    made = kgmm.open(tmp_path / "kb")
    made.add([("knife", "UsedFor", "cutting"), ("lamp", "UsedFor", "reading"), ("knife", "IsA", "tool")])
    return made


def test_answer_changes_with_reason(kb: kgmm.KnowledgeStore) -> None:
    watch = kb.watch(scene("knife", "lamp"), "What is the knife used for?")
    assert watch.answer.text == "cutting" and watch.check() is None
    kb.remove("knife", "UsedFor", "cutting")
    change = watch.check()
    assert change is not None and change.answer_changed and change.before.text == "cutting"
    assert [f.object for f in change.went] == ["/c/en/cutting"] and not change.came
    assert "cutting" in str(change) and json.loads(json.dumps(change.to_dict()))["before"]["answer"] == "cutting"
    assert change.difference.why and watch.version == kb.version


def test_edit_about_something_else_is_spared(kb: kgmm.KnowledgeStore) -> None:
    watch = kb.watch(None, "What is a knife used for?")
    kb.add([("moon", "IsA", "satellite"), ("lamp", "IsA", "furniture")])
    assert watch.check() is None and (watch.derived, watch.spared) == (1, 1)
    kb.add(("cutting", "IsA", "activity"))  # about what the answer cites, which it read as an end only
    kb.remove("knife", "UsedFor")
    kb.add(("knife", "UsedFor", "spreading"))
    change = watch.check()
    assert change is not None and change.after.text == "spreading" and watch.derived == 2


def test_name_that_nobody_knew(kb: kgmm.KnowledgeStore) -> None:
    watch = kb.watch(None, "What is a zorble used for?")
    assert not watch.answer
    kb.add(("zorble", "UsedFor", "zorbling"))
    change = watch.check()
    assert change is not None and change.after.text == "zorbling"


def test_citation_only_on_request(kb: kgmm.KnowledgeStore) -> None:
    quiet, talking = (kb.watch(None, "What is a knife used for?", citations=c) for c in (False, True))
    kb.remove("knife", "UsedFor", "cutting")
    kb.add([("knife", "UsedFor", "cutting", 3.0), ("knife", "UsedFor", "cutting", 1.0, "other")])
    assert quiet.check() is None and quiet.derived == 2
    assert talking.check() is None or talking.answer.text == "cutting"


def test_time_and_past(kb: kgmm.KnowledgeStore) -> None:
    kb.add(("bonn", "CapitalOf", "germany"), valid=("1949", "1990"))
    watch = kb.watch(None, "What is Bonn the capital of?", at="1960")
    first = watch.answer.text
    kb.add(("bonn", "CapitalOf", "germany"), valid=("1991", "1992"))
    assert watch.check() is None and watch.answer.text == first
    with pytest.raises(KgmmError, match="past"):
        kb.as_of(version=1).watch(None, "What is a knife used for?")


def test_documents_count(kb: kgmm.KnowledgeStore) -> None:
    watch = kb.watch(None, "Who wrote The Grey Harbour?")
    kb.read([{"title": "The Grey Harbour", "text": "The Grey Harbour is a novel. It was written by Ida Voss."}])
    watch.check()
    assert watch.answer.text == kb.ask(None, "Who wrote The Grey Harbour?").text and watch.derived == 2


def test_random_edits_equal_a_fresh_store(tmp_path: Path) -> None:
    draw = random.Random(7)
    with kgmm.open_bundled() as bundled:
        facts = [f for f in bundled.find() if f.graph != "wordnet"]
    kb = kgmm.open(tmp_path / "kb")
    kb.add(draw.sample(facts, 1500))
    near = [f for f in facts if f.subject[6:] in THINGS or f.object[6:] in THINGS]
    asked = [(None, f"What is a {thing} used for?") for thing in THINGS[:4]]
    asked += [(scene(*draw.sample(THINGS, 4)), q) for q in ("Which object can fly?", "Which gizmodrome is an animal?")]
    watches = [kb.watch(*question) for question in asked]
    for number in range(40):
        edit(kb, draw, near if number % 3 else facts)
        for watch in watches:
            watch.check()
    fresh = kgmm.open(tmp_path / "fresh")
    fresh.add(draw.sample(list(kb.find()), len(kb)))
    for watch, question in zip(watches, asked, strict=True):
        answer = fresh.ask(*question)
        assert (watch.answer.text, round(watch.answer.score, 6)) == (answer.text, round(answer.score, 6)), question
    assert sum(w.spared for w in watches) > sum(w.derived for w in watches)


def edit(kb: kgmm.KnowledgeStore, draw: random.Random, facts: list[Fact]) -> None:
    """Add a fact, remove one, or give one another weight."""
    fact = draw.choice(facts)
    if draw.random() < 0.5:
        kb.add(fact)
        return
    known = list(kb.find(draw.choice(THINGS))) or [fact]
    fact = draw.choice(known)
    kb.remove(fact.subject, fact.predicate, fact.object)
    if draw.random() < 0.3:
        kb.add((fact.subject, fact.predicate, fact.object, round(draw.uniform(0.1, 3), 2)))


def test_compaction_changes_nothing(kb: kgmm.KnowledgeStore) -> None:
    watch = kb.watch(None, "What is a knife used for?")
    kb.compact()
    kb.remove("lamp")
    assert watch.check() is None and watch.answer.text == "cutting"


def test_command_follows_another_process(kb: kgmm.KnowledgeStore, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kgmm", "watch", str(kb.path), "What is a knife used for?", "--json"]
    with subprocess.Popen(
        [*command, "--every", "0.05", "--changes", "1"], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert json.loads(running.stdout.readline())["answer"] == "cutting"
        kb.remove("knife", "UsedFor", "cutting")
        until = time.monotonic() + 60
        change = json.loads(running.stdout.readline())
        assert change["before"]["answer"] == "cutting" and time.monotonic() < until
    assert running.returncode == 0
