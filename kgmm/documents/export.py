"""Documents, passages, the names they speak of and the facts they state as PyTorch Geometric data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.documents.analysis import name_key
from kgmm.documents.facts.keeping import GRAPH, place
from kgmm.documents.index import current
from kgmm.documents.retrieve import Names
from kgmm.documents.spans import bare, key
from kgmm.documents.vectors import checksum, encoded
from kgmm.language import names
from kgmm.store.assertions.looking import assertions

if TYPE_CHECKING:
    from kgmm.documents.index import Index
    from kgmm.store import LocalStore


def to_pyg(store: LocalStore, data: Any = None, features: str | None = None) -> Any:
    """Return the documents of a store as ``HeteroData``, or put them into what a view gave.

    Args:
        store: whose documents.
        data: what ``kb.view().to_pyg(hetero=True)`` returned; its concepts are then joined with the names that are written like
            them by edges ``("entity", "is", "concept")``.
        features: ``"minilm"`` for vectors of passages and names; the store's own of passages where it has them.

    Returns:
        Nodes ``document`` and ``passage`` (``names``: the id, and ``id#part``), ``entity`` (``names``, ``term_id``: the store's
        concept written like it, else -1), ``fact`` (``keys_of``: subject, predicate, object, graph), passages and entities with
        ``x`` (nodes, 384) float32 of unit length if *features*. Edges ``(document, has, passage)``, ``(passage, before,
        passage)``, ``(passage, mentions, entity)`` with ``own`` (bool: it is called so), ``(passage, states, fact)``, ``(fact,
        subject, entity)``, ``(fact, object, entity)``; facts are those that were extracted and whose ends passages name.

    Raises:
        StoreError: if the store has no documents.
    """
    import torch
    from torch_geometric.data import HeteroData

    index = current(store)
    made: Any = HeteroData() if data is None else data
    ids = index.rows["document"].to_pylist()
    parts = index.rows["part"].to_pylist()
    documents = list(dict.fromkeys(ids))
    number = {id: at for at, id in enumerate(documents)}
    passages = np.arange(len(index))
    of = np.array([number[id] for id in ids])
    called = _called(index)
    terms = _terms(store, called)

    def edges(kind: tuple[str, str, str], *ends: Any) -> Any:
        made[kind].edge_index = torch.from_numpy(np.stack([np.asarray(end, np.int64).reshape(-1) for end in ends]))
        return made[kind]

    made["document"].names, made["document"].num_nodes = documents, len(documents)
    made["passage"].names = [f"{id}#{part}" for id, part in zip(ids, parts, strict=True)]
    made["passage"].num_nodes = len(index)
    made["entity"].names, made["entity"].num_nodes = called, len(called)
    made["entity"].term_id = torch.from_numpy(terms)
    edges(("document", "has", "passage"), of, passages)
    follow = passages[1:][of[1:] == of[:-1]]
    edges(("passage", "before", "passage"), follow - 1, follow)
    links = index.links
    rows = np.repeat(passages, np.diff(links.edge))
    pairs, first = np.unique(np.stack([rows, links.edge_entity]), axis=1, return_index=True)
    edges(("passage", "mentions", "entity"), *pairs).own = torch.from_numpy(links.edge_own[first] > 0)
    _facts(store, index, made, edges, number, of)
    if data is not None:
        at = {concept: row for row, concept in enumerate(made.concept_names)}
        both = [(e, at[c]) for e, t in enumerate(terms.tolist()) if t >= 0 and (c := store.terms.name(t)) in at]
        edges(("entity", "is", "concept"), [e for e, _ in both], [c for _, c in both])
    if features is not None:
        _vectors(index, made, features, called)
    return made


def _called(index: Index) -> list[str]:
    """Return the entities' names as the first passage that names each writes it."""
    told, links = Names(index), index.links
    called = [""] * len(index.texts.entity)
    for entity in range(len(called)):
        low, high = int(links.back[entity]), int(links.back[entity + 1])
        if low < high:
            called[entity] = told.entity(entity, int(links.back_passage[low]))
    return called


def _terms(store: LocalStore, called: list[str]) -> NDArray[np.int64]:
    """Return the numbers of the store's concepts that are written like names, -1 for none."""
    concepts = []
    for name in called:
        try:
            concepts.append(names.concept(bare(name)))
        except ValueError:  # nothing is left of it as a concept
            concepts.append("")
    return np.asarray(store.terms.ids(concepts), np.int64)


def _facts(
    store: LocalStore, index: Index, made: Any, edges: Any, number: dict[str, int], of: NDArray[np.int64]
) -> None:
    keys: list[tuple[str, str, str, str]] = []
    ends: list[list[int]] = []
    states: list[tuple[int, int]] = []
    starts = index.rows["start"].to_numpy()
    known = index.texts.entity
    for fact in store.find(graph=GRAPH):
        both = []
        for end in (fact.subject, fact.object):
            wanted = np.uint64(name_key(key(names.label(end))))
            at = int(np.searchsorted(known, wanted))
            both.append(at if at < len(known) and known[at] == wanted and end.startswith("/c/") else -1)
        if both[0] < 0:
            continue
        for said in assertions(store, fact):
            where = place(said)
            if where is not None and where[0] in number:
                low, high = np.searchsorted(of, (number[where[0]], number[where[0]] + 1))
                row = int(low + np.searchsorted(starts[low:high], where[1], "right") - 1)
                states.append((row, len(keys)))
        keys.append((fact.subject, fact.predicate, fact.object, fact.graph))
        ends.append(both)
    made["fact"].keys_of, made["fact"].num_nodes = keys, len(keys)
    edges(("passage", "states", "fact"), [p for p, _ in states], [f for _, f in states])
    for place_of, name in enumerate(("subject", "object")):
        there = [at for at, both in enumerate(ends) if both[place_of] >= 0]
        edges(("fact", name, "entity"), there, [ends[at][place_of] for at in there])


def _vectors(index: Index, made: Any, features: str, called: list[str]) -> None:
    import torch

    from kgmm.encode.text import text_encoder

    if features == "minilm" and index.vectors is not None and index.encoder == checksum():
        rows = index.vectors
    elif features == "minilm":
        told = zip(*(index.rows[name].to_pylist() for name in ("text", "title", "part")), strict=True)
        rows = encoded(told, len(index))
    else:
        texts = [
            f"{t}. {x}" if t else x
            for t, x in zip(*(index.rows[n].to_pylist() for n in ("title", "text")), strict=True)
        ]
        made["passage"].x = torch.from_numpy(text_encoder(features).encode(texts))
        rows = None
    if rows is not None:
        wide = rows.astype(np.float32)
        made["passage"].x = torch.from_numpy(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-9))
    made["entity"].x = torch.from_numpy(text_encoder(features).encode(called))
