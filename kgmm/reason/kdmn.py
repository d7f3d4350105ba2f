"""KDMN: retrieve facts, attend to them in episodes, point at the end of one (Li, Su, Zhu 2017).

The knowledge enters only through the memory, so a knowledge base swapped in later is answered from as it stands.
What the network attended to in each episode is a step of the trace.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm import names
from kgmm.phrase import sense
from kgmm.reason.folders import written
from kgmm.reason.memory_input import Floats, MemoryInput, WordTable, given_share, pack, spread
from kgmm.reason.task import Outcome, Task
from kgmm.retrieve import Candidates, decode, query_vector, similarities, term_vectors, vectors
from kgmm.trace import Step
from kgmm.trace._data import cited
from kgmm.words import lemmas, normal

if TYPE_CHECKING:
    from kgmm.nn.kdmn import KDMN
    from kgmm.nn.policy import PolicyKDMN
    from kgmm.reason.fusion_prior import StorePrior

NAME = "kdmn"
WEIGHTS = Path(__file__).parents[1] / "weights" / "kdmn"
POOL = 400
#: probability below which the answer is withheld
THRESHOLD = 0.05
#: what an inherited fact loses a step in the choice of the memory
STEP_COST = 0.05


@dataclass(frozen=True)
class Trained:
    """A trained network with what it needs to read a question."""

    model: KDMN | PolicyKDMN
    words: WordTable
    limit: int
    checksum: str
    #: weighs the answers by the store's facts (kgmm train kdmn --fusion prior)
    prior: StorePrior | None = None


def load(folder: Path = WEIGHTS) -> Trained:
    """Load a folder written by ``kgmm train kdmn``; it is kept until its weights are written anew.

    Raises:
        BadInput: if a file is missing or does not fit.
    """
    return _load(folder, written(folder))


@cache
def _load(folder: Path, _written: int) -> Trained:
    from safetensors.numpy import load_file

    from kgmm.errors import BadInput
    from kgmm.nn.kdmn import KDMN
    from kgmm.nn.policy import FactPolicy, PolicyKDMN
    from kgmm.train import load_weights

    try:
        config = json.loads((folder / "config.json").read_text())
        words = json.loads((folder / "vocabulary.json").read_text())["words"]
        table = load_file(folder / "words.safetensors")["vectors"]
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(
            folder, f"not a trained kdmn ({error!r}); make one with: kgmm train kdmn fvqa --out DIR"
        ) from error
    model: KDMN | PolicyKDMN = KDMN(**config["network"])
    if "policy" in config:  # kgmm train kdmn --fusion policy
        model = PolicyKDMN(KDMN(**config["network"]), FactPolicy(**config["policy"]), int(config["picked"]))
    load_weights(model, folder)
    checksum = hashlib.blake2b((folder / "model.safetensors").read_bytes(), digest_size=8).hexdigest()
    prior = None
    if (folder / "prior.json").is_file():
        from kgmm.reason.fusion_prior import StorePrior

        prior = StorePrior.read(folder / "prior.json")
    return Trained(model, WordTable(words, table), int(config["memory"]), checksum, prior)


@dataclass
class Read:
    """What the network made of a question: one row of *rows* a fact of the memory."""

    candidates: Candidates
    memory: MemoryInput
    #: (N, 2) pointer logits, the null's, (T, N) attention
    pointer: Floats
    null: float
    attention: Floats
    model: str

    def probabilities(self) -> Floats:
        """Return the probability of each end, (N, 2); with the null's they sum to one."""
        if not len(self.pointer):
            return self.pointer
        top = max(float(self.pointer.max()), self.null)
        weight = np.exp(self.pointer - top)
        return np.asarray(weight / (weight.sum() + np.exp(self.null - top)), np.float32)


def read(task: Task, trained: Trained | None = None) -> Read:
    """Retrieve a task's memory and run the network over it."""
    import torch

    trained = trained or load()
    candidates, memory = _memory(task, trained.limit)
    with torch.inference_mode():
        pointer, null, attention, _ = trained.model(pack([memory], trained.words))
    n = len(memory.triples)
    pointer, null = pointer[0, :n], null[0]
    if trained.prior is not None:
        texts = [normal(end) for s, _, o in memory.triples for end in (s, o)]
        weighed = trained.prior(task, texts, torch.cat([pointer.flatten(), null[None]]))
        pointer, null = weighed[:-1].reshape(n, 2), weighed[-1]
    return Read(
        candidates,
        memory,
        pointer.numpy(),
        float(null),
        attention[0, :, :n].numpy(),
        trained.checksum,
    )


def _memory(task: Task, limit: int) -> tuple[Candidates, MemoryInput]:
    """Choose the facts of seen concepts that bear on the question; inherited ones fill what is left.

    Of facts that state the same in other words the first counts. (Memories like the training's: of FVQA's held-out
    questions 0.79 are answered so, 0.74 where inherited facts compete with the things' own.)
    """
    store, c = task.store, task.candidates
    seen = {store.terms.id(k.concept) for k in task.links if k.object is not None}
    mine = np.array([root in seen for root in c.roots], bool)
    if len(c) and mine.any():
        c = c.take(np.flatnonzero(mine[c.root]))
    c = _once(task, c)
    cosine = (
        similarities(store, c, task.question, task.encoder, -c.depth.astype(np.float64))
        if len(c)
        else np.zeros(0)
    )
    rank = (cosine - STEP_COST * c.depth).astype(np.float32)
    order = np.argsort(-rank, kind="stable")
    own, inherited = order[c.depth[order] == 0][:POOL], order[c.depth[order] > 0]
    near_end = [names.label(store.terms.name(c.roots[int(r)])) for r in c.root[own]]
    far_end = _far_ends(task, c.take(own))
    said = frozenset(lemmas(task.question))
    best = spread(rank[own], given_share(far_end, said), [normal(n) for n in near_end], limit)
    c = c.take(np.concatenate([own[best], inherited[: limit - len(best)]]))
    return c, _input(task, c)


def _once(task: Task, c: Candidates) -> Candidates:
    """Leave out facts that state what another one has stated, a thing's own before inherited ones."""
    names_of = task.store.terms.names
    first: dict[tuple[str, str, str], int] = {}
    triples = list(zip(names_of(c.subject), names_of(c.predicate), names_of(c.object), strict=True))
    for row in np.argsort(c.depth, kind="stable").tolist():
        first.setdefault(sense(triples[row]), row)
    return c.take(np.array(sorted(first.values()), np.int64))


def _far_ends(task: Task, c: Candidates) -> list[str]:
    return [names.label(t) for t in task.store.terms.names(np.where(c.end == 0, c.object, c.subject))]


def _input(task: Task, c: Candidates) -> MemoryInput:
    from kgmm.encode.cache import fact_keys

    store, encoder = task.store, task.encoder
    near = [names.label(store.terms.name(c.roots[int(r)])) for r in c.root]
    far = _far_ends(task, c)
    relations = store.terms.names(c.predicate)
    triples = [
        (n, names.label(r), f) if end == 0 else (f, names.label(r), n)
        for n, r, f, end in zip(near, relations, far, c.end, strict=True)
    ]
    query = query_vector(encoder, task.question)
    _, facts = vectors(store, encoder).get(fact_keys(c.subject, c.predicate, c.object))
    ends = np.zeros((len(c), 2), np.float32)
    if len(c):
        for column, ids in enumerate((c.subject, c.object)):
            ends[:, column] = term_vectors(store, ids, encoder) @ query
    return MemoryInput(task.question, [o.name for o in task.scene.objects], triples, query, facts, ends)


def answer(task: Task, folder: Path = WEIGHTS) -> Outcome:
    """Answer one question from its memory.

    Args:
        task: the question.
        folder: a trained network of ``kgmm train kdmn``; the shipped one by default.

    Returns:
        The outcome; its text is None if the null wins or no end is likely enough.
    """
    found = read(task, load(folder))
    steps = _episodes(found)
    probability = found.probabilities()
    memory = _trace_memory(task, found, probability)
    if not len(probability):
        return Outcome(
            None, memory=memory, steps=steps, model=found.model, abstained="no fact is known of what is seen"
        )
    texts = _texts(task, found)
    if task.choices is not None:
        allowed = {normal(choice): choice for choice in task.choices}
        keep = np.array([[normal(t) in allowed for t in pair] for pair in texts])
        probability = np.where(keep, probability, 0.0)
        if not keep.any():
            return Outcome(
                None,
                memory=memory,
                steps=steps,
                model=found.model,
                abstained="no choice is an end of a fact in memory",
            )
        probability = probability / max(float(probability.sum()), 1e-12)
        texts = [[allowed.get(normal(t), t) for t in pair] for pair in texts]
    order = _ranked(texts, probability)
    best, score, row = order[0]
    steps.append(
        Step(
            "point",
            f"the pointer rests on {best!r}",
            {"answers": [[t, round(p, 4)] for t, p, _ in order[:5]]},
        )
    )
    if task.choices is None and score < THRESHOLD:
        reason = f"the likeliest answer {best!r} has probability {score:.2f}, below {THRESHOLD}"
        return Outcome(None, score, [], [], memory, steps, reason, found.model)
    rest = [(t, round(p, 4)) for t, p, _ in order[1 : task.top]]
    fact = decode(task.store, found.candidates.take([row]), np.zeros(1), {}, 1)[0]
    return Outcome(
        best, round(score, 4), rest, cited([*fact.chain, fact.fact]), memory, steps, model=found.model
    )


def _texts(task: Task, found: Read) -> list[list[str]]:
    """Return the answer each end would give; a seen end bears its object's name."""
    c, out = found.candidates, []
    for r, (subject, _, object) in enumerate(found.memory.triples):
        pair = [subject, object]
        seen = task.objects_of(task.store.terms.name(c.roots[int(c.root[r])]))
        if seen:
            pair[int(c.end[r])] = task.scene[seen[0]].name
        out.append(pair)
    return out


def _ranked(texts: list[list[str]], probability: NDArray[np.floating[Any]]) -> list[tuple[str, float, int]]:
    """Return (answer, probability, its best fact's row), likeliest first; ends that say the same add up."""
    total: dict[str, float] = {}
    best: dict[str, tuple[float, int, str]] = {}
    for r, pair in enumerate(texts):
        for end, text in enumerate(pair):
            p, key = float(probability[r, end]), normal(text)
            total[key] = total.get(key, 0.0) + p
            if key not in best or p > best[key][0]:
                best[key] = (p, r, text)
    order = sorted(total, key=total.__getitem__, reverse=True)
    return [(best[k][2], total[k], best[k][1]) for k in order]


def _episodes(found: Read) -> list[Step]:
    """Say what each episode attended to."""
    steps = []
    for t, weights in enumerate(found.attention, 1):
        top = [int(i) for i in np.argsort(-weights, kind="stable")[:5]]
        facts = [[" ".join(found.memory.triples[i]), round(float(weights[i]), 4)] for i in top]
        text = f"episode {t} attends to {facts[0][0]!r}" if facts else f"episode {t} has nothing to attend to"
        steps.append(Step(f"episode {t}", text, {"attention": facts}))
    return steps


def _trace_memory(task: Task, found: Read, probability: Floats) -> list[Any]:
    if not len(found.candidates):
        return []
    per_fact = probability.sum(1)
    order = np.argsort(-per_fact, kind="stable")
    parts = {f"attention {t}": w[order].astype(np.float64) for t, w in enumerate(found.attention, 1)}
    facts = decode(
        task.store, found.candidates.take(order), per_fact[order].astype(np.float64), parts, task.limit
    )
    return [replace(m, score=round(m.score, 4)) for m in facts]
