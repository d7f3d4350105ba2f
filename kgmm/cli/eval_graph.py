"""``kgmm eval commonsenseqa`` and ``okvqa``: the graph network's answers, with the knowledge that is bundled and given."""

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, FILE, FOLDER, PLACE, json_option, progress_bar, say, together

_with_knowledge = together(
    click.option("--facts", multiple=True, type=FILE, help="Triples beside the bundled knowledge."),
    click.option("--model", type=FOLDER, help="A folder of kgmm train graph-network; the shipped one otherwise."),
    click.option("--kb", type=PLACE, help="Keep the knowledge base here; a temporary one otherwise."),
    click.option("--held-out", is_flag=True, help="Only the questions that training held out of this file."),
    click.option("--limit", type=COUNT, help="Only the first N questions."),
)


@click.command()
@click.argument("questions", type=FILE)
@_with_knowledge
@click.option(
    "--graph",
    type=click.Choice(["full", "empty", "shuffled", "relation-blind"]),
    default="full",
    help="What the network sees of the joint graphs.",
)
@json_option
def commonsenseqa(
    questions: Path,
    facts: tuple[Path, ...],
    model: Path | None,
    kb: Path | None,
    held_out: bool,
    limit: int | None,
    graph: str,
    as_json: bool,
) -> None:
    """Answer CommonsenseQA's QUESTIONS (a .jsonl as released) and count right choices.

    Accuracy also stands by how many facts lead from the question to the right choice at least: at most one, two, more
    or none.
    """
    from kgmm.cli.bundled_and import bundled_and
    from kgmm.data.commonsenseqa import load_questions, split
    from kgmm.evaluate.graph_network import evaluate_choices
    from kgmm.reason.graph_network.model import SHIPPED, load_model
    from kgmm.train.graph_network import joint_graphs

    network = load_model(model or SHIPPED)
    asked = list(load_questions(questions))
    asked = (split(asked)[1] if held_out else asked)[:limit]
    with progress_bar("questions") as progress, bundled_and(facts, kb) as store:
        found: dict[str, Any] = evaluate_choices(network, asked, joint_graphs(store, asked, progress), graph, progress)
    lines = [f"{found['questions']} questions  accuracy {found['accuracy']:.4f}  calibration error {found['ece']:.3f}"]
    lines += [
        f"{name.replace('_', ' '):10} {found[name]['questions']:6}  accuracy {found[name]['accuracy']:.4f}"
        for name in ("one_fact", "two_facts", "further")
    ]
    say(as_json, found, "\n".join(lines))


@click.command()
@click.argument("questions", type=FILE)
@click.argument("detections", type=FILE)
@_with_knowledge
@json_option
def okvqa(
    questions: Path,
    detections: Path,
    facts: tuple[Path, ...],
    model: Path | None,
    kb: Path | None,
    held_out: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Answer OK-VQA's QUESTIONS (.json) about what DETECTIONS (.json) saw, and score the answers softly.

    Answers that a fact joins to question or picture, or that are seen, stand apart from those guessed from the vocabulary.
    """
    from kgmm.cli.bundled_and import bundled_and
    from kgmm.data.okvqa import load_questions, split
    from kgmm.evaluate.graph_open import evaluate_open
    from kgmm.reason.graph_network.open import SHIPPED_OPEN, load_open
    from kgmm.train.graph_open import open_graphs

    network = load_open(model or SHIPPED_OPEN)
    asked = list(load_questions(questions, detections))
    asked = (split(asked)[1] if held_out else asked)[:limit]
    with progress_bar("questions") as progress, bundled_and(facts, kb) as store:
        graphs = open_graphs(store, asked, progress, network.nodes)
        found: dict[str, Any] = evaluate_open(network, asked, graphs, progress)
    lines = [
        f"{found['questions']} questions  accuracy {found['accuracy']:.4f}  surest fifth {found['surest_fifth']:.4f}"
    ]
    lines += [f"{n:8} {found[n]['questions']:6}  accuracy {found[n]['accuracy']:.4f}" for n in ("cited", "guessed")]
    say(as_json, found, "\n".join(lines))
