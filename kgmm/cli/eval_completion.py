"""``kgmm eval completion``: what models make of triples kept apart, beside frequency and random scores."""

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, FILE, PLACE, WHOLE, Number, json_option, progress_bar, say


@click.command()
@click.argument("train", metavar="TRAIN", type=FILE)
@click.option("--valid", required=True, type=FILE, help="Triples that weights and probabilities are fitted on.")
@click.option("--test", required=True, type=FILE, help="Triples that are judged.")
@click.option(
    "--model", default="joined", help="joined (text, graph, frequency, rules), complex, distmult, rotate, transe."
)
@click.option("--vectors", type=PLACE, help="Folder to keep names' vectors in [made each time].")
@click.option(
    "--head-first/--relation-first", default=None, help="Order of columns [told by which columns name the same things]."
)
@click.option("--without", multiple=True, default=["RelatedTo"], help="Also without this relation (repeatable).")
@click.option("--size", type=COUNT, help="Length of vectors [the model's own].")
@click.option("--epochs", type=COUNT, help="Passes over the triples at most [the model's own].")
@click.option("--seconds", type=Number(0, min_open=True), help="Wall-clock of training at most.")
@click.option(
    "--inductive",
    type=Number(0, 0.5, min_open=True),
    help="Share of entities held out of all three files; what relates to them is asked, from their names [none].",
)
@click.option("--seed", default=0, type=WHOLE, help="Everything random follows from it.")
@json_option
def completion(
    train: Path,
    valid: Path,
    test: Path,
    model: str,
    vectors: Path | None,
    head_first: bool | None,
    without: tuple[str, ...],
    size: int | None,
    epochs: int | None,
    seconds: float | None,
    inductive: float | None,
    seed: int,
    as_json: bool,
) -> None:
    """Learn from the triples of TRAIN; rank both ends of those of --test among all entities, known answers left out.

    Files have three columns parted by tabs: subject, relation, object, or the relation first.
    """
    from kgmm.data.triples import is_head_first, read_triples
    from kgmm.evaluate.completion import evaluate, table
    from kgmm.evaluate.completion_inductive import evaluate_inductive
    from kgmm.evaluate.completion_inductive import table as inductive_table

    rows = read_triples(train, head_first=True)
    if head_first is None:
        head_first = is_head_first(rows)
    rows = rows if head_first else [(s, r, o) for r, s, o in rows]
    given: dict[str, Any] = {"vectors": vectors, "size": size, "epochs": epochs, "seconds": seconds}
    options = {name: value for name, value in given.items() if value is not None}
    sets = rows, read_triples(valid, head_first), read_triples(test, head_first)
    if inductive is not None:
        if model != "joined":
            raise click.UsageError("--inductive is for joined alone: the others know nothing of an entity never seen")
        with progress_bar("steps") as progress:
            found = evaluate_inductive(
                [row for part in sets for row in part], inductive, seed=seed, progress=progress, **options
            )
        say(as_json, found, inductive_table(found))
        return
    with progress_bar("steps") as progress:
        found = evaluate(*sets, model, without=without, seed=seed, progress=progress, **options)
    say(as_json, found, table(found))
