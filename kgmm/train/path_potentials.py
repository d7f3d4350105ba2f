"""Potentials that shape a walk's rewards: how near a node is to being the answer, told by knowledge in (0, 1]."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from kgmm.encode.nearness import guessed_vectors
from kgmm.errors import KgmmError
from kgmm.language.names import label
from kgmm.progress import Progress, silent
from kgmm.reason.paths.roads import Ids, Names, Roads
from kgmm.reason.paths.walking import Asked

Floats = NDArray[np.float32]
#: of questions by number and code, at nodes: how probable an answer each node is
Potential = Callable[[Ids, Ids, Ids], Floats]
POTENTIALS = ("none", "text", "completion")
ENDS = 300  #: ends of a relation whose names' mean stands for it
EPOCHS = 3  #: of the completion model over text and graph
FEW = 5_000  #: nodes that are few enough to be learned each by itself


def potential(name: str, progress: Progress = silent) -> Callable[[Roads, Asked], Potential] | None:
    """Return what makes a potential of questions on roads: ``text``, ``completion``, or None for ``none``.

    Raises:
        KgmmError: if there is none of that name.
    """
    if name not in POTENTIALS:
        raise KgmmError(f"no potential {name!r}; there are: {', '.join(POTENTIALS)}")
    if name == "none":
        return None
    return by_text if name == "text" else lambda roads, asked: by_completion(roads, asked, progress)


def by_text(roads: Roads, asked: Asked) -> Potential:
    """Return Φ = max(0, cosine) of a node's name with the mean name of what answers the relation elsewhere."""
    names, mean = Names(roads.store), dict[int, Floats]()
    for code in np.unique(asked.code).tolist():
        starts = asked.start[asked.code == code][:ENDS].tolist()
        ends = np.unique([e for s in starts for e in roads.answers(s, code)])
        middle = names.vectors(ends.astype(np.int64)[:ENDS]).mean(0) if len(ends) else np.zeros(384, np.float32)
        mean[code] = middle / max(float(np.linalg.norm(middle)), 1e-9)

    def phi(which: Ids, code: Ids, node: Ids) -> Floats:
        vectors, toward = names.vectors(node), np.stack([mean[c] for c in code.tolist()])
        found: Floats = np.maximum((vectors * toward).sum(1), 0).astype(np.float32)
        return found

    return phi


def by_completion(roads: Roads, asked: Asked, progress: Progress = silent) -> Potential:
    """Return Φ = exp(score − highest score) of a node as the question's answer, by completion's model.

    ComplEx where entities are few, the model over text and graph else.
    """
    from kgmm.complete.models import Embedding, complex_
    from kgmm.complete.textual import TextGraph
    from kgmm.complete.triples import Triples

    store = roads.store
    columns = store.columns(store.knowledge_graphs())
    rows = np.unique(np.stack([columns.subject, columns.predicate, columns.object], 1).astype(np.int64), axis=0)
    touched = np.flatnonzero(np.isin(rows[:, 0], [s for s, _, _ in roads.gone]))
    rows = np.delete(rows, [i for i in touched.tolist() if tuple(rows[i].tolist()) in roads.gone], axis=0)
    terms, at = np.unique(rows[:, [0, 2]], return_inverse=True)
    used, relation = np.unique(rows[:, 1], return_inverse=True)
    ends = at.reshape(-1, 2)
    names = store.terms.names(terms)
    triples = Triples(
        tuple(names), tuple(store.terms.names(used)), np.stack([ends[:, 0], relation, ends[:, 1]], 1).astype(np.int64)
    )
    few = len(names) <= FEW
    plain, model = (
        Embedding("complex", size=100),
        TextGraph(size=64, hidden=256, epochs=EPOCHS if len(rows) > 50_000 else 20),
    )
    if few:
        plain.fit(triples, progress)
    else:
        model.fit(triples, guessed_vectors([label(name) for name in names]), progress)
    place = {term: i for i, term in enumerate(terms.tolist())}
    number = {term: i for i, term in enumerate(used.tolist())}
    half = len(used)
    given = np.array([place.get(s, 0) for s in asked.start.tolist()], np.int64)
    turned = np.array([number.get(c >> 1, 0) + half * (c & 1) for c in asked.code.tolist()], np.int64)
    answers = plain.entity if few else model.answers()
    vectors, most = [], []
    for low in range(0, len(given), 256):
        ends, ways = given[low : low + 256], turned[low : low + 256]
        if few:
            part = complex_(plain.entity[torch.from_numpy(ends)], plain.relation[torch.from_numpy(ways)])
        else:
            part = model.asked(ends, ways)
        vectors.append(part.numpy())
        most.append((part @ answers.T).max(1).values.numpy())
    question, highest, table = np.concatenate(vectors), np.concatenate(most), answers.numpy()

    def phi(which: Ids, code: Ids, node: Ids) -> Floats:
        here = np.array([place.get(one, -1) for one in node.tolist()], np.int64)
        score = (question[which] * table[here]).sum(1) - highest[which]
        return np.where(here < 0, 0.0, np.exp(np.minimum(score, 0.0))).astype(np.float32)

    return phi
