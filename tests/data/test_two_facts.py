"""Questions that need two facts: the chain is there, and neither its first fact nor the words give the answer."""

from __future__ import annotations

from itertools import product

import pytest

from kgmm.data.two_fact_words import Step, ask_for, describe
from kgmm.data.two_facts import MOST_FACTS, part_of, parted, rewired, two_fact_questions
from kgmm.language.words import content, lemmas, normal

THINGS = "cup knife dog lamp bed piano apple ladder towel broom".split()
PLACES = "kitchen drawer kennel attic cellar studio orchard shed bathroom cupboard".split()
TOPICS = "stove handle straw beam barrel easel fence roof mirror hinge".split()


@pytest.fixture
def facts():
    return [
        *((thing, "AtLocation", place) for thing, place in zip(THINGS, PLACES, strict=True)),
        *((place, "HasA", topic) for place, topic in zip(PLACES, TOPICS, strict=True)),
        *((thing, "IsA", "artefact") for thing in THINGS),
    ]


@pytest.fixture
def made(facts):
    return list(two_fact_questions(facts, 200, seed=1))


def test_every_answer_is_the_only_end_of_its_chain(facts, made):
    assert len(made) > 5
    for q in made:
        first, second = q.steps
        ends = set()
        for (s, r, o), (s2, r2, o2) in product(facts, facts):
            near, bridge = (o, s) if first.back else (s, o)
            start, end = (o2, s2) if second.back else (s2, o2)
            if (near, r, bridge, r2) == (q.thing, first.relation, start, second.relation) and end != q.thing:
                ends.add(end)
        assert ends == {q.answer}
        for i, j in zip(q.first, q.second, strict=True):
            assert q.thing in facts[i] and q.answer in facts[j] and set(facts[i]) & set(facts[j]) & set(q.bridges)


def test_no_seen_thing_touches_the_second_fact_and_no_word_gives_it_away(facts, made):
    for q in made:
        assert q.thing in q.seen and len(q.seen) == len(set(q.seen))
        said = set(lemmas(q.question))
        assert not any(set(content(name)) & said for name in (q.answer, *q.bridges))
        assert not any(set(q.seen) & set(facts[i][::2]) for i in q.second)
        assert not any({q.thing, q.answer} == set(f[::2]) for f in facts)


def test_other_seen_things_lead_to_other_facts_of_the_second_relation(facts, made):
    def reached(name):
        return {o for s, _, o in facts if s == name} | {s for s, _, o in facts if o == name}

    for q in made:
        rivals = 0
        for other in set(q.seen) - {q.thing}:
            bridges = reached(other) - reached(q.thing)
            rivals += any(r == q.steps[1].relation and (o if q.steps[1].back else s) in bridges for s, r, o in facts)
        assert rivals >= 2


def test_the_same_seed_makes_the_same_questions(facts, made):
    assert list(two_fact_questions(facts, 200, seed=1)) == made
    assert list(two_fact_questions(facts, 200, seed=2)) != made


def test_labels_name_the_facts_of_both_steps(facts, made):
    ids = [f"f{i}" for i in range(len(facts))]
    q = made[0].labelled(7, ids)
    assert q.facts == tuple(ids[i] for i in made[0].second) and q.bridges == tuple(ids[i] for i in made[0].first)
    assert q.concepts == made[0].seen and q.answer == made[0].answer and q.kb_source.count("/") == 1


def test_parts_share_no_fact_and_no_bridge(facts):
    rows = [parted(facts, part) for part in (0, 1, 2)]
    assert sorted(i for at in rows for i in at) == list(range(len(facts)))
    for part, at in enumerate(rows):
        own = [facts[i] for i in at]
        for q in two_fact_questions(own, 200, part=part):
            assert {part_of(b) for b in q.bridges} == {part}


def test_made_up_facts_keep_relations_and_lose_what_words_suggest(facts):
    new = rewired(facts, seed=3)
    assert [f[:2] for f in new] == [f[:2] for f in facts] and new != facts
    assert sorted(f[1:] for f in new) == sorted(f[1:] for f in facts)


def test_bridges_of_which_nearly_all_is_true_are_not_asked_about(facts):
    hub = [("artefact", "HasProperty", f"p{i}") for i in range(MOST_FACTS + 1)]
    for q in two_fact_questions(facts + hub, 400):
        assert "artefact" not in map(normal, q.bridges)


@pytest.mark.parametrize(
    "relation", ["UsedFor", "HasSubevent", "MotivatedByGoal", "HasInstance", "faster_than", "worksAt"]
)
@pytest.mark.parametrize("back", [False, True])
def test_every_relation_can_be_asked_by(relation, back):
    step = Step(relation, back)
    assert all("the cup" in text.lower() and text.endswith("?") for text in ask_for(step, "the cup"))
    assert all("the cup" in text for text in describe(step, "the cup"))
