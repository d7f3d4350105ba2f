"""Walking paths by a learned policy: with and without shaping, beside how often ends are seen, rules of one atom and a random walk.

    python benchmarks/paths.py KG_SMALL/umls [--seeds 3] [--epochs 4] [--shaping none completion text] [--most 400]

A folder has ``train.txt`` and ``test.txt``. Ranks are filtered, of both ends; the walk of a question never sees the facts that answer it
at once. ``path needed``: the share of right first answers that change when the statements of their path are taken away.
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
from kgmm.complete.triples import Known, Triples
from kgmm.reason.paths.roads import Roads
from kgmm.reason.paths.search import searched
from kgmm.reason.paths.walking import Asked, Walker
from kgmm.store.facts import node
from kgmm.train.fit import Recipe, fit
from kgmm.train.paths import path_problem


def read(path):
    return [tuple(line.split("\t")) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--shaping", nargs="+", default=["none", "text", "completion"])
    parser.add_argument("--credit", type=float, default=1.0)
    parser.add_argument("--most", type=int, default=400, help="test triples, drawn with seed 0")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = {part: read(given.folder / f"{part}.txt") for part in ("train", "test")}
    rows["valid"] = read(given.folder / "valid.txt")
    with tempfile.TemporaryDirectory() as scratch, kgmm.open(Path(scratch) / "kb") as kb:
        kb.add(rows["train"])
        test = Test(kb, rows, given.most)
        for name, places in test.simple().items():
            print(json.dumps({"method": name, **figures(places)}), flush=True)
        for shape in given.shaping:
            for seed in range(given.seeds):
                began = time.process_time()
                problem = path_problem(kb, given.folder.name, shape, seed=seed, credit=given.credit)
                recipe = Recipe(given.epochs, 64, 3e-3, 1e-4, patience=99, seed=seed)
                made = fit(problem, Path(scratch) / f"{shape}-{seed}", recipe)
                took = time.process_time() - began
                log = [json.loads(line) for line in (made.folder / "metrics.jsonl").read_text().splitlines()]
                row = {"method": f"policy, {shape}", "seed": seed, **test.of(problem.walker), "cpu_s": round(took)}
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
        }

    def of(self, walker):
        half = len(self.triples.relations)
        terms = self.kb.terms.ids(list(self.triples.entities))
        at = {term: i for i, term in enumerate(terms.tolist())}
        codes = [2 * self.kb.terms.id(self.triples.relations[r % half]) + (r >= half) for r in self.relation.tolist()]
        asked = Asked(terms[self.entity].astype(np.int64), np.array(codes), np.ones(len(codes), bool))
        scores, firsts = np.zeros((len(codes), len(at)), np.float32), []
        for low in range(0, len(codes), 32):
            part = np.arange(low, min(low + 32, len(codes)))
            for q, found in zip(part.tolist(), searched(walker, asked.take(part)), strict=True):
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
        kept = firsts[:100]
        for q, first, known in kept:
            gone = [tuple(self.kb.terms.name(t) for t in fact) for fact in first.path]
            other = Walker(walker.policy, walker.relations, Roads(self.kb, None, gone), walker.names)
            found = searched(other, asked.take(np.array([q])))[0]
            again = next((one for one in found if at[one.answer] not in known), None)
            changed += again is None or again.answer != first.answer
        return {
            **figures(self.places(scores)),
            "reached": round(float(reached), 3),
            "path needed": round(changed / max(len(kept), 1), 3),
        }


if __name__ == "__main__":
    main()
