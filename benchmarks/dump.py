"""A dump shaped like ConceptNet's: its five columns, its relations' shares, power-law degrees, JSON in the fifth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

#: shares of ConceptNet 5.7's English edges, rounded
RELATIONS = {
    "RelatedTo": 50, "Synonym": 6, "FormOf": 11, "DerivedFrom": 9, "HasContext": 7, "IsA": 7, "UsedFor": 1.2,
    "EtymologicallyRelatedTo": 1, "SimilarTo": 0.9, "AtLocation": 0.8, "HasSubevent": 0.8, "HasPrerequisite": 0.7,
    "CapableOf": 0.7, "Antonym": 0.6, "Causes": 0.5, "PartOf": 0.4, "MannerOf": 0.4, "MotivatedByGoal": 0.3,
    "HasProperty": 0.3, "ReceivesAction": 0.2, "HasA": 0.2, "CausesDesire": 0.15, "Desires": 0.1, "HasFirstSubevent": 0.1,
    "DistinctFrom": 0.1, "HasLastSubevent": 0.1, "MadeOf": 0.05, "Entails": 0.05, "CreatedBy": 0.02,
}  # fmt: skip
DATASETS = [
    "/d/wiktionary/en",
    "/d/conceptnet/4/en",
    "/d/wordnet/3.1",
    "/d/verbosity",
    "/d/dbpedia/en",
    "/d/opencyc",
]
WEIGHTS = [1.0, 2.0, 0.5, 2.828, 3.464, 0.25, 4.472, 1.414]
SYLLABLES = [
    a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "is", "ol", "ut")
]


def words(count: int, draw: np.random.Generator) -> np.ndarray:
    """Return distinct English-looking concepts, one in five with a part of speech."""
    letters = np.array(SYLLABLES)
    parts = [pl.Series(letters[draw.integers(0, len(letters), count)]) for _ in range(5)]
    frame = pl.DataFrame(
        {str(i): part for i, part in enumerate(parts)} | {"n": np.arange(count), "k": draw.random(count)}
    )
    name = (
        pl.col("0") + pl.col("1") + pl.when(pl.col("k") < 0.5).then(pl.lit("_") + pl.col("2") + pl.col("3")).otherwise(pl.col("2"))
        + pl.when(pl.col("k") < 0.2).then(pl.lit("_") + pl.col("4")).otherwise(pl.lit(""))
        + pl.col("n").cast(pl.String)
    )  # fmt: skip
    kind = pl.when((pl.col("k") * 10).floor() % 5 == 0).then(pl.lit("/n")).otherwise(pl.lit(""))
    return frame.select(pl.lit("/c/en/") + name + kind).to_series().to_numpy()


def write(path: Path, edges: int, seed: int = 0) -> None:
    """Write a dump of about *edges* assertions (doubles are left out), sorted as the real one is."""
    draw = np.random.default_rng(seed)
    nodes = max(edges * 3 // 10, 10)
    concepts = words(nodes, draw)

    def ends() -> np.ndarray:  # degrees with a tail like k^-2.2
        return np.minimum((nodes * draw.random(edges) ** 2.2).astype(np.int64), nodes - 1)

    names = np.array(list(RELATIONS))
    share = np.array(list(RELATIONS.values()))
    relation = draw.choice(len(names), edges, p=share / share.sum())
    frame = pl.DataFrame(
        {
            "r": names[relation],
            "s": concepts[draw.permutation(nodes)[ends()]],
            "o": concepts[draw.permutation(nodes)[ends()]],
            "d": np.array(DATASETS)[draw.choice(len(DATASETS), edges, p=[0.7, 0.12, 0.08, 0.05, 0.03, 0.02])],
            "w": np.array(WEIGHTS)[
                draw.choice(len(WEIGHTS), edges, p=[0.7, 0.1, 0.08, 0.04, 0.03, 0.02, 0.02, 0.01])
            ],
            "t": draw.random(edges) < 0.3,
            "n": draw.integers(0, 10**6, edges),
        }
    )
    frame = frame.unique(["r", "s", "o"], maintain_order=True).sort(["r", "s", "o"])
    number = pl.col("n").cast(pl.String)
    surface = pl.when("t").then(
        pl.lit(', "surfaceText": "[[') + pl.col("s").str.slice(6) + "]] is " + pl.col("r") + " [[" + pl.col("o").str.slice(6) + ']]"'
    ).otherwise(pl.lit(""))  # fmt: skip
    frame.select(
        (pl.lit("/a/[/r/") + pl.col("r") + "/," + pl.col("s") + "/," + pl.col("o") + "/]").alias("uri"),
        (pl.lit("/r/") + pl.col("r")).alias("rel"),
        pl.col("s").alias("start"),
        pl.col("o").alias("end"),
        (
            pl.lit('{"dataset": "') + pl.col("d") + '", "license": "cc:by-sa/4.0", "sources": [{"contributor": "/s/resource/wiktionary/en/'
            + number + '", "process": "/s/process/wikiparsec/2"}]' + surface + ', "weight": ' + pl.col("w").cast(pl.String) + "}"
        ).alias("json"),
    ).write_csv(path, separator="\t", include_header=False, quote_style="never")  # fmt: skip
