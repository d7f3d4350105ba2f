"""Rank aggregation: exact where it says so, against all permutations; ties, partial plans and weights; the command."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput, KgmmError
from kgmm.trust import plans as module
from kgmm.trust.plans import Plan, aggregate, read_plans

STEPS = "abcdef"


@st.composite
def some_plans(draw: st.DrawFn) -> dict[str, Plan]:
    made: dict[str, Plan] = {}
    for n in range(draw(st.integers(1, 5))):
        steps = draw(st.lists(st.sampled_from(STEPS), unique=True, min_size=1))
        cuts = draw(st.lists(st.booleans(), min_size=len(steps), max_size=len(steps)))
        groups: list[list[str]] = []
        for step, cut in zip(steps, cuts, strict=True):
            if cut or not groups:
                groups.append([])
            groups[-1].append(step)
        made[f"w{n}"] = groups
    return made


def distance(plans: dict[str, Plan], order: tuple[str, ...]) -> float:
    """How many pairs are the other way round, a tie counting half: a slow oracle."""
    total = 0.0
    for plan in plans.values():
        place = {step: n for n, group in enumerate(plan) for step in group}
        for a, b in itertools.combinations(place, 2):
            mine, theirs = np.sign(place[a] - place[b]), np.sign(order.index(a) - order.index(b))
            total += abs(mine - theirs) / 2
    return total


@settings(deadline=None, max_examples=60)
@given(some_plans())
def test_no_permutation_is_nearer_than_kemenys(plans: dict[str, Plan]) -> None:
    found = aggregate(plans)
    order = tuple(step for group in found.order for step in group)
    assert found.exact and found.distance == pytest.approx(distance(plans, order))
    assert found.distance == pytest.approx(min(distance(plans, p) for p in itertools.permutations(order)))


@settings(deadline=None, max_examples=40)
@given(some_plans())
def test_local_search_is_never_better_and_says_that_it_is_not_certain(plans: dict[str, Plan]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "EXACT", 0)
        moved = aggregate(plans)
    assert not moved.exact and moved.distance >= aggregate(plans).distance - 1e-9


def test_complete_plans_get_bordas_counts() -> None:
    # points 3-2-1-0: a 3+2+3 = 8, b 2+3+0 = 5, c 1+1+2 = 4, d 0+0+1 = 1
    plans = {"x": list("abcd"), "y": list("bacd"), "z": list("acdb")}
    assert aggregate(plans, "borda").order == (("a",), ("b",), ("c",), ("d",))
    assert aggregate({"x": list("ab"), "y": list("ba")}, "borda").order == (("a", "b"),)


def test_the_condorcet_winner_is_first_where_borda_has_another() -> None:
    plans: dict[str, Plan] = {f"x{n}": list("abc") for n in range(3)} | {f"y{n}": list("bca") for n in range(2)}
    assert aggregate(plans, "borda").order[0] == ("b",)
    assert aggregate(plans).order == (("a",), ("b",), ("c",))


def test_a_circle_is_broken_at_its_weakest_majority() -> None:
    plans = {"x": list("abc"), "y": list("bca"), "z": list("cab")}
    assert aggregate(plans, weights={"x": 1.5}).order == (("a",), ("b",), ("c",))
    assert aggregate(plans, weights={"z": 1.5}).order == (("c",), ("a",), ("b",))


def test_what_a_plan_leaves_out_it_says_nothing_about() -> None:
    plans: dict[str, Plan] = {"x": [["a"], ["b"]], "y": [["b"], ["c"]], "z": [["d"]]}
    order = [step for (step,) in aggregate(plans).order]
    assert order.index("a") < order.index("b") < order.index("c") and aggregate(plans).distance == 0
    assert aggregate(plans).agreement == {"x": 1.0, "y": 1.0, "z": 1.0}


def test_many_steps_without_large_circles_are_exact_and_many_in_one_are_not() -> None:
    steps = [f"s{n:02}" for n in range(60)]
    assert aggregate({"x": [[s] for s in steps], "y": [[s] for s in steps]}).exact
    rng = np.random.default_rng(0)
    shuffled = {f"w{n}": [[str(s)] for s in rng.permutation(steps)] for n in range(7)}
    found = aggregate(shuffled)
    assert not found.exact and found.order == aggregate(dict(shuffled)).order
    noisy = {f"w{n}": [[s] for s in sorted(steps, key=lambda s: int(s[1:]) + rng.normal(0, 3))] for n in range(15)}
    near = [step for (step,) in aggregate(noisy).order]
    assert np.mean([abs(near.index(s) - n) for n, s in enumerate(steps)]) < 1.5


@pytest.mark.parametrize(
    ("plans", "how", "told"),
    [
        ({}, {}, "no plans"),
        ({"x": [["a"], ["a"]]}, {}, "x names 'a' twice"),
        ({"x": [["a", "a"]]}, {}, "x names 'a' twice"),
        ({"x": [["a"]]}, {"method": "dice"}, "not by 'dice'"),
        ({"x": [["a"]]}, {"weights": {"x": -1}}, "weight of x"),
    ],
)
def test_what_is_no_plan_is_said(plans: dict[str, Plan], how: dict[str, Any], told: str) -> None:
    with pytest.raises(KgmmError, match=told):
        aggregate(plans, **how)


def test_the_command_reads_lines_and_json_and_names_a_bad_line(tmp_path: Path, shell: Callable[..., Any]) -> None:
    text, document = tmp_path / "p.txt", tmp_path / "p.json"
    text.write_text("# dinner\nann: wash > cut = peel > cook\n\nbob: wash > cook\n")
    document.write_text(json.dumps({"ann": ["wash", ["cut", "peel"], "cook"], "bob": ["wash", "cook"]}))
    assert read_plans(text) == read_plans(document)
    assert shell("plans", text).out.splitlines()[0] == "wash > cut > peel > cook"
    assert json.loads(shell("plans", document, "--json").out)["exact"] is True
    for bad in ("ann wash", "ann: wash > > cook", ": wash"):
        text.write_text(f"bob: a\n{bad}\n")
        with pytest.raises(BadInput, match=r"p\.txt:2: expected a contributor"):
            read_plans(text)
    document.write_text('{"ann": "wash"}')
    assert "no list of steps" in shell("plans", document).err
