"""A thousand single bits flipped in a store's files: no answer may become wrong, nothing may raise but a KgmmError.

Run from the repository's root: ``python -m benchmarks.flips --count 1000``. Every flip is made in a copy of the store that was
opened before, in a file of the table, its log, the list of terms or the index. The copy is opened and asked, checked, opened and asked again, and
its first version is opened. Prints what came of the flips, by the kind of file; exits with 1 if an answer was wrong or an error raw.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: the files of each kind, by pattern
KINDS = {
    "table": "table/*.parquet",
    "log": "table/_delta_log/*",
    "terms": "terms/*.parquet",
    "state": "index/current.json",
    "overlay": "index/overlay-*",
    "base": "index/base-*/*",
    "dictionary": "index/[ts]*/*",
}


def stated(facts: int = 200) -> list[tuple[str, str, str, int]]:
    """Return facts to state."""
    return [(f"thing {i}", ("IsA", "UsedFor")[i % 2], f"kind {i % 7}", 1 + i % 3) for i in range(facts)]


def made(path: Path, facts: int) -> None:
    """Make a store with a base, an overlay, a removal, two graphs and a checkpoint of its log."""
    from deltalake import DeltaTable

    from kgmm.store import LocalStore

    with LocalStore(path) as kb:
        kb.add(stated(facts))
        kb.compact()
        kb.add([("new", "IsA", "fact"), ("old", "IsA", '"a \\"name\\""@en')], graph="other")
        kb.remove("thing 7")
        DeltaTable(str(path / "table")).create_checkpoint()
        kb.add([("last", "IsA", "fact")])


def answers(path: Path, version: int | None = None) -> Any:
    """Return what a store says: everything, by each pattern of each of its terms, by search and by number."""
    from kgmm.store import LocalStore

    with LocalStore(path, create=False, version=version) as kb:
        facts = sorted(kb.find(), key=str)
        nodes = sorted({end for fact in facts for end in (fact.subject, fact.object)})[:: max(1, len(facts) // 300)]
        asked = [
            [kb.count(node), kb.count(object=node), kb.count(node, "IsA"), kb.count(node, graph="other")]
            for node in nodes
        ]
        whole = [kb.count(fact.subject, fact.predicate, fact.object) for fact in facts[:: max(1, len(facts) // 300)]]
        return (
            facts,
            asked,
            whole,
            kb.graphs(),
            kb.relations(),
            kb.search("thing", limit=20),
            kb.terms.ids(nodes).tolist(),
        )


def tried(act: Callable[[], Any], right: Any) -> str:
    """Return what came of an act: right, refused (a KgmmError), or what is wrong."""
    from kgmm.errors import KgmmError

    try:
        found = act()
    except KgmmError as error:
        return "refused" if "\n" not in str(error).strip() else f"several lines: {error}"
    except Exception as error:
        return f"raw: {type(error).__name__}: {error}"[:300]
    return "right" if right is None or found == right else "wrong answer"


def run(count: int, seed: int = 0, facts: int = 200) -> dict[str, Any]:
    """Flip *count* bits; return what came of them by kind of file and step, and what must not be."""
    from kgmm.store import LocalStore

    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    failures = []
    with tempfile.TemporaryDirectory() as name:
        sound, copy = Path(name) / "sound", Path(name) / "copy"
        made(sound, facts)
        now, first = answers(sound), answers(sound, 1)

        def check() -> None:
            with LocalStore(copy, create=False) as kb:
                kb.check()

        steps: list[tuple[str, Callable[[], Any], Any]] = [
            ("opened", lambda: answers(copy), now),
            ("checked", check, None),
            ("opened again", lambda: answers(copy), now),
            ("first version", lambda: answers(copy, 1), first),
        ]
        files = {
            kind: sorted(f for f in sound.glob(pattern) if f.is_file() and f.stat().st_size)
            for kind, pattern in KINDS.items()
        }
        for number in range(count):
            chance = random.Random(seed * 1_000_003 + number)
            kind = sorted(files)[number % len(files)]
            file = chance.choice(files[kind]).relative_to(sound)
            shutil.copytree(sound, copy)
            with LocalStore(copy, create=False):
                pass
            data = bytearray((copy / file).read_bytes())
            at, bit = chance.randrange(len(data)), chance.randrange(8)
            data[at] ^= 1 << bit
            (copy / file).write_bytes(data)
            for step, act, right in steps:
                came = tried(act, right)
                outcomes[kind][f"{step}: {came.partition(':')[0]}"] += 1
                if came not in ("right", "refused"):
                    failures.append([number, str(file), at, bit, step, came])
            shutil.rmtree(copy)
    return {"outcomes": {kind: dict(sorted(said.items())) for kind, said in outcomes.items()}, "failures": failures}


def main() -> None:
    """Flip bits, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--facts", type=int, default=200, help="from 70,000 on, files are read again only where written to"
    )
    given = parser.parse_args()
    found = run(given.count, given.seed, given.facts)
    print(json.dumps(found, indent=1))
    sys.exit(1 if found["failures"] else 0)


if __name__ == "__main__":
    main()
