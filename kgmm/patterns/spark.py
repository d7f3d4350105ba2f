"""Patterns on a Spark cluster, by a store's Delta log: MLlib's FP-growth over the rows that the local miner has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgmm.errors import KgmmError
from kgmm.patterns.itemsets import least_count
from kgmm.patterns.scenes import KINDS

if TYPE_CHECKING:
    from pyspark.ml.fpm import FPGrowthModel
    from pyspark.sql import DataFrame


def shown(facts: DataFrame, kind: str = "scene") -> DataFrame:
    """Return a row for each scene (or story): its graph, and the concepts that are objects of its facts (graph, items).

    Args:
        facts: statements, as :func:`kgmm.store.table.spark.statements` gives them.
        kind: scene or story.

    Raises:
        KgmmError: if there is no such kind.

    Example:
        >>> from kgmm.store.table import spark as jobs
        >>> shown(jobs.statements(jobs.session(), "knowledge-store")).count()  # doctest: +SKIP
        19
    """
    if kind not in KINDS:
        raise KgmmError(f"scenes or stories are looked at, not {kind!r}")
    from pyspark.sql import functions as f

    concept = f.when(f.col("object").startswith("/c/"), f.col("object"))  # others are null, which a set leaves out
    return (
        facts.where(f.col("graph").startswith(kind + "/")).groupBy("graph").agg(f.collect_set(concept).alias("items"))
    )


def itemsets(rows: DataFrame, min_support: float = 0.1) -> DataFrame:
    """Return the frequent sets of rows of items: what :func:`kgmm.patterns.itemsets` finds with ``closed=False``.

    Args:
        rows: a column ``items`` of lists, none of which has an item twice.
        min_support: share of the rows in (0, 1]; an integer from 2 up counts rows.

    Returns:
        A DataFrame (support, itemsets).

    Raises:
        KgmmError: if the support is none.

    Source: Li, Wang, Zhang, Zhang, Chang, *PFP: Parallel FP-growth for query recommendation*, RecSys 2008 (MLlib's).
    """
    from pyspark.sql import functions as f

    count = rows.count()
    found = _model(rows, count, min_support, 1.0).freqItemsets
    return found.select((f.col("freq") / f.lit(max(count, 1))).alias("support"), f.col("items").alias("itemsets"))


def rules(rows: DataFrame, min_support: float = 0.1, min_confidence: float = 0.8) -> DataFrame:
    """Return the rules that lead to one item: of :func:`kgmm.patterns.rules` those with a single consequent.

    Returns:
        A DataFrame (antecedents, consequents, support, confidence, lift).

    Raises:
        KgmmError: if the support is none.
    """
    from pyspark.sql import functions as f

    found = _model(rows, rows.count(), min_support, min_confidence).associationRules
    ends = f.col("antecedent").alias("antecedents"), f.col("consequent").alias("consequents")
    return found.select(*ends, "support", "confidence", "lift")


def _model(rows: DataFrame, count: int, min_support: float, min_confidence: float) -> FPGrowthModel:
    from pyspark.ml.fpm import FPGrowth

    # MLlib rounds the product with the number of rows up; half a row less cannot be rounded past the count that is meant
    share = (least_count(min_support, count) - 0.5) / max(count, 1)
    return FPGrowth(itemsCol="items", minSupport=min(share, 1.0), minConfidence=min_confidence).fit(rows)
