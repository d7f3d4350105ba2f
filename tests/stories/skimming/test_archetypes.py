"""Co-archetypal analysis: its objective is the paper's, falls at each block, and shared archetypes are found."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from kgmm.stories.footage.footage import Footage
from kgmm.stories.skimming.archetypes import Archetypes, archetypes, mixed, simplex
from kgmm.stories.skimming.judging import judge
from kgmm.stories.skimming.request import Request


def _planted(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points between three shared and three private corners, title pictures between the shared ones, and the corners."""
    rng = np.random.default_rng(seed)
    corners = np.linalg.qr(rng.normal(size=(20, 6)))[0].T
    x = np.vstack([rng.dirichlet([0.3] * 6, 90) @ corners, np.repeat(corners, 3, axis=0)])
    y = np.vstack([rng.dirichlet([0.3] * 3, 20) @ corners[:3], np.repeat(corners[:3], 2, axis=0)])
    return x + 0.01 * rng.normal(size=x.shape), y + 0.01 * rng.normal(size=y.shape), corners


def _literal(x: np.ndarray, y: np.ndarray, found: Archetypes, gamma: float) -> float:
    """The objective as printed, with points as columns."""
    z = x.T @ found.from_x
    value = np.linalg.norm(x.T - z @ found.of_x) ** 2
    if len(y):
        value += np.linalg.norm(y.T - z @ found.of_y) ** 2 + gamma * np.linalg.norm(z - y.T @ found.from_y) ** 2
    return float(value)


@pytest.mark.parametrize(("pictures", "gamma"), [(True, 1.0), (True, 0.0), (True, 30.0), (False, 1.0)])
def test_the_objective_is_the_papers_and_falls_at_each_block(pictures: bool, gamma: float) -> None:
    x, y, _ = _planted()
    y = y if pictures else y[:0]
    found = archetypes(x, y, 6, gamma)
    assert found.objective[-1] == pytest.approx(_literal(x, y, found, gamma), rel=1e-8)
    assert len(found.objective) > 6
    assert all(b <= a + 1e-9 for a, b in itertools.pairwise(found.objective))
    for side in (found.of_x, found.of_y, found.from_x, *([found.from_y] if pictures else [])):
        assert side.min(initial=0) >= 0 and side.sum(axis=0) == pytest.approx(1)


def test_shared_archetypes_are_found_and_without_pictures_they_are_not() -> None:
    for seed in range(2):
        x, y, corners = _planted(seed)
        near = {}
        for name, pictures in (("with", y), ("without", y[:0])):
            found = archetypes(x, pictures, 3, 1000.0, rounds=300, enough=1e-7)
            z = found.from_x.T @ x
            z /= np.linalg.norm(z, axis=1, keepdims=True)
            near[name] = (z @ corners[:3].T).max(axis=0)
        assert near["with"].min() > 0.98 and near["without"].min() < 0.8


def test_all_corners_are_found_where_all_are_asked_for() -> None:
    x, _, corners = _planted(1)
    z = archetypes(x, x[:0], 6).from_x.T @ x
    assert ((z @ corners.T) / np.linalg.norm(z, axis=1, keepdims=True)).max(axis=0).min() > 0.97


def test_scores_are_the_rows_sums() -> None:
    x, y, _ = _planted()
    found = archetypes(x, y, 4)
    assert found.scores() == pytest.approx((found.from_x @ found.of_x).sum(axis=1))
    assert found.scores().sum() == pytest.approx(len(x))


def test_mixtures_are_the_best_a_general_solver_finds() -> None:
    rng = np.random.default_rng(3)
    points, aims = rng.normal(size=(5, 4)), rng.normal(size=(3, 4))
    gram, target = points @ points.T, points @ aims.T
    ours = mixed(gram, target, np.full((5, 3), 0.2), 3000)
    for column in range(3):

        def cost(w: np.ndarray, column: int = column) -> float:
            return float(np.sum((w @ points - aims[column]) ** 2))

        limits = {"type": "eq", "fun": lambda w: w.sum() - 1}
        best = minimize(cost, np.full(5, 0.2), bounds=[(0, 1)] * 5, constraints=limits, tol=1e-12)
        assert cost(ours[:, column]) == pytest.approx(best.fun, abs=1e-6)


def test_the_nearest_point_of_the_simplex() -> None:
    rng = np.random.default_rng(4)
    columns = rng.normal(size=(3, 40))
    grid = np.array([(a, b, 50 - a - b) for a in range(51) for b in range(51 - a)]) / 50
    found = simplex(columns)
    assert found.sum(axis=0) == pytest.approx(1) and found.min() >= 0
    best = ((grid[:, :, None] - columns[None]) ** 2).sum(axis=1).min(axis=0)
    assert (((found - columns) ** 2).sum(axis=0) <= best + 1e-12).all()


def test_pictures_of_the_title_lift_what_they_show() -> None:
    x, y, corners = _planted()
    film = Footage(x.astype(np.float32), edges=np.append(np.arange(0, len(x), 3), len(x)))
    shared = (film.of_segments((x @ corners.T).T)[:3]).max(axis=0) > 0.9
    (plain,) = judge("archetypal", Request((film,)))
    (titled,) = judge("archetypal", Request((film,), title="Three", title_images=y.astype(np.float32)))
    assert titled.details["title"] == "26 pictures given" and "title" not in plain.details
    share = [j.segments[shared].sum() / j.segments.sum() for j in (plain, titled)]
    assert share[1] > share[0] + 0.1


def test_a_title_without_pictures_says_so() -> None:
    film = Footage(np.eye(8, dtype=np.float32))
    (judged,) = judge("archetypal", Request((film,), title="Cats"))
    assert judged.details["title"] == "no pictures of 'Cats': neither given nor a store to look in"
