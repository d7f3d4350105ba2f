"""``kgmm eval NAME …``: measure a method on a data set; one module a kind of data."""

from __future__ import annotations

import click

from kgmm.cli import LazyGroup

EVALUATIONS: dict[str, tuple[str, str]] = {
    "fvqa": ("kgmm.cli.eval_fvqa:fvqa", "Fact-based VQA: answers and supporting facts."),
    "hashing": ("kgmm.cli.eval_cross_modal:hashing", "Cross-modal hashing: mAP, precision-recall, times."),
    "fusion": ("kgmm.cli.eval_cross_modal:fusion", "Early, intermediate, late fusion; CCA, kernel CCA, PLS."),
    "faithfulness": ("kgmm.cli.eval_fvqa:faithfulness", "Are citations true, necessary, sufficient?"),
    "kdmn": ("kgmm.cli.eval_models:kdmn", "KDMN on FVQA by kind of question, beside its twins."),
    "easy-vqa": ("kgmm.cli.eval_models:easy_vqa", "easy-vqa: answers from pixels."),
    "clevr": ("kgmm.cli.eval_models:clevr", "CLEVR-like scenes: programs one step longer than any in training."),
}


@click.group(cls=LazyGroup, table=EVALUATIONS)
def evaluate() -> None:
    """Measure a method on a data set."""
