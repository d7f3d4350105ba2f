"""``kgmm eval skim``: film summaries against people's, beside chance and the people themselves."""

from pathlib import Path

import click

from kgmm.cli.output import COUNT, FILE, WHOLE, Number, json_option, progress_bar, say


@click.command()
@click.argument("data", required=False, metavar="[DATA.h5]", type=FILE)
@click.option("--annotations", type=FILE, help="A table instead: film, category, scores by commas (TVSum's; .gz too).")
@click.option("--scores", type=FILE, help="JSON with a film's scores by its name: one a frame, or one a pick.")
@click.option("--segments", type=click.Choice(["fixed", "kts"]), help="[fixed for a table, kts for HDF5]")
@click.option("--frames", type=COUNT, default=60, help="fixed: frames of a segment.")
@click.option("--rate", default=0.15, type=Number(0, 1, min_open=True), help="Share of a film in a summary.")
@click.option("--splits", type=FILE, help="JSON with train_keys and test_keys: judge each split's test films.")
@click.option("--seed", type=WHOLE, default=0, help="Of the random scores.")
@json_option
def skim(
    data: Path | None,
    annotations: Path | None,
    scores: Path | None,
    segments: str | None,
    frames: int,
    rate: float,
    splits: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Compare summaries with people's: F, Kendall's tau, Spearman's rho.

    Always printed beside are random scores on the same segments and people against each other: F alone says little.
    Without --scores only these are printed.
    """
    from kgmm.data.annotated_films import read_annotated, read_scores, read_splits
    from kgmm.evaluate.skims import evaluate

    place = data or annotations
    if place is None or (data and annotations):
        raise click.UsageError("name one of DATA.h5 and --annotations FILE")
    films = read_annotated(place)
    given = read_scores(scores) if scores else None
    if splits is not None:
        judged = {name for _, test in read_splits(splits) for name in test}
        films = [film for film in films if film.name in judged]
        if not films:
            raise click.UsageError(f"none of the films of {place} is among the test_keys of {splits}")
    chosen = segments or ("kts" if all(film.starts is not None for film in films) else "fixed")
    with progress_bar("films") as progress:
        found = evaluate(films, given, segments=chosen, size=frames, rate=rate, seed=seed, progress=progress)
    say(as_json, found, _text(found))


def _text(found: dict[str, float | None]) -> str:
    def told(value: float | None) -> str:
        return "     –" if value is None else f"{value:6.3f}"

    rows: list[tuple[str | None, ...]] = [("random scores", "random_f", "random_f_max", "random_tau", None)]
    rows.append(("a person against another", "human_pairwise_f", None, "human_tau", "human_rho"))
    rows.append(("a person against the others' mean", "mean_of_others_f", None, None, None))
    if "f_mean" in found:
        rows.insert(0, ("scores given", "f_mean", "f_max", "tau", "rho"))
    protocol = found["protocol"]
    assert isinstance(protocol, dict)
    kind = f"segments of {protocol['frames']} frames" if "frames" in protocol else "the files' change points"
    head = f"{found['films']} films, {found['people']} people each; {kind}, {protocol['rate']:.0%} of the frames"
    lines = [head, f"{'':36} F mean  F max    tau    rho"]
    for name, *keys in rows:
        lines.append(f"{name:36} " + " ".join(told(found[key] if key else None) for key in keys))
    return "\n".join(lines)
