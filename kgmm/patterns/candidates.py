"""What was mined as candidate facts: in graphs of their own, each with its reason, to be accepted or rejected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.patterns._horn import conclusions
from kgmm.patterns.horn import Atoms, Ints, shared_pairs
from kgmm.store import Assertion, Fact
from kgmm.store.assertion import Key
from kgmm.store.assertions.looking import rows_of
from kgmm.store.table import said

if TYPE_CHECKING:
    from kgmm.store import LocalStore

PREFIX = "mined/"  #: of the graphs that hold candidates, which nothing reads unless it is told to
REJECTED = PREFIX + "rejected"  #: the graph of those that were
ACCEPTED = "accepted"  #: the graph that accepted candidates go to, of general knowledge
MINER = "kgmm mine"  #: who says them
PARTS = ("subject", "predicate", "object", "graph")
Triple = tuple[str, str, str]
MOST = 1_000_000  #: conclusions of one rule at most


def conclude(
    store: LocalStore, rules: pl.DataFrame, graph: str = "rules", *, least: float = 0.0, limit: int = 100_000
) -> int:
    """Write what rules conclude and no fact says as candidates; return how many are new.

    Each is a fact of the graph ``mined/GRAPH`` whose weight and confidence are those of the surest rule that gives it (its
    PCA confidence), whose source is that rule, and which rests on the facts that the rule's body has: it goes when one of these is
    withdrawn. What was rejected before is not proposed again.

    Args:
        store: where the facts are, and the candidates go.
        rules: as ``kb.rules()`` gives them; those with named ends too.
        graph: name of the candidates' graph, without ``mined/``.
        least: PCA confidence of a rule at least.
        limit: candidates at most, the surest.

    Raises:
        KgmmError: if the table has no rules' columns, or an atom is of a relation that no fact has.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> kept = [(c, r, s) for c, s in ("ab", "cd", "ef") for r in ("CapitalOf", "PartOf")]
        >>> _ = kb.add([*kept, ("g", "CapitalOf", "h")])
        >>> conclude(kb, kb.rules(2, 3, heads=["PartOf"]))
        1
        >>> [(f.subject, f.source) for f in candidates(kb)], len(kb.find("g", "PartOf", graph="facts"))
        ([('/c/en/g', 'CapitalOf(x, y) ⇒ PartOf(x, y)')], 0)
    """
    if not {"rule", "head", "body", "pca_confidence"} <= set(rules.columns):
        raise KgmmError("rules are a table with rule, head, body and pca_confidence, as kb.rules() gives it")
    known = Atoms.of(store, None, None)
    chosen = rules.filter(pl.col("pca_confidence") >= least).sort("pca_confidence", "support", descending=True)
    taken: dict[int, Ints] = {}  # what surer rules concluded
    stated = (
        Stated(fact, float(row["pca_confidence"]), row["rule"], rests)
        for row in chosen.iter_rows(named=True)
        for fact, rests in _Rule.of(store, known, row["head"], row["body"]).conclusions(taken)
    )
    return propose(store, stated, graph, limit)


class Stated(NamedTuple):
    """What is proposed: a fact, how sure it is, why, and on which facts it rests."""

    fact: Triple  #: as it is stored
    confidence: float
    source: str
    rests_on: tuple[Key, ...] = ()


def propose(store: LocalStore, stated: Iterable[Stated], graph: str, limit: int | None = None) -> int:
    """Write candidates to ``mined/GRAPH``, of the same ones the first, none that are there or were rejected; return how many are new."""
    place, found = PREFIX + graph, dict[Triple, Assertion]()
    known = {_triple(fact) for name in (place, REJECTED) for fact in store.find(graph=name)}
    for fact, sure, source, rests in stated:
        if limit is not None and len(found) >= limit:
            break
        if fact not in found and fact not in known:
            made = Fact(*fact, weight=sure, source=source, graph=place)
            found[fact] = Assertion(made, contributor=MINER, confidence=sure, method="mined", rests_on=rests)
    return store.add(found.values()) if found else 0


def candidates(store: LocalStore, graph: str | None = None, *, least: float = 0.0) -> list[Fact]:
    """Return the candidates of one graph, named without ``mined/``, or of all, the surest first; their sources say why."""
    wanted = candidate_graphs(store) if graph is None else [PREFIX + graph]
    found = [fact for name in wanted for fact in store.find(graph=name) if fact.weight >= least]
    return sorted(found, key=lambda fact: (-fact.weight, _triple(fact)))


def candidate_graphs(store: LocalStore) -> list[str]:
    """Return the graphs that hold candidates."""
    return [name for name in store.graphs() if name.startswith(PREFIX) and name != REJECTED]


def accept(store: LocalStore, facts: Iterable[Fact], by: str = "") -> int:
    """Make candidates general knowledge, in the graph ``accepted``, with what is said of them; return how many.

    ``kb.withdraw(contributor="kgmm mine")`` takes them back as it takes candidates.

    Args:
        store: where they are.
        facts: candidates, as :func:`candidates` gives them.
        by: who accepts them; kept as the assertions' text.

    Raises:
        KgmmError: if a fact is no candidate of this store; then nothing is changed.
    """
    chosen = _candidates_of(store, facts)
    keys = pl.DataFrame(
        {n: [getattr(f, part) for f in chosen] for n, part in zip(said.KEY, PARTS, strict=True)}, strict=True
    )
    rows = [one for one in said.assertions(rows_of(store, keys)) if not one.withdrawn] if chosen else []
    text = f"accepted by {by}" if by else "accepted"
    store.add([replace(one, fact=replace(one.fact, graph=ACCEPTED), text=text) for one in rows])
    return _gone(store, chosen)


def reject(store: LocalStore, facts: Iterable[Fact], by: str = "") -> int:
    """Take candidates out for good: they are kept in the graph ``mined/rejected`` and not proposed again; return how many.

    Args:
        store: where they are.
        facts: candidates, as :func:`candidates` gives them.
        by: who rejects them.

    Raises:
        KgmmError: if a fact is no candidate of this store; then nothing is changed.
    """
    chosen = _candidates_of(store, facts)
    store.add([replace(fact, graph=REJECTED) for fact in chosen], contributor=by or MINER, method="told")
    return _gone(store, chosen)


def _candidates_of(store: LocalStore, facts: Iterable[Fact]) -> list[Fact]:
    chosen = list(facts)
    known = {name: {_triple(f) for f in store.find(graph=name)} for name in {fact.graph for fact in chosen}}
    for fact in chosen:
        if not fact.graph.startswith(PREFIX) or fact.graph == REJECTED or _triple(fact) not in known[fact.graph]:
            raise KgmmError(f"no candidate: {' '.join(_triple(fact))} of {fact.graph}; candidates() lists them")
    return chosen


def _gone(store: LocalStore, chosen: Sequence[Fact]) -> int:
    """Remove candidates, whole graphs at once."""
    for graph in dict.fromkeys(fact.graph for fact in chosen):
        some = [fact for fact in chosen if fact.graph == graph]
        if len(some) == len(store.find(graph=graph)):
            store.remove(graph=graph)
            continue
        for fact in some:
            store.remove(*_triple(fact), graph=graph)
    return len(chosen)


def _triple(fact: Fact) -> Triple:
    return fact.subject, fact.predicate, fact.object


@dataclass(frozen=True)
class _Rule:
    """A rule read from its atoms' text."""

    store: LocalStore
    known: Atoms
    head: tuple[int, str, str]
    body: list[tuple[int, str, str]]

    @classmethod
    def of(cls, store: LocalStore, known: Atoms, head: str, body: Sequence[str]) -> _Rule:
        def atom(text: str) -> tuple[int, str, str]:
            name, _, ends = text.removesuffix(")").partition("(")
            first, _, second = ends.partition(", ")
            if name not in known.relations or not second:
                raise KgmmError(f"not an atom over these facts: {text!r}")
            return known.relations.index(name), first, second

        return cls(store, known, atom(head), [atom(text) for text in body])

    def conclusions(self, taken: dict[int, Ints]) -> Iterator[tuple[Triple, tuple[Key, ...]]]:
        """Yield what the body joins and neither a fact nor a rule before says (*taken*, by relation), with facts that the body has there."""
        relation, _, end = self.head
        name = self.known.relations[relation]
        if end != "y":
            yield from self._named(name, end, taken)
            return
        ways = [self.known.rows((r, (a, b) not in (("x", "y"), ("x", "z"), ("z", "y")))) for r, a, b in self.body]
        path = any("z" in atom[1:] for atom in self.body)
        if path:
            first, second = ways
        else:
            first = ways[0] if len(ways) == 1 else shared_pairs(ways[0], ways[1], self.known.size)
            second = self.known.loops
        x, y, z, _ = conclusions(*first, *second, *self.known.rows((relation, False)), MOST)
        new = self._new(x, y, taken)
        x, y, z = x[new], y[new], z[new]
        nodes = {"x": x, "y": y, "z": z}
        rests = [self._facts(r, nodes[a], nodes[b]) for r, a, b in self.body]
        names = self.store.terms.names
        for subject, obj, *keys in zip(names(self.known.terms[x]), names(self.known.terms[y]), *rests, strict=True):
            yield (subject, name, obj), tuple(keys)

    def _facts(self, relation: int, subject: Ints, obj: Ints) -> list[Key]:
        """Return the keys of facts by their nodes, each in the first of its graphs."""
        at = np.searchsorted(self.known.keys, self.known.key(relation, subject, obj))
        names, terms = self.store.terms.names, self.known.terms
        columns = names(terms[subject]), names(terms[obj]), names(self.known.graph[at])
        return [(s, self.known.relations[relation], o, g) for s, o, g in zip(*columns, strict=True)]

    def _new(self, subject: Ints, obj: Ints, taken: dict[int, Ints]) -> NDArray[np.bool_]:
        """Return which pairs no rule before concluded of the head's relation, and note that this one did."""
        keys, old = self.known.key(0, subject, obj), taken.get(self.head[0], np.empty(0, np.int64))
        at = np.searchsorted(old, keys)
        new: NDArray[np.bool_] = np.append(old, -1)[at] != keys
        if new.any():
            taken[self.head[0]] = np.sort(np.concatenate([old, np.sort(keys[new])]), kind="stable")
        return new

    def _named(self, name: str, end: str, taken: dict[int, Ints]) -> Iterator[tuple[Triple, tuple[Key, ...]]]:
        """Yield what a rule with named ends concludes: nothing, if there is no fact of one of them any more."""
        known = self.known

        def node(term: str) -> int:
            return next(iter(np.flatnonzero(known.terms == self.store.terms.ids([term])[0]).tolist()), -1)

        def subjects(relation: int, at: int) -> Ints:
            found: Ints = known.subject[(known.relation == relation) & (known.object == at)]
            return found

        head, ends = node(end), [(relation, node(term)) for relation, _, term in self.body]
        if head < 0:
            return
        body = subjects(*ends[0])
        for more in ends[1:]:
            body = np.intersect1d(body, subjects(*more), assume_unique=True)
        new = np.setdiff1d(body, subjects(self.head[0], head), assume_unique=True)
        new = new[self._new(new, np.full(len(new), head), taken)]
        rests = [self._facts(r, new, np.full(len(new), at)) for r, at in ends]
        for subject, *keys in zip(self.store.terms.names(known.terms[new]), *rests, strict=True):
            yield (subject, name, end), tuple(keys)
