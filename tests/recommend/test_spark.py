"""MLlib's ALS: one turn of the local one by its closed form does not move it; the same ratings from a store's table."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import kgmm
from kgmm.cli import cli
from kgmm.errors import KgmmError
from kgmm.evaluate.recommend import evaluate
from kgmm.recommend import Ratings, create, load
from kgmm.recommend import spark as jobs
from kgmm.store.table.spark import session, statements

pytest.importorskip("pyspark", reason="PySpark is not installed (pip install 'kgmm[spark]')")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java 17", allow_module_level=True)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    found = session()
    yield found
    found.stop()


def loss(model: Any, rated: Ratings) -> float:
    """What both minimize, literally."""
    c = np.full((len(rated.users), len(rated.items)), 1.0 if model.implicit else 0.0)
    p = np.zeros_like(c)
    c[rated.user, rated.item] = 1 + model.alpha * rated.value if model.implicit else 1
    p[rated.user, rated.item] = 1 if model.implicit else rated.value
    counts = np.bincount(rated.user), np.bincount(rated.item)
    squares = ((part.astype(float) ** 2).sum(1) for part in (model.user_factors, model.item_factors))
    weights = sum(float(count @ square) for count, square in zip(counts, squares, strict=True))
    return float((c * (p - model.all_scores(range(60))) ** 2).sum() + model.weight * weights)


@pytest.mark.parametrize("implicit", [True, False])
def test_a_local_turn_leaves_what_spark_found(spark: Any, tastes: Ratings, implicit: bool, tmp_path: Any) -> None:
    options = {"factors": 4, "epochs": 5, "implicit": implicit, "weight": 0.2, "alpha": 2.0}
    model = create("als", backend="spark", **options).fit(tastes)
    U = np.zeros_like(model.user_factors)
    model._side(tastes.by_user, model.item_factors, U)  # MLlib's last half turn is the users'
    assert np.abs(U - model.user_factors).max() < 1e-3 * np.abs(U).max()
    again = create("als", backend="spark", **options).fit(tastes)
    assert np.allclose(again.user_factors, model.user_factors, atol=1e-4)
    local = create("als", **options | {"epochs": 30}).fit(tastes)  # MLlib begins nearer: its first vectors are positive
    assert loss(model, tastes) == pytest.approx(loss(local, tastes), rel=0.05)
    both = [m.all_scores(range(60)) for m in (model, local)]
    assert np.corrcoef(both[0].ravel(), both[1].ravel())[0, 1] > 0.9  # other first vectors, another of the minima
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").recommend({"i1": 5}) == model.recommend({"i1": 5})


def test_it_ranks_as_well_as_the_local_one(spark: Any, tastes: Ratings, tmp_path: Any) -> None:
    file = tmp_path / "ratings.csv"
    rows = zip(tastes.user, tastes.item, tastes.value, strict=True)
    file.write_text("user,item,rating\n" + "\n".join(f"{tastes.users[u]},{tastes.items[i]},{v}" for u, i, v in rows))
    asked = ["eval", "recommend", str(file), "--method", "als", "--factors", "2", "--json"]
    done = CliRunner().invoke(cli, [*asked, "--backend", "spark"])
    wanted = evaluate(tastes, "als", factors=2)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["auc"] == pytest.approx(wanted["auc"], abs=0.02)
    other = CliRunner().invoke(cli, [*asked[:4], "bpr", "--backend", "spark"])
    assert other.exit_code == 1 and "has no option backend" in str(other.exception)


def test_ratings_of_a_stores_table(spark: Any, tastes: Ratings, tmp_path: Any) -> None:
    rows = list(zip(tastes.user.tolist(), tastes.item.tolist(), tastes.value.tolist(), strict=True))
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([kgmm.Fact(tastes.users[u], "rated", tastes.items[i], weight=v) for u, i, v in rows])
        kb.add([("i1", "IsA", "film")])
        users = [fact.subject for fact in kb.find(None, "rated", None)]
    rated = jobs.rated(statements(spark, tmp_path / "kb"))
    assert rated.count() == len(tastes)
    model = create("als", factors=2, epochs=5, implicit=False)
    U, V = ({row.name: np.array(row.features) for row in side.collect()} for side in jobs.factors(rated, model))
    assert U.keys() == set(users) and len(V) == 40
    scores = [U[f"/c/en/{tastes.users[u]}"] @ V[f"/c/en/{tastes.items[i]}"] - v for u, i, v in rows]
    assert np.sqrt(np.mean(np.square(scores))) < 0.6


def test_what_mllib_has_not_is_told(spark: Any, tastes: Ratings) -> None:
    with pytest.raises(KgmmError, match="by_count=False"):
        create("als", backend="spark", by_count=False).fit(tastes)
    with pytest.raises(KgmmError, match="local or spark"):
        create("als", backend="magic")
