"""A dump shaped like ConceptNet's: its five columns, its relations' shares, power-law degrees, JSON in the fifth."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl

#: shares of ConceptNet 5.7's English edges, rounded
RELATIONS = {
    "RelatedTo": 50,
    "Synonym": 6,
    "FormOf": 11,
    "DerivedFrom": 9,
    "HasContext": 7,
    "IsA": 7,
    "UsedFor": 1.2,
    "EtymologicallyRelatedTo": 1,
    "SimilarTo": 0.9,
    "AtLocation": 0.8,
    "HasSubevent": 0.8,
    "HasPrerequisite": 0.7,
    "CapableOf": 0.7,
    "Antonym": 0.6,
    "Causes": 0.5,
    "PartOf": 0.4,
    "MannerOf": 0.4,
    "MotivatedByGoal": 0.3,
    "HasProperty": 0.3,
    "ReceivesAction": 0.2,
    "HasA": 0.2,
    "CausesDesire": 0.15,
    "Desires": 0.1,
    "HasFirstSubevent": 0.1,
    "DistinctFrom": 0.1,
    "HasLastSubevent": 0.1,
    "MadeOf": 0.05,
    "Entails": 0.05,
    "CreatedBy": 0.02,
}
DATASETS = ["/d/wiktionary/en", "/d/conceptnet/4/en", "/d/wordnet/3.1", "/d/verbosity", "/d/dbpedia/en", "/d/opencyc"]
WEIGHTS = [1.0, 2.0, 0.5, 2.828, 3.464, 0.25, 4.472, 1.414]
SYLLABLES = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "is", "ol", "ut")]


#: rows written at once
CHUNK = 500_000


def words(count: int, draw: np.random.Generator) -> pl.Series:
    """Return distinct English-looking concepts in order, one in five with a part of speech."""
    letters = np.array(SYLLABLES)
    parts = [pl.Series(letters).gather(draw.integers(0, len(letters), count)) for _ in range(5)]
    frame = pl.DataFrame(
        {str(i): part for i, part in enumerate(parts)} | {"n": np.arange(count), "k": draw.random(count)}
    )
    name = (
        pl.col("0")
        + pl.col("1")
        + pl.when(pl.col("k") < 0.5).then(pl.lit("_") + pl.col("2") + pl.col("3")).otherwise(pl.col("2"))
        + pl.when(pl.col("k") < 0.2).then(pl.lit("_") + pl.col("4")).otherwise(pl.lit(""))
        + pl.col("n").cast(pl.String)
    )
    kind = pl.when((pl.col("k") * 10).floor() % 5 == 0).then(pl.lit("/n")).otherwise(pl.lit(""))
    return frame.select(pl.lit("/c/en/") + name + kind).to_series().sort()


def edges_of(count: int, nodes: int, draw: np.random.Generator) -> np.ndarray:
    """Return relation, start and end of distinct edges, each packed into a number, in order."""
    share = np.array([RELATIONS[name] for name in sorted(RELATIONS)])
    packed = draw.choice(len(share), count, p=share / share.sum()).astype(np.uint64) << np.uint64(56)
    for shift in (28, 0):  # degrees with a tail like k^-2.2, hubs anywhere in the alphabet
        anywhere = draw.permutation(nodes)
        rank = np.minimum((nodes * draw.random(count) ** 2.2).astype(np.int64), nodes - 1)
        packed |= anywhere[rank].astype(np.uint64) << np.uint64(shift)
    packed.sort()
    return packed[np.append(True, packed[1:] != packed[:-1])]


def write(path: Path, edges: int, seed: int = 0) -> int:
    """Write a dump of about *edges* assertions (doubles are left out), sorted as the real one is; return how many.

    A path that ends in ``.gz`` is compressed. Memory: 40 bytes an edge at most, text is written in parts.
    """
    draw = np.random.default_rng(seed)
    nodes = max(edges * 3 // 10, 10)
    concepts = words(nodes, draw)
    packed = edges_of(edges, nodes, draw)
    relations, low = pl.Series(sorted(RELATIONS)), np.uint64((1 << 28) - 1)
    with gzip.open(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb") as file:
        for at in range(0, len(packed), CHUNK):
            part = packed[at : at + CHUNK]
            frame = pl.DataFrame(
                {
                    "r": relations.gather(part >> np.uint64(56)),
                    "s": concepts.gather((part >> np.uint64(28)) & low),
                    "o": concepts.gather(part & low),
                }
            )
            _lines(frame, draw).write_csv(file, separator="\t", include_header=False, quote_style="never")
    return len(packed)


def _lines(frame: pl.DataFrame, draw: np.random.Generator) -> pl.DataFrame:
    """Return the five columns of the dump for some edges."""
    count = frame.height
    dataset = draw.choice(len(DATASETS), count, p=[0.7, 0.12, 0.08, 0.05, 0.03, 0.02])
    weight = draw.choice(len(WEIGHTS), count, p=[0.7, 0.1, 0.08, 0.04, 0.03, 0.02, 0.02, 0.01])
    frame = frame.with_columns(
        d=pl.Series(np.array(DATASETS)[dataset]),
        w=pl.Series(np.array(WEIGHTS)[weight]),
        t=pl.Series(draw.random(count) < 0.3),
        n=pl.Series(draw.integers(0, 10**6, count)),
    )
    number = pl.col("n").cast(pl.String)
    surface = (
        pl.when("t")
        .then(
            pl.lit(', "surfaceText": "[[')
            + pl.col("s").str.slice(6)
            + "]] is "
            + pl.col("r")
            + " [["
            + pl.col("o").str.slice(6)
            + ']]"'
        )
        .otherwise(pl.lit(""))
    )
    return frame.select(
        (pl.lit("/a/[/r/") + pl.col("r") + "/," + pl.col("s") + "/," + pl.col("o") + "/]").alias("uri"),
        (pl.lit("/r/") + pl.col("r")).alias("rel"),
        pl.col("s").alias("start"),
        pl.col("o").alias("end"),
        (
            pl.lit('{"dataset": "')
            + pl.col("d")
            + '", "license": "cc:by-sa/4.0", "sources": [{"contributor": "/s/resource/wiktionary/en/'
            + number
            + '", "process": "/s/process/wikiparsec/2"}]'
            + surface
            + ', "weight": '
            + pl.col("w").cast(pl.String)
            + "}"
        ).alias("json"),
    )
