"""Completion measured: filtered ranks of both ends, beside the frequency of a relation's ends and random scores; calibration."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.complete.apart import set_apart
from kgmm.complete.certainty import Candidates, Certainty
from kgmm.complete.joined import Joined
from kgmm.complete.models import KINDS, Embedding
from kgmm.complete.names import name_vectors
from kgmm.complete.ranking import Scorer, figures, ranks
from kgmm.complete.triples import Ints, Known, Triple, Triples
from kgmm.errors import KgmmError
from kgmm.evaluate.calibration import calibration
from kgmm.progress import Progress, silent

MANY = 20  #: rows that a relation has at least to be compared by itself
Questions = tuple[Ints, Ints, Ints]


def models() -> list[str]:
    """Return the names of all models that can be measured.

    Example:
        >>> models()[:2]
        ['joined', 'distmult']
    """
    return ["joined", *KINDS]


def evaluate(
    train: Iterable[Triple],
    valid: Iterable[Triple],
    test: Iterable[Triple],
    model: str = "joined",
    *,
    without: Sequence[str] = ("RelatedTo",),
    vectors: str | Path | None = None,
    seed: int = 0,
    progress: Progress = silent,
    **options: Any,
) -> dict[str, Any]:
    """Fit a model on some triples and rank both ends of others, filtered, ties by their mean.

    Args:
        train: what is learned from.
        valid: what probabilities (and weights) are fitted on.
        test: what is judged; rows with an entity or relation of neither set are counted and left out.
        model: one of :func:`models`.
        without: relations; figures are also given without each that there is.
        vectors: folder where the vectors of names are kept, for ``joined``; they are made each time by default.
        seed: of the model and of random scores.
        progress: told of epochs and questions.
        **options: the model's own, as ``size``, ``epochs``, ``seconds``.

    Returns:
        mrr, hits@1, hits@3, hits@10; ``ece`` of the first candidate of each question (``first_right`` of them are right,
        ``first_sure`` is their mean probability) and ``ece_top10`` of the first ten;
        ``frequency``, ``random`` and, of ``joined``, ``neighbour`` (answers of the nearest names) with the same rank figures; ``without`` relation -> the same; ``unseen``, likewise of questions about an entity
        that nothing was learned of, where there are any; ``relations``, those of at
        least twenty test rows; ``fit_seconds``, ``rank_seconds``, sizes.

    Raises:
        KgmmError: if there is no such model, or no test row can be judged.

    Example:
        >>> ring = [(f"p{n}", "next", f"p{(n + 1) % 12}") for n in range(12)]
        >>> found = evaluate(ring[:-2], ring[-2:-1], ring[-1:], "complex", size=8, epochs=5)
        >>> sorted(found["frequency"])
        ['hits@1', 'hits@10', 'hits@3', 'mrr']
    """
    valid, test = list(valid), list(test)
    triples = Triples.of(train, also=[*valid, *test])
    kept, judged = triples.numbered(valid), triples.numbered(test)
    if not len(judged):
        raise KgmmError("no test row has a relation that the training triples have")
    began = time.monotonic()
    if model not in models():
        raise KgmmError(f"no model {model!r}; there are: {', '.join(models())}")
    rivals: dict[str, Scorer] = {}
    if model == "joined":
        text = name_vectors(triples.entities, vectors, progress)
        encoded = time.monotonic()
        learned, apart = set_apart(triples, kept, seed)
        joined = Joined(seed=seed, **options).fit(learned, text, apart, progress)
        scorer: Scorer = joined.scores
        rivals["neighbour"] = joined.neighbours.scores
    else:
        encoded, learned, apart = began, triples, kept
        scorer = Embedding(model, seed=seed, **options).fit(triples, progress).scores
    fitted = time.monotonic()
    known, asked = Known(triples, triples.rows, kept, judged), triples.asked(judged)
    places = ranks(scorer, asked, known, progress)
    ranked = time.monotonic()
    told = _calibrated(scorer, learned, apart, triples, judged)
    rng = np.random.default_rng(seed)
    rows = {"model": places}
    rows["frequency"] = ranks(lambda e, r: triples.frequency[r], asked, known)
    rows["random"] = ranks(lambda e, r: rng.random((len(e), len(triples.entities)), np.float32), asked, known)
    rows |= {name: ranks(rival, asked, known) for name, rival in rivals.items()}
    relation = np.concatenate([judged[:, 1], judged[:, 1]])
    found: dict[str, Any] = {"model": model, **figures(places), **told}
    found |= {name: figures(row) for name, row in rows.items() if name != "model"}
    found["without"] = {}
    for name in without:
        if name in triples.relation_number and (part := relation != triples.relation_number[name]).any():
            found["without"][name] = {who: figures(row[part]) for who, row in rows.items()}
    if (new := triples.degree[asked[0]] == 0).any():
        found["unseen"] = {"questions": int(new.sum())} | {who: figures(row[new]) for who, row in rows.items()}
    found["relations"] = by_relation(triples, relation, rows)
    found |= {"train": len(triples.rows), "valid": len(kept), "test": len(judged), "left_out": len(test) - len(judged)}
    found |= {
        "entities": len(triples.entities),
        "encode_seconds": encoded - began,
        "fit_seconds": fitted - encoded,
        "rank_seconds": ranked - fitted,
    }
    return found


def by_relation(
    triples: Triples, relation: Ints, rows: dict[str, NDArray[np.float64]], ends: int = 2
) -> list[dict[str, Any]]:
    """Return mrr of each relation of many rows, the largest first; a row is asked by so many *ends*."""
    size = np.bincount(relation, minlength=len(triples.relations)) // ends
    return [
        {"relation": triples.relations[r], "rows": int(size[r])}
        | {who: float((1 / row[relation == r]).mean()) for who, row in rows.items()}
        for r in np.argsort(-size, kind="stable")
        if size[r] >= MANY
    ]


def _calibrated(scorer: Scorer, learned: Triples, kept: Ints, triples: Triples, judged: Ints) -> dict[str, float]:
    """Return how far probabilities are from what is true, fitted on *kept*, which *learned* are without.

    Both sets are asked alike, as if the training triples alone were known: a candidate is right if it is in the set asked about.
    """
    sure = Certainty.fit(scorer, learned, kept)
    found = Candidates.of(scorer, triples, judged)
    right, there = found.right(triples, judged)[1], found.best >= 0
    pairs = np.stack([sure(found.features, found.asked[:, 1], found.share), right], 2)
    first = pairs[:, 0]
    return {
        "ece": calibration([(p, bool(hit)) for p, hit in first.tolist()])["ece"],
        "ece_top10": calibration([(p, bool(hit)) for p, hit in pairs[there].tolist()])["ece"],
        "first_right": float(first[:, 1].mean()),
        "first_sure": float(first[:, 0].mean()),
    }


def table(found: dict[str, Any]) -> str:
    """Return the figures as lines for people."""
    names = ("mrr", "hits@1", "hits@3", "hits@10")
    lines = ["".ljust(28) + "".join(name.rjust(9) for name in names)]
    whole = {who: found[who] for who in ("frequency", "neighbour", "random") if who in found}
    parts = {"": {"model": found} | whole} | {f"without {name}": row for name, row in found["without"].items()}
    if "unseen" in found:
        parts["asked of unseen"] = {who: row for who, row in found["unseen"].items() if who != "questions"}
    for part, rows in parts.items():
        for who, row in rows.items():
            said = f"{found['model'] if who == 'model' else who} {part}".strip()
            lines.append(said.ljust(28) + "".join(f"{row[name]:9.4f}" for name in names))
    for row in found["relations"]:
        lines.append(
            f"  {row['relation']:24} {row['rows']:5} rows  mrr {row['model']:.4f}  frequency {row['frequency']:.4f}"
        )
    lines.append(f"ECE {found['ece']:.4f} of first candidates, {found['ece_top10']:.4f} of the first ten")
    lines.append(
        f"{found['train']} triples learned from in {found['fit_seconds']:.1f} s, {found['test']} judged,"
        f" both ends against {found['entities']} entities; {found['left_out']} left out"
    )
    return "\n".join(lines)
