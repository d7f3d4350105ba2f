"""Completion of entities that nothing was learned of: some are held out, and what is said of them is asked from their names."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.complete.joined import Joined
from kgmm.complete.names import name_vectors
from kgmm.complete.ranking import Scorer, figures, ranks
from kgmm.complete.triples import Ints, Known, Triple, Triples
from kgmm.errors import KgmmError
from kgmm.evaluate.completion import by_relation
from kgmm.progress import Progress, silent

MOST = 1500  #: questions that are judged, and that weights are fitted on


def evaluate_inductive(
    triples: Iterable[Triple],
    share: float = 0.02,
    *,
    vectors: str | Path | None = None,
    seed: int = 0,
    progress: Progress = silent,
    **options: Any,
) -> dict[str, Any]:
    """Hold some entities out of all that is learned, and ask what relates to each of them, from its name alone.

    The answers are among the entities that are left. Half of the entities held out fit the weights, the other half are judged.

    Args:
        triples: of all files.
        share: of the entities that are held out.
        vectors: folder where the vectors of names are kept.
        seed: of the choice and the model.
        progress: told of steps and questions.
        **options: the model's own, as ``size``, ``epochs``, ``seconds``.

    Returns:
        mrr, hits@1, hits@3, hits@10; the same of ``frequency``, ``neighbour`` (answers of the nearest names) and ``random``;
        ``relations``, sizes and seconds.

    Raises:
        KgmmError: if *share* is no part, or nothing can be asked.
    """
    if not 0 < share < 0.5:
        raise KgmmError(f"the share of entities held out is between 0 and 0.5, not {share}")
    whole = Triples.of(triples)
    rng = np.random.default_rng(seed)
    out = np.zeros(len(whole.entities), np.int8)  # 1: weights, 2: judged
    chosen = rng.permutation(len(out))[: max(2, round(share * len(out)))]
    out[chosen], out[chosen[::2]] = 1, 2
    touched = out[whole.rows[:, 0]] + out[whole.rows[:, 2]] > 0
    learned = Triples(whole.entities, whole.relations, whole.rows[~touched])
    asked = whole.asked(whole.rows)
    parts = [_some(asked, (out[asked[0]] == n) & (out[asked[2]] == 0), rng) for n in (1, 2)]
    if not len(learned.rows) or not len(parts[1][0]):
        raise KgmmError("too few triples to hold entities out")
    text = name_vectors(whole.entities, vectors, progress)
    began = time.monotonic()
    joined = Joined(seed=seed, **options)
    joined.model.fit(learned, text, progress)
    joined.weigh(learned, text, whole.rows[touched], parts[0])
    fitted, judged = time.monotonic(), parts[1]
    # an entity that is held out is no answer
    shut = np.flatnonzero(out)
    known = Known(whole, whole.rows)

    def of_seen(scorer: Scorer) -> Scorer:
        def score(entity: Ints, relation: Ints) -> np.ndarray[Any, np.dtype[np.float32]]:
            found = np.array(scorer(entity, relation), np.float32)
            found[:, shut] = -np.inf
            return found

        return score

    scorers: dict[str, Scorer] = {
        "model": joined.scores,
        "frequency": lambda e, r: learned.frequency[r],
        "neighbour": joined.neighbours.scores,
        "random": lambda e, r: rng.random((len(e), len(out)), np.float32),
    }
    rows = {name: ranks(of_seen(scorer), judged, known, progress) for name, scorer in scorers.items()}
    found: dict[str, Any] = {"model": "joined", "inductive": share, **figures(rows["model"])}
    found |= {name: figures(row) for name, row in rows.items() if name != "model"}
    found["relations"] = by_relation(whole, judged[1] % len(whole.relations), rows, 1)
    return found | {
        "held_out": len(chosen),
        "train": len(learned.rows),
        "questions": len(judged[0]),
        "entities": len(out) - len(chosen),
        "fit_seconds": fitted - began,
    }


def _some(asked: tuple[Ints, Ints, Ints], which: Any, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Return at most :data:`MOST` of the questions that *which* tells."""
    at = np.flatnonzero(which)
    at = np.sort(rng.choice(at, MOST, replace=False)) if len(at) > MOST else at
    return asked[0][at], asked[1][at], asked[2][at]


def table(found: dict[str, Any]) -> str:
    """Return the figures as lines for people."""
    names = ("mrr", "hits@1", "hits@3", "hits@10")
    lines = ["".ljust(16) + "".join(name.rjust(9) for name in names)]
    for who in ("joined", "frequency", "neighbour", "random"):
        row = found if who == "joined" else found[who]
        lines.append(who.ljust(16) + "".join(f"{row[name]:9.4f}" for name in names))
    lines.append(
        f"{found['questions']} questions about entities never seen ({found['held_out']} held out), {found['train']} triples"
        f" learned from in {found['fit_seconds']:.1f} s"
    )
    return "\n".join(lines)
