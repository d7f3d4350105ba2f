"""What is said of facts: by whom, of which time; what is seen of it at a time and a version."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from xxhash import xxh64_hexdigest

from kgmm.cli import cli
from kgmm.errors import BadInput, KgmmError, StoreError
from kgmm.knowledge import KnowledgeStore
from kgmm.store import Assertion, Fact, LocalStore, changes
from kgmm.store.assertions import looking
from kgmm.store.times import period, span
from tests.store.histories import played

BONN, BERLIN = ("germany", "CapitalOf", "bonn"), ("germany", "CapitalOf", "berlin")


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeStore:
    return KnowledgeStore(tmp_path / "kb")


def objects(kb: LocalStore, at: str | int | date | None = None) -> list[str]:
    return sorted(fact.object.removeprefix("/c/en/") for fact in kb.find("germany", at=at))


def test_both_ends_are_inclusive_and_a_coarse_bound_covers_its_period(kb: KnowledgeStore) -> None:
    kb.add(BONN, valid=("1949-05-23", "1990"))
    for at, there in [
        ("1949-05-22", 0),
        ("1949-05-23", 1),
        ("1949", 1),
        ("1990-12-31", 1),
        ("1990-12-31T23:59:59Z", 1),
    ]:
        assert len(kb.find("germany", at=at)) == there, at
    assert objects(kb, "1991") == [] and objects(kb, "1991-01-01T00:00:00Z") == []
    assert objects(kb) == ["bonn"], "without a time all is found"
    assert objects(kb, date(1949, 5, 23)) == objects(kb, datetime(1960, 1, 1, 12)) == objects(kb, 1950) == ["bonn"]


def test_no_valid_time_is_always(kb: KnowledgeStore) -> None:
    kb.add([BONN, ("dog", "IsA", "animal")])
    assert kb.count(at="-0500") == kb.count(at="+12000") == 2
    kb.add(BONN, valid=("1949", "1990"))
    assert objects(kb, "2000") == ["bonn"], "the bare fact still says always"


def test_times_of_any_era_and_length() -> None:
    assert period("44 BC").text == period("-0043").text == "-0043" and period("+12019-03").first > period("9999").last
    assert period("2020-02").last - period("2020-02").first == 29 * 86400 - 1
    assert period("2021-05-03T10:00:00+02:00") == period("2021-05-03T08:00:00Z") == period("2021-05-03 08:00:00")
    assert span(("0001", None)).first == period("1 AD").first == period("1 BC").last + 1
    for text in ["2021-13", "2021-02-30", "20210503", "476", "yesterday", "2021-05-03T25", "+999999999999", "", "0 BC"]:
        with pytest.raises(BadInput, match="time: "):
            period(text)
    for bad in [("2020", "2019"), ("2020",), ("2020", "2021", "2022")]:
        with pytest.raises(BadInput, match="valid: "):
            span(bad)  # type: ignore[arg-type]


def test_what_cannot_be_said_is_one_clear_error(kb: KnowledgeStore) -> None:
    for wrong in [{"confidence": 1.5}, {"polarity": 2}, {"valid": "when"}, {"contributor": 3}, {"rests_on": ["x"]}]:
        with pytest.raises(BadInput):
            kb.add(BONN, **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        kb.assertions("bonn")
    assert kb.version == 0
    with pytest.raises(StoreError, match="to look at"):
        kb.as_of("1960").add(BONN)


def test_assertions_of_a_fact_are_a_set(kb: KnowledgeStore) -> None:
    said = {"contributor": "ann", "source": "doc 1", "confidence": 0.9, "licence": "CC0", "text": "Bonn was …"}
    assert kb.add(BONN, valid=("1949", "1990"), **said) == 1  # type: ignore[arg-type]
    assert kb.add(BONN, valid=("1949", "1990"), **said) == 0, "the same again says nothing"  # type: ignore[arg-type]
    assert kb.add(BONN, valid=("1949", "1990"), contributor="bob") == kb.add(BONN, polarity="against") == 1
    first, second, third = kb.assertions(BONN)
    assert (first.contributor, first.source, first.confidence, first.text) == ("ann", "doc 1", 0.9, "Bonn was …")
    assert second.contributor == "bob" and third.polarity == -1 and len({first.id, second.id, third.id}) == 3
    assert kb.add([first, second, third]) == 0, "assertions can be given back"
    (fact,) = kb.find("germany")
    assert fact == first.fact and len(kb) == 1
    assert kb.check() == []


def test_against_alone_makes_no_fact(kb: KnowledgeStore) -> None:
    assert kb.add(BONN, contributor="ann", polarity=-1) == 1
    assert len(kb) == 0 and kb.concept("bonn") is None and [a.polarity for a in kb.assertions(BONN)] == [-1]
    kb.add(BONN)
    assert len(kb) == 1 and len(kb.assertions(BONN)) == 2 and kb.check() == []


def test_bare_facts_have_one_bare_assertion_and_cost_no_column(kb: KnowledgeStore) -> None:
    kb.add(Fact(*BONN, source="me"))
    (bare,) = kb.assertions(BONN)
    assert bare.bare and bare.source == "me" and bare.valid is None
    kb.compact()
    assert not [path.name for path in (kb.path / "index").rglob("when*")] and not kb.opened.state.said


def test_index_rebuilt_or_replayed_sees_the_same(kb: KnowledgeStore) -> None:
    kb.add([BONN, ("dog", "IsA", "animal")])
    other = LocalStore(kb.path)
    before = shutil.copytree(kb.path / "index", kb.path.parent / "before")
    kb.add(BONN, valid=("1949", "1990"))
    kb.add([Assertion(Fact(*BERLIN), valid=("1990-10-03", None)), Assertion(Fact("x", "y", "z"), polarity=-1)])
    other.refresh()
    shutil.rmtree(kb.path / "index")
    shutil.move(before, kb.path / "index")
    replayed = LocalStore(kb.path)
    assert replayed.check() == []
    shutil.rmtree(kb.path / "index")
    rebuilt = LocalStore(kb.path)
    for store in (kb, other, replayed, rebuilt):
        assert objects(store, "2000") == ["berlin", "bonn"] and objects(store, "1960") == ["bonn"]
    assert rebuilt.check() == []


def test_past_versions_and_times_together(kb: KnowledgeStore) -> None:
    kb.add(BONN, valid=("1949", None))
    kb.add(BERLIN, valid=("1990-10-03", None))
    assert [f.object for f in kb.find("germany", at="2000", version=1)] == ["/c/en/bonn"]
    assert len(kb.find("germany", at="2000")) == 2 and len(kb.find(version=0)) == 0
    assert len(kb.as_of("2000", version=1)) == 1
    with pytest.raises(StoreError, match="no version 9"):
        kb.find(version=9)


def test_a_later_value_ends_an_earlier_one_only_of_a_functional_relation(kb: KnowledgeStore) -> None:
    kb.add(BERLIN, valid=("1990-10-03", None))
    kb.add(BONN, valid=("1949", None))  # said later of an earlier time
    assert objects(kb, "2000") == ["berlin", "bonn"] and kb.conflicts() == []
    assert kb.functional("CapitalOf") == ["CapitalOf"]
    assert objects(kb, "1990-10-02") == ["bonn"] and objects(kb, "1990-10-03") == ["berlin"]
    assert objects(kb.as_of("2000")) == ["berlin"] and kb.conflicts() == [] and len(kb.find("germany")) == 2
    kb.add(("germany", "CapitalOf", "weimar"))  # of no time: it ends nothing, nothing ends it
    assert objects(kb, "2000") == ["berlin", "weimar"]
    kinds = [(c.kind, [f.object[6:] for f in c.facts]) for c in kb.conflicts(at="2000")]
    assert kinds == [("functional", ["berlin", "weimar"])]
    kb.remove(*BERLIN)
    assert objects(kb, "2000") == ["bonn", "weimar"], "what ended it is gone: it goes on"


def test_values_that_end_do_not_end_otherwise(kb: KnowledgeStore) -> None:
    kb.functional("CapitalOf")
    kb.add(BONN, valid=("1949", "1999-08-31"))
    kb.add(BERLIN, valid=("1990-10-03", None))
    assert objects(kb, "1995") == ["berlin", "bonn"]
    (conflict,) = kb.conflicts()
    assert (conflict.first, conflict.last) == (period("1990-10-03").first, period("1999-08-31").last)


def test_functional_relations_are_learned_from_values_that_follow_each_other(kb: KnowledgeStore) -> None:
    said = []
    for n in range(25):
        for m in range(3):
            years = (f"{1990 + 10 * m}", f"{1999 + 10 * m}")
            said += [Assertion(Fact(f"firm {n}", "ledBy", f"boss {n} {m}"), valid=years)]
            said += [Assertion(Fact(f"firm {n}", "memberOf", f"club {m}"), valid=(years[0], None))]
    kb.add(said)
    assert kb.learn_functional() == ["ledBy"] == kb.functional()
    declared = kb.find(None, None, "http://www.w3.org/2002/07/owl#FunctionalProperty")[0]
    assert kb.assertions(declared)[0].method == "mined"


def test_said_for_and_against_is_a_conflict_of_the_times_that_meet(kb: KnowledgeStore) -> None:
    kb.add(BONN, valid=("1949", "1990"), contributor="ann")
    kb.add(BONN, valid=("1995", None), contributor="bob", polarity=-1)
    assert kb.conflicts() == []
    kb.add(BONN, valid=("1980", "1985"), contributor="cem", polarity=-1)
    assert [c.kind for c in kb.conflicts()] == ["polarity"] and kb.conflicts(at="1950") == []
    assert objects(kb, "1982") == ["bonn"], "nothing is deleted by inference"


def test_views_retrieval_answers_and_sparql_see_a_time(kb: KnowledgeStore) -> None:
    kb.add([("bonn", "IsA", "city"), ("berlin", "IsA", "city")])
    kb.add(BONN, valid=("1949", "1990-10-02"))
    kb.add(BERLIN, valid=("1990-10-03", None))
    assert "/c/en/bonn" in kb.view(relations=["CapitalOf"]).concepts
    assert "/c/en/bonn" not in kb.view(relations=["CapitalOf"], at="2000").concepts
    assert {m.fact.object for m in kb.retrieve("germany", at="2000")} == {"/c/en/berlin"}
    query = "SELECT ?o { c:germany r:CapitalOf ?o }"
    assert [row["o"] for row in kb.as_of("1960").sparql(query)] == ["/c/en/bonn"]
    assert len(kb.sparql(query)) == 2
    assert [row["o"] for row in kb.as_of("2000").sparql(query)] == ["/c/en/berlin"]


def test_removing_a_fact_removes_what_was_said_of_it(kb: KnowledgeStore) -> None:
    kb.add(BONN, contributor="ann")
    kb.add(BONN, contributor="bob")
    assert kb.remove(*BONN) == 1 and kb.assertions(BONN) == [] and kb.check() == []


def test_small_commits_are_merged_and_nothing_is_lost(kb: KnowledgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MERGE", 8)
    for n in range(21):
        kb.add(("germany", "CapitalOf", f"town {n % 7}"), valid=(f"{1900 + n}", None), contributor=f"c {n % 5}")
    kb.compact()
    assert sum(len(kb.assertions(("germany", "CapitalOf", f"town {n}"))) for n in range(7)) == 21
    assert len(looking.files(kb)) < 12, "small files were merged"
    assert kb.check() == [] and kb.count("germany", at="1903") == 4
    kb.vacuum("0s")
    assert LocalStore(kb.path).count("germany", at="1903") == 4


def test_commands(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    kb = str(tmp_path / "kb")
    run("add", kb, *BONN, "--from", "1949", "--to", "1990-10-02", "--contributor", "ann", "--confidence", "0.9")
    run("add", kb, *BERLIN, "--from", "1990-10-03")
    assert run("find", kb, "germany", "--at", "1960").split("\t")[2] == "/c/en/bonn"
    assert json.loads(run("find", kb, "germany", "--at", "2000", "--json"))["count"] == 1
    assert "1949 to 1990-10-02\tann" in run("assertions", kb, *BONN)
    assert json.loads(run("assertions", kb, *BONN, "--json"))["assertions"][0]["contributor"] == "ann"
    assert "berlin" not in run("walk", kb, "germany", "--at", "1960")
    assert "bonn" in run("sparql", kb, "SELECT ?o { c:germany r:CapitalOf ?o }", "--at", "1960")
    assert run("functional", kb, "CapitalOf") == "CapitalOf\n" and "nothing" in run("conflicts", kb)
    assert "bonn" in run("retrieve", kb, "germany", "--at", "1960")


@pytest.mark.parametrize("seed", range(4))
def test_histories_look_as_a_literal_oracle_says(tmp_path: Path, seed: int) -> None:
    told = played(tmp_path / "kb", 30, 5, seed)
    assert told["wrong"] == 0 and told["looks"] > 300, told


def test_weights_of_what_is_believed_are_probabilities(kb: KnowledgeStore) -> None:
    kb.functional("CapitalOf")
    kb.add([("dog", "IsA", "animal", 2.5)])
    for who in ("ann", "bob", "cem"):
        kb.add(BERLIN, contributor=who)
    kb.add(("germany", "CapitalOf", "paris"), contributor="dan")
    kb.add(("dog", "IsA", "plant"), contributor="dan")
    kb.add(("dog", "IsA", "plant"), contributor="ann", polarity=-1)
    for store in (kb, kb.as_of(version=kb.version)):
        kb.compact()
        seen = store.believe("majority")
        weights = {fact.object[6:]: round(fact.weight, 2) for fact in seen.find() if fact.graph == "facts"}
        assert weights == {"berlin": 0.75, "paris": 0.25, "plant": 0.5, "animal": 2.5}
        assert {f.object[6:]: round(f.weight, 2) for f in seen.believed()} == {
            "berlin": 0.75,
            "paris": 0.25,
            "plant": 0.5,
        }
    scores = dict(kb.believe().view(relations=["CapitalOf"]).walk("germany").top(3))
    assert scores["/c/en/berlin"] > 10 * scores["/c/en/paris"]
    report = kb.believe().belief.report()  # type: ignore[union-attr]
    assert set(report["contributor"]) == {"ann", "bob", "cem", "dan"}
    with pytest.raises(StoreError, match="believed"):
        kb.believe().add(BONN)
    with pytest.raises(KgmmError, match="no policy"):
        kb.believe("nonsense")
    assert kb.find("dog")[0].weight == 2.5, "nothing is stored"


def test_belief_of_one_time_weighs_what_is_said_of_it(kb: KnowledgeStore) -> None:
    kb.functional("CapitalOf")
    kb.add(BONN, contributor="ann", valid=("1949", "1990-10-02"))
    kb.add(BERLIN, contributor="bob", valid=("1990-10-03", None))
    assert [(f.object[6:], f.weight > 0.5) for f in kb.believe("majority", at="1960").find("germany")] == [
        ("bonn", True)
    ]
    assert all(fact.weight == 1 for fact in kb.believe("majority").find("germany")), (
        "of different times: no contradiction"
    )
    assert "nobody" in CliRunner().invoke(cli, ["believe", str(kb.path), "--at", "1900"], catch_exceptions=False).output
    told = CliRunner().invoke(cli, ["believe", str(kb.path), "--policy", "majority"], catch_exceptions=False)
    assert "1 claims\tann" in told.output and "bonn" in told.output


def test_facts_that_all_hold_at_one_time_are_seen_at_that_time(kb: KnowledgeStore) -> None:
    kb.add([(f"thing {n}", "IsA", "kind") for n in range(300)], valid=("2000", "2010"))
    kb.compact()
    kb.add(("thing 0", "IsA", "kind"), valid=("2020", None))
    kb.compact()
    assert kb.count(at="2005") == 300 and kb.count(at="2015") == 0 and kb.count(at="2021") == 1 and kb.check() == []


def test_threads_look_at_times_and_assertions_while_another_writes(kb: KnowledgeStore) -> None:
    kb.add([(f"thing {n}", "IsA", "kind") for n in range(50)], contributor="ann", valid=("2000", None))

    def look(n: int) -> int:
        seen = kb.as_of(f"{1990 + n % 20}").count() + kb.count(at=f"{1990 + n % 20}")
        return seen + len(kb.assertions((f"thing {n % 50}", "IsA", "kind")))

    with ThreadPoolExecutor(8) as threads:
        looking_on = threads.map(look, range(200))
        for n in range(5):
            kb.add((f"thing {n}", "IsA", "kind"), contributor=f"bob {n}", valid=("1980", "1985"))
        assert min(looking_on) >= 1
    assert kb.check() == []


def test_index_of_a_program_that_knows_of_no_assertions_is_made_anew(kb: KnowledgeStore) -> None:
    kb.add(("dog", "IsA", "animal"))
    kb.add(BONN, valid=("1949", "1990"))
    kb.compact()
    state = json.loads((kb.path / "index" / "current.json").read_bytes().partition(b"\n")[0])
    del state["said"]
    text = json.dumps(state).encode()
    (kb.path / "index" / "current.json").write_bytes(text + b"\n" + xxh64_hexdigest(text).encode())
    again = LocalStore(kb.path)
    assert again.opened.state.said is True and again.count(at="2000") == 1 and again.check() == []
    bare = LocalStore(kb.path.parent / "bare")
    bare.add(("dog", "IsA", "animal"))
    assert bare.opened.state.said is False
