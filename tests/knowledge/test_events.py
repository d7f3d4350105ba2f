"""Our own facts about events: well formed, in base form, spelled right, free of contradictions, enough of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import networkx as nx
import pytest
from simplemma import is_known

from kgmm.bundled import folder
from kgmm.language.names import concept
from kgmm.language.phrase import sense
from kgmm.language.words import tokens
from kgmm.store import LocalStore

Triple = tuple[str, str, str]
RELATIONS = set(
    "Causes HasSubevent HasFirstSubevent HasLastSubevent HasPrerequisite MotivatedByGoal CausesDesire MannerOf IsA NotCapableOf".split()
)
#: states of one thing that do not come together
OPPOSITES = [
    ("be wet", "be dry"),
    ("be happy", "be sad"),
    ("be clean", "be dirty"),
    ("be warm", "be cold"),
    ("be dark", "be bright"),
    ("be full", "be empty"),
    ("be awake", "be asleep"),
    ("win", "lose money"),
    ("be rich", "have no money"),
    ("be safe", "be in danger"),
]
#: words that end in -ing and are no gerund
NOUNS = set(
    "shopping fishing warning nothing lightning washing thing something evening morning string painting building meeting ceiling swing ring spring bring sing"
    " sting cling wing wedding clothing king".split()
)


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    text = (folder("knowledge") / "events.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()]


@pytest.fixture(scope="module")
def events(lines: list[list[str]]) -> list[Triple]:
    return [(concept(row[0]), row[1], concept(row[2])) for row in lines]


def test_there_are_at_least_as_many_facts_as_promised(events: list[Triple]) -> None:
    assert len(events) >= 58000
    assert len({s for s, _, _ in events}) >= 5900


def test_every_line_is_an_event_a_relation_and_an_event(lines: list[list[str]]) -> None:
    assert [row for row in lines if len(row) not in (3, 4) or row[1] not in RELATIONS] == []
    assert [row for row in lines if any(part != " ".join(part.split()) or not part for part in row)] == []
    assert [row for row in lines if len(row) == 4 and not 0 < float(row[3]) <= 2] == []


def test_no_fact_is_written_twice_or_says_an_event_of_itself(events: list[Triple]) -> None:
    assert [t for t, n in Counter(map(sense, events)).items() if n > 1] == []
    assert [t for t in events if t[0] == t[2]] == []


def test_phrases_are_in_base_form_without_articles_and_pronouns(lines: list[list[str]]) -> None:
    used = {text for row in lines for text in (row[0], row[2])}
    bad = re.compile(r"\b(?:a|an|the|his|her|their|my|your|is|are|was|were|has|had|did|does)\b")
    assert sorted(text for text in used if bad.search(text)) == []
    gerunds = {text for text in used if text.split()[0].endswith("ing") and text.split()[0] not in NOUNS}
    assert gerunds <= {"bleeding stop", "wring mop"}


def test_no_event_has_opposite_effects_or_causes_what_it_requires(events: list[Triple]) -> None:
    effects: dict[str, set[str]] = defaultdict(set)
    requires: dict[str, set[str]] = defaultdict(set)
    for s, p, o in events:
        if p == "Causes":
            effects[s].add(o)
        elif p == "HasPrerequisite":
            requires[s].add(o)
    opposites = [(concept(a), concept(b)) for a, b in OPPOSITES]
    assert [(s, a, b) for s, has in effects.items() for a, b in opposites if a in has and b in has] == []
    assert sorted((s, o) for s, has in effects.items() for o in has & requires[s]) == []


def test_manners_lead_to_events_that_say_something_without_cycles(events: list[Triple]) -> None:
    manners = nx.DiGraph((s, o) for s, p, o in events if p == "MannerOf")
    assert nx.is_directed_acyclic_graph(manners)
    telling = {s for s, p, _ in events if p != "MannerOf"}
    assert sorted(s for s in manners if not telling & {s, *nx.descendants(manners, s)}) == []


def test_every_word_is_spelled_right(lines: list[list[str]], wordnet: list[Triple]) -> None:
    nouns = {word for s, _, _ in wordnet for word in re.split(r"[_\-]", s.split("/")[3])}
    used = {word for row in lines for word in tokens(f"{row[0]} {row[2]}")}
    assert sorted(w for w in used if w not in nouns and not is_known(w, lang="en")) == []


def test_the_file_loads_into_a_store_as_it_is(tmp_path: object, events: list[Triple]) -> None:
    with LocalStore(f"{tmp_path}/kb") as store:
        report = store.load(folder("knowledge") / "events.tsv", graph="events")
        assert report.rejected == 0 and len(store) == len(events)
        assert {f.object for f in store.find("forget umbrella", "Causes")} >= {"/c/en/get_wet", "/c/en/clothes_be_wet"}


def test_sources_states_the_count(events: list[Triple]) -> None:
    assert f"{len(events):,}" in (folder("knowledge") / "SOURCES.md").read_text(encoding="utf-8")
