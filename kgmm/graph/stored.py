"""Views of a store: its columns, chosen and weighted, as a graph."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput
from kgmm.graph.build import assembled, smallest
from kgmm.graph.graph_view import GraphView
from kgmm.graph.mapped import opened, parts
from kgmm.graph.names import NumberedNames
from kgmm.graph.statements import Statements
from kgmm.language import names
from kgmm.language.relations import LINKS
from kgmm.store import LocalStore
from kgmm.store.facts import single
from kgmm.store.kept import WORTH_IT, keep, kept
from kgmm.store.senses import senses


def view(
    store: LocalStore,
    graphs: str | Iterable[str] | None = None,
    relations: str | Iterable[str] | None = None,
    directed: bool = False,
    relation_weights: Mapping[str, float] | None = None,
    *,
    weighted: bool = True,
    literals: bool = False,
    split_senses: bool = False,
) -> GraphView:
    """Return a view of the chosen statements of *store*.

    Args:
        store: what to look at; the view keeps its own arrays and does not follow later changes. A large store keeps
            the arrays beside its index too, where the next process maps them (:mod:`kgmm.store.kept`).
        graphs: only these named graphs (all by default).
        relations: only these relations; by default all but those that only lead out of the store (``ExternalURL``).
        directed: walk statements only from subject to object.
        relation_weights: a multiplier for some relations; 0 leaves the relation out.
        weighted: with False every statement weighs 1 before the multipliers.
        literals: keep statements whose object is a literal.
        split_senses: keep senses (``/c/en/dog/n``) as nodes of their own; by default they are one node with their lemma
            (:mod:`kgmm.store.senses`), and what is said of a lemma's sense and the lemma is left out.

    Raises:
        BadInput: if a weight is not positive; the message names the statement.
    """
    chosen_graphs, chosen_relations = _several(graphs), _several(relations)
    weights = {} if chosen_relations else dict.fromkeys(LINKS, 0.0)
    weights |= _checked(relation_weights or {})
    by = [chosen_graphs, chosen_relations, directed, sorted(weights.items()), weighted, literals, split_senses]
    large = isinstance(store, LocalStore) and len(store) >= WORTH_IT
    if large and (known := kept(store, "view", by)) is not None:
        made = opened(known, *_spelling(store, split_senses))
        if made is not None:
            return made
    made = _made(store, chosen_graphs, chosen_relations, directed, weights, weighted, literals, split_senses)
    if large:
        keep(store, "view", by, *parts(made))
    return made


def _made(
    store: LocalStore,
    graphs: list[str] | None,
    relations: list[str] | None,
    directed: bool,
    weights: Mapping[str, float],
    weighted: bool,
    literals: bool,
    split_senses: bool,
) -> GraphView:
    said = _chosen(store, graphs, relations)
    terms, codes = store.terms, said.codes
    relation_names = list(terms.names(said.relations.astype(np.int64)))
    factors = np.array([weights.get(name, 1.0) for name in relation_names], np.float64)
    weight = said.weight if weighted else np.ones(len(codes), np.float32)
    keep = np.ones(len(codes), bool) if not (factors == 0).any() else factors[codes] != 0
    if (factors != 1).any():
        weight = weight * factors[codes].astype(np.float32)
    if not literals and len(codes):
        of_term = _literals(store, said.object)
        if of_term is not None:
            keep &= ~of_term[said.object]
    subject, target = said.subject, said.object
    if not split_senses:
        lemma = senses(store).lemma
        subject, target = lemma[subject], lemma[target]
        keep &= (subject != target) | (said.subject == said.object)
    if keep.all():
        keep = slice(None)
    subject, target = subject[keep], target[keep]
    stated = said.subject[keep], said.object[keep]
    ids, positions = _number(subject, target)
    codes, weight = smallest(codes[keep], len(relation_names)), np.asarray(weight[keep])
    alike = split_senses or (np.array_equal(stated[0], subject) and np.array_equal(stated[1], target))
    apart = None if alike else np.stack(stated)
    statements = Statements(positions[subject], positions[target], codes, weight, tuple(relation_names), apart)
    return assembled(GraphView, NumberedNames(ids, *_spelling(store, split_senses)), statements, directed, ids)


def _spelling(
    store: LocalStore, split_senses: bool
) -> tuple[Callable[..., Sequence[str]], Callable[[str], int | None]]:
    """Return how terms are spelled, and how a name's number is found."""
    return store.terms.names, store.terms.id if split_senses else senses(store).node


class _Said(NamedTuple):
    """Statements by number: relations as codes into *relations*, which are term ids in ascending order."""

    subject: NDArray[np.uint32]
    object: NDArray[np.uint32]
    codes: NDArray[Any]
    relations: NDArray[np.uint32]
    weight: NDArray[np.float32]


def _chosen(store: LocalStore, graphs: list[str] | None, relations: list[str] | None) -> _Said:
    if graphs is None and relations is None and isinstance(store, LocalStore):
        snapshot = store.opened.snapshot
        base = snapshot.base
        predicate = base.predicate.values
        if snapshot.overlay is None and (np.diff(predicate.astype(np.int64)) > 0).all():  # as they are mapped
            weight = single(base.weight.values)[base.weight.codes]
            return _Said(base.subject, base.object, base.predicate.codes, predicate, weight)
    columns = store.columns(graphs=graphs, relations=relations)
    ids, places = _number(columns.predicate)
    return _Said(columns.subject, columns.object, places[columns.predicate], ids, columns.weight)


def _literals(store: LocalStore, objects: NDArray[np.uint32]) -> NDArray[np.bool_] | None:
    """Return which terms are literals, of those that are objects; None if none is."""
    used, _ = _number(objects)
    literal = np.asarray(store.terms.is_literal(used))
    if not literal.any():
        return None
    of_term = np.zeros(int(used[-1]) + 1, bool)
    of_term[used[literal]] = True
    return of_term


def _several(chosen: str | Iterable[str] | None) -> list[str] | None:
    if chosen is None:
        return None
    return [chosen] if isinstance(chosen, str) else list(chosen)


def _checked(weights: Mapping[str, float]) -> dict[str, float]:
    """Return multipliers by the relations' stored names; BadInput if one is negative or not finite."""
    wanted = {names.relation(name): float(factor) for name, factor in weights.items()}
    for name, factor in wanted.items():
        if not (np.isfinite(factor) and factor >= 0):
            raise BadInput("relation_weights", f"{name} has {factor}, it must be finite and not negative")
    return wanted


def _number(*columns: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return the distinct terms in *columns*, ascending, and a table term -> position."""
    highest = max((int(c.max()) for c in columns if len(c)), default=-1)
    used = np.zeros(highest + 1, bool)
    for column in columns:
        used[column] = True
    positions = (np.cumsum(used, dtype=np.int32) - 1).astype(np.int32, copy=False)
    return np.flatnonzero(used).astype(np.uint32), positions
