"""Question, picture, choices and the facts among their concepts as one graph of plain arrays, which graph networks read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.graph.convert import drawing, edge_name
from kgmm.language.names import label
from kgmm.language.phrase import sentence

if TYPE_CHECKING:
    from kgmm.nn.joint import JointBatch

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Triple = tuple[str, str, str]

#: what a node is: the question, a choice, a seen object; a concept of the question, of the picture, of a choice; another
KINDS = ("question", "choice", "object", "asked", "seen", "offered", "other")
QUESTION, CHOICE, OBJECT, ASKED, SEEN, OFFERED, OTHER = range(len(KINDS))
_COLOURS = dict(zip(KINDS, "#c0392b #8e44ad #d68910 #e59866 #f4d03f #bb8fce #4a7ab5".split(), strict=True))
_DRAWN = 40  #: nodes that are drawn at most: what was asked, seen and offered, and the most relevant of the others

#: type of edges → relations that it stands for beside its own name, "~" for those that say it from their other end. The
#: first seven join the nodes of question, picture and choices to concepts, then come relations of scenes, then those of
#: knowledge: the 17 that QA-GNN merges ConceptNet's into (Yasunaga et al., NAACL 2021), denials, and all others.
MERGED: Mapping[str, str] = {
    **dict.fromkeys("asks sees shows offers says is attribute".split(), ""),
    **dict.fromkeys("on inside next_to wearing holding in_scene".split(), ""),
    "above": "~below",
    "left_of": "~right_of",
    "in_front_of": "~behind",
    "Antonym": "DistinctFrom",
    "AtLocation": "LocatedNear LocationOfAction ~Contains",
    "CapableOf": "",
    "Causes": "CausesDesire ~MotivatedByGoal",
    "CreatedBy": "",
    "IsA": "InstanceOf DefinedAs InheritsFrom ~HasInstance",
    "Desires": "~DesireOf",
    "HasSubevent": "HasFirstSubevent HasLastSubevent HasPrerequisite Entails MannerOf",
    "PartOf": "~HasA MemberOf part_of",
    "HasContext": "",
    "HasProperty": "",
    "MadeOf": "",
    "NotCapableOf": "",
    "NotDesires": "",
    "ReceivesAction": "",
    "RelatedTo": "SimilarTo Synonym FormOf DerivedFrom EtymologicallyRelatedTo EtymologicallyDerivedFrom",
    "UsedFor": "",
    "denies": "NotIsA NotHasA NotHasProperty NotMadeOf NotUsedFor NotAtLocation ObstructedBy",
    "other": "",
}
#: an edge's type is the position of its relation here; of its way back, that position and the number of relations more
RELATIONS = tuple(MERGED)
_TYPES = {name: (code, False) for code, name in enumerate(RELATIONS)} | {
    name.removeprefix("~"): (code, name.startswith("~"))
    for code, names in enumerate(MERGED.values())
    for name in names.split()
}


def edge_type(relation: str, unknown: str = "other") -> tuple[int, bool]:
    """Return the position in :data:`RELATIONS` of a relation's type, and whether its edges lead from object to subject.

    >>> edge_type("HasA") == (RELATIONS.index("PartOf"), True), RELATIONS[edge_type("http://example.org/likes")[0]]
    (True, 'other')
    """
    return _TYPES.get(relation, _TYPES[unknown])


@dataclass(frozen=True)
class JointGraph:
    """The joint graph of a question: N nodes, C choices, E edges (each way one), F facts.

    Node 0 is the question, nodes 1 … C the choices in their order. Made by :func:`kgmm.retrieve.joint.joint_graph` and
    by ``kb.retrieve(…).to_pyg(joint=True)``.
    """

    names: list[str]  #: (N) the question, a choice or an object's name as given; a concept's node in the store
    kinds: NDArray[np.int8]  #: (N,) positions in :data:`KINDS`
    #: (N,) cosine of the sentence vectors of node and question, in [-1, 1]: a stand-in for QA-GNN's score by its language
    #: model, which reads both together
    relevance: Floats
    terms: Ints  #: (N,) the store's term ids, -1 for what is no concept
    boxes: Floats  #: (N, 4) of objects: centre x, y, width, height as parts of the picture's; else 0
    serves: NDArray[np.bool_]  #: (N, C) whether a node is in the working graph of each choice
    edges: Ints  #: (2, E) source and target; edge e + E/2 is the way back of edge e
    relations: Ints  #: (E,) positions in :data:`RELATIONS`, and their number more for the way back
    weights: Floats  #: (E,) the fact's or the scene relation's weight, or the score of the link
    facts: list[Triple]  #: (F) what knowledge or scene states
    fact: Ints  #: (E,) which fact an edge is, -1 for the links of question and choices
    vectors: Floats | None = None  #: (N, d) sentence vectors of the nodes' words, if they were kept

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        counts = np.bincount(self.kinds, minlength=len(KINDS))
        told = ", ".join(f"{n} {kind}" for n, kind in zip(counts.tolist(), KINDS, strict=True) if n)
        return f"<JointGraph of {told}; {len(self.facts)} facts>"

    def words(self, edge: int) -> str:
        """Return an edge in words, which are its fact's if it is one, with names in the place of scene nodes."""
        source, target = (label(self.names[i]) for i in self.edges[:, edge].tolist())
        code, way_back = int(self.relations[edge]) % len(RELATIONS), int(self.relations[edge]) >= len(RELATIONS)
        at = int(self.fact[edge])
        relation = RELATIONS[code] if at < 0 else self.facts[at][1]
        turned = way_back if at < 0 else way_back != edge_type(relation, "in_scene")[1]
        subject, object = (target, source) if turned else (source, target)
        return sentence(subject, relation, object)

    def part(self, nodes: Ints) -> JointGraph:
        """Return the graph of some nodes, in the order given, and of the edges and facts between them."""
        place = np.full(len(self), -1, np.int64)
        place[nodes] = np.arange(len(nodes))
        ends = place[self.edges]
        kept = np.flatnonzero((ends >= 0).all(0))
        used, fact = np.unique(self.fact[kept], return_inverse=True)
        fact = fact - int(len(used) > 0 and used[0] < 0)
        return replace(
            self,
            names=[self.names[i] for i in nodes.tolist()],
            **{column: getattr(self, column)[nodes] for column in ("kinds", "relevance", "terms", "boxes", "serves")},
            edges=ends[:, kept],
            relations=self.relations[kept],
            weights=self.weights[kept],
            facts=[self.facts[i] for i in used[used >= 0].tolist()],
            fact=fact.astype(np.int64),
            vectors=None if self.vectors is None else self.vectors[nodes],
        )

    def of_choice(self, choice: int) -> JointGraph:
        """Return the working graph of one choice, as QA-GNN has it: the other choices and what only they brought are gone."""
        part = self.part(np.flatnonzero(self.serves[:, choice]))
        return replace(part, serves=part.serves[:, choice : choice + 1])

    def without(self, facts: Collection[Triple]) -> JointGraph:
        """Return the graph without some facts, and without the concepts between that only they led to."""
        gone = set(facts)
        left = np.array([fact not in gone for fact in self.facts] + [True])[self.fact]
        linked = np.zeros(len(self), bool)
        linked[self.edges[:, left]] = True
        kept = replace(
            self,
            edges=self.edges[:, left],
            relations=self.relations[left],
            weights=self.weights[left],
            fact=self.fact[left],
        )
        return kept.part(np.flatnonzero(linked | (self.kinds != OTHER)))

    def distance(self, choice: int) -> int | None:
        """Return how many facts lead from a concept of question or picture to one of a choice at least; None if none do."""
        count = len(self)
        adjacent = np.zeros((count, count), bool)
        adjacent[tuple(self.edges[:, self.fact >= 0])] = True
        leads = [RELATIONS.index(name) for name in ("asks", "shows", "is", "attribute")]
        front = np.zeros(count, bool)
        front[self.edges[1, np.isin(self.relations, leads)]] = True
        said = (self.relations == RELATIONS.index("says")) & (self.edges[0] == 1 + choice)
        goal = self.edges[1, said]
        for steps in range(count):
            if front[goal].any():
                return steps
            wider = front | adjacent[front].any(0)
            if (wider == front).all():
                return None
            front = wider
        return None

    def to_pyg(self) -> Any:
        """Return the graph as PyG ``HeteroData``.

        Returns:
            Node types ``question``, ``choice``, ``object`` and ``concept``, each with ``x`` (n, d) if vectors were kept,
            ``relevance`` (n,), ``kind`` (n,) into ``kind_names``, ``serves`` (n, C), ``names`` and ``at`` (n,), its
            positions in this graph; objects with ``box`` (n, 4), concepts with ``term_id`` (n,). Edge types (source, relation,
            target), ways back as ``rev_`` relation, with ``edge_index``, ``edge_weight``, ``edge_type`` (positions in
            ``relation_names``, and their number more for ways back) and ``words``.
        """
        import torch
        from torch_geometric.data import HeteroData

        data = HeteroData()
        types = np.array(["question", "choice", "object", "concept", "concept", "concept", "concept"])[self.kinds]
        place = np.zeros(len(self), np.int64)
        for kind in ("question", "choice", "object", "concept"):
            rows = np.flatnonzero(types == kind)
            place[rows] = np.arange(len(rows))
            columns = {"at": rows, "kind": self.kinds[rows].astype(np.int64), "relevance": self.relevance[rows]}
            columns |= {"serves": self.serves[rows]}
            columns |= {} if self.vectors is None else {"x": self.vectors[rows]}
            columns |= {"box": self.boxes[rows]} if kind == "object" else {}
            columns |= {"term_id": self.terms[rows]} if kind == "concept" else {}
            nodes = data[kind]
            nodes.num_nodes, nodes.names = len(rows), [self.names[i] for i in rows.tolist()]
            for name, column in columns.items():
                nodes[name] = torch.from_numpy(column)
        said = [self.words(e) for e in range(self.edges.shape[1] // 2)] * 2
        groups: dict[tuple[str, int, str], list[int]] = {}
        sources, targets = types[self.edges].tolist()
        for e, (source, code, target) in enumerate(zip(sources, self.relations.tolist(), targets, strict=True)):
            groups.setdefault((source, code, target), []).append(e)
        for (source, code, target), edges in groups.items():
            way = edge_name(RELATIONS[code % len(RELATIONS)])
            kept = data[source, way if code < len(RELATIONS) else f"rev_{way}", target]
            kept.edge_index = torch.from_numpy(place[self.edges[:, edges]])
            kept.edge_weight = torch.from_numpy(self.weights[edges])
            kept.edge_type = torch.from_numpy(self.relations[edges])
            kept.words = [said[e] for e in edges]
        data.kind_names, data.relation_names = list(KINDS), list(RELATIONS)
        return data

    def _repr_html_(self) -> str:
        order = np.lexsort((-self.relevance, self.kinds))[:_DRAWN]
        shown = self.part(np.sort(order))
        half = shown.edges.shape[1] // 2
        dots = [(label(n), _COLOURS[KINDS[k]]) for n, k in zip(shown.names, shown.kinds.tolist(), strict=True)]
        lines = [(*shown.edges[:, e].tolist(), shown.words(e)) for e in range(half)]
        caption = repr(self)[1:-1] + (f"; the first {_DRAWN} nodes" if len(self) > _DRAWN else "")
        present = [KINDS[k] for k in np.unique(shown.kinds)]
        return drawing(caption, dots, lines, {kind: _COLOURS[kind] for kind in present})


def with_ways_back(
    edges: Sequence[tuple[int, int]] | Ints, relations: Any, weights: Any, fact: Any
) -> dict[str, NDArray[Any]]:
    """Return the four columns of edges with each edge's way back behind them all."""
    ends = np.asarray(edges, np.int64).reshape(-1, 2).T
    code = np.asarray(relations, np.int64)
    return {
        "edges": np.concatenate([ends, ends[::-1]], axis=1),
        "relations": np.concatenate([code, code + len(RELATIONS)]),
        "weights": np.tile(np.asarray(weights, np.float32), 2),
        "fact": np.tile(np.asarray(fact, np.int64), 2),
    }


def batch(graphs: Sequence[JointGraph], vectors: Sequence[Floats] | None = None) -> JointBatch:
    """Return joint graphs as networks read them, one beside the other.

    Args:
        graphs: one a question, or one a choice (:meth:`JointGraph.of_choice`).
        vectors: (N, d) of each graph; those that the graphs keep by default.

    Raises:
        KgmmError: if a graph keeps no vectors and none are given.
    """
    import torch

    from kgmm.nn.joint import JointBatch

    rows = [graph.vectors for graph in graphs] if vectors is None else list(vectors)
    if not graphs or any(row is None for row in rows):
        raise KgmmError("a batch needs graphs with vectors: make them with an encoder, or pass vectors=")
    sizes = np.array([len(graph) for graph in graphs])
    first = np.cumsum(sizes) - sizes
    kind = np.concatenate([graph.kinds for graph in graphs]).astype(np.int64)
    fact = np.concatenate([graph.fact for graph in graphs])
    relation = np.concatenate([graph.relations for graph in graphs])
    edges = np.concatenate([graph.edges + at for graph, at in zip(graphs, first.tolist(), strict=True)], axis=1)
    of_scene = (kind[edges] == OBJECT).any(0)
    columns = {
        "x": np.concatenate([row for row in rows if row is not None]),
        "kind": kind,
        "relevance": np.concatenate([graph.relevance for graph in graphs]),
        "boxes": np.concatenate([graph.boxes for graph in graphs]),
        "edges": edges,
        "relation": relation,
        "weight": np.concatenate([graph.weights for graph in graphs]),
        "graph": np.repeat(np.arange(len(graphs)), sizes),
        "question": first,
        "choice": np.flatnonzero(kind == CHOICE),
        "objects": kind == OBJECT,
        "concepts": np.concatenate([graph.terms for graph in graphs]) >= 0,
        "seen": (fact >= 0) & of_scene,
        "known": (fact >= 0) & ~of_scene,
    }
    return JointBatch(**{name: torch.from_numpy(np.ascontiguousarray(c)) for name, c in columns.items()})
