"""``kgmm eval easy-vqa``, ``clevr`` and ``kdmn``: trained networks beside blind, majority, empty and shuffled runs."""

from collections.abc import Mapping
from pathlib import Path

import click

from kgmm.cli.output import FILE, FOLDER, WHOLE, json_option, say
from kgmm.nn.folders import trained_name

WEIGHTS = Path(__file__).parents[1] / "weights"


def _kinds(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    return ["all", *sorted({k for row in rows.values() for k in row} - {"all"})]


def _table(questions: int, columns: list[str], rows: Mapping[str, Mapping[str, float]], least: int, wide: int) -> str:
    """Return accuracies as text; the rows' names are *least* letters wide or more, *columns* are *wide*."""
    width = max(least, *map(len, rows))
    lines = [[f"{questions} asked", *columns]]
    lines += [[name, *(f"{row.get(c, float('nan')):.4f}" for c in columns)] for name, row in rows.items()]
    return "\n".join("  ".join([first.rjust(width), *(c.rjust(wide) for c in cells)]) for first, *cells in lines)


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
        rows = {**report["models"], "majority": report["majority"]}
        say(as_json, report, _table(report["questions"], _kinds(rows), rows, 24, 8))

    run.__doc__ = f"Test trained models (their FOLDERS, or the shipped ones) on {data}."
    return click.command(data)(run)


easy_vqa = _command("easy-vqa")
clevr = _command("clevr")


@click.command()
@click.argument("data", type=FOLDER)
@click.argument("folder", required=False, type=FOLDER)
@click.option("--distractors", type=FILE, help="Further knowledge: relation, head, tail.")
@click.option("--seed", default=0, type=WHOLE, help="Of the twins' weights and of the shuffle.")
@json_option
def kdmn(data: Path, folder: Path | None, distractors: Path | None, seed: int, as_json: bool) -> None:
    """Test a trained KDMN (its FOLDER, or the shipped one) on the images of FVQA (DATA) held out in its training.

    Its accuracy by kind of question stands beside the same network with an empty memory and with another question's,
    two networks without facts (``no facts`` sees the picture, ``blind`` the question only; trained here in seconds),
    and the most frequent answer.
    """
    from kgmm.evaluate.kdmn import evaluate_folder

    found = evaluate_folder(data, folder or WEIGHTS / "kdmn", distractors, seed)
    models = found["models"]
    rows = {kind: {name: row[kind] for name, row in models.items() if kind in row} for kind in _kinds(models)}
    say(as_json, found, _table(found["questions"], list(models), rows, 0, 14))
