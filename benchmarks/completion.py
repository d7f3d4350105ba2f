"""Completion's plain models beside PyKEEN's of the same kind, in one run: filtered MRR of both ends and CPU seconds.

    python benchmarks/completion.py small ../shared/data/kg_small
    python benchmarks/completion.py large ../shared/data/conceptnet100k --seconds 300 --tune 25 --keep figures.json

*small*: UMLS, Kinships and Nations; PyKEEN's with reciprocal triples, all ends as negatives (LCWA), cross entropy and Adagrad, and vectors'
length, passes and rate as ours; PyKEEN's ComplEx begins with a tenth of its usual spread, as ours does (with the usual one it is below frequency
on Nations), and its DistMult's entities are not held to length 1, as ours are not (held, it is below frequency on UMLS).
*large*: PyKEEN's DistMult, ComplEx and RotatE with sampled negatives (all ends are too many), of the settings of :data:`LARGE`
the one that did best on valid rows after ``--tune`` CPU seconds each, then trained anew for ``--seconds`` of them; ours of the same kinds for as
many, and ``joined``, which takes what its passes take: the names' vectors, learning, weighing. CPU seconds of one thread, so
that a machine shared with others says the same. All are ranked by the same filtered ranking, ties by their mean, with and without RelatedTo, beside
how often an entity is a relation's end. ``--keep FILE`` holds what is measured, and what is there is not measured again; ``--models`` names some.
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

from kgmm.complete.apart import set_apart
from kgmm.complete.joined import Joined
from kgmm.complete.models import KINDS, Embedding
from kgmm.complete.names import name_vectors
from kgmm.complete.ranking import Scorer, figures, ranks
from kgmm.complete.triples import Ints, Known, Triples
from kgmm.data.triples import read_triples

PEERS = {"complex": "ComplEx", "distmult": "DistMult", "rotate": "RotatE", "transe": "TransE"}
LARGE = {  #: loss, its options, optimizer and rate, triples a step, negatives of each
    "softplus, Adagrad .1": ("softplus", {}, "adagrad", 0.1, 8192, 8),
    "softplus, Adam .01": ("softplus", {}, "adam", 0.01, 8192, 8),
    "self-adversarial, Adam .01": ("nssa", {"margin": 9.0, "adversarial_temperature": 1.0}, "adam", 0.01, 4096, 16),
    "InfoNCE, Adam .003": ("infonce", {}, "adam", 0.003, 4096, 16),
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

    loss, options, optimizer, rate, batch_size, negatives = LARGE[setting]
    model, factory = peer(triples, kind, size, loss, options, False)
    begun, steps = time.process_time(), 0

    class Clock(TrainingCallback):
        def post_batch(self, epoch: int, batch: Any, **kwargs: Any) -> None:
            nonlocal steps
            steps += 1
            if time.process_time() - begun > seconds:
                raise _Over

    made = {"adam": torch.optim.Adam, "adagrad": torch.optim.Adagrad}[optimizer](model.parameters(), lr=rate)
    sampled = {"num_negs_per_pos": negatives}
    loop = SLCWATrainingLoop(model=model, triples_factory=factory, optimizer=made, negative_sampler_kwargs=sampled)
    with contextlib.suppress(_Over):
        loop.train(factory, num_epochs=100_000, batch_size=batch_size, **QUIET, callbacks=Clock())
    return scorer_of(model, len(triples.relations), len(triples.entities)), steps


class Large:
    """One set, and what is measured of it: a row a model, kept in a file."""

    def __init__(self, folder: Path, keep: Path | None) -> None:
        parts = [read_triples(folder / f"{part}.txt", False) for part in ("train", "valid-clean", "test-clean")]
        self.triples = Triples.of(parts[0], also=[*parts[1], *parts[2]])
        self.kept, self.judged = self.triples.numbered(parts[1]), self.triples.numbered(parts[2])
        self.known = Known(self.triples, self.triples.rows, self.kept, self.judged)
        ways = np.concatenate([self.judged[:, 1]] * 2)
        self.other = ways != self.triples.relation_number.get("RelatedTo", -1)
        self.keep = keep
        self.rows: dict[str, Any] = json.loads(keep.read_text()) if keep is not None and keep.exists() else {}

    def said(self, name: str, row: dict[str, Any]) -> dict[str, Any]:
        """Keep a row."""
        self.rows[name] = row
        if self.keep is not None:
            self.keep.write_text(json.dumps(self.rows, indent=1))
        return row

    def judge(self, scorer: Scorer) -> dict[str, float]:
        """Return the MRR of the test rows, with and without RelatedTo."""
        places = ranks(scorer, self.triples.asked(self.judged), self.known)
        parts = {"mrr": places, "mrr_without_RelatedTo": places[self.other]}
        return {name: round(figures(part)["mrr"], 4) for name, part in parts.items()}

    def pykeen(self, kind: str, size: int, seconds: float, tune: float) -> dict[str, Any]:
        """Tune a model of PyKEEN's on some valid rows, and measure the best setting."""
        some, tried = self.kept[:: max(1, len(self.kept) // 200)], {}
        for setting in LARGE:
            name = f"tried {kind}, {setting}, {tune:g} s"
            if name not in self.rows:
                scorer, steps = trained(self.triples, kind, size, setting, tune)
                reached = mrr(scorer, self.triples, some, self.known)
                print(json.dumps({name: self.said(name, {"valid_mrr": round(reached, 4), "steps": steps})}), flush=True)
            tried[setting] = self.rows[name]["valid_mrr"]
        best = max(tried, key=lambda setting: tried[setting])
        begun = time.process_time()
        scorer, steps = trained(self.triples, kind, size, best, seconds)
        spent = time.process_time() - begun
        return {"steps": steps, "chosen": best, "cpu_s": round(spent, 1), **self.judge(scorer)}

    def plain(self, kind: str, size: int, seconds: float) -> dict[str, Any]:
        """Measure ours of the same kind; a pass that is begun is finished."""
        model, passes = Embedding(kind, size=size, epochs=1000), 0
        begun = time.process_time()

        def clock(done: int, whole: int, what: str) -> None:
            nonlocal passes
            passes = done
            if time.process_time() - begun > seconds:
                raise _Over

        with contextlib.suppress(_Over):
            model.fit(self.triples, clock)
        spent = time.process_time() - begun
        return {"passes": passes, "cpu_s": round(spent, 1), **self.judge(model.scores)}

    def joined(self) -> dict[str, Any]:
        """Measure the default of completion, names' vectors and all."""
        begun = time.process_time()
        text = name_vectors(self.triples.entities)
        learned, apart = set_apart(self.triples, self.kept)
        model = Joined().fit(learned, text, apart)
        return {"cpu_s": round(time.process_time() - begun, 1), **self.judge(model.scores)}

    def measured(self, models: list[str], size: int, seconds: float, tune: float) -> None:
        """Print a line a model."""
        for name in models:
            kind = name.removeprefix("pykeen-")
            if name not in self.rows:
                if name == "frequency":
                    row = self.judge(lambda e, r: self.triples.frequency[r])
                elif name == "joined":
                    row = self.joined()
                else:
                    row = self.plain(kind, size, seconds) if name == kind else self.pykeen(kind, size, seconds, tune)
                self.said(name, row)
            print(json.dumps({name: self.rows[name]}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["small", "large"])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--models", nargs="+", choices=[*KINDS, *(f"pykeen-{kind}" for kind in KINDS), "joined", "frequency"]
    )
    parser.add_argument("--sets", nargs="+", default=["nations", "kinships", "umls"])
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--tune", type=float, default=25)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)  # so that CPU seconds say the same of both
    import pykeen.pipeline  # noqa: F401 - its import is not timed

    if given.what == "small":
        small(given.folder, given.sets, given.models or list(KINDS), given.size, given.epochs)
    else:
        compared = ("complex", "distmult", "rotate")
        models = given.models or ["frequency", "joined", *(f"pykeen-{kind}" for kind in compared), *compared]
        Large(given.folder, given.keep).measured(models, given.size, given.seconds, given.tune)


if __name__ == "__main__":
    main()
