"""Answers without some facts, asked again ahead of time: what a page's switches and a file's reader look up."""

import time
from collections.abc import Iterator
from itertools import combinations

from kgmm.store import Fact
from kgmm.trace.data import Counterfactual, Record, key

ALL_SUBSETS = 4  #: with more citations than this, only each alone and all together are taken away
SECONDS = 2.0  #: after so long no further answer is computed


def compute(trace: Record) -> list[Counterfactual]:
    """Ask again without some facts, the most telling first, for about two seconds at most.

    First the cited knowledge and what is cited in its stead (:func:`exhaust`); then every set of citations (each
    alone and all together if there are more than four), everything but the citations, each link of their chains, and
    each further fact of the memory, best first.

    >>> [c.answer for c in compute(answer.trace)][:1]                              # doctest: +SKIP
    ['saucer']
    """
    stop = time.perf_counter() + SECONDS
    found = {frozenset(key(f) for f in repeated.removed): repeated for repeated in exhaust(trace)}
    for removed in _plan(trace):
        keys = frozenset(key(f) for f in removed)
        if not keys or keys in found:
            continue
        answer = trace.without(*removed)
        found[keys] = Counterfactual(tuple(removed), answer.text, answer.score)
        if time.perf_counter() > stop:
            break
    return list(found.values())


def exhaust(trace: Record, rounds: int = 8) -> list[Counterfactual]:
    """Take away the cited knowledge, then what is cited in its stead, until the answer changes.

    Each round but the last shows facts that say the same without the earlier ones: how many times over the knowledge
    supports the answer. Nothing is taken away once an answer rests on the scene alone.
    """
    removed: dict[tuple[str, str, str], Fact] = {}
    citations, found = trace.citations, list[Counterfactual]()
    while len(found) < rounds:
        fresh = {key(c.fact): c.fact for c in citations if c.kind == "knowledge" and key(c.fact) not in removed}
        if not fresh:
            break
        removed |= fresh
        answer = trace.without(*removed.values())
        found.append(Counterfactual(tuple(removed.values()), answer.text, answer.score))
        if answer.text != trace.answer:
            break
        citations = answer.trace.citations
    return found


def others(trace: Record) -> list[Fact]:
    """Return the facts of the memory that are not cited, each once."""
    cited = {key(c.fact) for c in trace.citations}
    return list({key(m.fact): m.fact for m in trace.memory if key(m.fact) not in cited}.values())


def _plan(trace: Record) -> Iterator[list[Fact]]:
    cited = [c.fact for c in trace.citations]
    for size in range(1, len(cited) + 1) if len(cited) <= ALL_SUBSETS else (1, len(cited)):
        yield from map(list, combinations(cited, size))
    rest = others(trace)
    yield rest
    keys = {key(f) for f in cited}
    yield from ([link] for m in trace.memory if key(m.fact) in keys for link in m.chain)
    yield from ([fact] for fact in rest)
