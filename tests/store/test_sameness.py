"""Two names for one thing: proposed with what speaks for it, accepted, and undone."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.cli import cli
from kgmm.errors import BadInput
from kgmm.store import LocalStore


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    kb = LocalStore(tmp_path / "kb")
    kb.add([("t-shirt", "IsA", "garment"), ("t shirt", "IsA", "garment"), ("t shirts", "MadeOf", "cotton")])
    kb.add([("knife", "UsedFor", "cutting"), ("knives", "UsedFor", "cutting"), ("knives", "IsA", "tool")])
    kb.add([("/c/de/knife", "IsA", "x"), ("/c/en/knife/n", "IsA", "tool"), ("bank", "IsA", "house")])
    return kb


def test_spellings_and_lemmas_are_proposed_with_what_they_share(kb: LocalStore) -> None:
    found = {(same.a[6:], same.b[6:]): same for same in kb.proposals()}
    assert set(found) == {("t-shirt", "t_shirt"), ("knife", "knives"), ("t-shirt", "t_shirts"), ("t_shirt", "t_shirts")}
    assert found["t-shirt", "t_shirt"].score == 1.0 and "both IsA /c/en/garment" in found["t-shirt", "t_shirt"].evidence
    assert found["knife", "knives"].score == pytest.approx(0.5 + 0.4 / 2, abs=1e-4)
    assert kb.proposals(least=0.9)[0].a == "/c/en/t-shirt" and len(kb.proposals(least=0.9)) == 1
    assert len(kb.proposals(limit=2)) == 2


def test_a_proposal_is_accepted_refused_and_undone_exactly(kb: LocalStore) -> None:
    before = set(kb.find())
    first, second = kb.proposals()[0], kb.proposals()[1]
    assert kb.accept(first, contributor="me") == 1 and kb.accept(second, contributor="me", same=False) == 1
    assert {first, second}.isdisjoint(kb.proposals()) and len(kb) == len(before) + 1
    assert kb.withdraw(contributor="me") == 2
    assert set(kb.find()) == before and {first, second} <= set(kb.proposals())


def test_different_values_of_a_functional_relation_speak_against_it(kb: LocalStore) -> None:
    kb.functional("BornIn")
    kb.add([("t shirt", "BornIn", "bonn"), ("t-shirt", "BornIn", "cologne")])
    (same,) = [same for same in kb.proposals(least=0.1) if (same.a, same.b) == ("/c/en/t-shirt", "/c/en/t_shirt")]
    assert same.score < 0.5 and same.against == ("BornIn /c/en/cologne, not /c/en/bonn",)


def test_what_cannot_be_the_same_is_one_clear_error(kb: LocalStore) -> None:
    for wrong in [("knife", "Knife"), ("knife", ""), ("knife", None)]:
        with pytest.raises(BadInput):
            kb.accept(*wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        kb.proposals(least=2)


def test_command(kb: LocalStore) -> None:
    path = str(kb.path)
    told = CliRunner().invoke(cli, ["same", path], catch_exceptions=False)
    assert told.output.startswith("1.000\t/c/en/t-shirt\t/c/en/t_shirt\tsame letters; both IsA /c/en/garment")
    assert (
        "said, version" in CliRunner().invoke(cli, ["same", path, "t-shirt", "t shirt"], catch_exceptions=False).output
    )
    assert "1.000" not in CliRunner().invoke(cli, ["same", path, "--json"], catch_exceptions=False).output
    assert CliRunner().invoke(cli, ["same", path, "t-shirt"]).exit_code == 2


def test_each_kind_of_evidence_says_what_it_adds(kb: LocalStore) -> None:
    kb.add([("the hague", "IsA", "city"), ("'s gravenhage", "IsA", "city"), ("big apple", "IsA", "town")])
    kb.add(
        [
            (who, relation, end)
            for who in ("j smith", "old jack")
            for relation, end in (("BornIn", "x1"), ("Knows", "x2"))
        ]
    )
    kb.add([(who, "WorksAt", "x3") for who in ("j smith", "old jack")])

    class Letters:
        def encode(self, texts: list[str]) -> np.ndarray:
            one = {"big apple": 0.95, "t shirt": 0.0}
            rows = [(one[text], (1 - one[text] ** 2) ** 0.5) if text in one else (0.0, -1.0) for text in texts]
            rows = [(1.0, 0.0) if text == "the hague" else row for text, row in zip(texts, rows, strict=True)]
            return np.array(rows, np.float32)

    plain = {tuple(sorted((same.a[6:], same.b[6:]))): same for same in kb.proposals()}
    assert plain["'s_gravenhage", "the_hague"].parts == (("wordnet", 0.5), ("neighbours", 0.4))
    assert plain["j_smith", "old_jack"].parts == (("neighbours", 0.6),)
    assert plain["knife", "knives"].parts == (("lemmas", 0.5), ("neighbours", 0.2))
    assert ("big_apple", "the_hague") not in plain
    found = {tuple(sorted((same.a[6:], same.b[6:]))): same for same in kb.proposals(encoder=Letters(), limit=10_000)}
    assert found["big_apple", "the_hague"].parts == (("vectors", 0.57),)
    kb.add(("the hague", "Synonym", "'s gravenhage"))
    assert not any("wordnet" in dict(same.parts) for same in kb.proposals()), "the store says so itself"
    assert all(same.score == pytest.approx(sum(adds for _, adds in same.parts)) for same in kb.proposals(least=0))


NAMES = st.sampled_from(["a", "b", "c"])
TOLD = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(["Holds", "Has"]),
        NAMES,
        st.sampled_from([1, 1, -1]),
        st.sampled_from([None, ("2000", "2001"), ("2001", None)]),
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(ours=TOLD, theirs=TOLD)
def test_a_merge_lists_the_conflicts_that_arise(ours: list[Any], theirs: list[Any]) -> None:
    """Against conflicts worked out pair by pair from all that was said."""
    with TemporaryDirectory() as folder, LocalStore(f"{folder}/a") as a, LocalStore(f"{folder}/b") as b:
        a.functional("Holds")
        for kb, who, said in ((a, "ann", ours), (b, "bob", theirs)):
            for subject, relation, target, polarity, valid in said:
                kb.add((subject, relation, target), contributor=who, polarity=polarity, valid=valid)
        done = a.merge(b)
        found = {
            (one.kind, tuple(fact.object[6:] for fact in one.facts), one.facts[0].subject[6:]) for one in done.conflicts
        }
        assert found >= contradictory([*ours, *theirs]) - contradictory(ours)
        assert found <= contradictory([*ours, *theirs])
        assert a.merge(b).conflicts == ()


def contradictory(said: list[Any]) -> set[Any]:
    found: set[Any] = set()
    bounds = {None: (-1, 9999), ("2000", "2001"): (2000, 2001), ("2001", None): (2001, 9999)}
    for s, r, o, side, when in said:
        for s2, r2, o2, side2, when2 in said:
            (b, e), (b2, e2) = bounds[when], bounds[when2]
            if (s, r, o) == (s2, r2, o2) and side != side2 and max(b, b2) <= min(e, e2):
                found.add(("polarity", (o,), s))
    for s in "abc":
        held = {(o, bounds[when]) for s2, r, o, side, when in said if (s2, r, side) == (s, "Holds", 1)}
        for year in (1999, 2000, 2001, 2002):
            now = {o for o, (b, e) in held if b <= year <= ended(held, o, b, e)}
            if len(now) > 1:
                found.add(("functional", tuple(sorted(now)), s))
    return found


def ended(held: set[Any], o: str, begin: int, end: int) -> int:
    """A value with a beginning and no end ends where another begins later."""
    later = [b - 1 for other, (b, _) in held if other != o and b > begin]
    return min([end, *later]) if end == 9999 and begin > 0 else end
