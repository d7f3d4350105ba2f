"""Rules mined from a training file: how often what they conclude is among held-out facts, beside each relation's frequent objects.

    python -m benchmarks.graph_rules TRAIN.txt HELD.txt [HELD.txt …] [--constants]

Files are ``relation<TAB>head<TAB>tail``. Of each held-out (head, relation) the surest new conclusion counts as right if it is one of the held-out
tails; the relation's most frequent tail that the head does not have yet is judged on the same ones. Held-out facts are few, so most right
conclusions count as wrong: the two figures compare, and say little by themselves.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import kgmm
from kgmm.patterns import candidates, conclude
from kgmm.store import Fact


def facts(path: Path) -> list[Fact]:
    """Return a file's facts, those that cannot be said left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        relation, head, tail, *_ = line.split("\t")
        if head.strip() and tail.strip():
            found.append(Fact(head, relation, tail))
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("held", type=Path, nargs="+")
    parser.add_argument("--constants", action="store_true")
    parser.add_argument("--min-support", type=int, default=5)
    given = parser.parse_args()
    train = facts(given.train)
    tails: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in given.held:
        for fact in facts(path):
            tails[fact.subject, fact.predicate].add(fact.object)
    known, frequent = defaultdict(set), defaultdict(Counter)
    for fact in train:
        known[fact.subject, fact.predicate].add(fact.object)
        frequent[fact.predicate][fact.object] += 1
    with tempfile.TemporaryDirectory() as folder:
        kb = kgmm.open(Path(folder) / "kb")
        kb.add(train)
        began = time.perf_counter()
        kb.rules(2, 10)
        two = time.perf_counter() - began
        began = time.perf_counter()
        rules = kb.rules(3, given.min_support, min_confidence=0.02, min_head_coverage=0.0, constants=given.constants)
        print(f"{len(train)} facts: two atoms {two:.2f} s; {len(rules)} rules {time.perf_counter() - began:.1f} s")
        conclude(kb, rules, limit=3_000_000)
        best: dict[tuple[str, str], str] = {}
        sure: dict[tuple[str, str], float] = {}
        for fact in candidates(kb):
            best.setdefault((fact.subject, fact.predicate), fact.object)
            sure.setdefault((fact.subject, fact.predicate), fact.weight)
    asked = [key for key in tails if key in best]
    print(f"{len(tails)} held-out (head, relation), rules say something of {len(asked)}")
    for least in (0.02, 0.1, 0.2, 0.4):
        some = [key for key in asked if sure[key] >= least]
        right = sum(best[key] in tails[key] for key in some)
        often = sum(
            next((o for o, _ in frequent[key[1]].most_common(1000) if o not in known[key]), "") in tails[key]
            for key in some
        )
        if some:
            print(
                f"  rules of confidence {least}: {len(some)} asked, right {right / len(some):.4f}, most frequent tail {often / len(some):.4f}"
            )


if __name__ == "__main__":
    main()
