"""``kgmm eval easy-vqa``, ``clevr`` and ``kdmn``: trained networks beside blind, majority, empty and shuffled runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from kgmm.cli.output import FILE, FOLDER, WHOLE, emit, json_option
from kgmm.nn.folders import trained_name

WEIGHTS = Path(__file__).parents[1] / "weights"


def _table(questions: int, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return accuracies as text: a line for each row's name, a column for each kind of question."""
    kinds = ("all", *sorted({k for row in rows.values() for k in row} - {"all"}))
    width = max(24, *map(len, rows))
    lines = [
        [f"{questions} asked", *kinds],
        *([n, *(f"{r.get(k, float('nan')):.4f}" for k in kinds)] for n, r in rows.items()),
    ]
    return "\n".join("  ".join([first.rjust(width), *(f"{c:>8}" for c in cells)]) for first, *cells in lines)


def _command(data: str) -> click.Command:
    @click.argument("folders", nargs=-1, type=FOLDER)
    @click.option("--small", is_flag=True, help="A fifth of the questions: figures are off by up to 3 points.")
    @json_option
    def run(folders: tuple[Path, ...], small: bool, as_json: bool) -> None:
        found = list(folders) or sorted(p.parent for p in WEIGHTS.glob(f"{data}-*/config.json"))
        blind = WEIGHTS / f"{data}-blind"
        if blind.is_dir() and not any(trained_name(f) == "blind" for f in found):
            found.append(blind)
        from kgmm.evaluate.shapes import evaluate

        report = evaluate(data, found, small)
        if as_json:
            emit(report)
            return
        click.echo(_table(report["questions"], {**report["models"], "majority": report["majority"]}))

    run.__doc__ = f"Test trained models (their FOLDERS, or the shipped ones) on {data}."
    return click.command(data)(run)


easy_vqa = _command("easy-vqa")
clevr = _command("clevr")


@click.command()
@click.argument("data", type=FOLDER)
@click.argument("folder", required=False, type=FOLDER)
@click.option("--distractors", type=FILE, help="Further knowledge: relation, head, tail.")
@click.option("--seed", default=0, type=WHOLE, show_default=True, help="Of the twins' weights and of the shuffle.")
@json_option
def kdmn(data: Path, folder: Path | None, distractors: Path | None, seed: int, as_json: bool) -> None:
    """Test a trained KDMN (its FOLDER, or the shipped one) on the images of FVQA (DATA) held out in its training.

    Its accuracy by kind of question stands beside the same network with an empty memory and with another question's,
    two networks without facts (``no facts`` sees the picture, ``blind`` the question only; trained here in seconds),
    and the most frequent answer.
    """
    from kgmm.evaluate.kdmn import evaluate_folder

    found = evaluate_folder(data, folder or WEIGHTS / "kdmn", distractors, seed)
    if as_json:
        emit(found)
        return
    rows = found["models"]
    kinds = ("all", *sorted({k for row in rows.values() for k in row} - {"all"}))
    width = max(map(len, kinds))
    click.echo("  ".join([f"{found['questions']} asked".rjust(width), *(name.rjust(14) for name in rows)]))
    for k in kinds:
        cells = (f"{row.get(k, float('nan')):.4f}".rjust(14) for row in rows.values())
        click.echo("  ".join([k.rjust(width), *cells]))
