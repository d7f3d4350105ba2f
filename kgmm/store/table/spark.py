"""A store's table on a Spark cluster, by its Delta log: k-hop extraction and random walk as DataFrame jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import StoreError, UnknownConcept, needed
from kgmm.language import names
from kgmm.store.table import delta as table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_CUT = 5  #: iterations between two cuts of a job's lineage, without which Spark would plan each from the start
Names = Iterable[str] | None
Seeds = str | Iterable[str] | Mapping[str, float]
_COLUMNS = ("graph", "subject", "predicate", "object", "object_kind", "weight", "source")


def session(cores: int = 2, partitions: int = 4, memory: str = "1g") -> SparkSession:
    """Return a Spark session on this machine (on a cluster, make your own); MissingExtra without PySpark."""
    with needed("pyspark", "spark"):
        from pyspark.sql import SparkSession
    settings = dict.fromkeys(("spark.driver.bindAddress", "spark.driver.host"), "127.0.0.1")
    settings |= {"spark.sql.shuffle.partitions": str(partitions), "spark.driver.memory": memory}
    settings |= dict.fromkeys(("spark.ui.enabled", "spark.ui.showConsoleProgress"), "false")
    builder: Any = SparkSession.builder.master(f"local[{cores}]").appName("kgmm").config(map=settings)
    found: SparkSession = builder.getOrCreate()
    return found


def statements(
    spark: SparkSession, path: str | Path, *, version: int | None = None, graphs: Names = None, relations: Names = None
) -> DataFrame:
    """Return a store's statements (graph, subject, predicate, object, object_kind, weight, source).

    Every worker must see the folder; by default all of the newest version is read. StoreError if there is no such store.
    """
    folder = Path(path) / "table"
    newest = table.latest(folder)
    if newest < 0:
        raise StoreError(f"{path}: there is no store")
    listed = table.files(folder, newest if version is None else version)
    files = [str(folder / f["path"]) for f in listed if table.stands(f)]
    if not files:
        return spark.createDataFrame([], ", ".join(f"{c} {'double' if c == 'weight' else 'string'}" for c in _COLUMNS))
    found = spark.read.parquet(*files).select(*_COLUMNS)
    for column, wanted in (("graph", graphs), ("predicate", relations)):
        if wanted is not None:
            found = found.where(found[column].isin([names.relation(w) if column == "predicate" else w for w in wanted]))
    return found


def k_hop(facts: DataFrame, seeds: str | Iterable[str], hops: int = 2) -> DataFrame:
    """Return the statements whose ends are both within *hops* of a seed, edges taken in either direction.

    Each hop is a join of the frontier with the statements at each end.

    >>> k_hop(statements(spark, "knowledge-store"), "dog", hops=2).write.parquet("dog")  # doctest: +SKIP
    """
    spark, edges = facts.sparkSession, _edges(facts, directed=False).cache()
    start = [seeds] if isinstance(seeds, str) else list(seeds)
    reached = spark.createDataFrame([(names.concept(s),) for s in dict.fromkeys(start)], "node string")
    for _ in range(hops):
        near = edges.join(reached, edges.source_node == reached.node, "left_semi")
        new = near.select(near.target_node.alias("node"))
        reached = reached.union(new).distinct().localCheckpoint()
    ends = [reached.select(reached.node.alias(end)) for end in ("subject", "object")]
    inside = facts.where(facts.object_kind == "node")
    return reduce(lambda found, end: found.join(end, end.columns[0], "left_semi"), ends, inside)


def walk(
    facts: DataFrame, seeds: Seeds, *, restart: float = 0.15, tol: float = 1e-6, directed: bool = False
) -> DataFrame:
    """Rank nodes by random walk with restart: the numbers of :func:`kgmm.graph.walk.walk` as a DataFrame (node, score).

    Power iteration x ← (1 - restart) P x + restart e (Pan et al., KDD 2004), until the L1 error is at most *tol*;
    mass at nodes without a way out returns to the seeds. One iteration is one join and one aggregation over the edges.

    Raises:
        UnknownConcept: if no seed has an edge.
    """
    from pyspark.sql import functions as f

    named = [seeds] if isinstance(seeds, str) else seeds
    masses = dict(named) if isinstance(named, Mapping) else dict.fromkeys(named, 1.0)
    spark, edges = facts.sparkSession, _edges(facts, directed)
    strengths = edges.groupBy("source_node").agg(f.sum("weight").alias("strength"))
    share = (f.col("weight") / f.col("strength")).alias("share")
    steps = edges.join(strengths, "source_node").select("source_node", "target_node", share)
    steps = steps.repartition("source_node").cache()
    known = steps.select("source_node").union(steps.select("target_node")).distinct().cache()
    given = spark.createDataFrame([(names.concept(s), float(m)) for s, m in masses.items()], "node string, mass double")
    given = given.join(known, given.node == known.source_node, "left_semi")
    total = given.agg(f.sum("mass")).first()[0]
    if not total:
        raise UnknownConcept(next(iter(masses), ""), where="the statements")
    start = given.select("node", (f.col("mass") / total).alias("score")).localCheckpoint()
    pull = start.select("node", (f.col("score") * restart).alias("score"))
    scores = start
    for round_ in count(1):
        moved = steps.join(scores, steps.source_node == scores.node).select(
            f.col("target_node").alias("node"), (f.col("share") * f.col("score") * (1 - restart)).alias("score")
        )
        following = moved.union(pull).groupBy("node").agg(f.sum("score").alias("score"))
        following = following.localCheckpoint()
        if round_ % _CUT == 0 and _change(scores, following) * (1 - restart) / restart <= tol / 2:
            break
        scores = following
    # what vanished at nodes without a way out is what the seeds' distribution would get: scaling puts it back
    mass = following.agg(f.sum("score")).first()[0]
    return following.select("node", (f.col("score") / mass).alias("score"))


def _change(before: DataFrame, after: DataFrame) -> float:
    """Return the L1 distance of two score tables."""
    from pyspark.sql import functions as f

    both = before.select("node", (-f.col("score")).alias("score")).union(after.select("node", "score"))
    moved = both.groupBy("node").agg(f.abs(f.sum("score")).alias("moved")).agg(f.sum("moved")).first()
    return float(moved[0] or 0.0)


def _edges(facts: DataFrame, directed: bool) -> DataFrame:
    """Return the edges between nodes with their summed weights, both ways unless *directed*; a loop counts once."""
    from pyspark.sql import functions as f

    nodes = facts.where(facts.object_kind == "node")
    forth = nodes.select(f.col("subject").alias("source_node"), f.col("object").alias("target_node"), f.col("weight"))
    if not directed:
        back = forth.where("source_node != target_node")
        back = back.select(
            f.col("target_node").alias("source_node"), f.col("source_node").alias("target_node"), "weight"
        )
        forth = forth.union(back)
    return forth.groupBy("source_node", "target_node").agg(f.sum("weight").alias("weight"))
