"""Our own facts: well formed, spelled right, free of contradictions, enough of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import networkx as nx
from simplemma import is_known

from kgmm.bundled import folder
from kgmm.language.words import tokens

Triple = tuple[str, str, str]
RELATIONS = set(
    "UsedFor CapableOf AtLocation HasA PartOf MadeOf HasProperty IsA ReceivesAction Causes Desires NotCapableOf CreatedBy"
    " MotivatedByGoal HasPrerequisite HasSubevent HasFirstSubevent HasLastSubevent CausesDesire Synonym Antonym DefinedAs"
    " SimilarTo NotDesires NotHasProperty NotIsA NotUsedFor NotHasA LocatedNear SymbolOf MannerOf DistinctFrom RelatedTo".split()
)
DENIALS = {
    "NotCapableOf": ("CapableOf",),
    "NotHasProperty": ("HasProperty",),
    "NotDesires": ("Desires",),
    "NotHasA": ("HasA",),
    "NotIsA": ("IsA",),
    "NotUsedFor": ("UsedFor",),
}
#: Properties no thing has at once, where the knowledge itself states no Antonym.
OPPOSITES = [
    ("hot", "cold"),
    ("big", "small"),
    ("large", "small"),
    ("long", "short"),
    ("tall", "short"),
    ("hard", "soft"),
    ("fast", "slow"),
    ("heavy", "light"),
    ("wet", "dry"),
    ("clean", "dirty"),
    ("dangerous", "harmless"),
    ("sharp", "blunt"),
    ("old", "new"),
    ("loud", "quiet"),
    ("expensive", "cheap"),
    ("strong", "weak"),
    ("thick", "thin"),
    ("rough", "smooth"),
    ("edible", "inedible"),
    ("edible", "poisonous"),
    ("transparent", "opaque"),
    ("warm", "cool"),
    ("deep", "shallow"),
    ("wide", "narrow"),
    ("alive", "dead"),
]
#: Things may have several colours, even opposite ones.
COLOURS = {"/c/en/black", "/c/en/white"}
#: Words that neither WordNet's nouns nor the lemmatizer know, checked by hand.
SPELLED_RIGHT = {"zookeeper"}


def test_there_are_at_least_as_many_facts_as_promised(commonsense: list[Triple]) -> None:
    assert len(commonsense) >= 8000


def test_every_line_has_a_subject_a_known_relation_and_an_object(written: list[Triple]) -> None:
    wrong = [t for t in written if t[1] not in RELATIONS or not t[0].strip() or not t[2].strip()]
    # a thing may be named after its colour, nothing else is said of itself
    wrong += [t for t in written if t[0] == t[2] and t[1] != "HasProperty"]
    assert wrong == []
    assert [t for t in written if t != tuple(part.strip() for part in t) or "  " in t[0] + t[2]] == []


def test_no_fact_is_written_twice(commonsense: list[Triple]) -> None:
    assert [t for t, n in Counter(commonsense).items() if n > 1] == []


def test_nothing_is_both_stated_and_denied(commonsense: list[Triple]) -> None:
    facts = set(commonsense)
    assert [(s, p, o) for s, p, o in facts for stated in DENIALS.get(p, ()) if (s, stated, o) in facts] == []


def test_nothing_has_two_opposite_properties(commonsense: list[Triple]) -> None:
    properties: dict[str, set[str]] = defaultdict(set)
    for s, p, o in commonsense:
        if p == "HasProperty":
            properties[s].add(o)
    opposites = [(f"/c/en/{a}", f"/c/en/{b}") for a, b in OPPOSITES]
    opposites += [(s, o) for s, p, o in commonsense if p == "Antonym" and s not in COLOURS]
    assert [(s, a, b) for s, has in properties.items() for a, b in opposites if a in has and b in has] == []


def test_no_kind_is_its_own_kind_with_or_without_wordnet(commonsense: list[Triple], wordnet: list[Triple]) -> None:
    for facts in (commonsense, commonsense + wordnet):
        kinds = nx.DiGraph((s, o) for s, p, o in facts if p == "IsA")
        assert [sorted(c) for c in nx.strongly_connected_components(kinds) if len(c) > 1] == []
        assert list(nx.selfloop_edges(kinds)) == []


def test_every_word_is_spelled_right(written: list[Triple], wordnet: list[Triple]) -> None:
    nouns = {word for s, _, _ in wordnet for word in re.split(r"[_\-]", s.split("/")[3])}
    used = {word for s, _, o in written for word in tokens(f"{s} {o}".replace("-", " "))}
    unknown = {
        w
        for w in used
        if not w.isdigit() and w not in nouns and w.replace("'s", "") not in nouns and not is_known(w, lang="en")
    }
    assert unknown - SPELLED_RIGHT == set()


def test_sources_states_the_counts(commonsense: list[Triple], wordnet: list[Triple]) -> None:
    text = (folder("knowledge") / "SOURCES.md").read_text(encoding="utf-8")
    for facts in (commonsense, wordnet):
        assert f"{len(facts):,}" in text
