"""``kgmm eval continual``: a stream of tasks learned one after another, beside plain fine-tuning and joint training."""

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, FILE, PLACE, Number, emit, json_option, progress_bar


@click.command()
@click.option(
    "--stream",
    "streams",
    multiple=True,
    required=True,
    help="tasks (answers → story → items), permuted-mnist, split-mnist, or a .npz, .mat, .csv or folder of pictures by class; several: each is a task.",
)
@click.option("--data", type=FILE, help="The digits of permuted-mnist and split-mnist (.npz, .mat).")
@click.option("--method", default="replay", help="ewc, frozen, joint, lwf, plain or replay.")
@click.option("--seeds", default=3, type=COUNT, help="Figures are means over so many.")
@click.option("--tasks", default=5, type=click.IntRange(2, 100), help="permuted-mnist: so many orders of the pixels.")
@click.option("--classes", default=2, type=click.IntRange(1, 1000), help="Of a task, where classes are split.")
@click.option(
    "--scenario",
    type=click.Choice(["task", "domain", "class"]),
    default="domain",
    help="Where classes are split: tell the class in its task; its place in the task, untold; the class among all.",
)
@click.option(
    "--rows",
    type=click.Choice(["class", "place"]),
    default="class",
    help="--scenario domain: learn the classes and answer with their places, or learn places alone.",
)
@click.option("--epochs", default=10, type=COUNT, help="Passes over each task.")
@click.option("--weight", type=Number(0), help="ewc, lwf: of what was learned before [the method's own].")
@click.option("--memory", type=COUNT, help="replay: samples kept [500].")
@click.option("--ridge", type=Number(0, min_open=True), help="frozen: λ [chosen on every fifth training sample].")
@click.option("--keep", type=PLACE, help="Keep the state after each task here; a killed run goes on from it.")
@json_option
def continual(
    streams: tuple[str, ...],
    data: Path | None,
    method: str,
    seeds: int,
    tasks: int,
    classes: int,
    scenario: Any,
    rows: Any,
    epochs: int,
    weight: float | None,
    memory: int | None,
    ridge: float | None,
    keep: Path | None,
    as_json: bool,
) -> None:
    """Learn a stream of tasks one after another; tell what is known of all of them, forgotten and carried over.

    Printed are the mean accuracy after the last task (ACC), backward and forward transfer (BWT, FWT; Lopez-Paz & Ranzato
    2017) and the accuracy matrix, beside plain fine-tuning and training on all tasks at once.
    """
    from kgmm.data.streams import read_stream
    from kgmm.data.three_tasks import three_tasks
    from kgmm.evaluate.continual import measure, table

    with progress_bar("runs") as progress:
        how = {"tasks": tasks, "classes": classes, "scenario": scenario, "rows": rows, "progress": progress}
        alone = streams == ("tasks",)
        stream = three_tasks(progress=progress) if alone else read_stream(streams, data, **how)
        options = {"weight": weight, "size": memory, "ridge": ridge}
        given = {name: value for name, value in options.items() if value is not None}
        found = measure(stream, method, seeds, epochs=epochs, keep=keep, progress=progress, **given)
    if as_json:
        emit(found)
    else:
        click.echo(table(found))
