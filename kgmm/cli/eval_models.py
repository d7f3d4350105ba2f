"""``kgmm eval easy-vqa`` and ``kgmm eval clevr``: trained networks beside the blind model and the majority answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import emit, json_option
from kgmm.errors import BadInput

WEIGHTS = Path(__file__).parents[1] / "weights"


def evaluate_folders(data: str, folders: list[Path], small: bool) -> dict[str, Any]:
    """Return each folder's accuracy on the test split by kind of question, beside the majority answer's."""
    from kgmm.reason.shapes import ShapesProblem, parts
    from kgmm.train import load_weights

    split = parts(data, small)
    rows: dict[str, Any] = {}
    majority = 0.0
    for folder in folders:
        try:
            config = json.loads((folder / "config.json").read_text())
            problem = ShapesProblem(config["name"], config["data"], dim=config["dim"], split=split)
            known = json.loads((folder / "vocabulary.json").read_text())["tokens"]
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(folder, f"not a trained model ({error!r}); make one with: kgmm train") from error
        problem.adopt(known)
        load_weights(problem.model, folder)
        rows[config["name"]] = problem.accuracy(split[2])
        majority = problem.majority(split[2])
    return {"data": data, "questions": len(split[2].asked), "majority": majority, "models": rows}


def _command(data: str) -> click.Command:
    @click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
    @click.option("--small", is_flag=True, help="A twentieth of the data.")
    @json_option
    def run(folders: tuple[Path, ...], small: bool, as_json: bool) -> None:
        found = list(folders) or sorted(p.parent for p in WEIGHTS.glob(f"{data}-*/config.json"))
        report = evaluate_folders(data, found, small)
        if as_json:
            emit(report)
            return
        kinds = sorted({k for row in report["models"].values() for k in row} - {"all"})
        click.echo("  ".join(f"{c:>12}" for c in (f"{report['questions']} asked", "all", *kinds)))
        for name, row in report["models"].items():
            click.echo(
                "  ".join([f"{name:>12}", *(f"{row.get(k, float('nan')):12.4f}" for k in ("all", *kinds))])
            )
        click.echo(f"{'majority':>12}  {report['majority']:12.4f}")

    run.__doc__ = f"Test trained models (their FOLDERS, or the shipped ones) on {data}."
    return click.command(data)(run)


easy_vqa = _command("easy-vqa")
clevr = _command("clevr")
