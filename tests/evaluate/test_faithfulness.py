"""Faithfulness over a data set: the figures agree with a count by hand."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from kgmm.cli import cli
from kgmm.evaluate.calibration import calibration, calibration_svg, risk_coverage, risk_coverage_svg
from kgmm.evaluate.faithfulness import alone, by_similarity, measure, report
from kgmm.knowledge import KnowledgeStore
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.trace import Answer
from kgmm.trace.counterfactuals import exhaust

DESK = SceneGraph("desk", (SceneObject("o1", "knife"), SceneObject("o2", "lamp")))
CUTS = Fact("knife", "UsedFor", "cutting")


def asked(place: Path, *facts: Fact) -> tuple[KnowledgeStore, Answer]:
    kb = KnowledgeStore(place)
    kb.add(facts)
    return kb, kb.ask(DESK, "Which object is used for cutting?")


def test_the_only_fact_that_says_it_is_necessary_and_sufficient(tmp_path: Path) -> None:
    kb, answer = asked(tmp_path / "kb", CUTS, Fact("lamp", "UsedFor", "light"), Fact("knife", "AtLocation", "drawer"))
    found = measure(answer, kb, right=True, draws=30)
    assert answer.text == "knife" and found.verified and found.cited == 1
    assert found.necessary["cited"] == found.sufficient["cited"] == 1.0
    assert 0.0 < found.necessary["random"] < 1.0  # the fact itself is drawn in a part of the draws
    assert len(found.seconds) == 1


def test_facts_that_repeat_each_other_are_cited_and_necessary_together(tmp_path: Path) -> None:
    kb, answer = asked(
        tmp_path / "kb", CUTS, Fact("knife", "UsedFor", "cutting bread"), Fact("knife", "UsedFor", "cutting meat")
    )
    found = measure(answer, kb)
    assert found.cited == 3 and found.sufficient["cited"] == found.necessary["cited"] == 1.0
    assert found.rounds == 1 and found.exhausted["cited"] == 1.0


def test_a_fact_that_too_many_others_repeat_is_sufficient_but_not_necessary(tmp_path: Path) -> None:
    kb, answer = asked(tmp_path / "kb", *(Fact("knife", "UsedFor", f"cutting {thing}") for thing in "abcdefghijkl"))
    found = measure(answer, kb)
    assert found.cited == 1 and (found.sufficient["cited"], found.necessary["cited"]) == (1.0, 0.0)
    assert found.rounds == 4 and found.exhausted["cited"] == 1.0  # three one by one, the nine others together


def test_alone_takes_away_even_what_was_not_in_memory(tmp_path: Path) -> None:
    kb = KnowledgeStore(tmp_path / "kb")
    kb.add([Fact("knife", "UsedFor", f"cutting {i}") for i in range(50)])
    answer = kb.ask(DESK, "Which object is used for cutting?", limit=5)
    assert len(answer.trace.memory) == 5
    left = alone(answer.trace, [Fact("knife", "UsedFor", "cutting 49")])
    assert {m.fact.object for m in left.trace.memory} == {"/c/en/cutting_49"}
    assert alone(answer.trace, []).trace.memory == []


def test_what_says_the_same_is_taken_away_until_the_answer_changes(tmp_path: Path) -> None:
    repeated = [Fact("knife", "UsedFor", f"cutting {thing}") for thing in "abcdefghijkl"]
    _, answer = asked(tmp_path / "kb", *repeated, Fact("lamp", "UsedFor", "light"))
    rounds = exhaust(answer.trace)
    assert [len(c.removed) for c in rounds] == [1, 2, 3, 12]
    assert {c.answer for c in rounds[:3]} == {"knife"} and rounds[3].answer != "knife"
    assert set(rounds[3].removed) == set(repeated)


def test_an_abstention_counts_only_as_a_question(tmp_path: Path) -> None:
    kb, answer = asked(tmp_path / "kb", Fact("house", "HasA", "door"))
    assert not answer
    found = report([measure(answer, kb)])
    assert (found["questions"], found["answered"], found["cite_knowledge"]) == (1, 0, 0)


def test_the_report_counts_shares(tmp_path: Path) -> None:
    kb, yes = asked(tmp_path / "kb", CUTS, Fact("lamp", "UsedFor", "light"))
    rows = [measure(yes, kb, id=str(i), right=i < 3, draws=4) for i in range(4)]
    found = report(rows)
    assert (found["answered"], found["right"], found["verified"]) == (4, 3, 1.0)
    assert found["necessary"]["cited"] == 1.0
    assert found["necessity_ratio"] == pytest.approx(1 / found["necessary"]["random"], abs=0.01)
    assert found["without_ms"]["count"] == 4
    json.dumps(found)


def test_calibration_error_is_the_formulas() -> None:
    pairs = [(0.95, True), (0.91, False), (0.35, True), (0.31, False), (0.05, False)]
    by_hand = (2 * abs(0.5 - 0.93) + 2 * abs(0.5 - 0.33) + 1 * abs(0.0 - 0.05)) / 5
    assert calibration(pairs)["ece"] == pytest.approx(by_hand, abs=1e-4)
    assert [b["count"] for b in calibration(pairs)["bins"]] == [1, 2, 2]
    assert calibration([(1.0, True)])["ece"] == 0.0 and calibration([])["ece"] == 0.0


def test_risk_grows_as_less_sure_answers_are_given() -> None:
    found = risk_coverage([(0.9, True), (0.8, True), (0.5, False), (0.5, True), (0.1, False)], 10)
    assert [(p["coverage"], p["risk"]) for p in found["points"]] == [(0.1, 0.0), (0.2, 0.0), (0.4, 0.25), (0.5, 0.4)]
    assert found["aurc"] == pytest.approx((0 + 0 + 1 / 3 + 1 / 4 + 2 / 5) / 5, abs=1e-4)


def test_plots_are_svg_that_parses() -> None:
    pairs = [(0.9, True), (0.4, False), (0.2, False)]
    for svg in (calibration_svg(calibration(pairs)), risk_coverage_svg(risk_coverage(pairs))):
        assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert calibration_svg(calibration(pairs)).count("<circle") == 3


def test_the_command_measures_fvqa(shared_data: Path, tmp_path: Path) -> None:
    arguments = ["eval", "faithfulness", str(shared_data / "fvqa"), "--limit", "6", "--plots", str(tmp_path / "plots")]
    result = CliRunner().invoke(cli, [*arguments, "--draws", "1", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["questions"] == 6 and found["verified"] == 1.0
    assert found["necessary"]["cited"] >= found["necessary"]["random"]
    assert json.loads((tmp_path / "plots/faithfulness.json").read_text()) == found
    assert (tmp_path / "plots/risk-coverage.svg").read_text().startswith("<svg")


def test_facts_are_ordered_by_similarity_where_a_reasoner_kept_none(bundled_kb: KnowledgeStore) -> None:
    coffee = Path(__file__).parents[2] / "graphs" / "scenes" / "coffee.json"
    trace = bundled_kb.ask(coffee, "What is the spoon used for?", reasoner="kdmn").trace
    assert "similarity" not in trace.memory[0].parts
    ordered = by_similarity(trace)
    assert len(ordered) == len({(m.fact.subject, m.fact.predicate, m.fact.object) for m in trace.memory})
    assert all(f.predicate == "UsedFor" for f in ordered[:3])
