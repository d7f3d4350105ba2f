"""Beam search of a policy's likeliest paths, and ``kb.follow``: where a relation leads from a thing, with the statements behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from kgmm.errors import BadInput, UnknownConcept
from kgmm.language.names import label
from kgmm.language.names import relation as stored_relation
from kgmm.language.phrase import phrase
from kgmm.nn.folders import kept_until_rewritten, load_weights, read_folder
from kgmm.nn.path_policy import HOPS, PathPolicy
from kgmm.nn.threads import one_thread
from kgmm.reason.paths.roads import FAN, STOP, Ids, Names, Roads
from kgmm.reason.paths.walking import OTHERS, Asked, Walker, numbers
from kgmm.store import Fact
from kgmm.store.facts import node
from kgmm.trace import key

if TYPE_CHECKING:
    from kgmm.retrieve import Key
    from kgmm.store import LocalStore

SHIPPED = Path(__file__).parents[2] / "weights" / "paths"
COMMAND = "kgmm train paths KB --out DIR"
WIDTH = 32  #: walks kept a step
MOST_LOOKED = 4096  #: ways of a node and walks a step, whatever a model's folder says
MOST_ENDS = 256  #: nodes reached that are told of a question


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
    """A trained policy.

    Args:
        policy: the network.
        relations, entities: those it has vectors of: their numbers, and the nodes in order.
        certainty: weights of how sure an answer is.
        fan, width: ways looked at from a node, and walks kept a step.
        one: whether it learned with one statement hidden at a time, rather than all of a question's.
        checksum: of the weights.
    """

    policy: PathPolicy
    relations: dict[str, int]
    entities: tuple[str, ...]
    certainty: tuple[float, ...]
    fan: int
    width: int
    one: bool
    checksum: str

    def walker(self, store: LocalStore, graphs: Sequence[str] | None = None, exclude: Iterable[Key] = ()) -> Walker:
        """Return the policy on a store without some statements; what is looked at is kept with the store's version."""
        names = store.derived(("paths", "names"), lambda: Names(store))
        gone = frozenset(exclude)
        if gone:
            return self._walker(Roads(store, graphs, gone, self.fan), names)
        chosen = None if graphs is None else tuple(graphs)
        made: Walker = store.derived(
            ("paths", self.checksum, chosen), lambda: self._walker(Roads(store, graphs, fan=self.fan), names)
        )
        return made

    def _walker(self, roads: Roads, names: Names) -> Walker:
        return Walker(self.policy, self.relations, roads, names, self.entities)


@kept_until_rewritten
def load_model(folder: Path) -> Model:
    """Load a folder written by ``kgmm train paths``; BadInput if it holds none."""
    with read_folder(folder, "a policy that walks paths", COMMAND) as (config, vocabulary):
        if config["name"] != "paths":
            raise ValueError(f"a trained {config['name']}, not a policy that walks paths")
        relations = {str(name): at for at, name in enumerate(vocabulary["relations"], 2)}
        policy = PathPolicy(**config["network"])
        entities = tuple(str(name) for name in vocabulary.get("entities", ()))
        certainty = tuple(float(w) for w in config["certainty"])
        fan, width = (int(config.get(name, usual)) for name, usual in (("fan", FAN), ("width", WIDTH)))
        if not (0 < fan <= MOST_LOOKED and 0 < width <= MOST_LOOKED):
            raise ValueError(f"looks at 1 to {MOST_LOOKED} ways and walks, not {fan} and {width}")
        sizes = policy.settings["relations"], policy.settings["entities"], len(certainty)
        if sizes != (len(relations), len(entities), CLUES):
            raise ValueError("relations, entities and weights are of different models")
        one = bool(config.get("one", False))
    return Model(policy, relations, entities, certainty, fan, width, one, load_weights(policy, folder))


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

    Beam search keeps the *width* likeliest walks of each question and step, and looks at all their last steps; a node's share adds up
    the walks that end there.
    """
    count = len(asked.start)
    if not count:
        return []
    question = np.arange(count)
    walks, total = walker.begin(asked), np.zeros(count)
    went = np.empty((count, 0, 3), np.int64)  # of each step: relation's code, subject, object
    for step in range(HOPS):
        logp, options = walker.choose(asked.take(question), walks)
        score = np.where((walks.ended[:, None]) & (options.code == STOP), 0.0, logp.numpy()) + total[:, None]
        row, choice = np.nonzero(options.there)
        if step < HOPS - 1:
            best = np.lexsort((choice, row, -score[row, choice], question[row]))
            first = np.searchsorted(question[row][best], np.arange(count))
            best = best[np.arange(len(best)) - first[question[row][best]] < width]
            row, choice = row[best], choice[best]
        ways = np.stack([part[row, choice] for part in (options.code, options.subject, options.object)], 1)
        went = np.concatenate([went[row], ways[:, None]], 1)
        total, ends = score[row, choice], options.target[row, choice]
        if step < HOPS - 1:
            walks = walker.move(walks, options, choice, row)
        question = question[row]
    return _gathered(count, question, ends, np.exp(total.astype(np.float64)), went, asked.start)


def _gathered(
    count: int, question: Ids, at: Ids, share: NDArray[np.float64], went: Ids, start: Ids
) -> list[list[Reached]]:
    """Return, a question, the likeliest nodes reached: shares added up, with the best path to each."""
    going = at != start[question]
    question, at, share, went = question[going], at[going], share[going], went[going]
    nodes, end = numbers(at)
    key = question * len(nodes) + end
    sums = np.bincount(key, share, count * len(nodes))
    codes, code = numbers(went[:, :, 0].ravel())
    kind = question
    for step in code.reshape(-1, HOPS).T:
        kind = kind * len(codes) + step
    kinds, kind = np.unique(kind, return_inverse=True)
    trusted = np.bincount(kind, share, len(kinds))
    best = np.full(len(sums), -1)
    likely = np.argsort(-share, kind="stable")[::-1]
    best[key[likely]] = likely  # the likeliest, and of those the first, is written last
    found: list[list[Reached]] = []
    for q in range(count):
        here = np.flatnonzero(best[q * len(nodes) : (q + 1) * len(nodes)] >= 0)
        of, walk = sums[q * len(nodes) + here], best[q * len(nodes) + here]
        order = np.lexsort((nodes[here], -of))[:MOST_ENDS]
        ends = zip(nodes[here[order]].tolist(), of[order].tolist(), walk[order].tolist(), strict=True)
        found.append([_reached(node, sure, float(trusted[kind[i]]), went[i].tolist()) for node, sure, i in ends])
    return found


def _reached(node: int, share: float, trusted: float, went: list[list[int]]) -> Reached:
    steps = [(code, subject, target) for code, subject, target in went if code != STOP]
    path = tuple((subject, code >> 1, target) for code, subject, target in steps)
    return Reached(node, share, trusted, path, tuple(code for code, _, _ in steps))


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
    return followed(walker, trained, start, code, k, stated)


def followed(walker: Walker, model: Model, start: int, code: int, k: int, stated: bool) -> list[Followed]:
    """Return the *k* surest answers of one question."""
    hidden = not stated
    with one_thread():
        asked = Asked(np.array([start], np.int64), np.array([code], np.int64), np.array([hidden]))
        if hidden and model.one:
            asked = replace(asked, answer=np.array([OTHERS], np.int64))
        found = searched(walker, asked, model.width)[0]
    known = walker.roads.answers(start, code) if hidden else frozenset()
    name = walker.roads.store.terms.name
    ranked = sorted(
        ((sure(model.certainty, one), one) for one in found if one.answer not in known),
        key=lambda pair: (-round(pair[0], 9), -pair[1].share, pair[1].answer),
    )
    return [Followed(name(one.answer), p, one.share, tuple(map(walker.roads.fact, one.path))) for p, one in ranked[:k]]


def numbered(relations: Iterable[str]) -> Mapping[str, int]:
    """Return the numbers of relations that a policy learns from: from 2 on, 0 being any other and 1 stopping."""
    return {name: at for at, name in enumerate(relations, 2)}
