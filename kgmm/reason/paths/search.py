"""Beam search of a policy's likeliest paths, and ``kb.follow``: where a relation leads from a thing, with the statements behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from kgmm.errors import BadInput, UnknownConcept
from kgmm.language.names import label
from kgmm.language.names import relation as stored_relation
from kgmm.language.phrase import phrase
from kgmm.nn.folders import kept_until_rewritten, load_weights, read_folder
from kgmm.nn.path_policy import HOPS, PathPolicy
from kgmm.nn.threads import one_thread
from kgmm.reason.paths.roads import Ids, Names, Roads
from kgmm.reason.paths.walking import Asked, Walker
from kgmm.store import Fact
from kgmm.store.facts import node
from kgmm.trace import key

if TYPE_CHECKING:
    from kgmm.retrieve import Key
    from kgmm.store import LocalStore

SHIPPED = Path(__file__).parents[2] / "weights" / "paths"
COMMAND = "kgmm train paths KB --out DIR"
WIDTH = 32  #: walks kept a step


@dataclass(frozen=True)
class Reached:
    """A node where walks of one question end.

    Args:
        answer: the node's term id.
        share: probability that the policy ends there, over the paths found.
        trusted: the same of all nodes that the best path's relations lead to.
        path: term ids (subject, predicate, object) of the best path's statements, from the start on.
        codes: the relations of that path, each way.
    """

    answer: int
    share: float
    trusted: float
    path: tuple[tuple[int, int, int], ...]
    codes: tuple[int, ...]


@dataclass(frozen=True)
class Followed:
    """An answer to what a relation of a thing leads to.

    Args:
        answer: the node.
        probability: that it is right, from a curve fitted on questions kept apart.
        share: of the policy's walks that end there.
        path: the statements that lead there, from the subject on; one of the relation itself if the store says so at once.
    """

    answer: str
    probability: float
    share: float
    path: tuple[Fact, ...]

    @property
    def stated(self) -> bool:
        """Whether one statement says it."""
        return len(self.path) == 1

    def __str__(self) -> str:
        said = "; ".join(phrase(*key(fact)) for fact in self.path)
        return f"{label(self.answer)} {self.probability:.2f} ({said})"


@dataclass(frozen=True)
class Model:
    """A trained policy: the network, its relations' numbers, the weights of its certainty, the checksum."""

    policy: PathPolicy
    relations: dict[str, int]
    certainty: tuple[float, ...]
    checksum: str

    def walker(self, store: LocalStore, graphs: Sequence[str] | None = None, exclude: Iterable[Key] = ()) -> Walker:
        """Return the policy on a store without some statements; what is looked at is kept with the store's version."""
        names = store.derived(("paths", "names"), lambda: Names(store))
        gone = frozenset(exclude)
        if gone:
            return Walker(self.policy, self.relations, Roads(store, graphs, gone), names)
        chosen = None if graphs is None else tuple(graphs)
        made: Walker = store.derived(
            ("paths", self.checksum, chosen), lambda: Walker(self.policy, self.relations, Roads(store, graphs), names)
        )
        return made


@kept_until_rewritten
def load_model(folder: Path) -> Model:
    """Load a folder written by ``kgmm train paths``; BadInput if it holds none."""
    with read_folder(folder, "a policy that walks paths", COMMAND) as (config, vocabulary):
        if config["name"] != "paths":
            raise ValueError(f"a trained {config['name']}, not a policy that walks paths")
        relations = {str(name): at for at, name in enumerate(vocabulary["relations"], 2)}
        policy = PathPolicy(**config["network"])
        certainty = tuple(float(w) for w in config["certainty"])
        if policy.settings["relations"] != len(relations) or len(certainty) != CLUES:
            raise ValueError("relations and weights are of different models")
    return Model(policy, relations, certainty, load_weights(policy, folder))


CLUES = 5  #: of certainty


def clues(found: Reached) -> list[float]:
    """Return what tells whether an answer is right: log shares of it and of its path's relations, its hops, and 1."""
    share, trusted = (float(np.log(max(p, 1e-9))) for p in (found.share, found.trusted))
    hops = len(found.path)
    return [share, trusted, float(hops == 1), float(hops == 3), 1.0]


def sure(certainty: Sequence[float], found: Reached) -> float:
    """Return the probability that an answer is right, by a logistic of its clues."""
    return float(1 / (1 + np.exp(-np.dot(certainty, clues(found)))))


@torch.inference_mode()
def searched(walker: Walker, asked: Asked, width: int = WIDTH) -> list[list[Reached]]:
    """Return where each question's likeliest walks end, the likeliest first; where it began is no answer.

    Beam search keeps the *width* likeliest walks of each question and step; a node's share adds up the walks that end there.
    """
    count = len(asked.start)
    if not count:
        return []
    question = np.arange(count)
    walks, total = walker.begin(asked), torch.zeros(count)
    went: list[tuple[tuple[int, int, int], ...]] = [()] * count  # of each step: relation's code, subject, object
    for _ in range(HOPS):
        logp, options = walker.choose(asked.take(question), walks)
        score = (total[:, None] + logp).numpy()
        row, choice = np.nonzero(options.there)
        best = np.lexsort((choice, row, -score[row, choice], question[row]))
        first = np.searchsorted(question[row][best], np.arange(count))
        place = np.arange(len(best)) - first[question[row][best]]
        best = best[place < width]
        row, choice = row[best], choice[best]
        before, ended = went, walks.ended
        went = [
            before[r]
            if c == 0
            else (*before[r], (int(options.code[r, c]), int(options.subject[r, c]), int(options.object[r, c])))
            for r, c in zip(row.tolist(), choice.tolist(), strict=True)
        ]
        total = torch.from_numpy(np.where(ended[row] & (choice == 0), total.numpy()[row], score[row, choice]))
        walks = walker.move(walks, options, choice, row)
        question = question[row]
    return _gathered(count, question, walks.node, np.exp(total.numpy().astype(np.float64)), went, asked.start)


def _gathered(
    count: int, question: Ids, at: Ids, share: np.ndarray, went: Sequence[tuple[tuple[int, int, int], ...]], start: Ids
) -> list[list[Reached]]:
    """Return, a question, the nodes reached: shares added up, with the best path to each."""
    trusted: dict[tuple[Any, ...], float] = {}
    ends: list[dict[int, list[int]]] = [{} for _ in range(count)]
    for i, (q, one) in enumerate(zip(question.tolist(), at.tolist(), strict=True)):
        if one == start[q]:
            continue
        ends[q].setdefault(one, []).append(i)
        kind = (q, *(w[0] for w in went[i]))
        trusted[kind] = trusted.get(kind, 0.0) + float(share[i])
    found = []
    for q, nodes in enumerate(ends):
        here = []
        for one, walks in nodes.items():
            best = max(walks, key=lambda i: (share[i], -i))
            codes = tuple(w[0] for w in went[best])
            path = tuple((w[1], w[0] >> 1, w[2]) for w in went[best])
            here.append(Reached(one, float(share[walks].sum()), trusted[(q, *codes)], path, codes))
        found.append(sorted(here, key=lambda r: (-r.share, r.answer)))
    return found


def follow(
    store: LocalStore,
    subject: str,
    relation: str,
    k: int = 5,
    *,
    turned: bool = False,
    stated: bool = True,
    graphs: Sequence[str] | None = None,
    exclude: Iterable[Key] = (),
    model: str | Path | None = None,
) -> list[Followed]:
    """Return where a relation leads from a subject, by what is stated and by paths of at most three statements, the surest first.

    A policy learned by reinforcement walks the store and says how likely it ends where; each answer comes with the statements that
    lead there. Only statements of the version and time that the store shows are walked on.

    Args:
        store: what is walked on.
        subject: a concept that the store has.
        relation: as stored, or as people write it.
        k: answers at most.
        turned: whether the subject is the relation's object: who or what has this as its ``UsedFor``.
        stated: whether what one statement answers counts; otherwise only what follows beside it.
        graphs: that statements may come from; the general ones by default.
        exclude: statements (subject, predicate, object) taken to be unknown.
        model: a folder of ``kgmm train paths``; the shipped policy by default.

    Raises:
        UnknownConcept: if the store has no such subject or relation.
        BadInput: if *k* is no positive number, or *model* holds no policy.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("kitten", "IsA", "cat"), ("cat", "CapableOf", "purr")])
        >>> best = kb.follow("kitten", "CapableOf")[0]
        >>> best.answer, [fact.predicate for fact in best.path]
        ('/c/en/purr', ['IsA', 'CapableOf'])
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise BadInput("follow", f"k is a number of answers from 1 up, not {k!r}")
    start, way = store.terms.id(node(subject)), stored_relation(relation)
    if start is None:
        raise UnknownConcept(subject, store.near(subject, limit=5), "the store", "concept")
    trained = load_model(Path(model) if model is not None else SHIPPED)
    walker = trained.walker(store, graphs, exclude)
    code = walker.roads.code(way, turned)
    if code is None:
        raise UnknownConcept(relation, list(store.relations())[:5], "the store", "relation")
    return followed(walker, trained.certainty, start, code, k, stated)


def followed(walker: Walker, certainty: Sequence[float], start: int, code: int, k: int, stated: bool) -> list[Followed]:
    """Return the *k* surest answers of one question."""
    hidden = not stated
    with one_thread():
        asked = Asked(np.array([start], np.int64), np.array([code], np.int64), np.array([hidden]))
        found = searched(walker, asked)[0]
    known = walker.roads.answers(start, code) if hidden else frozenset()
    name = walker.roads.store.terms.name
    ranked = sorted(
        ((sure(certainty, one), one) for one in found if one.answer not in known),
        key=lambda pair: (-round(pair[0], 9), -pair[1].share, pair[1].answer),
    )
    return [Followed(name(one.answer), p, one.share, tuple(map(walker.roads.fact, one.path))) for p, one in ranked[:k]]


def numbered(relations: Iterable[str]) -> Mapping[str, int]:
    """Return the numbers of relations that a policy learns from: from 2 on, 0 being any other and 1 stopping."""
    return {name: at for at, name in enumerate(relations, 2)}
