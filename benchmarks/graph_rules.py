"""Rules mined from a training file: how often what they conclude is among held-out facts, beside each relation's frequent objects.

    python -m benchmarks.graph_rules TRAIN.txt HELD.txt [HELD.txt …] [--constants]
    python -m benchmarks.graph_rules kg_small/umls/{train,valid,test}.txt --head-first --counts

Files are ``relation<TAB>head<TAB>tail``, with ``--head-first`` ``head<TAB>relation<TAB>tail``. ``--counts`` compares support, body, and what is
known of x of every rule without named ends with what SPARQL counts. Of each held-out (head, relation) the surest new conclusion counts as right if it is one of the held-out
tails; the relation's most frequent tail that the head does not have yet is judged on the same ones. Held-out facts are few, so most right
conclusions count as wrong: the two figures compare, and say little by themselves.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import polars as pl

import kgmm
from kgmm.patterns import candidates, conclude
from kgmm.store import Fact


def facts(path: Path, head_first: bool = False) -> list[Fact]:
    """Return a file's facts, those that cannot be said left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        relation, head, tail, *_ = line.split("\t")
        if head_first:
            relation, head = head, relation
        if head.strip() and tail.strip():
            found.append(Fact(head, relation, tail))
    return found


def atom(text: str) -> str:
    """Return an atom such as ``PartOf(x, y)`` as SPARQL."""
    name, _, ends = text.removesuffix(")").partition("(")
    first, second = ends.split(", ")
    return f"?{first} <{name if name.startswith('http') else f'http://conceptnet.io/r/{name}'}> ?{second} ."


def counts_differ(kb: kgmm.KnowledgeStore, rules: pl.DataFrame) -> tuple[int, int]:
    """Return how many of the rules have a count that SPARQL's is not, and how many bodies were asked for: three queries each."""

    def number(value: object) -> int:
        return int(str(value).strip('"').split('"')[0])

    def by_relation(query: str) -> dict[str, int]:
        return {str(row["p"]): number(row["n"]) for row in kb.sparql(query)}

    differ, bodies = 0, rules.partition_by("body", maintain_order=True)
    for some in bodies:
        body = some["body"][0]
        text = " ".join(map(atom, body))
        pairs = f"{{ SELECT DISTINCT ?x ?y WHERE {{ {text} }} }}"
        (size,) = (number(row["n"]) for row in kb.sparql(f"SELECT (COUNT(*) AS ?n) WHERE {pairs}"))
        support = by_relation(f"SELECT ?p (COUNT(*) AS ?n) WHERE {{ {pairs} ?x ?p ?y }} GROUP BY ?p")
        subjects = "{ SELECT DISTINCT ?x ?p WHERE { ?x ?p ?o } }"
        known = by_relation(f"SELECT ?p (COUNT(*) AS ?n) WHERE {{ {pairs} {subjects} }} GROUP BY ?p")
        for row in some.iter_rows(named=True):
            head = row["head"].split("(")[0]
            both, there = support.get(head, 0), max(known.get(head, 0), 1)
            wanted = both, size, both / size, both / there, there - both
            told = row["support"], row["body_size"], row["confidence"], row["pca_confidence"], row["exceptions"]
            differ += told != wanted
    return differ, len(bodies)


class Answers:
    """What rules and frequency say of held-out (head, relation): the surest new conclusion, and the most frequent new tail."""

    def __init__(self, kb: kgmm.KnowledgeStore, rules: pl.DataFrame, train: list[Fact], held: list[Fact]) -> None:
        self.tails: dict[tuple[str, str], set[str]] = defaultdict(set)
        for fact in held:
            self.tails[fact.subject, fact.predicate].add(fact.object)
        self.known, self.frequent = defaultdict(set), defaultdict(Counter)
        for fact in train:
            self.known[fact.subject, fact.predicate].add(fact.object)
            self.frequent[fact.predicate][fact.object] += 1
        conclude(kb, rules, limit=3_000_000)
        self.best: dict[tuple[str, str], tuple[str, float]] = {}
        for fact in candidates(kb):
            self.best.setdefault((fact.subject, fact.predicate), (fact.object, fact.weight))

    def often(self, key: tuple[str, str]) -> str:
        """Return the relation's most frequent tail that the head does not have yet."""
        return next((o for o, _ in self.frequent[key[1]].most_common() if o not in self.known[key]), "")

    def right(self, least: float) -> tuple[int, float, float]:
        """Return how many are asked where rules of some confidence say something, and the shares that rules and frequency get right."""
        asked = [key for key in self.tails if self.best.get(key, ("", 0.0))[1] >= least]
        ours = sum(self.best[key][0] in self.tails[key] for key in asked)
        often = sum(self.often(key) in self.tails[key] for key in asked)
        return len(asked), ours / max(len(asked), 1), often / max(len(asked), 1)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("held", type=Path, nargs="+")
    parser.add_argument("--constants", action="store_true")
    parser.add_argument("--min-support", type=int, default=5)
    parser.add_argument("--head-first", action="store_true", help="files have the relation in the middle")
    parser.add_argument("--counts", action="store_true", help="compare every rule's figures with SPARQL's counts")
    given = parser.parse_args()
    train = facts(given.train, given.head_first)
    held = [fact for path in given.held for fact in facts(path, given.head_first)]
    with tempfile.TemporaryDirectory() as folder:
        kb = kgmm.open(Path(folder) / "kb")
        kb.add(train)
        began = time.perf_counter()
        kb.rules(2, 10)
        two = time.perf_counter() - began
        began = time.perf_counter()
        rules = kb.rules(3, given.min_support, min_confidence=0.02, min_head_coverage=0.0, constants=given.constants)
        print(f"{len(train)} facts: two atoms {two:.2f} s; {len(rules)} rules {time.perf_counter() - began:.1f} s")
        if given.counts:
            began, plain = time.perf_counter(), rules.filter(~pl.col("rule").str.contains("/c/"))
            differ, bodies = counts_differ(kb, plain)
            seconds = time.perf_counter() - began
            print(f"  SPARQL counts otherwise for {differ} of {len(plain)} rules, {bodies} bodies ({seconds:.0f} s)")
        answers = Answers(kb, rules, train, held)
    said = sum(key in answers.best for key in answers.tails)
    print(f"{len(answers.tails)} held-out (head, relation), rules say something of {said}")
    for least in (0.02, 0.1, 0.2, 0.4):
        asked, ours, often = answers.right(least)
        print(f"  rules of confidence {least}: {asked} asked, right {ours:.4f}, most frequent tail {often:.4f}")


if __name__ == "__main__":
    main()
