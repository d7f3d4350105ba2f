"""``kgmm ask``, ``kgmm retrieve`` and ``kgmm demo``: questions, the facts behind them, and a first look."""

import json
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from kgmm import bundled
from kgmm.cli.ending import nothing
from kgmm.cli.output import COUNT, FILE, PLACE, Number, at_option, awaited, emit, json_option, progress_bar, say
from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.scene import NO_PICTURE, SceneGraph
from kgmm.store.facts import Fact
from kgmm.trace import Answer
from kgmm.trace.checks import guessed


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="KB [IMAGE] QUESTION")
@click.option("--bundled", "ours", is_flag=True, help="Ask the bundled knowledge, and name no KB; it is loaded once.")
@click.option(
    "--reasoner",
    default="default",
    help="Which reasoner answers, or the folder of a trained model (a reasoner's name comes first; ./NAME is a folder).",
)
@click.option("--choice", "choices", multiple=True, help="An answer to choose from; repeatable.")
@click.option(
    "--perceiver", default="default", help="What turns a picture into a scene; several joined: default+onnx:FILE."
)
@click.option("--model", help="The perceiver's model: folder or hub name for hf and vlm, file for onnx.")
@click.option("--top", default=3, type=COUNT, help="Answers shown.")
@click.option(
    "--threshold", type=Number(0, 1), help="Withhold answers less sure than this; the reasoner's own bound by default."
)
@click.option(
    "--implied/--no-implied", default=True, help="Whether parts that only facts say a seen thing has may answer."
)
@click.option("--mined", is_flag=True, help="Also use what was mined and not accepted yet.")
@click.option(
    "--trace", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write the trace here (.html or .json)."
)
@at_option
@json_option
def ask(words: tuple[str, ...], ours: bool, page: Path | None, as_json: bool, **how: Any) -> None:
    """Answer QUESTION about IMAGE (a picture or a scene's JSON file), or about no picture, from the knowledge in KB."""
    import kgmm
    from kgmm.perceivers import with_model

    *given, question = words
    kb = None if ours or not given else given.pop(0)
    if len(given) > 1 or (kb is None and not ours):
        raise click.UsageError("give KB and QUESTION, with an IMAGE between them; with --bundled leave KB out")
    image = FILE.convert(given[0], None, None) if given else None
    with progress_bar() as progress:
        opened = kgmm.open_bundled(progress=progress) if kb is None else kgmm.open(kb, create=False)
    with opened as store:
        model, how["choices"] = how.pop("model"), how["choices"] or None
        how["perceiver"] = with_model(how["perceiver"], model) if model else how["perceiver"]
        with awaited("reading models, and what a first question compiles and encodes; later ones have it"):
            answer = store.ask(image, question, **how)
        if page is not None and page.suffix.lower() == ".json":
            answer.trace.precompute().to_json(page)  # so that a page made of it later has its switches
        elif page is not None:
            answer.trace.to_html(page)
        about = {"answer": answer.text, "score": answer.score, "alternatives": answer.alternatives}
        say(as_json, {**about, "trace": answer.trace.to_dict()}, evidence(answer))


def evidence(answer: Answer) -> str:
    """Return an answer with its evidence as a small tree."""
    trace = answer.trace
    bar = "█" * round(10 * answer.score)
    lines = [f"{answer}   {bar} {answer.score:.2f}" if answer else f"I don't know: {trace.abstained}"]
    if not answer and trace.scene is not None and trace.scene != NO_PICTURE:
        lines += _seen(trace.scene)
    if answer and guessed(trace):
        lines.append("  └─ a guess of the network: no fact in memory supports it")
    for n, citation in enumerate(trace.citations):
        branch = "└─" if n == len(trace.citations) - 1 else "├─"
        fact = citation.fact
        if citation.kind == "scene" and trace.scene is not None:
            how = "absent " if citation.role == "absent" else "seen   "
            lines.append(f"  {branch} {how} {_sight(trace.scene, fact)}   ({fact.subject})")
        else:
            triple = (fact.subject, fact.predicate, fact.object)
            how = "implied" if citation.role == "implied" else "known  "
            how = "mined  " if fact.graph.startswith("mined/") else how
            lines.append(f"  {branch} {how} {phrase(*triple)}   ({' '.join(triple)})")
    if answer.alternatives:
        lines.append("  or: " + ", ".join(f"{text} {score:.2f}" for text, score in answer.alternatives))
    return "\n".join(lines)


def _seen(scene: SceneGraph, most: int = 12) -> list[str]:
    """Return what was seen, as lines for someone who got no answer, and what might see more."""
    named = [(f'"{o.text}"' if o.text else o.name) + (f" {o.score:.2f}" if o.score < 1 else "") for o in scene.objects]
    listed = ", ".join(named[:most] + ["…"] * (len(named) > most))
    lines = [f"  seen: {listed}" if named else "  nothing was recognized"]
    if not scene.complete:
        lines.append("  a detector may see more: --perceiver onnx --model FILE; or give the scene as a JSON file")
    return lines


def _sight(scene: SceneGraph, fact: Fact) -> str:
    """Return what a scene fact says: "cup, 243 × 288 px at (173, 18)", "spoon on saucer"."""
    seen = fact.subject.rsplit("/", 1)[-1]
    if fact.predicate == "InstanceOf" and seen in scene:
        thing = scene[seen]
        score = f", score {thing.score:.2f}" if thing.score < 1 else ""
        if thing.box is None:
            return f"{thing.name}{score}"
        x, y, w, h = thing.box
        by = f", seen by {thing.source}" if thing.source else ""
        return f"{thing.name}{score}, {w:.0f} × {h:.0f} px at ({x:.0f}, {y:.0f}){by}"
    if fact.predicate == "NotDepicts":
        return f"nothing speaks for {names.label(fact.object)}, which was looked for"
    return " ".join(_scene_name(scene, term) for term in (fact.subject, fact.predicate, fact.object))


def _scene_name(scene: SceneGraph, term: str) -> str:
    object_id = term.rsplit("/", 1)[-1]
    if term.startswith("/s/") and object_id in scene:
        return scene[object_id].name
    return {"HasProperty": "is"}.get(term, names.label(term).replace("_", " "))


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("text")
@click.option("--question", help="What is asked about it; the text itself if left out.")
@click.option("--limit", default=20, type=COUNT, help="Facts shown.")
@click.option("--split-senses", is_flag=True, help="Leave out what is said of a word's senses (/c/en/dog/n) only.")
@click.option("--passages", type=COUNT, help="Show so many passages of the documents that were read, instead of facts.")
@click.option("--source", help="Only passages of this source, or of those a pattern with * fits.")
@click.option("--since", help="Only passages dated then or later.")
@click.option("--until", help="Only passages dated then or earlier.")
@at_option
@json_option
def retrieve(
    kb: Path,
    text: str,
    question: str | None,
    limit: int,
    split_senses: bool,
    passages: int | None,
    source: str | None,
    since: str | None,
    until: str | None,
    at: str | None,
    as_json: bool,
) -> int:
    """Show the facts in KB that bear on TEXT: a sentence, or the path of a scene's JSON file; or passages of documents."""
    import kgmm

    if passages is not None:
        return _passages(kb, f"{text} {question or ''}".strip(), passages, source, since, until, as_json)
    if source or since or until:
        raise click.UsageError("--source, --since and --until go with --passages")
    given = SceneGraph.from_json(text) if text.endswith(".json") and Path(text).is_file() else text
    with kgmm.open(kb, create=False) as store:
        memory = store.retrieve(given, question, limit, split_senses=split_senses, at=at)
    if as_json:
        emit(memory.to_dict())
    else:
        for link in memory.concepts:
            click.echo(f"{link.text} → {link.concept}  ({link.rule} {link.score:.2f})")
        for m in memory:
            via = "".join(f"  ← {names.label(f.subject)} IsA {names.label(f.object)}" for f in m.chain)
            click.echo(f"{m.score:6.3f}  {phrase(m.fact.subject, m.fact.predicate, m.fact.object)}{via}")
    return 0 if len(memory) else nothing(f"no fact in {kb} bears on {text[:80]!r}")


def _passages(
    kb: Path, text: str, count: int, source: str | None, since: str | None, until: str | None, as_json: bool
) -> int:
    import kgmm

    with kgmm.open(kb, create=False) as store:
        memory = store.retrieve(text, passages=count, source=source, since=since, until=until)
    if as_json:
        emit({"question": text, "passages": [passage.to_dict() for passage in memory.passages]})
    else:
        for passage in memory.passages:
            click.echo(f"{passage}\n        {textwrap.shorten(passage.text, 160)}")
    return 0 if memory.passages else nothing(f"no passage in {kb} bears on {text[:80]!r}")


@click.command()
@click.option(
    "--folder",
    default="kgmm-demo",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the store and the trace are written.",
)
@json_option
def demo(folder: Path, as_json: bool) -> None:
    """Load the bundled knowledge, ask three questions about photographs, and write one trace to open.

    Two questions are answered from the photograph alone, the third from its scene graph, written by hand.
    """
    from kgmm.opening import open_bundled

    questions = json.loads((bundled.folder("knowledge") / "demo.json").read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    answers = []
    with open_bundled(folder / "kb") as kb:
        if not as_json:
            click.echo(f"{len(kb):,} facts in {folder / 'kb'}\n")
        for entry in questions:
            scene, how = _demo_scene(kb, entry)
            answers.append(answer := kb.ask(scene, entry["question"]))
            if not as_json:
                click.echo(f"{entry['image']}, {how}\n{entry['question']}\n{evidence(answer)}\n")
        page = answers[0].trace.to_html(folder / "trace.html")
    traces = [answer.trace.to_dict() for answer in answers]
    found = [{name: trace[name] for name in ("question", "answer", "citations")} for trace in traces]
    say(as_json, found, f"Open {page} in a browser to see how the first answer came about.")


def _demo_scene(kb: Any, entry: dict[str, str]) -> tuple[Any, str]:
    """Return a photograph's scene graph and how it came about; what is seen goes into the store to be looked up."""
    from kgmm.perceivers import perceive

    graphs = bundled.folder("graphs")
    if "scene" in entry:
        return SceneGraph.from_json(graphs / "scenes" / entry["scene"]), "by its scene graph, written by hand"
    seen = perceive(graphs / "photos" / entry["image"])
    seen = replace(seen, id=f"{seen.id}-seen")
    kb.add([Fact(s, p, o, w, graph=seen.graph, source=seen.source) for s, p, o, w in seen.facts()])
    return seen, f"seen by {seen.source.split('@')[0]}"
