"""``kgmm eval fvqa`` and ``kgmm eval faithfulness``: answers to FVQA's questions, and whether their citations bear them."""

import json
from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, FILE, FOLDER, PLACE, WHOLE, Number, json_option, progress_bar, say, together

#: FVQA's folder, which questions of it are asked, and what the knowledge base is made of
_on_fvqa = together(
    click.argument("folder", type=FOLDER),
    click.option("--split", default="train", help="Reads questions-SPLIT.json."),
    click.option("--distractors", type=FILE, help="Further knowledge: relation, head, tail."),
    click.option("--kb", type=PLACE, help="Keep the knowledge base here; a temporary one otherwise."),
)


def _read(folder: Path, split: str, distractors: Path | None, kb: Path | None, **of: Any) -> tuple[list[Any], Any]:
    """Return FVQA's questions about the images *held* out, or all, and its knowledge base with which facts state what."""
    from kgmm.data.fvqa import fvqa_store, load_questions, split_by_image

    questions = load_questions(folder / f"questions-{split}.json")
    asked = split_by_image(questions, of["held"], of["seed"])[1] if of["held"] else questions
    return asked[: of["limit"]], fvqa_store(folder, distractors, kb)


@click.command()
@_on_fvqa
@click.option("--predictions", type=PLACE, help="Write one JSON line a question here.")
@click.option("--reasoner", default="hybrid", help="Which reasoner answers.")
@click.option("--limit", type=COUNT, help="Only the first N questions.")
@click.option("--held", type=Number(0, 1, min_open=True), help="Only this share of images, as held out in training.")
@click.option("--seed", default=1, type=WHOLE, help="Of the choice of the images held out.")
@click.option(
    "--threshold",
    type=Number(0, 1),
    help="Withhold answers less sure than this. By default nearly all are ranked (0.01); with --without-gold the bound"
    " is the reasoner's own.",
)
@click.option("--without-gold", is_flag=True, help="Ask each question of a knowledge base that lacks its gold facts.")
@json_option
def fvqa(
    predictions: Path | None, reasoner: str, threshold: float | None, without_gold: bool, as_json: bool, **of: Any
) -> None:
    """Answer FVQA's questions in DIR (questions-SPLIT.json, facts.jsonl) and score the answers."""
    from kgmm.evaluate.fvqa import RANKED, ask_all, score, write_predictions

    if threshold is None and not without_gold:
        threshold = RANKED
    questions, kept = _read(**of)
    how: dict[str, Any] = {"reasoner": reasoner, "threshold": threshold, "without_gold": without_gold}
    with progress_bar("questions") as progress, kept as (store, stated):
        asked = ask_all(store, stated, questions, **how, progress=progress)
    if predictions is not None:
        write_predictions(predictions, asked.rows)
    figures = score(questions, asked.rows)
    if without_gold:
        figures["right_or_silent"] = round(1 - figures["answered"] + figures["top1"], 4)
        figures["supported_or_silent"] = round(asked.supported / max(len(asked.rows), 1), 4)
    say(as_json, figures, "  ".join(f"{k} {v}" for k, v in figures.items()))


@click.command()
@_on_fvqa
@click.option("--held", default=0.5, type=Number(0, 1, min_open=True), help="Share of the images asked about.")
@click.option("--seed", default=0, type=WHOLE, help="Which images; the weights shipped were fitted on the others of 0.")
@click.option("--limit", default=300, type=COUNT, help="Questions asked.")
@click.option("--reasoner", default="default", help="Which reasoner answers.")
@click.option("--draws", default=3, type=COUNT, help="Random picks a question.")
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write calibration.svg, risk-coverage.svg and faithfulness.json here.",
)
@json_option
def faithfulness(reasoner: str, draws: int, plots: Path | None, as_json: bool, **of: Any) -> None:
    """Measure the citations of answers to FVQA's questions in DIR beside random and most similar facts."""
    from kgmm.evaluate.faithfulness import measure_all, report

    questions, kept = _read(**of)
    with progress_bar("questions") as progress, kept as (store, _):
        rows = measure_all(store, questions, reasoner, draws, progress)
    found = {"reasoner": reasoner, **report(rows)}
    if plots is not None:
        _write(plots, found)
    say(as_json, found, _said(found))


def _write(folder: Path, found: dict[str, Any]) -> None:
    from kgmm.evaluate.calibration import calibration_svg, risk_coverage_svg

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calibration.svg").write_text(calibration_svg(found["calibration"]), encoding="utf-8")
    (folder / "risk-coverage.svg").write_text(risk_coverage_svg(found["risk_coverage"]), encoding="utf-8")
    (folder / "faithfulness.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _rounds(found: dict[str, Any]) -> str:
    """Say within how many rounds half and nine tenths of the answers changed."""
    rounds = sorted(int(n) for n, count in found["rounds"].items() for _ in range(count) if n != "0")
    if not rounds:
        return ""
    return f"changed within {rounds[len(rounds) // 2]} rounds (median), {rounds[9 * len(rounds) // 10]} (90 %)"


def _said(found: dict[str, Any]) -> str:
    lines = [
        f"{found['questions']} questions, {found['answered']} answered, {found['right']} right; {found['cite_knowledge']} cite "
        f"knowledge, {found['cited_facts']:.2f} facts each",
        f"citations verify      {found['verified']:.1%}",
        "                      cited  random  similar",
    ]
    for what in ("necessary", "sufficient"):
        lines.append(f"{what:20}" + "".join(f"{found[what][pick]:8.1%}" for pick in ("cited", "random", "similar")))
    ms, tried, risk, ece = found["without_ms"], found["exhausted"], found["risk_coverage"], found["calibration"]["ece"]
    lines.append(f"{'necessary, all rounds':21}{tried['cited']:7.1%}{tried['random']:8.1%}   {_rounds(found)}")
    if ms["count"]:
        lines.append(f"without a fact        median {ms['median']} ms, 99 % within {ms['p99']} ms, most {ms['max']} ms")
    lines.append(f"calibration error     {ece:.3f}; area under risk–coverage {risk['aurc']:.3f}")
    return "\n".join(lines)
