"""Adapters are scikit-learn's estimators: its own checks, and work in pipelines."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from kgmm.errors import BadRows
from kgmm.transfer import create, methods

#: what is not as scikit-learn has it, and why
EXEMPT = {
    "check_dtype_object": "rows that are no numbers are a BadRows, a ValueError like all that is wrong with rows; a TypeError is asked"
}
FEW = {"ddc": 5, "dan": 5, "dann": 5, "jan": 5, "jan-a": 5, "sda": 1}


@pytest.mark.parametrize("name", methods())
def test_an_adapter_passes_scikit_learns_checks(name: str) -> None:
    adapter = create(name, **({"epochs": FEW[name]} if name in FEW else {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(adapter, on_fail=None, on_skip=None, expected_failed_checks=EXEMPT)
    told = {row["check_name"]: row["status"] for row in found}
    assert {n for n, status in told.items() if status == "failed"} == set()
    assert {n for n, status in told.items() if status == "xfail"} == set(EXEMPT), "what passes is no longer exempt"
    assert sum(status == "passed" for status in told.values()) > 40


def test_an_adapter_ends_a_pipeline() -> None:
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 40)
    X = rng.normal(size=(80, 5)) + 2 * y[:, None]
    X[40:] += 1
    domain = np.repeat([1, -1], 40)
    pipe = make_pipeline(StandardScaler(), create("coral"))
    pipe.fit(X, np.where(domain > 0, y, -1), coral__sample_domain=domain)
    assert (pipe.predict(X[40:]) == y[40:]).mean() > 0.9


def test_what_is_wrong_with_rows_is_a_value_error() -> None:
    with pytest.raises(BadRows, match="0 feature"):
        create("coral").fit(np.zeros((3, 0)), [0, 1, 0])
    with pytest.raises(ValueError, match="could not convert"):
        create("coral").fit([["a"], ["b"]], [0, 1])
