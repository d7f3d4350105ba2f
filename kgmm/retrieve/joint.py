"""A question, what is seen, choices → their joint graph: grounded, joined by the store's facts, cut by relevance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.vectors import query_vector, term_vectors
from kgmm.graph.joint import (
    ASKED,
    CHOICE,
    OBJECT,
    OFFERED,
    OTHER,
    QUESTION,
    SEEN,
    JointGraph,
    edge_type,
    with_ways_back,
)
from kgmm.language.names import label
from kgmm.language.words import STOP, name_words
from kgmm.retrieve.gather import Key
from kgmm.retrieve.ground import RULES, ground_name, ground_text
from kgmm.retrieve.neighbours import Ids, Neighbours, neighbours
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import LocalStore
from kgmm.store.senses import senses

if TYPE_CHECKING:
    from kgmm.encode.text import Encoder
    from kgmm.trace import Link

LIMIT = 200  #: nodes of a joint graph at most, as in QA-GNN
CANDIDATES = 600  #: concepts between those asked, seen and offered whose relevance is looked up
OBJECTS = 50  #: seen objects at most, the surest
_OF_SCENES, _LINK = "in_scene", -1


@dataclass
class _Draft:
    """A joint graph while it grows: nodes by name, and links between them."""

    names: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    terms: list[int] = field(default_factory=list)
    boxes: dict[int, tuple[float, ...]] = field(default_factory=dict)
    at: dict[int, int] = field(default_factory=dict)  #: term id → node
    edges: list[tuple[int, int]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    facts: list[Key] = field(default_factory=list)
    fact: list[int] = field(default_factory=list)

    def node(self, name: str, kind: int, term: int = -1) -> int:
        """Return the node of a concept, made if it is not there, or a new node."""
        if term >= 0 and term in self.at:
            return self.at[term]
        self.names.append(name)
        self.kinds.append(kind)
        self.terms.append(term)
        if term >= 0:
            self.at[term] = len(self.names) - 1
        return len(self.names) - 1

    def link(self, source: int, relation: str, target: int, weight: float, fact: Key | None = None) -> None:
        """Join two nodes; *fact* is what states it."""
        code, turned = edge_type(relation, _OF_SCENES)
        self.edges.append((target, source) if turned else (source, target))
        self.codes.append(code)
        self.weights.append(weight)
        self.fact.append(_LINK if fact is None else len(self.facts))
        self.facts += [] if fact is None else [fact]


def joint_graph(
    store: LocalStore,
    question: str,
    encoder: Encoder | None = None,
    *,
    scene: SceneGraph | None = None,
    choices: Sequence[str] = (),
    limit: int = LIMIT,
    exclude: frozenset[Key] = frozenset(),
    graphs: Sequence[str] | None = None,
) -> JointGraph:
    """Return the joint graph of a question, with what is seen and its choices (QA-GNN, Yasunaga et al., NAACL 2021).

    Nodes are the question, the choices, the seen objects, the concepts of all of them, and concepts between: first those
    between question or picture and a choice, each choice's best in turn, then those between any two. Without choices
    further neighbours of the question's and the picture's concepts fill the budget. All facts among them are edges.

    Args:
        store: the knowledge.
        question: what is asked.
        encoder: whose cosines are the nodes' relevance; without it relevance is 0 and only the facts' pattern chooses.
        scene: what is seen.
        choices: answers to choose from.
        limit: nodes at most; question, choices, objects and their concepts are kept beyond it.
        exclude: statements that do not exist here, as (subject, predicate, object).
        graphs: named graphs facts may come from; all but scenes and stories by default.

    Example:
        >>> import tempfile
        >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("fish", "AtLocation", "water"), ("sea", "MadeOf", "water"), ("desk", "AtLocation", "office")])
        >>> graph = joint_graph(kb, "Where do fish live?", choices=["sea", "desk"])
        >>> graph
        <JointGraph of 1 question, 2 choice, 1 asked, 2 offered, 1 other; 2 facts>
        >>> [graph.words(e) for e in range(graph.edges.shape[1] // 2) if graph.fact[e] >= 0]
        ['you are likely to find fish in water', 'sea is made of water']
        >>> graph.distance(0), graph.distance(1)
        (2, None)
    """
    known = neighbours(store, graphs)
    lemma = senses(store).lemma
    draft = _Draft()
    draft.node(question, QUESTION)
    for choice in choices:
        draft.link(0, "offers", draft.node(choice, CHOICE), 1.0)
    said = [
        _concepts(store, draft, 1 + c, "says", OFFERED, _grounded(store, text, named=True))
        for c, text in enumerate(choices)
    ]
    asked = _concepts(store, draft, 0, "asks", ASKED, _grounded(store, question))
    seen = _see(store, draft, scene) if scene is not None else []
    keys = [ids for key in exclude if -1 not in (ids := store.terms.ids(key).tolist())]
    banned = known.stating(keys, lemma) if keys else np.empty(0, np.int64)
    room = max(limit - len(draft.names), 0)
    others, serves = _between(store, known, draft, asked, seen, said, room, banned, question, encoder)
    served = np.ones((len(draft.names) + len(others), len(choices)), bool)
    served[1 : 1 + len(choices)] = np.eye(len(choices), dtype=bool)
    offered = np.array(draft.kinds) == OFFERED
    served[: len(offered)][offered] = False
    for c, concepts in enumerate(said):
        served[[draft.at[term] for term in concepts], c] = True
    both = [draft.at[term] for term in {*asked, *seen}]
    served[both] = True
    served[len(draft.names) :] = serves
    for term, name in zip(others.tolist(), store.terms.names(others), strict=True):
        draft.node(name, OTHER, term)
    return _finished(store, known, draft, served, banned, question, encoder)


def _grounded(store: LocalStore, text: str, *, named: bool = False) -> list[Link]:
    """Link a text, by its name as a whole if it is *named*, by its words, and by the words of names of several words.

    On CommonsenseQA the words of names bring one fact's length to 54 % of the right and 42 % of the wrong choices, where
    the longest names alone have 40 % and 32 %.
    """
    links = ground_text(store, text)
    if named and (whole := ground_name(store, text)) is not None and whole.rule != "head":
        links.insert(0, whole)
    parts = {word for link in links if " " in link.text for word in name_words(link.text) if word not in STOP}
    found = [link for word in sorted(parts) if (link := ground_name(store, word)) is not None]
    return links + [replace(link, rule="head", score=RULES["head"]) for link in found]


def _concepts(
    store: LocalStore, draft: _Draft, node: int, relation: str, kind: int, links: Iterable[Link]
) -> list[int]:
    """Add the concepts that a node is linked to; return their terms."""
    scores: dict[int, float] = {}
    for link in links:
        term = senses(store).node(link.concept)
        if term is not None:
            scores[term] = max(link.score, scores.get(term, 0.0))
    for term, score in scores.items():
        draft.link(node, relation, draft.node(store.terms.name(term), kind, term), score)
    return list(scores)


def _see(store: LocalStore, draft: _Draft, scene: SceneGraph) -> list[int]:
    """Add a scene's objects with concepts, attributes and relations, and its tags; return the concepts' terms."""
    objects = sorted(scene.objects, key=lambda o: -o.score)[:OBJECTS]
    nodes = {o.id: draft.node(o.name, OBJECT) for o in objects}
    found: dict[int, None] = {}

    def concept(name: str) -> tuple[int, str, float] | None:
        link = ground_name(store, name)
        term = None if link is None else senses(store).node(link.concept)
        if link is None or term is None:
            return None
        found[term] = None
        return draft.node(store.terms.name(term), SEEN, term), link.concept, link.score

    for o in objects:
        draft.link(0, "sees", nodes[o.id], o.score)
        if o.box is not None:
            draft.boxes[nodes[o.id]] = _placed(o, scene)
        for name, relation, predicate in (
            (o.name, "is", "InstanceOf"),
            *((a, "attribute", "HasProperty") for a in o.attributes),
        ):
            if (kind := concept(name)) is not None:
                draft.link(nodes[o.id], relation, kind[0], o.score * kind[2], (scene.node(o.id), predicate, kind[1]))
    for tag, score in scene.tags:
        if (kind := concept(tag)) is not None:
            draft.link(0, "shows", kind[0], score * kind[2], (scene.node(), "Depicts", kind[1]))
    for r in scene.relations:
        if r.subject in nodes and r.object in nodes:
            stated = scene.node(r.subject), r.predicate, scene.node(r.object)
            draft.link(nodes[r.subject], r.predicate, nodes[r.object], r.score, stated)
    return list(found)


def _placed(o: SceneObject, scene: SceneGraph) -> tuple[float, ...]:
    """Return an object's box as centre, width and height in parts of the picture's size."""
    x, y, width, height = o.box or (0, 0, 0, 0)
    across = scene.width or max(x + width, 1)
    down = scene.height or max(y + height, 1)
    return (x + width / 2) / across, (y + height / 2) / down, width / across, height / down


def _between(
    store: LocalStore,
    known: Neighbours,
    draft: _Draft,
    asked: list[int],
    seen: list[int],
    said: list[list[int]],
    room: int,
    banned: Ids,
    question: str,
    encoder: Encoder | None,
) -> tuple[Ids, NDArray[np.bool_]]:
    """Return the best concepts that are not in the draft, and which choices each serves, (n, C)."""
    given = np.array(list(dict.fromkeys([*asked, *seen])), np.int64)
    anchors = np.array(list(dict.fromkeys([*given.tolist(), *(term for terms in said for term in terms)])), np.int64)
    if not len(anchors) or not room:
        return np.empty(0, np.int64), np.empty((0, len(said)), bool)
    origin, other, row = known.of(anchors)
    if len(banned):
        kept = ~np.isin(row, banned)
        origin, other = origin[kept], other[kept]
    inside = np.zeros(known.size, bool)
    inside[anchors] = True
    kept = ~inside[other]
    origin, other = origin[kept], other[kept]
    # one entry an anchor and node
    pairs = np.unique(other * len(anchors) + origin)
    other, origin = np.divmod(pairs, len(anchors))
    nodes, at = np.unique(other, return_inverse=True)
    near = np.bincount(at, 1 / np.log2(2 + known.degree(anchors))[origin], len(nodes)) / np.log2(
        2 + known.degree(nodes)
    )
    from_given = np.bincount(at, origin < len(given), len(nodes)) > 0
    serves = np.zeros((len(nodes), len(said)), bool)
    for c, terms in enumerate(said):
        serves[at[np.isin(anchors, terms)[origin]], c] = True
    bridge = serves & from_given[:, None]
    linked = np.bincount(at, minlength=len(nodes)) > 1
    tier = np.where(bridge.any(1), 0, np.where(linked, 1, 2))
    chosen = np.flatnonzero(tier < 2) if said else np.arange(len(nodes))
    chosen = chosen[np.argsort(_turns(tier[chosen], bridge[chosen], near[chosen]), kind="stable")[:CANDIDATES]]
    if encoder is not None:
        near = near[chosen] + 10 * _relevance(store, nodes[chosen], question, encoder)
    else:
        near = near[chosen]
    best = chosen[np.argsort(_turns(tier[chosen], bridge[chosen], near), kind="stable")[:room]]
    return nodes[best], bridge[best] | (tier[best] > 0)[:, None]


def _turns(tier: Ids, bridge: NDArray[np.bool_], near: NDArray[np.floating]) -> Ids:
    """Return when each node has its turn: by tier, the best bridge of every choice first, then every one's second best."""
    order = np.argsort(-near, kind="stable")
    rank = np.empty(len(near), np.int64)
    rank[order] = np.arange(len(near))
    if bridge.shape[1]:
        turns = np.where(bridge[order], np.cumsum(bridge[order], axis=0), len(near)).min(1)
        rank[order] = turns * len(near) + np.arange(len(near))
    return tier * (len(near) + 1) ** 2 + rank


def _relevance(store: LocalStore, terms: Ids, question: str, encoder: Encoder) -> NDArray[np.float32]:
    return term_vectors(store, terms, encoder) @ query_vector(encoder, question)


def _finished(
    store: LocalStore,
    known: Neighbours,
    draft: _Draft,
    served: NDArray[np.bool_],
    banned: Ids,
    question: str,
    encoder: Encoder | None,
) -> JointGraph:
    """Return a draft with the facts among its concepts and its nodes' relevance."""
    terms = np.array(draft.terms, np.int64)
    place = np.zeros(known.size, np.int64)
    place[terms[terms >= 0]] = np.flatnonzero(terms >= 0)
    rows = known.among(terms[terms >= 0])
    if len(banned):
        rows = rows[~np.isin(rows, banned)]
    # a fact that several graphs or senses state counts once, with its largest weight
    order = rows[np.lexsort((-known.weight[rows], known.stated[1, rows], known.key[rows]))]
    first = np.ones(len(order), bool)
    first[1:] = (known.key[order][1:] != known.key[order][:-1]) | (
        known.stated[1, order][1:] != known.stated[1, order][:-1]
    )
    rows = order[first]
    ends = place[np.stack(np.divmod(known.key[rows], max(known.size, 1)))]
    ends = np.where(known.turned[rows], ends[::-1], ends)
    linked = np.array(draft.edges, np.int64).reshape(-1, 2)
    spelled = iter(store.terms.names(known.stated[:, rows].T.ravel()))
    boxes = np.zeros((len(terms), 4), np.float32)
    for node, box in draft.boxes.items():
        boxes[node] = box
    vectors = None if encoder is None else _vectors(store, draft, terms, encoder)
    return JointGraph(
        names=draft.names,
        kinds=np.array(draft.kinds, np.int8),
        relevance=np.zeros(len(terms), np.float32) if vectors is None else vectors @ vectors[0],
        terms=terms,
        boxes=boxes,
        serves=served,
        **with_ways_back(
            np.concatenate([linked, ends.T]),
            np.concatenate([np.array(draft.codes, np.int64), known.type[rows]]),
            np.concatenate([np.array(draft.weights, np.float32), known.weight[rows]]),
            np.concatenate([np.array(draft.fact, np.int64), len(draft.facts) + np.arange(len(rows))]),
        ),
        facts=draft.facts + list(zip(spelled, spelled, spelled, strict=True)),
        vectors=vectors,
    )


def _vectors(store: LocalStore, draft: _Draft, terms: Ids, encoder: Encoder) -> NDArray[np.float32]:
    """Return the nodes' sentence vectors: of concepts kept with the store, of texts kept for a while."""
    vectors = np.empty((len(terms), encoder.dim), np.float32)
    concepts = np.flatnonzero(terms >= 0)
    vectors[concepts] = term_vectors(store, terms[concepts], encoder)
    concept_of = {label(draft.names[i]): i for i in concepts.tolist()}
    for node in np.flatnonzero(terms < 0).tolist():
        text = draft.names[node]
        same = concept_of.get(text) if node else None
        vectors[node] = vectors[same] if same is not None else query_vector(encoder, text)
    return vectors
