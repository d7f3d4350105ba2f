"""Question + scene → a memory of at most N facts, ranked by walk mass, weight, similarity and shared words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from kgmm.encode.cache import fact_keys
from kgmm.encode.text import Encoder, text_encoder
from kgmm.errors import KgmmError
from kgmm.graph import GraphView
from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.language.words import whole_characters
from kgmm.retrieve.gather import Key, gather
from kgmm.retrieve.ground import link
from kgmm.retrieve.joint import joint_graph
from kgmm.retrieve.score import CUED, decode, named_relation, score
from kgmm.scene import SceneGraph
from kgmm.store import Fact
from kgmm.trace import Link, MemoryFact

if TYPE_CHECKING:
    import torch_geometric.data

    from kgmm.documents import Passage
    from kgmm.graph.joint import JointGraph
    from kgmm.store import LocalStore


@dataclass
class Memory:
    """The facts that bear on a question or scene, best first, and the concepts they were reached from."""

    facts: list[MemoryFact]
    concepts: list[Link]
    question: str | None = None
    timings: dict[str, float] = field(default_factory=dict)
    #: all relations of the store by their numbers there, and the numbers of the facts' ends
    relations: list[str] = field(default_factory=list)
    terms: dict[str, int] = field(default_factory=dict)
    #: makes the joint graph of what was asked, seen and offered, with an encoder's vectors
    joining: Callable[[Encoder | None], JointGraph] | None = field(default=None, repr=False, compare=False)
    passages: list[Passage] = field(default_factory=list)  #: of documents, where these were asked for, best first

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
        rows = self.statements()
        ends = [f.subject for f, _ in rows], [f.object for f, _ in rows]
        relations, weights = [f.predicate for f, _ in rows], [max(score, 1e-6) for _, score in rows]
        return GraphView.from_edges(*ends, relations=relations, weights=weights)

    def joint(self, features: str | Encoder | None = "minilm") -> JointGraph:
        """Return the joint graph of question, picture, choices and the facts among their concepts.

        See :func:`kgmm.retrieve.joint.joint_graph`; *features* name whose vectors its nodes have, and relevance is their
        cosine with the question's; None leaves both out.

        Raises:
            KgmmError: if the memory was not retrieved from a store.
        """
        if self.joining is None:
            raise KgmmError("only what kb.retrieve returned has a joint graph: it is made of the store's facts")
        return self.joining(text_encoder(features) if isinstance(features, str) else features)

    def to_pyg(self, features: str | Encoder | None = "minilm", *, joint: bool = False) -> torch_geometric.data.Data:
        """Return the memory as PyG data with the fields of ``view.to_pyg()``.

        Relations and terms have the store's numbers, so memories of one store make a batch.

        Args:
            features: whose vectors the nodes have; None leaves them out.
            joint: return the :meth:`joint` graph instead, the layout QA-GNN and GreaseLM read, as ``HeteroData``
                (:meth:`kgmm.graph.joint.JointGraph.to_pyg`).

        Returns:
            Data with ``x`` (nodes × dim, if *features*), ``edge_index`` (2 × facts), ``edge_type`` (facts), codes into
            ``relation_names``, all relations of the store in the order of ``kb.view()``'s; ``edge_weight`` (facts), the
            facts' scores, ``seed`` (nodes, bool: linked to question or scene), ``concept_names`` and ``term_id``.
        """
        if joint:
            return self.joint(features).to_pyg()
        import torch
        from torch_geometric.data import Data

        rows = self.statements()
        nodes = list(dict.fromkeys(end for f, _ in rows for end in (f.subject, f.object)))
        relations = list(dict.fromkeys((*self.relations, *sorted({f.predicate for f, _ in rows}))))
        at, rel = {n: i for i, n in enumerate(nodes)}, {r: i for i, r in enumerate(relations)}
        linked = {link.concept for link in self.concepts}
        edges = [[at[f.subject], at[f.object]] for f, _ in rows]
        data = Data(
            edge_index=torch.tensor(edges, dtype=torch.long).reshape(-1, 2).t().contiguous(),
            edge_type=torch.tensor([rel[f.predicate] for f, _ in rows], dtype=torch.long),
            edge_weight=torch.tensor([score for _, score in rows], dtype=torch.float32),
            seed=torch.tensor([n in linked for n in nodes], dtype=torch.bool),
            num_nodes=len(nodes),
        )
        if self.terms:
            data.term_id = torch.tensor([self.terms[n] for n in nodes], dtype=torch.long)
        if features is not None:
            encoder = text_encoder(features) if isinstance(features, str) else features
            labels = [names.label(n) for n in nodes]
            data.x = torch.from_numpy(encoder.encode(labels) if nodes else np.empty((0, encoder.dim), np.float32))
        data.concept_names, data.relation_names = nodes, relations
        return data

    def to_dict(self) -> dict[str, Any]:
        """Return the memory as JSON-ready data."""
        concepts, facts = [asdict(link) for link in self.concepts], [asdict(m) for m in self.facts]
        told: dict[str, Any] = {"question": self.question, "concepts": concepts, "facts": facts}
        return told | ({"passages": [passage.to_dict() for passage in self.passages]} if self.passages else {})

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{m.score:.2f}</td><td>{escape(phrase(m.fact.subject, m.fact.predicate, m.fact.object))}</td>"
            f"<td>{escape(names.label(m.concept))}</td></tr>"
            for m in self.facts[:20]
        )
        return f"<table><tr><th>score</th><th>fact</th><th>from</th></tr>{rows}</table>"


def retrieve(
    store: LocalStore,
    text_or_scene: str | list[str] | SceneGraph,
    question: str | None = None,
    limit: int = 60,
    *,
    encoder: Encoder | None = None,
    exclude: frozenset[Key] = frozenset(),
    graphs: list[str] | None = None,
    split_senses: bool = False,
    choices: Sequence[str] = (),
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
        split_senses: leave out what is said of a word's senses (``/c/en/dog/n``) and not of the word.
        choices: answers to choose from, which the memory's joint graph takes in.

    Raises:
        KgmmError: if the encoder cannot be loaded, or a text holds half a character.

    Example:
        >>> [m.fact.object for m in kb.retrieve("What is a knife used for?")][:1]     # doctest: +SKIP
        ['/c/en/cut']
    """
    given = [] if isinstance(text_or_scene, SceneGraph) else [text_or_scene]
    said = [text for part in given for text in ([part] if isinstance(part, str) else part)]
    whole_characters(question or "", *choices, *said)
    start = time.perf_counter()
    encoder = encoder or text_encoder("minilm")
    links = link(store, text_or_scene, question, encoder=encoder)
    grounded = time.perf_counter()
    asked = question or (text_or_scene if isinstance(text_or_scene, str) else "")
    candidates = gather(store, links, exclude=exclude, graphs=graphs, split_senses=split_senses)
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
    terms = store.terms
    relations: list[str] = store.derived("relations", lambda: terms.names(np.sort(terms.ids(store.relations()))))
    ends = {end for m in facts for f in (m.fact, *m.chain) for end in (f.subject, f.object)}
    numbers = dict(zip(ends, terms.ids(ends).tolist(), strict=True))
    scene = text_or_scene if isinstance(text_or_scene, SceneGraph) else None
    told = " ".join([*said, question or ""]).strip()
    offered = tuple(choices)
    joining = partial(joint_graph, store, told, scene=scene, choices=offered, exclude=exclude, graphs=graphs)
    return Memory(facts, links, asked or None, timings, relations, numbers, joining)
