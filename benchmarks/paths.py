"""Walking paths by a learned policy, beside how often ends are seen, rules of one atom, a random walk and ComplEx.

    python benchmarks/paths.py KG_SMALL/umls [--seeds 3] [--epochs 6] [--ways guided "own none" "own completion" "both completion"]
        [--part test] [--most 400] [--set dropout=0.2]

A folder has ``train.txt``, ``valid.txt`` and ``test.txt``. Ranks are filtered, of both ends. ``guided``: walks led to the answer only;
``own``: REINFORCE's only, with a shaping; ``both``. ``path needed``: the share of right first answers that change when the
statements of their path are taken away.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import kgmm
from kgmm.complete.clues import Rules
from kgmm.complete.models import Embedding
from kgmm.complete.triples import Known, Triples
from kgmm.reason.paths.roads import Roads
from kgmm.reason.paths.search import searched
from kgmm.reason.paths.walking import OTHERS, Asked, Walker
from kgmm.store.facts import node
from kgmm.train.fit import Recipe, fit
from kgmm.train.paths import DEFAULTS, path_problem


def read(path):
    return [tuple(line.split("\t")) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=DEFAULTS[0])
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--ways", nargs="*", default=["guided", "own none", "own completion", "both completion"])
    parser.add_argument("--part", choices=("valid", "test"), default="test", help="what is judged; tune on valid")
    parser.add_argument("--most", type=int, default=400, help="triples judged, drawn with seed 0")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help="of PathProblem")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = {part: read(given.folder / f"{part}.txt") for part in ("train", "valid", "test")}
    if given.part == "valid":
        rows["valid"], rows["test"] = rows["test"], rows["valid"]
    chosen = {name: json.loads(value) for name, _, value in (one.partition("=") for one in given.set)}
    with tempfile.TemporaryDirectory() as scratch, kgmm.open(Path(scratch) / "kb") as kb:
        kb.add(rows["train"])
        test = Test(kb, rows, given.most)
        for name, places in test.simple().items():
            print(json.dumps({"method": name, **figures(places)}), flush=True)
        for at, way in enumerate(given.ways):
            how, _, shape = way.partition(" ")
            for seed in range(given.seeds):
                began = time.process_time()
                settings = {"lead": float(how != "own"), "alone": float(how != "guided"), **chosen}
                problem = path_problem(kb, given.folder.name, shape or "none", seed=seed, **settings)
                recipe = Recipe(given.epochs, 64, given.rate, 1e-4, patience=99, seed=seed)
                made = fit(problem, Path(scratch) / f"{at}-{seed}", recipe)
                took = time.process_time() - began
                log = [json.loads(line) for line in (made.folder / "metrics.jsonl").read_text().splitlines()]
                row = {"method": f"policy, {way}", "seed": seed, **test.of(problem), "cpu_s": round(took)}
                row["dev_mrr"] = [round(e["mrr"], 3) for e in log]
                row["reward"] = [round(e["reward"], 3) for e in log]
                print(json.dumps(row), flush=True)


def figures(places):
    return {"mrr": round(float((1 / places).mean()), 4), "hits@1": round(float((places <= 1).mean()), 4)}


class Test:
    """Questions of test triples, both ends, with what else answers them."""

    def __init__(self, kb, rows, most):
        self.kb = kb
        as_stored = {part: [(node(s), p, node(o)) for s, p, o in rs] for part, rs in rows.items()}
        self.triples = Triples.of(as_stored["train"])
        train, valid, test = (self.triples.numbered(as_stored[part]) for part in ("train", "valid", "test"))
        self.rows = test[np.random.default_rng(0).permutation(len(test))[:most]]
        self.known = Known(self.triples, train, valid, test)
        self.entity, self.relation, self.answer = self.triples.asked(self.rows)

    def places(self, scores):
        found = []
        for e, r, a, score in zip(
            self.entity.tolist(), self.relation.tolist(), self.answer.tolist(), scores, strict=True
        ):
            score = score.astype(np.float64).copy()
            own = score[a]
            score[self.known.answers(e, r)] = -np.inf
            score[e] = -np.inf
            found.append(1 + (score > own).sum() + (score == own).sum() / 2)
        return np.array(found)

    def simple(self):
        rules, view = Rules(self.triples), self.kb.view()
        walked = {}
        for e in np.unique(self.entity).tolist():
            there = dict(view.walk(self.triples.entities[e]).top(len(self.triples.entities)))
            walked[e] = np.array([there.get(n, 0.0) for n in self.triples.entities])
        ruled = rules.scores(self.entity, self.relation)
        return {
            "frequency of ends": self.places(self.triples.frequency[self.relation]),
            "best rule of one atom": self.places(ruled),
            "random walk": self.places([walked[e] for e in self.entity.tolist()]),
            "ComplEx": self.places(Embedding("complex").fit(self.triples).scores(self.entity, self.relation)),
        }

    def of(self, problem):
        walker = problem.walker
        half = len(self.triples.relations)
        terms = self.kb.terms.ids(list(self.triples.entities))
        at = {term: i for i, term in enumerate(terms.tolist())}
        codes = [2 * self.kb.terms.id(self.triples.relations[r % half]) + (r >= half) for r in self.relation.tolist()]
        every = np.ones(len(codes), bool)
        asked = Asked(terms[self.entity].astype(np.int64), np.array(codes), every, np.full(len(codes), OTHERS))
        scores, firsts = np.zeros((len(codes), len(at)), np.float32), []
        for low in range(0, len(codes), 32):
            part = np.arange(low, min(low + 32, len(codes)))
            for q, found in zip(part.tolist(), searched(walker, asked.take(part), problem.width), strict=True):
                for one in found:
                    scores[q, at[one.answer]] = one.share
                known = set(self.known.answers(int(self.entity[q]), int(self.relation[q])).tolist()) - {
                    int(self.answer[q])
                }
                first = next((one for one in found if at[one.answer] not in known), None)
                if first is not None and at[first.answer] == self.answer[q]:
                    firsts.append((q, first, known))
        reached = (scores[np.arange(len(codes)), self.answer] > 0).mean()
        changed = 0
        kept = firsts[:60]
        for q, first, known in kept:
            gone = [tuple(self.kb.terms.name(t) for t in fact) for fact in first.path]
            roads = Roads(self.kb, None, gone, walker.roads.fan)
            other = Walker(walker.policy, walker.relations, roads, walker.names, walker.entities)
            found = searched(other, asked.take(np.array([q])), problem.width)[0]
            again = next((one for one in found if at[one.answer] not in known), None)
            changed += again is None or again.answer != first.answer
        return {
            **figures(self.places(scores)),
            "reached": round(float(reached), 3),
            "path needed": round(changed / max(len(kept), 1), 3),
        }


if __name__ == "__main__":
    main()
