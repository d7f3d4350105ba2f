"""Several tasks and views: identities of the papers, and what is gained by learning together."""

from __future__ import annotations

import numpy as np
import pytest

from kgmm.errors import BadInput, KgmmError
from kgmm.transfer import create
from kgmm.transfer.tasks.mtfl import MTFL
from kgmm.transfer.tasks.mtl import MTL
from kgmm.transfer.views.cotraining import CoTraining
from kgmm.transfer.views.mkl import MKL, objective


def _tasks(seed: int = 0, tasks: int = 6, each: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    common = rng.normal(size=5)
    X, task = rng.normal(size=(tasks * each, 5)), np.repeat(np.arange(tasks), each)
    own = common + 0.3 * rng.normal(size=(tasks, 5))
    return X, (X * own[task]).sum(axis=1), task


def test_both_forms_of_several_tasks_are_one_decision_function() -> None:
    X, values, task = _tasks()
    y = np.where(values > 0, "yes", "no")
    one, two = (MTL(0.5, 2.0, form, tol=1e-10).fit(X, y, task) for form in ("features", "kernel"))
    assert one.decision_function(X, task) == pytest.approx(two.decision_function(X, task), abs=1e-5)
    assert (one.predict(X, task) == y).mean() > 0.9


def test_several_tasks_solve_their_machine() -> None:
    from sklearn.svm import LinearSVC

    X, values, task = _tasks(1)
    y = (values > 0).astype(int)
    made = MTL(0.5, 1.0, tol=1e-10).fit(X, y, task)
    peer = LinearSVC(loss="hinge", C=1.0, fit_intercept=False, tol=1e-10, max_iter=200_000).fit(
        made.features(X, task), y
    )
    assert made.decision_function(X, task) == pytest.approx(peer.decision_function(made.features(X, task)), abs=1e-3)


def test_the_ends_of_mu_are_one_model_and_one_a_task() -> None:
    X, values, task = _tasks(2)
    y = (values > 0).astype(int)
    shared = MTL(1e-6, 1e-6).fit(X, y, task)
    assert shared.decision_function(X, task) == pytest.approx(shared.decision_function(X, (task + 1) % 6), rel=1e-3)
    apart = MTL(1e9, 1.0, tol=1e-10).fit(X, y, task)
    alone = MTL(1e9, 1.0, tol=1e-10).fit(X[task == 0], y[task == 0], task[task == 0])
    assert apart.decision_function(X[:12], task[:12]) == pytest.approx(
        alone.decision_function(X[:12], task[:12]), abs=1e-4
    )


def test_feature_learning_reaches_the_squared_trace_norm_and_falls() -> None:
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(8, 2))
    task = np.repeat(np.arange(5), 10)
    X = rng.normal(size=(50, 8))
    W = rng.normal(size=(5, 2)) @ basis.T
    y = (X * W[task]).sum(axis=1) + 0.1 * rng.normal(size=50)
    made = MTFL(0.5, epsilon=1e-10, tol=1e-12).fit(X, y, task)
    assert all(b <= a * (1 + 1e-8) for a, b in zip(made.objectives_, made.objectives_[1:], strict=False))

    def literal(weights: np.ndarray) -> float:
        errors = ((y - (X * weights[task]).sum(axis=1)) ** 2).sum()
        return float(errors + 0.5 * np.linalg.norm(weights, "nuc") ** 2)

    best = literal(made.coef_)
    assert made.objectives_[-1] == pytest.approx(best, rel=1e-3)
    near = [literal(made.coef_ + scale * rng.normal(size=W.shape)) for scale in (1e-3, 1e-2, 0.1) for _ in range(200)]
    assert min(near) > best - 1e-3 * best, "convex: what is best nearby is best"
    assert np.linalg.svd(made.coef_)[1][2] < 0.05 * np.linalg.svd(made.coef_)[1][0], "two features are found"
    cvxpy = pytest.importorskip("cvxpy")
    free = cvxpy.Variable((5, 8))
    errors = cvxpy.sum_squares(y - cvxpy.sum(cvxpy.multiply(X, free[task]), axis=1))
    solved = cvxpy.Problem(cvxpy.Minimize(errors + 0.5 * cvxpy.normNuc(free) ** 2)).solve()
    assert best == pytest.approx(solved, rel=1e-3)


def test_shared_features_help_tasks_with_few_examples() -> None:
    gains = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        basis, task = rng.normal(size=(15, 2)), np.repeat(np.arange(20), 8)
        X, W = rng.normal(size=(160, 15)), rng.normal(size=(20, 2)) @ basis.T
        y = (X * W[task]).sum(axis=1)
        fresh, of = rng.normal(size=(400, 15)), np.repeat(np.arange(20), 20)
        truth = (fresh * W[of]).sum(axis=1)
        together = MTFL(0.01).fit(X, y, task).predict(fresh, of)
        alone = np.concatenate(
            [
                MTFL(0.01).fit(X[task == t], y[task == t], task[task == t]).predict(fresh[of == t], of[of == t])
                for t in range(20)
            ]
        )
        gains.append(np.square(alone - truth).mean() / np.square(together - truth).mean())
    assert min(gains) > 1.5


def test_cotraining_gains_from_what_is_unlabelled() -> None:
    gains = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        y = np.tile([0, 1], 150)
        one, two = (rng.normal(size=(300, 4)) + 1.1 * y[:, None] * (np.arange(4) < 2) for _ in range(2))
        told = np.where(np.arange(300) < 12, y, -1)
        made = CoTraining(seed=seed).fit(one, two, told)
        plain = CoTraining(rounds=0).fit(one, two, told)
        gains.append((made.predict(one, two) == y).mean() - (plain.predict(one, two) == y).mean())
        assert (made.labels_[:12] == y[:12]).all(), "what was given stays"
    assert np.mean(gains) > 0.01


def _two_views(seed: int, count: int, shared: float, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two classes; a view is the class, what both views got wrong together (*shared*) and what one got wrong alone."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, count)
    common = shared * rng.normal(size=count)
    one, two = ((2 * y - 1 + common + noise * rng.normal(size=count))[:, None] for _ in range(2))
    return one, two, y


@pytest.mark.parametrize("noise", [0.6, 1.0, 1.5])
def test_disagreement_bounds_both_errors_where_views_are_independent_given_the_class(noise: float) -> None:
    """Eq. 1: P(f1 != f2) >= max(P(f1 wrong), P(f2 wrong)); where views share their noise it fails."""
    told = {}
    for name, shared, alone in (("independent", 0.0, noise), ("one noise", noise, 0.1)):
        one, two, y = _two_views(0, 4000, shared, alone)
        made = CoTraining(rounds=5).fit(one, two, np.where(np.arange(4000) < 60, y, -1))
        wrong = [made.classifiers_[k].predict(view) for k, view in enumerate((one, two))]
        apart = float((wrong[0] != wrong[1]).mean())
        told[name] = apart, max(float((guess != y).mean()) for guess in wrong), made.disagreement(one, two)
    assert told["independent"][0] >= told["independent"][1] > 0.01, "the bound holds, and is not empty"
    assert told["one noise"][0] < 0.7 * told["one noise"][1], "both are wrong together, so they agree"
    assert all(apart == said for apart, _, said in told.values())


def test_the_gradient_of_simple_kernel_learning_equals_finite_differences() -> None:
    rng = np.random.default_rng(0)
    y = np.where(rng.random(40) > 0.5, 1.0, -1.0)
    views = [rng.normal(size=(40, 3)) + y[:, None] * shift for shift in (0.5, 0.0, 1.0)]
    stack = np.stack([v @ v.T + np.eye(40) for v in views])
    weights = np.array([0.5, 0.3, 0.2])
    _, gradient = objective(stack, y, weights, 1.0)
    for k in range(3):
        step = 1e-4 * (np.arange(3) == k)
        up, down = objective(stack, y, weights + step, 1.0)[0], objective(stack, y, weights - step, 1.0)[0]
        assert gradient[k] == pytest.approx((up - down) / 2e-4, rel=1e-3)


@pytest.mark.parametrize("rule", ["average", "alignment", "simple"])
def test_kernels_are_weighed_and_noise_is_left_out(rule: str) -> None:
    rng = np.random.default_rng(1)
    y = np.repeat(["a", "b"], 60)
    rows = [rng.normal(size=(120, 4)) + (y == "b")[:, None] * shift for shift in (1.5, 0.0, 0.0)]
    learn = np.arange(120) % 2 == 0
    made = MKL(rule).fit([r[learn] @ r[learn].T for r in rows], y[learn])
    assert made.weights_.sum() == pytest.approx(1) and (made.weights_ >= 0).all()
    assert rule == "average" or made.weights_[0] > 0.6
    assert all(b < a for a, b in zip(made.objectives_, made.objectives_[1:], strict=False))
    assert (made.predict([r[~learn] @ r[learn].T for r in rows]) == y[~learn]).mean() > 0.85


def test_what_cannot_be_learned_from_is_refused() -> None:
    X, values, task = _tasks()
    for bad in [lambda: MTL().fit(X, np.zeros(72), task), lambda: MTL().fit(X[:3], values, task), lambda: MTL(mu=0),
                lambda: MTFL(gamma=0), lambda: MTFL().fit(np.full((2, 2), np.nan), [1, 2], [0, 1]),
                lambda: MTFL().fit(X, values, task).predict(X[:1], [9]), lambda: CoTraining().fit(X, X[:5], values),
                lambda: CoTraining().fit(X, X, np.full(72, -1)), lambda: MKL("best"), lambda: MKL().fit([], [0, 1]),
                lambda: MKL().fit([np.eye(3)], [0, 0, 0])]:  # fmt: skip
        with pytest.raises(BadInput):
            bad()
    with pytest.raises(KgmmError, match="there are: coral"):
        create("magic")
