"""Training a policy of paths: walks led to the answer, what is hidden from a question, and a rule that is learned."""

import json

import numpy as np
import pytest
import torch

import kgmm
from kgmm.errors import BadInput
from kgmm.reason.paths.roads import Names, Roads
from kgmm.reason.paths.search import load_model, searched
from kgmm.reason.paths.walking import OTHERS, Asked, Walker, numbers
from kgmm.train.fit import Recipe, fit
from kgmm.train.paths import NEVER, path_problem

KIN = [("ann", "mother", "bea"), ("bea", "mother", "cat"), ("ann", "aunt", "cat"), ("dan", "father", "cat")]
KIN += [("ann", "aunt", "eve"), ("dan", "father", "eve"), ("eve", "sister", "cat"), ("bea", "wife", "dan")]


@pytest.fixture
def kin(tmp_path):
    with kgmm.open(tmp_path / "kin") as kb:
        kb.add(KIN)
        yield kb


def asked_of(kb, start, relation, answer=OTHERS):
    term = {name: kb.terms.id(f"/c/en/{name}") for name in (start, answer) if isinstance(name, str)}
    code = 2 * kb.terms.id(relation)
    sought = term.get(answer, answer)
    return Asked(np.array([term[start]]), np.array([code]), np.ones(1, bool), np.array([sought]))


def test_led_walks_say_how_likely_the_policy_ends_at_the_answer(kin):
    problem = path_problem(kin, "kin", "none", seed=3)
    asked = asked_of(kin, "ann", "aunt", "cat")
    found = searched(problem.walker, asked, width=10_000)[0]
    share = {one.answer: one.share for one in found}[int(asked.answer[0])]
    torch.manual_seed(0)
    many = np.zeros(4000, np.int64)
    with torch.no_grad():
        total, weight = problem.led(asked.take(many), asked.answer[many])
    assert (weight > NEVER).any() and (weight >= total - 1e-5)[weight > NEVER].all()
    estimate = weight.exp()
    assert abs(float(estimate.mean()) - share) < 4 * float(estimate.std()) / len(many) ** 0.5


def test_only_the_statement_asked_for_is_hidden_and_walks_do_not_end_at_others(kin):
    problem = path_problem(kin, "kin", "none")
    name = kin.terms.name
    one = searched(problem.walker, asked_of(kin, "ann", "aunt", "cat"), width=10_000)[0]
    paths = {name(r.answer)[6:]: r for r in one}
    assert "eve" not in paths and ("ann", "aunt", "cat") not in [
        tuple(name(t).replace("/c/en/", "") for t in fact) for fact in paths["cat"].path
    ]
    walks = problem.walker.begin(asked := asked_of(kin, "ann", "aunt", "cat"))
    _, options = problem.walker.choose(asked, walks)
    ways = {name(t) for t, there in zip(options.target[0].tolist(), options.there[0].tolist(), strict=True) if there}
    assert ways == {"/c/en/bea", "/c/en/eve"}  # by way of the other aunt's child, but not at once to the one asked for
    rest = searched(problem.walker, asked_of(kin, "ann", "aunt"), width=10_000)[0]
    assert not {"cat", "eve"} & {name(r.answer)[6:] for r in rest}


def test_what_is_hidden_is_not_counted_either(kin):
    problem = path_problem(kin, "kin", "none")
    asked = [asked_of(kin, "dan", "father", answer) for answer in ("cat", OTHERS)]
    told = []
    weigh = problem.model.forward
    problem.walker.policy.forward = lambda *given: told.append(given[-2]) or weigh(*given)
    for one in asked:
        problem.walker.choose(one, problem.walker.begin(one))
    cat = kin.terms.id("/c/en/cat")
    _, options = problem.walker.choose(asked[1], problem.walker.begin(asked[1]))
    at = options.target[0].tolist().index(cat)
    assert float(told[1][0, at, 5]) == pytest.approx(np.log(2)) and float(told[0][0, at, 5]) == 0


def families(count):
    """Return facts of families, and which of their grandmothers are kept for the test."""
    rng = np.random.default_rng(0)
    facts, kept = [], []
    for n in range(count):
        facts += [(f"g{n}", "mother_of", f"m{n}"), (f"m{n}", "mother_of", f"c{n}"), (f"m{n}", "likes", f"c{n - 1}")]
        facts += [(f"g{n}", "likes", f"c{rng.integers(count)}")]
        (kept if n % 4 == 0 else facts).append((f"g{n}", "grandmother_of", f"c{n}"))
    return facts, kept


def test_a_rule_of_two_steps_is_learned_written_and_followed(tmp_path):
    facts, kept = families(12)
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add(facts)
        made = []
        for folder in ("one", "two"):
            problem = path_problem(kb, "families", "completion", seed=0, size=16, walks=8, alone=0.5)
            fit(problem, tmp_path / folder, Recipe(5, 32, 2e-2, 1e-4, patience=9))
            made.append((tmp_path / folder / "model.safetensors").read_bytes())
        assert made[0] == made[1]
        model = load_model(tmp_path / "one")
        assert model.one and len(model.entities) == 37
        right = 0
        for start, relation, answer in kept:
            best = kb.follow(start, relation, stated=False, model=tmp_path / "one")[0]
            right += best.answer == f"/c/en/{answer}"
            if right == 1:
                assert [fact.predicate for fact in best.path] == ["mother_of", "mother_of"]
        assert right >= len(kept) - 1
        config = json.loads((tmp_path / "one" / "config.json").read_text())
        for wrong in ({"fan": 0}, {"width": 10**9}, {"network": {**config["network"], "entities": 3}}):
            (tmp_path / "one" / "config.json").write_text(json.dumps({**config, **wrong}))
            (tmp_path / "one" / "model.safetensors").touch()
            with pytest.raises(BadInput, match="kgmm train paths"):
                kb.follow("g0", "likes", model=tmp_path / "one")


def test_a_policy_sees_nodes_that_it_never_learned(kin, tmp_path):
    problem = path_problem(kin, "kin", "none")
    with kgmm.open(tmp_path / "other") as other:
        other.add([*KIN, ("fay", "mother", "ann")])
        walker = Walker(problem.model, problem.walker.relations, Roads(other), Names(other), problem.walker.entities)
        assert searched(walker, asked_of(other, "fay", "aunt"))[0]


def test_numbers_are_those_of_a_sort():
    for high in (5, 10**12):
        values = np.random.default_rng(0).integers(-1, high, 200)
        assert all(
            np.array_equal(*pair) for pair in zip(numbers(values), np.unique(values, return_inverse=True), strict=True)
        )
