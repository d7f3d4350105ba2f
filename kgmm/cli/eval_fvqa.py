"""``kgmm eval fvqa DIR``: answers and supporting facts for the questions of FVQA, written for its scorer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, FILE, FOLDER, PLACE, WHOLE, Number, json_option, progress_bar, say


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--split", default="train", help="Reads questions-SPLIT.json.")
@click.option("--distractors", type=FILE, help="Further knowledge: relation, head, tail.")
@click.option("--predictions", type=PLACE, help="Write one JSON line a question here.")
@click.option("--reasoner", default="hybrid", help="Which reasoner answers.")
@click.option("--limit", type=COUNT, help="Only the first N questions.")
@click.option(
    "--held", type=Number(0, 1, min_open=True), help="Only this share of the images, as held out in training."
)
@click.option("--seed", default=1, type=WHOLE, help="Of the choice of the images held out.")
@click.option(
    "--threshold",
    type=Number(0, 1),
    help="Withhold answers less sure than this. By default nearly all are ranked (0.01); with --without-gold the bound"
    " is the reasoner's own.",
)
@click.option("--without-gold", is_flag=True, help="Ask each question of a knowledge base that lacks its gold facts.")
@click.option("--kb", type=PLACE, help="Keep the knowledge base here; a temporary one otherwise.")
@json_option
def fvqa(folder: Path, held: float | None, seed: int, predictions: Path | None, as_json: bool, **options: Any) -> None:
    """Answer FVQA's questions in DIR (questions-SPLIT.json, facts.jsonl) and score the answers."""
    from kgmm.data.fvqa import fvqa_store, load_questions, split_by_image
    from kgmm.evaluate.fvqa import RANKED, ask_all, score, write_predictions

    how = {name: options[name] for name in ("reasoner", "threshold", "without_gold")}
    if how["threshold"] is None and not how["without_gold"]:
        how["threshold"] = RANKED
    questions = load_questions(folder / f"questions-{options['split']}.json")
    questions = (split_by_image(questions, held, seed)[1] if held else questions)[: options["limit"]]
    kept = fvqa_store(folder, options["distractors"], options["kb"])
    with progress_bar("questions") as progress, kept as (store, stated):
        asked = ask_all(store, stated, questions, **how, progress=progress)
    if predictions is not None:
        write_predictions(predictions, asked.rows)
    figures = score(questions, asked.rows)
    if how["without_gold"]:
        figures["right_or_silent"] = round(1 - figures["answered"] + figures["top1"], 4)
        figures["supported_or_silent"] = round(asked.supported / max(len(asked.rows), 1), 4)
    say(as_json, figures, "  ".join(f"{k} {v}" for k, v in figures.items()))
