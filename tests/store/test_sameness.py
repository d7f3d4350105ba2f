"""Two names for one thing: proposed with what speaks for it, accepted, and undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

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
