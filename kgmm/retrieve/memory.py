"""Question + scene → a memory of at most N facts, ranked by walk mass, weight, similarity and shared words."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.cache import VectorCache, encode_cached, fact_keys
from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.language.words import content, lemmas
from kgmm.retrieve.ground import ground_name, ground_scene, ground_text
from kgmm.scene import SceneGraph
from kgmm.store import Fact, is_general
from kgmm.trace import Link, MemoryFact

if TYPE_CHECKING:
    import torch_geometric.data

    from kgmm.encode.text import Encoder
    from kgmm.graph import GraphView
    from kgmm.store import LocalStore

Ids = NDArray[np.int64]
Key = tuple[str, str, str]

#: IsA steps along which facts are inherited, and how much each step costs
MAX_DEPTH = 8
DECAY = 0.85
MAX_ANCESTORS = 40
#: candidates that reach the scoring of words and walk, and texts encoded at most for one question
POOL = 500
MAX_NEW_VECTORS = 600
#: (node, end) pairs whose facts are kept between questions to one version of a store
MAX_ROWS_KEPT = 50_000
#: concepts whose facts, own and inherited, are kept between questions to one version of a store
MAX_REACHES_KEPT = 256
#: relations that lead from a kind to a coarser one, and those a kind does not hand down
UPWARD = ("IsA", "InstanceOf")
NOT_INHERITED = frozenset(
    [
        "Synonym",
        "Antonym",
        "RelatedTo",
        "SimilarTo",
        "HasInstance",
        "DefinedAs",
        "FormOf",
        "DerivedFrom",
        "EtymologicallyRelatedTo",
        "Depicts",
        "InstanceOf",
        "HasContext",
        "MemberOf",
    ]
)
#: a denying relation and what it denies
DENIES = {
    "NotCapableOf": ("CapableOf", "UsedFor"),
    "NotHasProperty": ("HasProperty",),
    "NotDesires": ("Desires",),
    "NotHasA": ("HasA",),
    "NotIsA": ("IsA",),
    "NotUsedFor": ("UsedFor",),
    "NotMadeOf": ("MadeOf",),
    "NotAtLocation": ("AtLocation",),
}
#: relation → words of a question that ask by it
CUES: dict[str, re.Pattern[str]] = {
    relation: re.compile(pattern)
    for relation, pattern in {
        "UsedFor": r"\bus(?:e|ed|ing|es|age|eful)\b|\bfor what\b|purpose",
        "AtLocation": r"\bfound\b|\bfind\b|\bwhere\b|\bplace\b|locat|\blive|appear|occur",
        "CapableOf": r"\bcapable\b|\bcan\b|\bable\b|\bcould\b|\bdoes\b|\bdo\b",
        "HasA": r"\bha(?:s|ve|ving)\b|contain|\bwith\b|\bown",
        "PartOf": r"\bpart\b",
        "IsA": r"categor|\bkind|\btype|\bsort|\bclass|belong|form of|species|subclass|\b(?:which|what) \w+ ",
        "RelatedTo": r"relat|associat|connect",
        "Desires": r"\bwant|\blike|desire|\bneed",
        "MadeOf": r"\bmade\b|material",
        "HasProperty": r"\b(?:is|are)\b|propert|colou?r|shape",
        "ReceivesAction": r"\bcan be\b|\bcould be\b",
        "Causes": r"\bcause|\blead to\b|\bmake",
        "CreatedBy": r"\b(?:create|invent|produce|made by)",
    }.items()
}
#: relations that "is" and "can" ask by, where no word asks by a more telling one
_BROAD = frozenset(["IsA", "HasProperty", "CapableOf"])
#: what a sentence that names a relation adds to the facts of that relation
CUED = 0.5
#: weights of a fact's score; tuned on no data set, they only order the memory before a reasoner reads it
PARTS = {"similarity": 1.0, "overlap": 0.35, "walk": 0.25, "weight": 0.1, "link": 0.25, "depth": 0.25}


@dataclass
class Memory:
    """The facts that bear on a question or scene, best first, and the concepts they were reached from."""

    facts: list[MemoryFact]
    concepts: list[Link]
    question: str | None = None
    timings: dict[str, float] = field(default_factory=dict)
    _candidates: Candidates | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.facts)

    def __iter__(self) -> Iterator[MemoryFact]:
        return iter(self.facts)

    def __getitem__(self, index: int) -> MemoryFact:
        return self.facts[index]

    def statements(self) -> list[tuple[Fact, float]]:
        """Return each fact and each link of its chain once, with the best score it has."""
        scored: dict[Fact, float] = {}
        for m in self.facts:
            for fact in (m.fact, *m.chain):
                scored[fact] = max(m.score, scored.get(fact, m.score))
        return list(scored.items())

    def to_view(self) -> GraphView:
        """Return the memory as an undirected view whose weights are the facts' scores."""
        from kgmm.graph import GraphView

        rows = self.statements()
        return GraphView.from_edges(
            [f.subject for f, _ in rows],
            [f.object for f, _ in rows],
            relations=[f.predicate for f, _ in rows],
            weights=[max(score, 1e-6) for _, score in rows],
        )

    def to_pyg(self, features: str | Encoder | None = "minilm") -> torch_geometric.data.Data:
        """Return the memory as PyG data, the layout QA-GNN and GreaseLM read.

        Returns:
            Data with ``x`` (nodes × dim, if *features*), ``edge_index`` (2 × facts), ``edge_type`` (facts),
            ``edge_score`` (facts), ``seed`` (nodes, bool: linked to question or scene), ``node_names`` and
            ``relation_names``.
        """
        import torch
        from torch_geometric.data import Data

        rows = self.statements()
        nodes = list(dict.fromkeys(end for f, _ in rows for end in (f.subject, f.object)))
        relations = sorted({f.predicate for f, _ in rows})
        at, rel = {n: i for i, n in enumerate(nodes)}, {r: i for i, r in enumerate(relations)}
        linked = {link.concept for link in self.concepts}
        edges = [[at[f.subject], at[f.object]] for f, _ in rows]
        data = Data(
            edge_index=torch.tensor(edges, dtype=torch.long).reshape(-1, 2).t().contiguous(),
            edge_type=torch.tensor([rel[f.predicate] for f, _ in rows], dtype=torch.long),
            edge_score=torch.tensor([score for _, score in rows], dtype=torch.float32),
            seed=torch.tensor([n in linked for n in nodes], dtype=torch.bool),
            num_nodes=len(nodes),
        )
        if features is not None:
            from kgmm.encode import text_encoder

            encoder = text_encoder(features) if isinstance(features, str) else features
            data.x = (
                torch.from_numpy(encoder.encode([names.label(n) for n in nodes]))
                if nodes
                else torch.empty(0, encoder.dim)
            )
        data.node_names, data.relation_names = nodes, relations
        return data

    def to_dict(self) -> dict[str, Any]:
        """Return the memory as JSON-ready data."""
        from dataclasses import asdict

        return {
            "question": self.question,
            "concepts": [asdict(link) for link in self.concepts],
            "facts": [asdict(m) for m in self.facts],
        }

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{m.score:.2f}</td><td>{escape(phrase(m.fact.subject, m.fact.predicate, m.fact.object))}</td>"
            f"<td>{escape(names.label(m.concept))}</td></tr>"
            for m in self.facts[:20]
        )
        return f"<table><tr><th>score</th><th>fact</th><th>from</th></tr>{rows}</table>"


@dataclass
class Candidates:
    """Facts around linked concepts, one row each; arrays of equal length, terms as ids of the store."""

    subject: Ids
    predicate: Ids
    object: Ids
    weight: NDArray[np.float32]
    graph: Ids
    #: row → index into ``roots``: the concept the fact was reached from
    root: Ids
    #: IsA steps between that concept and the fact's near end
    depth: Ids
    #: 0 if the near end is the fact's subject, 1 if it is its object
    end: Ids
    roots: list[int]
    #: root id → {node: (depth, parent node, upward predicate)}
    closures: dict[int, dict[int, tuple[int, int, int]]]

    def __len__(self) -> int:
        return len(self.subject)

    def take(self, rows: Any) -> Candidates:
        """Return the chosen rows."""
        return Candidates(
            self.subject[rows],
            self.predicate[rows],
            self.object[rows],
            self.weight[rows],
            self.graph[rows],
            self.root[rows],
            self.depth[rows],
            self.end[rows],
            self.roots,
            self.closures,
        )


def retrieve(
    store: LocalStore,
    text_or_scene: str | list[str] | SceneGraph,
    question: str | None = None,
    limit: int = 60,
    *,
    encoder: Encoder | None = None,
    exclude: frozenset[Key] = frozenset(),
    graphs: list[str] | None = None,
) -> Memory:
    """Return the facts that bear on a sentence, a list of concepts or a scene (and a question about it).

    Facts are those of the linked concepts and, inherited, of their kinds (IsA closure; what is known of a nearer
    kind wins over a farther one: penguins don't fly). The score adds cosine similarity with the question, shared
    words, random-walk mass from the concepts, edge weight, link score and whether the sentence names the relation, less
    a cost per inheritance step.

    Args:
        store: the knowledge.
        text_or_scene: a sentence, concepts, or a scene.
        question: what is asked about it; the sentence itself if None.
        limit: facts kept.
        encoder: text encoder; all-MiniLM-L6-v2 by default.
        exclude: statements to leave out, as (subject, predicate, object).
        graphs: named graphs facts may come from; all but scenes and stories by default.

    Raises:
        KgmmError: if the encoder cannot be loaded.

    Example:
        >>> [m.fact.object for m in kb.retrieve("What is a knife used for?")][:1]     # doctest: +SKIP
        ['/c/en/cut']
    """
    start = time.perf_counter()
    encoder = encoder or _default_encoder()
    links = link(store, text_or_scene, question, encoder=encoder)
    grounded = time.perf_counter()
    asked = question or (text_or_scene if isinstance(text_or_scene, str) else "")
    candidates = gather(store, links, exclude=exclude, graphs=graphs)
    ranked, scores, parts = score(store, candidates, links, asked, encoder)
    if asked and len(ranked):
        parts["relation"] = named_relation(store, ranked, asked)
        scores = scores + CUED * parts["relation"]
        order = np.argsort(-scores, kind="stable")
        keys = fact_keys(ranked.subject, ranked.predicate, ranked.object)[order]
        order = order[np.sort(np.unique(keys, return_index=True)[1])]  # reached from two concepts, a fact counts once
        ranked, scores = ranked.take(order), scores[order]
        parts = {name: values[order] for name, values in parts.items()}
    facts = decode(store, ranked, scores, parts, limit)
    timings = {"ground": grounded - start, "retrieve": time.perf_counter() - grounded}
    return Memory(facts, links, asked or None, timings, ranked)


def named_relation(store: LocalStore, c: Candidates, text: str) -> NDArray[np.float64]:
    """Return 1 for the facts whose relation a sentence's words ask by ("used for", "where", "made of"), else 0."""
    cued = {relation for relation, pattern in CUES.items() if pattern.search(text.lower())}
    telling = cued - _BROAD or cued
    kinds, at = np.unique(c.predicate, return_inverse=True)
    return np.array([float(name in telling) for name in store.terms.names(kinds)])[at]


def _default_encoder() -> Encoder:
    from kgmm.encode import text_encoder

    return text_encoder("minilm")


def link(
    store: LocalStore,
    source: str | list[str] | SceneGraph,
    question: str | None = None,
    *,
    encoder: Encoder | None = None,
) -> list[Link]:
    """Link what was seen and what was asked to concepts, seen things first."""
    links: list[Link] = []
    if isinstance(source, SceneGraph):
        links += ground_scene(store, source)
    elif isinstance(source, str):
        links += ground_text(store, source, encoder=encoder)
    else:
        links += [found for name in source if (found := ground_name(store, name)) is not None]
    if question and question != source:
        links += ground_text(store, question, encoder=encoder)
    return links


# --- gathering -----------------------------------------------------------------------------------


def gather(
    store: LocalStore,
    links: list[Link],
    *,
    exclude: frozenset[Key] = frozenset(),
    graphs: list[str] | None = None,
) -> Candidates:
    """Collect the facts of linked concepts and what they inherit; excluded statements do not exist here."""
    roots: dict[int, float] = {}
    for k in links:
        i = store.terms.id(k.concept)
        if i is not None and k.score > roots.get(i, 0.0):
            roots[i] = k.score
    banned = _banned(store, exclude)
    upward = {i for r in UPWARD if (i := store.terms.id(r)) is not None}
    chunks: list[tuple[NDArray[Any], ...]] = []
    closures: dict[int, dict[int, tuple[int, int, int]]] = {}
    for index, root in enumerate(roots):
        closures[root], reached = _reach(store, root, upward, banned)
        chunks.append((*reached, _fill(index, reached[0])))
    if not chunks:
        empty = np.empty(0, np.int64)
        return Candidates(
            empty, empty, empty, empty.astype(np.float32), empty, empty, empty, empty, list(roots), closures
        )
    s, p, o, w, g, depths, ends, root_at = (np.concatenate(c) for c in zip(*chunks, strict=True))
    found = Candidates(s, p, o, w, g, root_at, depths, ends, list(roots), closures)
    return found.take(_admissible(store, found, banned, graphs))


_Reach = tuple[dict[int, tuple[int, int, int]], tuple[NDArray[Any], ...]]


def _reach(store: LocalStore, root: int, upward: set[int], banned: set[tuple[int, int, int]]) -> _Reach:
    """Return the kinds above a concept and the facts there: (subject, predicate, object, weight, graph, depth, end)."""
    kept: dict[int, _Reach] = store.derived("reaches", dict)
    if len(kept) >= MAX_REACHES_KEPT:
        kept.clear()
    if not banned and root in kept:
        return kept[root]
    kinds = closure(store, root, upward, banned)
    parts = []
    for node, (depth, _, _) in kinds.items():
        found = rows(store, node, 0)
        parts.append((*found, _fill(depth, found[0]), _fill(0, found[0])))
    found = rows(store, root, 1)
    parts.append((*found, _fill(0, found[0]), _fill(1, found[0])))
    reached = kinds, tuple(np.concatenate(c) for c in zip(*parts, strict=True))
    if not banned:
        kept[root] = reached
    return reached


def _fill(value: int, like: NDArray[Any]) -> Ids:
    return np.full(len(like), value, np.int64)


def _banned(store: LocalStore, exclude: frozenset[Key]) -> set[tuple[int, int, int]]:
    ids = ((store.terms.id(s), store.terms.id(p), store.terms.id(o)) for s, p, o in exclude)
    return {key for key in ids if None not in key}  # type: ignore[misc]


def rows(store: LocalStore, node: int, end: int) -> tuple[NDArray[Any], ...]:
    """Return (subject, predicate, object, weight, graph) of the facts with *node* at one end (0 subject, 1 object)."""
    kept: dict[tuple[int, int], tuple[NDArray[Any], ...]] = store.derived("rows", dict)
    if len(kept) >= MAX_ROWS_KEPT:
        kept.clear()
    if (node, end) in kept:
        return kept[node, end]
    found = store.find_ids(subject=node) if end == 0 else store.find_ids(object=node)
    kept[node, end] = (
        np.asarray(found.subject, np.int64),
        np.asarray(found.predicate, np.int64),
        np.asarray(found.object, np.int64),
        np.asarray(found.weight, np.float32),
        np.asarray(found.graph, np.int64),
    )
    return kept[node, end]


def closure(
    store: LocalStore, root: int, upward: set[int], banned: set[tuple[int, int, int]]
) -> dict[int, tuple[int, int, int]]:
    """Return the kinds above a concept: node → (steps, the node it was reached from, by which relation)."""
    found = {root: (0, root, -1)}
    front = [root]
    for depth in range(1, MAX_DEPTH + 1):
        following: list[int] = []
        for node in front:
            _s, p, o, w, _ = rows(store, node, 0)
            up = np.flatnonzero(np.logical_or.reduce([p == u for u in upward])) if upward else np.empty(0, np.int64)
            for r in up[np.argsort(-w[up], kind="stable")]:
                parent, predicate = int(o[r]), int(p[r])
                if parent not in found and (node, predicate, parent) not in banned:
                    found[parent] = (depth, node, predicate)
                    following.append(parent)
            if len(found) >= MAX_ANCESTORS:
                return found
        if not following:
            return found
        front = following
    return found


def _admissible(
    store: LocalStore, c: Candidates, banned: set[tuple[int, int, int]], graphs: list[str] | None
) -> NDArray[np.bool_]:
    """Tell which rows count: chosen graphs, nothing banned or denied, only what a kind hands down, each once."""
    keep = np.ones(len(c), bool)
    graph_ids = np.unique(c.graph)
    wanted = [
        int(i)
        for i, name in zip(graph_ids, store.terms.names(graph_ids), strict=True)
        if (name in graphs if graphs is not None else is_general(name))
    ]
    keep &= np.isin(c.graph, wanted)
    kept_back = [i for r in NOT_INHERITED if (i := store.terms.id(r)) is not None]
    keep &= ~((c.depth > 0) & np.isin(c.predicate, kept_back))
    for s, p, o in banned:
        keep &= ~((c.subject == s) & (c.predicate == p) & (c.object == o))
    keep &= ~_denied(store, c, keep)
    rows_kept = np.flatnonzero(keep)
    order = rows_kept[np.argsort(c.depth[rows_kept], kind="stable")]  # the nearest way to a fact counts
    keys = fact_keys(c.subject[order], c.predicate[order], c.object[order])
    _, first = np.unique(fact_keys(keys, c.root[order], c.graph[order] * 0), return_index=True)
    unique = np.zeros(len(c), bool)
    unique[order[first]] = True
    return unique


def _denied(store: LocalStore, c: Candidates, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which rows a nearer fact denies (penguin NotCapableOf fly hides bird CapableOf fly), or outranks."""
    denied = np.zeros(len(c), bool)
    for relation, targets in DENIES.items():
        denying = store.terms.id(relation)
        if denying is None:
            continue
        hidden = [i for r in targets if (i := store.terms.id(r)) is not None]
        denies = np.flatnonzero(keep & (c.predicate == denying) & (c.end == 0))
        held = np.flatnonzero(np.isin(c.predicate, hidden) & (c.end == 0))
        if not len(denies) or not len(held):
            continue
        kinds, at = np.unique(
            np.stack([c.root, c.object], axis=1)[np.concatenate([denies, held])], axis=0, return_inverse=True
        )
        ours, theirs = np.split(at.reshape(-1), [len(denies)])
        nearest = np.full((2, len(kinds)), np.iinfo(np.int64).max)
        np.minimum.at(nearest[0], ours, c.depth[denies])
        np.minimum.at(nearest[1], theirs, c.depth[held])
        denied[held] |= c.depth[held] > nearest[0][theirs]
        denied[denies] |= c.depth[denies] > nearest[1][ours]
    return denied


# --- scoring -------------------------------------------------------------------------------------


def score(
    store: LocalStore, c: Candidates, links: list[Link], question: str, encoder: Encoder, pool: int = POOL
) -> tuple[Candidates, NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Order candidates by score; return the best *pool* of them, their scores and the parts of each score."""
    if not len(c):
        return c, np.empty(0), {}
    link_score = {store.terms.id(k.concept): 0.0 for k in links}
    for k in links:
        i = store.terms.id(k.concept)
        link_score[i] = max(link_score[i], k.score)
    linked = np.array([link_score.get(root, 0.0) for root in c.roots])[c.root]
    depth = 1.0 - DECAY ** c.depth.astype(np.float64)
    weight = np.log1p(c.weight.astype(np.float64)) / log(1 + 10)
    similarity = similarities(store, c, question, encoder, linked - depth)
    said = overlaps(store, c, question)
    rough = (
        PARTS["similarity"] * similarity
        + PARTS["overlap"] * said
        + PARTS["link"] * linked
        - PARTS["depth"] * depth
        + PARTS["weight"] * weight
    )
    best = np.argsort(-rough, kind="stable")[:pool]
    c = c.take(best)
    parts = {
        "similarity": similarity[best],
        "overlap": said[best],
        "walk": walk_mass(c, links, store),
        "weight": weight[best],
        "link": linked[best],
        "depth": -depth[best],
    }
    total = sum((PARTS[name] * values for name, values in parts.items()), start=np.zeros(len(best)))
    order = np.argsort(-total, kind="stable")
    return c.take(order), total[order], {name: values[order] for name, values in parts.items()}


def similarities(
    store: LocalStore, c: Candidates, question: str, encoder: Encoder, prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the cosine of each fact's phrase with the question; facts' vectors are computed once and kept."""
    if not question:
        return np.zeros(len(c))
    cache = vectors(store, encoder)
    keys = fact_keys(c.subject, c.predicate, c.object)
    missing = np.flatnonzero(~cache.has(keys))
    if len(missing) > MAX_NEW_VECTORS:
        lexical = overlaps(store, c.take(missing), question)
        missing = missing[np.argsort(-(prior[missing] + lexical), kind="stable")[:MAX_NEW_VECTORS]]
    if len(missing):
        cache.put(keys[missing], encoder.encode(phrases(store, c.take(missing))))
    distinct, at = np.unique(keys, return_inverse=True)  # kinds that several objects share bring the same facts
    found, matrix = cache.get(distinct)
    cosine = (matrix @ query_vector(encoder, question)).astype(np.float64)
    if not found.all():
        cosine[~found] = cosine[found].mean() - 0.1 if found.any() else 0.0
    return cosine[at]


def vectors(store: LocalStore, encoder: Encoder) -> VectorCache:
    """Return the store's cache of fact and term vectors for an encoder, opened once."""
    return store.derived(
        ("vectors", encoder.checksum),
        lambda: VectorCache(store.cache_dir("vectors"), encoder.dim, encoder.checksum),
    )


_QUERIES: dict[tuple[str, str], NDArray[np.float32]] = {}
_MAX_QUERIES = 1 << 14


def query_vector(encoder: Encoder, text: str) -> NDArray[np.float32]:
    """Return a text's vector, shape (dim,); recent ones are kept."""
    key = (encoder.checksum, text)
    if key not in _QUERIES:
        prime(encoder, [text])
    return _QUERIES[key]


def prime(encoder: Encoder, texts: list[str]) -> None:
    """Encode many texts in one go, so that :func:`query_vector` finds them; much faster than one by one."""
    if len(_QUERIES) + len(texts) > _MAX_QUERIES:
        _QUERIES.clear()
    _QUERIES.update(((encoder.checksum, t), v) for t, v in zip(texts, encoder.encode(texts), strict=True))


def term_vectors(store: LocalStore, ids: Ids, encoder: Encoder) -> NDArray[np.float32]:
    """Return the vectors of terms' labels, shape (n, dim); computed once and kept under the term ids."""
    return encode_cached(
        encoder,
        vectors(store, encoder),
        ids.astype(np.uint64),
        lambda at: [names.label(t) for t in store.terms.names(ids[at])],
    )


def phrases(store: LocalStore, c: Candidates) -> list[str]:
    """Return the candidates as English phrases."""
    terms = store.terms
    return [
        phrase(s, p, o)
        for s, p, o in zip(terms.names(c.subject), terms.names(c.predicate), terms.names(c.object), strict=True)
    ]


def overlaps(store: LocalStore, c: Candidates, question: str) -> NDArray[np.float64]:
    """Return how much of the fact's far end the question's words say, in [0, 1], rare words counting more."""
    asked = set(lemmas(question))
    far = np.where(c.end == 0, c.object, c.subject)
    kinds, at = np.unique(far, return_inverse=True)
    values = np.array([_coverage(t, asked) for t in store.terms.names(kinds)])
    return values[at] if len(values) else np.zeros(len(c))


def _coverage(term: str, asked: set[str]) -> float:
    words, total = _telling(term)
    return sum(rarity(w) for w in words if w in asked) / total if total else 0.0


@lru_cache(1 << 17)
def _telling(term: str) -> tuple[tuple[str, ...], float]:
    """Return the content words of a term's label and the sum of their rarity."""
    words = content(names.label(term))
    return words, sum(map(rarity, words))


@lru_cache(1 << 16)
def rarity(word: str) -> float:
    """Return how telling a word is: longer and derived words are rarer (no corpus counts are shipped)."""
    return 1.0 + min(len(word), 10) / 5


def walk_mass(c: Candidates, links: list[Link], store: LocalStore, restart: float = 0.15) -> NDArray[np.float64]:
    """Return each fact's share of a random walk with restart from the linked concepts over the candidates, in [0, 1]."""
    from scipy.sparse import csr_array

    nodes, inverse = np.unique(np.concatenate([c.subject, c.object]), return_inverse=True)
    s, o = inverse[: len(c)], inverse[len(c) :]
    w = np.concatenate([c.weight, c.weight]).astype(np.float64)
    adjacency = csr_array((w, (np.concatenate([s, o]), np.concatenate([o, s]))), shape=(len(nodes), len(nodes)))
    degree = np.asarray(adjacency.sum(axis=0)).ravel()
    seeds = np.isin(nodes, c.roots).astype(np.float64)
    if not seeds.any():
        return np.zeros(len(c))
    seeds /= seeds.sum()
    x = seeds.copy()
    for _ in range(20):  # (1 - 0.15)^20 = 0.04: enough to order a memory
        x = (1 - restart) * (adjacency @ (x / np.maximum(degree, 1e-12))) + restart * seeds
    mass = np.minimum(x[s], x[o])
    return mass / mass.max() if mass.max() > 0 else mass


def decode(
    store: LocalStore,
    c: Candidates,
    scores: NDArray[np.float64],
    parts: dict[str, NDArray[np.float64]],
    limit: int,
) -> list[MemoryFact]:
    """Return the first *limit* candidates as facts with the parts of their scores and their chains."""
    return [
        MemoryFact(
            fact_at(store, c, r),
            round(float(scores[r]), 4),
            {name: round(float(values[r]), 4) for name, values in parts.items()},
            chain_at(store, c, r),
            store.terms.name(c.roots[int(c.root[r])]),
        )
        for r in range(min(limit, len(c)))
    ]


def fact_at(store: LocalStore, c: Candidates, r: int) -> Fact:
    """Return row *r* as a fact."""
    name = store.terms.name
    s, p, o = name(int(c.subject[r])), name(int(c.predicate[r])), name(int(c.object[r]))
    return Fact(s, p, o, float(c.weight[r]), name(int(c.graph[r])))


def chain_at(store: LocalStore, c: Candidates, r: int) -> tuple[Fact, ...]:
    """Return the IsA facts from the row's root to the fact's near end, nearest first."""
    near = int(c.subject[r]) if c.end[r] == 0 else int(c.object[r])
    return chain(store, c.closures[c.roots[int(c.root[r])]], near)


def chain(store: LocalStore, closure: dict[int, tuple[int, int, int]], node: int) -> tuple[Fact, ...]:
    """Return the facts that lead from a closure's root up to *node*, nearest first."""
    name = store.terms.name
    steps: list[Fact] = []
    while node in closure and closure[node][0] > 0:
        _, child, predicate = closure[node]
        stated = store.find(name(child), name(predicate), name(node))
        steps.append(stated[0] if len(stated) else Fact(name(child), name(predicate), name(node)))
        node = child
    return tuple(reversed(steps))
