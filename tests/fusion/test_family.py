"""Every level of fusion and every shared space: is documented and cited, and learns from small pairs what it is for."""

from __future__ import annotations

import numpy as np
import pytest

from kgmm.fusion import levels, projections
from kgmm.fusion.levels import LEVELS, RULES, FusionClassifier
from kgmm.fusion.projections import SPACES, Projection
from tests.families import check_family

RNG = np.random.default_rng(0)
KIND = np.arange(90) % 3
CENTRES = np.array([[4.0, 0, 0], [0, 4, 0], [0, 0, 4]])
IMAGE = CENTRES[KIND] @ RNG.normal(size=(3, 5)) + RNG.normal(size=(90, 5)) * 0.2
TEXT = CENTRES[KIND] @ RNG.normal(size=(3, 4)) + RNG.normal(size=(90, 4)) * 0.2


def test_every_member_has_a_row_in_the_docs_and_a_source() -> None:
    check_family([*LEVELS, *RULES], lambda name: levels, "fusion.md")
    check_family([space.name for space in SPACES], lambda name: projections, "fusion.md")


@pytest.mark.parametrize(
    ("level", "rule"), [*((level, "product") for level in LEVELS), *(("late", r) for r in RULES[1:])]
)
def test_a_level_learns_kinds_that_both_views_show(level: levels.Level, rule: levels.Rule) -> None:
    posterior = (
        FusionClassifier(level, rule, epochs=30)
        .fit(IMAGE[:60], TEXT[:60], KIND[:60])
        .predict_proba(IMAGE[60:], TEXT[60:])
    )
    assert posterior.shape == (30, 3) and posterior.sum(1) == pytest.approx(1)
    assert (posterior.argmax(1) == KIND[60:]).mean() > 0.9


@pytest.mark.parametrize("space", SPACES)
def test_a_space_brings_pairs_together(space: type[Projection]) -> None:
    fitted = space(2).fit(IMAGE[:60], TEXT[:60])
    a, b = fitted.transform(IMAGE[60:], "image"), fitted.transform(TEXT[60:], "text")
    assert a.shape == b.shape == (30, 2)
    assert min(abs(np.corrcoef(a[:, i], b[:, i])[0, 1]) for i in range(2)) > 0.8
