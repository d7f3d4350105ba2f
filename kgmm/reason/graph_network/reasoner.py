"""The graph network answers: question, what is seen, choices and the facts among their concepts are read as one graph.

After QA-GNN (Yasunaga et al., NAACL 2021). Choices are scored by the network trained on CommonsenseQA, open questions
answered by the one trained on OK-VQA (:mod:`kgmm.nn.graph_network`, :mod:`kgmm.nn.open_network`). An answer cites the fewest facts found without which it
falls; one that no fact of the graph joins to the question is the networks' guess, named as such and withheld.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kgmm.errors import KgmmError
from kgmm.graph.joint import JointGraph
from kgmm.graph.joint_twins import empty
from kgmm.language.words import normal
from kgmm.nn.folders import trained_name
from kgmm.nn.threads import one_thread
from kgmm.reason.explicit.objects import seen_as
from kgmm.reason.graph_network import citing
from kgmm.reason.graph_network.model import SHIPPED, GraphModel, load_model
from kgmm.reason.graph_network.open import SHIPPED_OPEN, OpenAnswer, OpenModel, load_open
from kgmm.reason.necessary import remaining, said_too
from kgmm.reason.task import Outcome, Task
from kgmm.retrieve import Key
from kgmm.retrieve.joint import LIMIT, joint_graph
from kgmm.trace import MemoryFact, Step, cited, key
from kgmm.trace.checks import GUESS

NAMES = ("graph-network", "graph-network-open")
#: probability below which an open answer is withheld
THRESHOLD = 0.2
#: answers of which the likeliest that a fact supports is taken
CONSIDERED = 50
#: further facts that an answer cites at most; for each the graph is read again
FURTHER = 4
#: further facts without which the cited ones do not give the answer; as few of these numbers as will do
SIZES = (1, 2, 4, 8)


def answer(task: Task, name: str = "graph-network", folder: Path | None = None) -> Outcome:
    """Answer one question, with or without picture.

    Args:
        task: the question. Its threshold of 0 asks for guesses as well, which no fact supports; they cite nothing.
        name: ``graph-network`` scores the choices, or answers openly if there are none; ``graph-network-open`` answers
            openly and takes the likeliest of its answers that is one of the choices, if there are any.
        folder: a network of ``kgmm train graph-network``; the shipped ones by default.

    Returns:
        The outcome; its text is None if no fact supports the likeliest answer, or it is not likely enough.
    """
    kind = trained_name(folder) if folder is not None else name
    if folder is not None and kind == "graph-network" and not task.choices:
        raise KgmmError(f"the network in {folder} scores choices; give choices to choose from")
    with one_thread():
        if task.choices and kind == "graph-network":
            return _choose(task, load_model(folder or SHIPPED))
        return _open(task, load_open(folder or SHIPPED_OPEN))


def _graph(task: Task, model: GraphModel | OpenModel, limit: int = LIMIT) -> JointGraph:
    """Return the joint graph of a task, with its choices if the network reads them."""
    scene = task.scene if task.scene.objects or task.scene.tags else None
    choices = task.choices or () if isinstance(model, GraphModel) else ()
    return joint_graph(
        task.store,
        task.question,
        model.encoder,
        scene=scene,
        choices=choices,
        limit=limit,
        exclude=task.exclude,
        graphs=task.graphs,
    )


def _choose(task: Task, model: GraphModel) -> Outcome:
    """Answer with the choice that scores best, and with the facts that join it to the question."""
    assert task.choices is not None
    graph = _graph(task, model)
    logits, attention = model.read(graph)
    share = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    best = int(logits.argmax())
    ranked = [(task.choices[c], round(float(share[c]), 4)) for c in np.argsort(-share, kind="stable").tolist()]
    text, score = ranked[0]
    step = Step("choose", f"of {len(ranked)} choices the network takes {text!r}", {"answers": ranked})
    steps = [citing.described(graph), *citing.attended(graph, attention), step]
    memory = citing.remembered(task, graph, attention)
    found = Outcome(None, score, ranked[1 : task.top], memory=memory, steps=steps, model=model.checksum)
    facts = citing.joining(graph, best)
    if not facts:
        return _guessed(task, found, text)

    further, left = _joining_too(graph, best, facts)
    cites = [*facts, *([] if left else further)]
    none = empty(graph)
    without, alone, text_alone = _tops(model, [graph.without([*facts, *further]), _only(graph, cites), none])
    falls = not left or without != best
    if left and falls:
        cites = [*facts, *further]
    steps.append(citing.path(graph, best, facts))
    said = f"the text alone would{'' if text_alone == best else ' not'} say {text!r}"
    steps.append(Step("text alone", said, {"same": text_alone == best}))
    outcome = _supported(task, replace(found, text=text), facts, further, falls, task.threshold or 0.0)
    if alone != best and outcome.text is not None:
        beside = _beside(model, graph, best, cites, memory)
        outcome.citations[:0] = cited((citing.stated(task.store, fact) for fact in beside), role="beside")
    return outcome


def _joining_too(graph: JointGraph, best: int, facts: list[Key]) -> tuple[list[Key], bool]:
    """Return what joins a choice to the question in the stead of some facts, and whether more than that does."""
    further: list[Key] = []
    while joined := citing.joining(graph.without([*facts, *further]), best):
        if len(further) + len(joined) > FURTHER:
            return further, True
        further += joined
    return further, False


def _only(graph: JointGraph, facts: Sequence[Key]) -> JointGraph:
    """Return the graph with no facts of the store but some."""
    return graph.without([fact for fact in graph.facts if citing.of_store(fact) and fact not in facts])


def _beside(
    model: GraphModel, graph: JointGraph, best: int, cites: list[Key], memory: Sequence[MemoryFact]
) -> list[Key]:
    """Return the facts, first those attended to most, that cited ones need beside them to give the answer alone."""
    further = [fact for m in memory if (fact := key(m.fact)) not in cites][: SIZES[-1]]
    tops = _tops(model, [_only(graph, [*cites, *further[:size]]) for size in SIZES])
    enough = [size for size, top in zip(SIZES, tops, strict=True) if top == best]
    return further[: enough[0]] if enough else []


def _tops(model: GraphModel, graphs: Sequence[JointGraph]) -> list[int]:
    return [int(logits.argmax()) for logits in model.scores(graphs)]


def _open(task: Task, model: OpenModel) -> Outcome:
    """Answer a question without choices, or with those of its answers that are choices."""
    graph = _graph(task, model, limit=model.nodes)
    ranked = _said(task, model, graph, top=CONSIDERED)
    memory = citing.remembered(task, graph, None)
    found = Outcome(None, memory=memory, steps=[citing.described(graph)], model=model.checksum)
    if not ranked:
        return replace(found, abstained="none of the choices is an answer that the network knows or a fact names")
    listed = [[said.answer, round(said.probability, 4)] for said in ranked[:5]]
    found.steps.append(Step("point", f"the likeliest answer is {ranked[0].answer!r}", {"answers": listed}))
    least = THRESHOLD if task.threshold is None else task.threshold
    likely = _supported_ones(ranked, least)
    best = likely[0] if likely else ranked[0]
    found.score = round(best.probability, 4)
    others = [said for said in likely or ranked if said is not best]
    found.alternatives = [(said.answer, round(said.probability, 4)) for said in others[: task.top - 1]]
    if best.guess:
        return _guessed(task, found, best.answer)
    if best is not ranked[0]:
        said = (
            f"no fact supports {ranked[0].answer!r}; of the answers that facts support {best.answer!r} is the likeliest"
        )
        found.steps.append(Step("supported", said))

    def again(gone: list[Key]) -> list[Key] | None:
        without = graph.without(gone)
        likely = _supported_ones(_said(task, model, without, CONSIDERED), least)
        if not likely or likely[0].answer != best.answer:
            return None
        return citing.facts_of(without, likely[0].edges)[:1]

    facts = citing.facts_of(graph, best.edges)[:1]
    further, falls = said_too(facts, again, FURTHER) if facts else ([], True)
    text = next((c for c in task.choices or () if normal(c) == normal(best.answer)), best.answer)
    return _supported(task, replace(found, text=text), facts, further, falls, least)


def _supported_ones(ranked: list[OpenAnswer], least: float) -> list[OpenAnswer]:
    """Return the answers that are no guesses and likely enough; none where guesses are asked for, by a bound of 0."""
    return [said for said in ranked if least > 0 and not said.guess and said.probability >= least]


def _said(task: Task, model: OpenModel, graph: JointGraph, top: int) -> list[OpenAnswer]:
    """Return the network's best answers, among the choices if there are any."""
    if not task.choices:
        return model.answers([graph], top)[0]
    offered = {normal(choice) for choice in task.choices}
    every = model.answers([graph], len(model.vocabulary) + len(graph))[0]
    kept = [said for said in every if normal(said.answer) in offered]
    total = sum(said.probability for said in kept) or 1.0
    return [replace(said, probability=said.probability / total) for said in kept[:top]]


def _guessed(task: Task, found: Outcome, text: str) -> Outcome:
    """Return the outcome of an answer that no fact supports: withheld unless guesses are asked for."""
    said = f"{text!r} is the network's guess; no fact joins it to the question"
    found.steps.append(Step(GUESS, said, {"supported": False}))
    if task.threshold == 0:
        return replace(found, text=text)
    reason = f"no fact supports {text!r}, the network's guess ({found.score:.2f})"
    return replace(found, abstained=reason, alternatives=[])


def _supported(
    task: Task, found: Outcome, facts: Sequence[Key], further: Sequence[Key], falls: bool, least: float
) -> Outcome:
    """Return an answer with its citations: seen things that it is or facts tell of, what says the same, the facts."""
    if found.score < least:
        reason = f"the likeliest answer {found.text!r} has probability {found.score:.2f}, below {least}"
        return replace(found, text=None, abstained=reason, alternatives=[])
    text = found.text or ""
    known, also = ([citing.stated(task.store, key) for key in keys] for keys in (facts, further))
    told = {i for fact in known for end in (fact.subject, fact.object) for i in task.objects_of(end)}
    seen = [seen_as(task, o) for o in task.scene.objects if o.id in told or normal(o.name) == normal(text)]
    if not falls:
        found.steps.append(remaining(text, also))
        also = []
    return replace(found, citations=[*seen, *cited(also, role="also"), *cited(known)])
