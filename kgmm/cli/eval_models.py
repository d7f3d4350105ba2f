"""``kgmm eval easy-vqa``, ``clevr`` and ``kdmn``: trained networks beside blind, majority, empty and shuffled runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import emit, json_option
from kgmm.errors import BadInput
from kgmm.nn.folders import trained_name

WEIGHTS = Path(__file__).parents[1] / "weights"


def evaluate_folders(data: str, folders: list[Path], small: bool) -> dict[str, Any]:
    """Return each folder's accuracy on the test split by kind of question, beside its runs without a true picture.

    ``NAME, empty`` sees no object, ``NAME, shuffled`` another question's picture; ``majority`` is the most frequent
    training answer of each kind of question. The blind model is one of the folders shipped. Of two folders of one
    model the second bears its path.
    """
    from kgmm.train.fit import load_weights
    from kgmm.train.shapes import ShapesProblem, parts

    split = parts(data, small)
    rows: dict[str, Any] = {}
    majority: dict[str, float] = {}
    for folder in folders:
        try:
            config = json.loads((folder / "config.json").read_text())
            name, trained_on, dim = config["name"], config["data"], int(config["dim"])
            known = json.loads((folder / "vocabulary.json").read_text())["tokens"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(
                folder,
                f"not a model trained on {data} ({error!r}); make one with: kgmm train san {data} --out DIR",
            ) from error
        if trained_on != data:
            raise BadInput(folder, f"a {name} trained on {trained_on}; it cannot be tested on {data}")
        problem = ShapesProblem(name, data, dim=dim, split=split)
        problem.adopt(known)
        load_weights(problem.model, folder)
        name = f"{name} ({folder})" if name in rows else name
        rows[name] = problem.accuracy(split[2])
        if config["name"] != "blind":
            rows[f"{name}, empty"] = problem.accuracy(split[2], "empty")
            rows[f"{name}, shuffled"] = problem.accuracy(split[2], "shuffled")
        majority = problem.majority(split[2])
    return {"data": data, "questions": len(split[2].asked), "majority": majority, "models": rows}


def _line(first: str, cells: Iterable[str], width: int) -> str:
    return "  ".join([first.rjust(width), *(f"{c:>8}" for c in cells)])


def _command(data: str) -> click.Command:
    @click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
    @click.option("--small", is_flag=True, help="A twentieth of the data.")
    @json_option
    def run(folders: tuple[Path, ...], small: bool, as_json: bool) -> None:
        found = list(folders) or sorted(p.parent for p in WEIGHTS.glob(f"{data}-*/config.json"))
        blind = WEIGHTS / f"{data}-blind"
        if blind.is_dir() and not any(trained_name(f) == "blind" for f in found):
            found.append(blind)
        report = evaluate_folders(data, found, small)
        if as_json:
            emit(report)
            return
        rows = {**report["models"], "majority": report["majority"]}
        kinds = ("all", *sorted({k for row in rows.values() for k in row} - {"all"}))
        width = max(24, *map(len, rows))
        click.echo(_line(f"{report['questions']} asked", kinds, width))
        for name, row in rows.items():
            click.echo(_line(name, [f"{row.get(k, float('nan')):.4f}" for k in kinds], width))

    run.__doc__ = f"Test trained models (their FOLDERS, or the shipped ones) on {data}."
    return click.command(data)(run)


easy_vqa = _command("easy-vqa")
clevr = _command("clevr")


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--distractors",
    type=click.Path(exists=True, path_type=Path),
    help="Further knowledge: relation, head, tail.",
)
@click.option("--seed", default=0, show_default=True, help="Of the twins' weights and of the shuffle.")
@json_option
def kdmn(data: Path, folder: Path | None, distractors: Path | None, seed: int, as_json: bool) -> None:
    """Test a trained KDMN (its FOLDER, or the shipped one) on the images of FVQA (DATA) held out in its training.

    Its accuracy by kind of question stands beside the same network with an empty memory and with another question's,
    two networks without facts (``no facts`` sees the picture, ``blind`` the question only; trained here in seconds),
    and the most frequent answer.
    """
    from kgmm.data.fvqa import load_questions, split_by_image
    from kgmm.evaluate.kdmn import report
    from kgmm.reason.kdmn import reasoner as trained
    from kgmm.train.kdmn import FvqaProblem

    place = folder or WEIGHTS / "kdmn"
    try:
        config = json.loads((place / "config.json").read_text())
        network, memory, dev, split = (config[k] for k in ("network", "memory", "dev", "split"))
        answers = json.loads((place / "vocabulary.json").read_text()).get("answers", [])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(place, f"not a kdmn trained on FVQA ({error!r}); make one with: kgmm train kdmn") from error
    network_of = trained.load(place)
    if network_of.prior is not None:
        raise BadInput(place, f"its prior reads a store; test it with: kgmm eval fvqa {data} --reasoner {place}")
    problem = FvqaProblem(data, distractors, split=split, dev=dev, limit=memory, network=network, vocabulary=answers)
    problem.model = network_of.model
    train, held = split_by_image(load_questions(data / "questions-train.json"), dev, split)
    rows = report(problem, train, held, seed)
    if as_json:
        emit({"data": "fvqa", "questions": len(held), "models": rows})
        return
    kinds = ("all", *sorted({k for row in rows.values() for k in row} - {"all"}))
    width = max(map(len, kinds))
    click.echo("  ".join([f"{len(held)} asked".rjust(width), *(name.rjust(14) for name in rows)]))
    for k in kinds:
        cells = (f"{row.get(k, float('nan')):.4f}".rjust(14) for row in rows.values())
        click.echo("  ".join([k.rjust(width), *cells]))
