"""A question about a scene, and a store → an answer with its trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import KgmmError
from kgmm.language.foreign import other_language
from kgmm.language.names import concept
from kgmm.language.words import whole_characters
from kgmm.perceivers import look_again, looks_again, perceive
from kgmm.reason.documents import reader
from kgmm.reason.registry import DEFAULT
from kgmm.reason.registry import reasoner as reasoner_of
from kgmm.reason.sought import sought
from kgmm.reason.task import Task, unanswered
from kgmm.scene import NO_PICTURE, SceneGraph
from kgmm.trace import Answer, Trace

if TYPE_CHECKING:
    from kgmm.retrieve import Key
    from kgmm.scene.images import ImageLike
    from kgmm.store import LocalStore


def ask(
    store: LocalStore,
    image_or_scene: ImageLike | SceneGraph | Mapping[str, Any] | None,
    question: str,
    *,
    reasoner: str | Path = "default",
    choices: Sequence[str] | None = None,
    top: int = 3,
    perceiver: str = "default",
    graphs: Sequence[str] | None = None,
    limit: int = 60,
    exclude: Iterable[Key] = (),
    threshold: float | None = None,
    implied: bool = True,
) -> Answer:
    """Answer a question about a picture or scene, with evidence.

    A picture is looked at again for what the question and the knowledge name and the first look did not see.

    Args:
        store: the knowledge; facts of its scene and story graphs are left out unless *graphs* names them.
        image_or_scene: a picture (path, bytes, PIL image, array), a scene graph, or the path of a scene's JSON file; None
            for a question about what is known, without a picture.
        question: in English.
        reasoner: ``default``, one of :func:`~kgmm.reason.registry.reasoner_names`, or the folder of a model of one's
            own; a folder that has a reasoner's name is meant only by a path (``./kdmn`` or a ``Path``).
        choices: answers to choose from; open-ended if None.
        top: the answer and at most ``top - 1`` alternatives.
        perceiver: what turns a picture into a scene.
        graphs: named graphs that facts may come from.
        limit: facts kept in the trace's memory.
        exclude: statements (subject, predicate, object) taken to be unknown.
        threshold: answers less sure than this are withheld, in [0, 1]; the reasoner's own bound if None.
        implied: whether parts that are not seen, but that facts say a seen thing has, may answer; they are cited as ``implied``.

    Returns:
        The answer; falsy, with ``text`` None, if nothing supports one. ``answer.trace`` cites its facts.

    Raises:
        BadInput: if the picture or scene cannot be read.
        KgmmError: if the question is empty or holds half a character, there is no such reasoner, or the threshold is no number in [0, 1].

    Example:
        >>> kb.ask("scene.json", "What is the knife used for?").text                 # doctest: +SKIP
        'cutting'
    """
    if not question.strip():
        raise KgmmError("the question is empty; ask something about the picture")
    whole_characters(question, *(choices or ()))
    if choices is not None and not [c for c in choices if c.strip()]:
        raise KgmmError("choices are empty; leave them out or give at least one")
    if threshold is not None and not 0 <= threshold <= 1:
        raise KgmmError(f"threshold {threshold} is no share of certainty; give a number from 0 to 1")
    start = time.perf_counter()
    scene = scene_of(image_or_scene, perceiver)
    seconds = time.perf_counter() - start
    offered = list(dict.fromkeys(choices)) if choices is not None else None
    named = list(graphs) if graphs else None
    task = Task(store, scene, question, offered, top, limit=limit, graphs=named, threshold=threshold, implied=implied)
    timings = {"perceive": round(seconds, 4)}
    picture = picture_of(image_or_scene)
    if picture is not None and not scene.complete and looks_again(perceiver):
        again = time.perf_counter()
        task = replace(task, scene=look_again(picture, scene, sought(task), perceiver))
        timings["look again"] = round(time.perf_counter() - again, 4)
    answer = _runner(task, reasoner)(frozenset(exclude))
    answer.trace.timings = {**timings, **answer.trace.timings}
    answer.trace.timings["total"] = round(time.perf_counter() - start, 4)
    return answer


def attach(store: LocalStore, trace: Trace, reasoner: str | Path | None = None) -> Trace:
    """Attach a trace read from a file to a store, so that ``trace.without(fact)`` can ask again.

    Args:
        store: the knowledge that is asked again.
        trace: what is attached; the same trace is returned.
        reasoner: which reasoner or folder answers again; by default the one of the trace, of the folder it names.

    Raises:
        KgmmError: if the trace has no scene, or is of a model whose folder is not there; ``trace.without`` raises it
            where another model than the trace's would answer.
    """
    if trace.scene is None:
        raise KgmmError("the trace holds no scene to ask about again")
    by = reasoner or (Path(trace.folder) if trace.folder else trace.reasoner)
    if isinstance(by, Path) and not (by / "config.json").is_file():
        where = f"the trace is of a {trace.reasoner} in {by}, which is not there"
        raise KgmmError(f"{where}; attach it with reasoner=FOLDER")
    asked, limit = (trace.scene, trace.question, trace.choices, trace.top), max(len(trace.memory), 1)
    graphs, threshold, implied = trace.graphs, trace.threshold, trace.implied
    run = _runner(Task(store, *asked, limit=limit, graphs=graphs, threshold=threshold, implied=implied), by)

    def again(exclude: frozenset[Key]) -> Answer:
        answer = run(exclude)
        if reasoner is None and trace.model and answer.trace.model not in ("", trace.model):
            raise KgmmError(
                f"the trace is of the {trace.reasoner} with weights {trace.model}, those here are {answer.trace.model}; "
                "attach it with reasoner=FOLDER of a model to ask again"
            )
        return answer

    trace.replay, trace.asked_of = again, store
    return trace


def scene_of(source: ImageLike | SceneGraph | Mapping[str, Any] | None, perceiver: str = "default") -> SceneGraph:
    """Return the scene that a question is about: as it is given, read from its JSON file, or perceived in a picture."""
    if source is None:
        return NO_PICTURE
    if isinstance(source, SceneGraph):
        return source
    if isinstance(source, Mapping):
        return SceneGraph.from_dict(dict(source))
    if isinstance(source, str | Path) and str(source).lower().endswith(".json"):
        return SceneGraph.from_json(source)
    return perceive(source, perceiver=perceiver)


def picture_of(source: ImageLike | SceneGraph | Mapping[str, Any] | None) -> ImageLike | None:
    """Return what was given to ask about if it is a picture; None for a scene, a scene's file, or nothing."""
    if isinstance(source, SceneGraph | Mapping) or (
        isinstance(source, str | Path) and str(source).lower().endswith(".json")
    ):
        return None
    return source


def _runner(task: Task, name: str | Path) -> Callable[[frozenset[Key]], Answer]:
    """Return a function that answers the question with some statements taken away; scene statements too."""
    chosen, language = reasoner_of(name), other_language(task.question)
    reads = chosen.name == DEFAULT and chosen.folder is None and task.scene == NO_PICTURE and task.choices is None
    reads = reads and reader.readable(task.store)

    def run(exclude: frozenset[Key]) -> Answer:
        start = time.perf_counter()
        asked = replace(task, scene=_lacking(task.scene, exclude), exclude=exclude)
        outcome, known = None, True
        if reads and not language:
            outcome = reader.answer(asked)
            if outcome.text is None and asked.graphs is None:  # what documents say is read, not walked over
                asked.graphs = reader.others_known(task.store)
                known = bool(asked.graphs)
        links = asked.links if known and (outcome is None or outcome.text is None) else []
        grounded = time.perf_counter()
        if language:
            outcome = unanswered(f"the question seems to be {language}; only English ones are understood")
        elif outcome is None or (outcome.text is None and known):
            walked = chosen.answer(asked)
            outcome = walked if outcome is None or walked.text is not None else outcome
        done = time.perf_counter()
        trace = Trace(
            question=task.question,
            scene=task.scene,
            choices=task.choices,
            concepts=links,
            memory=outcome.memory,
            steps=outcome.steps,
            citations=outcome.citations if outcome.text is not None else [],
            answer=outcome.text,
            score=outcome.score,
            alternatives=outcome.alternatives,
            abstained=outcome.abstained if outcome.text is None else "",
            reasoner=chosen.name,
            folder=str(chosen.folder.resolve()) if chosen.folder else "",
            model=outcome.model,
            store=str(task.store.path),
            store_version=task.store.version,
            graphs=task.graphs,
            threshold=task.threshold,
            implied=task.implied,
            top=task.top,
            timings={"ground": round(grounded - start, 4), "reason": round(done - grounded, 4), **asked.timings},
            replay=lambda more: run(exclude | more),
            asked_of=task.store,
        )
        return Answer(outcome.text, outcome.score, outcome.alternatives if outcome.text is not None else [], trace)

    return run


def _lacking(scene: SceneGraph, exclude: frozenset[Key]) -> SceneGraph:
    """Return the scene without the objects, attributes and relations whose statements are taken away."""
    if not any(s.startswith("/s/") for s, _, _ in exclude):
        return scene
    gone = {o.id for o in scene.objects if (scene.node(o.id), "InstanceOf", concept(o.name)) in exclude}
    scene = scene.without(gone)
    objects = tuple(
        replace(
            o,
            attributes=tuple(a for a in o.attributes if (scene.node(o.id), "HasProperty", concept(a)) not in exclude),
            box=None if any(s == scene.node(o.id) and p == "box" for s, p, _ in exclude) else o.box,
            text="" if any(s == scene.node(o.id) and p == "reads" for s, p, _ in exclude) else o.text,
        )
        for o in scene.objects
    )
    stated = [(scene.node(r.subject), r.predicate, scene.node(r.object)) for r in scene.relations]
    relations = tuple(r for r, key in zip(scene.relations, stated, strict=True) if key not in exclude)
    absent = tuple(a for a in scene.absent if (scene.node(), "NotDepicts", concept(a[0])) not in exclude)
    return replace(scene, objects=objects, relations=relations, absent=absent)
