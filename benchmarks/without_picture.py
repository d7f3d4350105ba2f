"""Questions without a picture that one fact of the bundled knowledge answers, asked from either end.

``python -m benchmarks.without_picture [--each N] [--seed S] [--show]``: N facts of each relation are drawn; an answer is right if the
store states it of what the question names, by the relation asked, in its direction; *turned* if it states it the other way round only.
"""

import argparse
import collections
import random
import time

import kgmm
from kgmm.language.names import label
from kgmm.language.words import content
from kgmm.store import Fact

#: relation → what asks for its object, what asks for its subject
ASKED = {
    "UsedFor": ("What is {s} used for?", "What is used for {o}?"),
    "CapableOf": ("What can {s} do?", "What can {o}?"),
    "AtLocation": ("Where would you find {s}?", "What do you find in {o}?"),
    "HasA": ("What does {s} have?", "What has {o}?"),
    "PartOf": ("What is {s} part of?", "What is a part of {o}?"),
    "MadeOf": ("What is {s} made of?", "What is made of {o}?"),
    "Causes": ("What does {s} cause?", "What causes {o}?"),
    "Desires": ("What does {s} want?", "What wants {o}?"),
    "HasProperty": ("What are the properties of {s}?", "What is {o}?"),
    "IsA": ("What kind of thing is {s}?", "Name a kind of {o}."),
}
#: relations that say the same from the other end
SAME = {"HasA": ("PartOf",), "PartOf": ("HasA",), "AtLocation": ("HasA", "Contains")}


def drawn(kb: "kgmm.KnowledgeStore", relation: str, each: int, rng: random.Random) -> list[Fact]:
    """Draw facts of a relation, the ends of at most three words each, no subject or object twice."""
    facts = sorted(kb.find(None, relation, None), key=lambda f: (f.subject, f.object))
    rng.shuffle(facts)
    found: dict[str, Fact] = {}
    ends: set[str] = set()
    for fact in facts:
        short = all(len(label(end).split()) <= 3 and end.startswith("/c/en/") for end in (fact.subject, fact.object))
        if short and not ends & {fact.subject, fact.object} and len(found) < each:
            found[fact.subject] = fact
            ends |= {fact.subject, fact.object}
    return list(found.values())


def judged(kb: "kgmm.KnowledgeStore", fact: Fact, text: str | None, wants_object: bool) -> str:
    """Tell whether an answer is right, turned, another thing or none."""
    if text is None:
        return "none"
    said, given = content(text), content(label(fact.subject if wants_object else fact.object))

    def states(subject: list[str], relations: tuple[str, ...], other: list[str]) -> bool:
        return any(
            content(label(f.subject)) == subject and content(label(f.object)) == other
            for relation in relations
            for f in (*kb.find(fact.subject if subject == content(label(fact.subject)) else None, relation, None),)
        )

    one, two = (given, said) if wants_object else (said, given)
    relation = fact.predicate
    if states(one, (relation,), two) or states(two, SAME.get(relation, ()), one):
        return "right"
    return "turned" if states(two, (relation,), one) else "other"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    kb, rng = kgmm.open_bundled(), random.Random(options.seed)
    total: collections.Counter[str] = collections.Counter()
    spent = time.process_time()
    for relation, patterns in ASKED.items():
        for wants_object, pattern in zip((True, False), patterns, strict=True):
            counts: collections.Counter[str] = collections.Counter()
            for fact in drawn(kb, relation, options.each, rng):
                question = pattern.format(s=label(fact.subject), o=label(fact.object))
                answer = kb.ask(None, question)
                verdict = judged(kb, fact, answer.text, wants_object)
                counts[verdict] += 1
                if options.show and verdict != "right":
                    print(
                        f"  {verdict:7}{question:50}{answer.text!s:25} {answer.score:.2f} {answer.trace.abstained[:80]}"
                    )
            total += counts
            print(f"{relation:12}{'object' if wants_object else 'subject':9}{dict(counts)}", flush=True)
    print("all", dict(total), f"{(time.process_time() - spent) / sum(total.values()):.2f} s of CPU a question")


if __name__ == "__main__":
    main()
