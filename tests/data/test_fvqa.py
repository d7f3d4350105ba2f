"""FVQA's files become questions, facts and splits."""

from __future__ import annotations

import json

import pytest

from kgmm.data.fvqa import load_facts, load_questions, split_by_image
from kgmm.data.surfaces import parse_surface, singular
from kgmm.errors import BadInput


@pytest.mark.parametrize(
    ("surface", "triple"),
    [
        ("[[Lipstick]] is for [[coloring the lips]]", ("lipstick", "UsedFor", "coloring the lips")),
        ("You are likely to find [[an airplane]] at [[an airport]].", ("airplane", "AtLocation", "airport")),
        ("*Something you find [[at a street corner]] is [[a stop sign]]", ("stop sign", "AtLocation", "street corner")),
        ("An activity [[a cat]] can do is [[meow]]", ("cat", "CapableOf", "meow")),
        ("Kinds of [[plant]] : [[grass]]", ("grass", "IsA", "plant")),
        ("[[car]] were faster than [[motorcycle]]", ("car", "faster_than", "motorcycle")),
        ("[[bear]] run much faster than [[human]]", ("bear", "run_much_faster_than", "human")),
        ("[[elephants]] are [[grey]]", ("elephants", "HasProperty", "grey")),
        ("[[a kitten]] is [[a cat]]", ("kitten", "IsA", "cat")),
        ("You can use [[a hammer]] to [[bang on something]]", ("hammer", "UsedFor", "bang on something")),
        ("The class of [[otter]] is [[Mammal]]", ("otter", "IsA", "mammal")),
        ("[[Frogs]] usually [[live near water]]", ("frogs", "CapableOf", "live near water")),
        ("[[hand]] has [[palm]].", ("hand", "HasA", "palm")),
    ],
)
def test_surface_names_ends_and_relation(surface, triple):
    fact = parse_surface(surface)
    assert (fact.subject, fact.relation, fact.object) == triple


def test_surface_without_two_ends_is_refused():
    with pytest.raises(BadInput, match="two ends"):
        parse_surface("[[dog]] barks", "f7")


def test_bad_line_is_named(tmp_path):
    path = tmp_path / "facts.jsonl"
    path.write_text('{"id": "a", "surface": "[[x]] is [[y]]"}\n{"id": "b"}\n')
    with pytest.raises(BadInput, match=r"facts\.jsonl:2"):
        load_facts(path)


def test_question_without_concepts_is_refused(tmp_path):
    path = tmp_path / "q.json"
    path.write_text(json.dumps([{"question_id": 1, "question": "What?"}]))
    with pytest.raises(BadInput, match=r"question 1 lacks .*concepts"):
        load_questions(path)
    row = {"question_id": 1, "question": "What?", "concepts": ["cat"], "choices": ["cat", "dog"]}
    path.write_text(json.dumps([row, {**row, "choices": "cat"}]))
    with pytest.raises(BadInput, match=r"question 2 .*choices is a list"):
        load_questions(path)
    path.write_text(json.dumps([row]))
    assert load_questions(path)[0].choices == ("cat", "dog")
    path.write_text(json.dumps({"1": row}))
    with pytest.raises(BadInput, match="expected a list of questions"):
        load_questions(path)
    path.write_text("[\n,")
    with pytest.raises(BadInput, match=r"q\.json:2: not a JSON file"):
        load_questions(path)


def test_all_released_facts_parse_with_known_relations(shared_data):
    facts = load_facts(shared_data / "fvqa" / "facts.jsonl")
    assert len(facts) == 4161
    conceptnet = [f for f in facts if f.source == "conceptnet"]
    named = [f for f in conceptnet if f.relation[0].isupper()]
    assert len(named) / len(conceptnet) > 0.97
    assert all(f.subject and f.object for f in facts)


def test_parts_of_a_split_share_no_image(shared_data):
    questions = load_questions(shared_data / "fvqa" / "questions-train.json")
    train, held = split_by_image(questions, 0.2, seed=1)
    assert len(train) + len(held) == len(questions) == 3019
    assert not {q.image for q in train} & {q.image for q in held}
    assert 0.15 < len(held) / len(questions) < 0.25
    assert split_by_image(questions, 0.2, seed=1)[1] == held


def test_singular_leaves_words_that_only_look_plural():
    assert [singular(w) for w in ("glass", "tennis", "cactus", "fire trucks")] == [
        "glass",
        "tennis",
        "cactus",
        "fire truck",
    ]
