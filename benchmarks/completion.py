"""Completion's plain models beside PyKEEN's of the same kind, in one run: filtered MRR of both ends and CPU seconds.

    python benchmarks/completion.py small ../shared/data/kg_small
    python benchmarks/completion.py large ../shared/data/conceptnet100k --seconds 60 --tune 15

*small*: UMLS, Kinships and Nations; PyKEEN's with reciprocal triples, all ends as negatives (LCWA), cross entropy and Adagrad, and vectors'
length, passes and rate as ours; PyKEEN's ComplEx begins with a tenth of its usual spread, as ours does (with the usual one it is below frequency
on Nations), and its DistMult's entities are not held to length 1, as ours are not (held, it is below frequency on UMLS).
*large*: PyKEEN's DistMult, ComplEx and RotatE with sampled negatives (all ends are too many), of two
settings each the one that did better on valid rows after ``--tune`` CPU seconds, then trained anew for ``--seconds`` of them. All
are ranked by the same filtered ranking, ties by their mean.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kgmm.complete.models import KINDS, Embedding
from kgmm.complete.ranking import Scorer, figures, ranks
from kgmm.complete.triples import Ints, Known, Triples
from kgmm.data.triples import read_triples

PEERS = {"complex": "ComplEx", "distmult": "DistMult", "rotate": "RotatE", "transe": "TransE"}
OPTIMIZERS = {
    "adagrad .1": lambda given: torch.optim.Adagrad(given, lr=0.1),
    "adam .01": lambda given: torch.optim.Adam(given, lr=0.01),
    "adam .003": lambda given: torch.optim.Adam(given, lr=0.003),
}
LARGE = {  #: loss, its options, optimizer, negatives of a triple
    "softplus": ("softplus", {}, "adagrad .1", 8),
    "self-adversarial": ("nssa", {"margin": 6.0, "adversarial_temperature": 1.0}, "adam .003", 32),
}


def peer(triples: Triples, kind: str, size: int, loss: str, options: dict[str, Any], turned: bool) -> tuple[Any, Any]:
    """Return PyKEEN's model and the triples in its form; of complex numbers half as many, as ours."""
    from pykeen.losses import loss_resolver
    from pykeen.models import model_resolver
    from pykeen.triples import CoreTriplesFactory

    factory = CoreTriplesFactory.create(
        torch.from_numpy(triples.rows.copy()),
        num_entities=len(triples.entities),
        num_relations=len(triples.relations),
        create_inverse_triples=turned,
    )
    half = size // 2 if kind in ("complex", "rotate") else size
    spread: dict[str, Any] = (
        {"entity_initializer": partial(torch.nn.init.normal_, std=0.1)} if kind == "complex" and turned else {}
    )
    if kind == "distmult" and turned:
        spread = {"entity_constrainer": None}
    elif spread:
        spread["relation_initializer"] = spread["entity_initializer"]
    made = model_resolver.make(
        PEERS[kind],
        **spread,
        triples_factory=factory,
        embedding_dim=half,
        loss=loss_resolver.make(loss, options),
        random_seed=0,
    )
    return made, factory


def scorer_of(model: Any, relations: int, entities: int) -> Scorer:
    """Return PyKEEN's own scores of all objects or all subjects."""

    def score(entity: Ints, relation: Ints) -> np.ndarray:
        out = np.empty((len(entity), entities), np.float32)
        model.eval()
        with torch.no_grad():
            for turned in (False, True):
                at = np.flatnonzero((relation >= relations) == turned)
                for low in range(0, len(at), 16):
                    part = at[low : low + 16]
                    e, way = torch.from_numpy(entity[part]), torch.from_numpy(relation[part] % relations)
                    ends = (way, e) if turned else (e, way)
                    found = (model.predict_h if turned else model.predict_t)(torch.stack(ends, 1))
                    out[part] = found.numpy()
        return out

    return score


def mrr(scorer: Scorer, triples: Triples, rows: Ints, known: Known) -> float:
    """Return the filtered MRR of both ends of rows."""
    return figures(ranks(scorer, triples.asked(rows), known))["mrr"]


def small(folder: Path, sets: list[str], kinds: list[str], size: int, epochs: int) -> None:
    """Print a line a set and model."""
    from pykeen.training import LCWATrainingLoop

    for name in sets:
        parts = [read_triples(folder / name / f"{part}.txt", True) for part in ("train", "valid", "test")]
        triples = Triples.of(parts[0], also=[*parts[1], *parts[2]])
        kept, judged = triples.numbered(parts[1]), triples.numbered(parts[2])
        known = Known(triples, triples.rows, kept, judged)
        frequency = mrr(lambda e, r, t=triples: t.frequency[r], triples, judged, known)
        for kind in kinds:
            began = time.process_time()
            own = Embedding(kind, size=size, epochs=epochs).fit(triples)
            spent = time.process_time() - began
            model, factory = peer(triples, kind, size, "crossentropy", {}, True)
            adagrad = torch.optim.Adagrad(model.parameters(), lr=KINDS[kind].rate)
            loop = LCWATrainingLoop(model=model, triples_factory=factory, optimizer=adagrad)
            began = time.process_time()
            loop.train(factory, num_epochs=epochs, batch_size=256, **QUIET)
            took = time.process_time() - began
            theirs = mrr(scorer_of(model, len(triples.relations), len(triples.entities)), triples, judged, known)
            ours = mrr(own.scores, triples, judged, known)
            row = {
                "set": name,
                "model": kind,
                "mrr": round(ours, 4),
                "pykeen_mrr": round(theirs, 4),
                "frequency_mrr": round(frequency, 4),
                "difference": round(ours - theirs, 4),
                "cpu_s": round(spent, 2),
                "pykeen_cpu_s": round(took, 2),
                "speed": round(took / spent, 1),
            }
            print(json.dumps(row), flush=True)


QUIET = {"use_tqdm": False, "use_tqdm_batch": False, "pin_memory": False, "drop_last": False}


class _Over(Exception):
    """The CPU time is spent."""


def trained(triples: Triples, kind: str, size: int, setting: str, seconds: float) -> tuple[Scorer, int]:
    """Return PyKEEN's model trained for so many CPU seconds, and the steps it took."""
    from pykeen.training import SLCWATrainingLoop
    from pykeen.training.callbacks import TrainingCallback

    loss, options, how, negatives = LARGE[setting]
    model, factory = peer(triples, kind, size, loss, options, False)
    began, steps = time.process_time(), 0

    class Clock(TrainingCallback):
        def post_batch(self, epoch: int, batch: Any, **kwargs: Any) -> None:
            nonlocal steps
            steps += 1
            if time.process_time() - began > seconds:
                raise _Over

    loop = SLCWATrainingLoop(
        model=model,
        triples_factory=factory,
        optimizer=OPTIMIZERS[how](model.parameters()),
        negative_sampler_kwargs={"num_negs_per_pos": negatives},
    )
    with contextlib.suppress(_Over):
        loop.train(factory, num_epochs=100_000, batch_size=1024, **QUIET, callbacks=Clock())
    return scorer_of(model, len(triples.relations), len(triples.entities)), steps


def large(folder: Path, kinds: list[str], size: int, seconds: float, tune: float) -> None:
    """Print a line a model of PyKEEN's."""
    parts = [read_triples(folder / f"{part}.txt", False) for part in ("train", "valid-clean", "test-clean")]
    triples = Triples.of(parts[0], also=[*parts[1], *parts[2]])
    kept, judged = triples.numbered(parts[1]), triples.numbered(parts[2])
    known = Known(triples, triples.rows, kept, judged)
    some = kept[:: max(1, len(kept) // 200)]
    ways = np.concatenate([judged[:, 1]] * 2)
    other = ways != triples.relation_number.get("RelatedTo", -1)
    for kind in kinds:
        tried = []
        for setting in LARGE:
            scorer, _ = trained(triples, kind, size, setting, tune)
            tried.append((mrr(scorer, triples, some, known), setting))
        best = max(tried)[1]
        scorer, steps = trained(triples, kind, size, best, seconds)
        places = ranks(scorer, triples.asked(judged), known)
        row = {
            "set": folder.name,
            "model": kind,
            "pykeen_mrr": round(figures(places)["mrr"], 4),
            "pykeen_mrr_without_RelatedTo": round(figures(places[other])["mrr"], 4),
            "cpu_s": seconds,
            "steps": steps,
            "chosen": best,
            "on_valid": {setting: round(value, 4) for value, setting in tried},
        }
        print(json.dumps(row), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["small", "large"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", choices=list(KINDS))
    parser.add_argument("--sets", nargs="+", default=["nations", "kinships", "umls"])
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tune", type=float, default=15)
    given = parser.parse_args()
    torch.set_num_threads(1)  # so that CPU seconds say the same of both
    import pykeen.pipeline  # noqa: F401 - its import is not timed

    if given.what == "small":
        small(given.folder, given.sets, given.models or list(KINDS), given.size, given.epochs)
    else:
        large(given.folder, given.models or ["distmult", "complex", "rotate"], given.size, given.seconds, given.tune)


if __name__ == "__main__":
    main()
