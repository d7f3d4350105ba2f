"""``kgmm eval faithfulness DIR``: are the citations of FVQA answers true, necessary, sufficient?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, FILE, FOLDER, PLACE, WHOLE, Number, json_option, progress_bar, say


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--split", default="train", help="Reads questions-SPLIT.json.")
@click.option("--distractors", type=FILE, help="Further knowledge.")
@click.option("--held", default=0.5, type=Number(0, 1, min_open=True), help="Share of the images asked about.")
@click.option(
    "--seed",
    default=0,
    type=WHOLE,
    help="Which images those are; the shipped weights were fitted on the others of seed 0.",
)
@click.option("--limit", default=300, type=COUNT, help="Questions asked.")
@click.option("--reasoner", default="default", help="Which reasoner answers.")
@click.option("--draws", default=3, type=COUNT, help="Random picks a question.")
@click.option("--kb", type=PLACE, help="Keep the knowledge base here; a temporary one otherwise.")
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write calibration.svg, risk-coverage.svg and faithfulness.json here.",
)
@json_option
def faithfulness(folder: Path, reasoner: str, draws: int, plots: Path | None, as_json: bool, **asked: Any) -> None:
    """Measure the citations of answers to FVQA's questions in DIR beside random and most similar facts."""
    from kgmm.data.fvqa import fvqa_store, load_questions, split_by_image
    from kgmm.evaluate.faithfulness import measure_all, report

    questions = load_questions(folder / f"questions-{asked['split']}.json")
    questions = split_by_image(questions, asked["held"], asked["seed"])[1][: asked["limit"]]
    kept = fvqa_store(folder, asked["distractors"], asked["kb"])
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
    lines.append(
        f"{'necessary, all rounds':21}{found['exhausted']['cited']:7.1%}{found['exhausted']['random']:8.1%}   {_rounds(found)}"
    )
    ms = found["without_ms"]
    if ms["count"]:
        lines.append(f"without a fact        median {ms['median']} ms, 99 % within {ms['p99']} ms, most {ms['max']} ms")
    lines.append(
        f"calibration error     {found['calibration']['ece']:.3f}; area under risk–coverage {found['risk_coverage']['aurc']:.3f}"
    )
    return "\n".join(lines)
