"""ALS on a Spark cluster, by MLlib, over the same ratings that the local one has: a store's Delta table, or any DataFrame."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgmm.errors import BadInput, KgmmError, needed

if TYPE_CHECKING:
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import DataFrame

    from kgmm.recommend.base import Rows
    from kgmm.recommend.ratings import Ratings
    from kgmm.recommend.recommenders.als import AlternatingLeastSquares

#: parts that users and items are dealt into: fixed, so that the same seed gives the same vectors on any number of cores
BLOCKS = 10


def rated(facts: DataFrame, relation: str = "rated") -> DataFrame:
    """Return the ratings (user, item, rating) among a store's statements: facts (user, relation, item), the weight the rating.

    Args:
        facts: statements, as :func:`kgmm.store.table.spark.statements` gives them.
        relation: that holds ratings.

    Example:
        >>> from kgmm.store.table import spark as jobs
        >>> rated(jobs.statements(jobs.session(), "films-store")).columns  # doctest: +SKIP
        ['user', 'item', 'rating']
    """
    from pyspark.sql import functions as f

    from kgmm.language import names

    mine = facts.where(f.col("predicate") == names.relation(relation))
    pairs = mine.groupBy(f.col("subject").alias("user"), f.col("object").alias("item"))
    return pairs.agg(f.max("weight").alias("rating"))


def factors(rows: DataFrame, model: AlternatingLeastSquares) -> tuple[DataFrame, DataFrame]:
    """Return the vectors of users and of items, two DataFrames (name, features) that stay on the cluster.

    Args:
        rows: (user, item, rating); names may be texts or numbers.
        model: an ALS recommender whose options are wanted; it is left as it was.

    Raises:
        KgmmError: if the options are none MLlib has.

    Source: MLlib's ALS, after Zhou et al. 2008 (ratings) and Hu, Koren, Volinsky 2008 (choices).
    """
    from pyspark.sql import functions as f

    numbered = rows.select(f.col("user").cast("string"), f.col("item").cast("string"), f.col("rating").cast("float"))
    places = {}
    for kind in ("user", "item"):
        order = numbered.select(kind).distinct().rdd.map(lambda row: row[0]).sortBy(lambda name: name).zipWithIndex()
        places[kind] = rows.sparkSession.createDataFrame(order, f"{kind} string, {kind}_id long").cache()
        numbered = numbered.join(places[kind], kind)
    ids = [f.col(f"{kind}_id").cast("int").alias(kind) for kind in places]
    found = _model(numbered.select(*ids, "rating"), model)
    sides = []
    for kind, vectors in (("user", found.userFactors), ("item", found.itemFactors)):
        named = vectors.join(places[kind], vectors.id == places[kind][f"{kind}_id"])
        sides.append(named.select(f.col(kind).alias("name"), "features"))
    return sides[0], sides[1]


def local_factors(ratings: Ratings, model: AlternatingLeastSquares) -> tuple[Rows, Rows]:
    """Return the vectors (users, k) and (items, k) that Spark on this machine finds of ratings in memory.

    Raises:
        MissingExtra: without PySpark.
        KgmmError: without Java, or if the options are none MLlib has.
    """
    import polars as pl

    with needed("pyspark", "spark"):
        from pyspark.sql import SparkSession
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        raise KgmmError("Spark needs Java 17, and there is no java here")
    from kgmm.store.table.spark import session

    before = SparkSession.getActiveSession()
    spark = before or session()
    spark.sparkContext.setLogLevel("ERROR")
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "ratings.parquet"
            pl.DataFrame({"user": ratings.user, "item": ratings.item, "rating": ratings.value}).write_parquet(place)
            found = _model(spark.read.parquet(str(place)), model)
            counts = len(ratings.users), len(ratings.items)
            users, items = (
                _collected(side, count, model.factors)
                for side, count in zip((found.userFactors, found.itemFactors), counts, strict=True)
            )
            return users, items
    finally:
        if before is None:
            spark.stop()


def _model(rows: DataFrame, model: AlternatingLeastSquares) -> ALSModel:
    if not model.by_count or model.gradients:
        raise KgmmError(
            "MLlib's ALS weighs by the number of a row's ratings: by_count=False and gradients are the local one's"
        )
    from pyspark.ml.recommendation import ALS

    made = ALS(
        rank=model.factors, maxIter=model.epochs, regParam=model.weight, implicitPrefs=model.implicit,
        alpha=model.alpha, seed=model.seed, userCol="user", itemCol="item", ratingCol="rating",
        numUserBlocks=BLOCKS, numItemBlocks=BLOCKS,
    )  # fmt: skip
    return made.fit(rows)


def _collected(side: DataFrame, count: int, length: int) -> Rows:
    """The vectors (count, length) in the order of their numbers; 0 where MLlib has none."""
    table: Any = side.toPandas()
    out = np.zeros((count, length), np.float32)
    if len(table):
        out[table["id"].to_numpy()] = np.stack(table["features"].to_list())
    if not np.isfinite(out).all():
        raise BadInput("ratings", "Spark's factors are no finite numbers")
    return out
