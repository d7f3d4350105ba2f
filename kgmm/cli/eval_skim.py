"""``kgmm eval skim``: film summaries against people's, beside chance and the people themselves."""

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, FILE, FOLDER, PLACE, WHOLE, Number, json_option, progress_bar, say

FILMS = 12  #: that are drawn for ``planted``: seeds that training does not draw


@click.command()
@click.argument("data", required=False, metavar="[DATA]")
@click.option("--annotations", type=FILE, help="A table instead: film, category, scores by commas (TVSum's; .gz too).")
@click.option("--scores", type=FILE, help="JSON with a film's scores by its name: one a frame, or one a pick.")
@click.option("--method", help="Judge a film summarizer, as kgmm skim has them, on DATA.")
@click.option("--weights", type=FOLDER, help="Of a learned method, from kgmm train skim [those that ship].")
@click.option("--films", type=COUNT, default=FILMS, help="planted: so many films are drawn.")
@click.option("--kb", type=PLACE, help="Keep the knowledge that widens queries here.")
@click.option("--segments", type=click.Choice(["fixed", "kts"]), help="[fixed for a table, kts for HDF5]")
@click.option("--frames", type=COUNT, default=60, help="fixed: frames of a segment.")
@click.option("--rate", default=0.15, type=Number(0, 1, min_open=True), help="Share of a film in a summary.")
@click.option("--splits", type=FILE, help="JSON with train_keys and test_keys: judge each split's test films.")
@click.option("--split", type=WHOLE, help="The test films of this split alone, from 0.")
@click.option("--seed", type=WHOLE, default=0, help="Of the random scores.")
@json_option
def skim(
    data: str | None,
    annotations: Path | None,
    scores: Path | None,
    segments: str | None,
    frames: int,
    rate: float,
    splits: Path | None,
    split: int | None,
    seed: int,
    as_json: bool,
    **of_method: Any,
) -> None:
    """Compare summaries with people's: F, Kendall's tau, Spearman's rho.

    DATA is a .h5 of films in the field's layout; with --method also a folder of films with films.json, or planted: films
    drawn for this. Always printed beside are random scores on the same segments and people against each other: F alone
    says little. Without --scores and --method only these are printed.
    """
    from kgmm.data.annotated_films import SUFFIXES, read_annotated, read_scores
    from kgmm.evaluate.skims import evaluate

    place = data or annotations
    if place is None or (data and annotations):
        raise click.UsageError("name one of DATA and --annotations FILE")
    _known(of_method, scores, split, splits)
    if data and Path(data).suffix.lower() not in SUFFIXES:
        found = _films(data, splits, split, segments, rate, seed, of_method)
        say(as_json, found, text(found))
        return
    films = _judged(read_annotated(place), splits, split, place)
    given = read_scores(scores) if scores else None
    chosen = segments or ("kts" if all(film.starts is not None for film in films) else "fixed")
    with progress_bar("films") as progress:
        if of_method["method"]:
            from kgmm.evaluate.film_methods import How, judge_features

            how = How(of_method["weights"], None, rate=rate, seed=seed)
            found = judge_features(films, of_method["method"], how, segments=chosen, size=frames)
        else:
            found = evaluate(films, given, segments=chosen, size=frames, rate=rate, seed=seed, progress=progress)
    say(as_json, found, text(found, of_method["method"] or "scores given"))


def _known(of_method: dict[str, Any], scores: Path | None, split: int | None, splits: Path | None) -> None:
    """Refuse options that would do nothing."""
    if of_method["method"] is None and of_method["weights"]:
        raise click.UsageError("--weights goes with --method")
    if of_method["method"] and scores:
        raise click.UsageError("give one of --method and --scores")
    if split is not None and splits is None:
        raise click.UsageError("--split goes with --splits")


def _judged(films: Any, splits: Path | None, split: int | None, place: str | Path) -> Any:
    """Return the films that are judged: of splits the test films."""
    from kgmm.data.annotated_films import read_splits
    from kgmm.train.lessons import chosen_films

    if splits is None:
        return films
    if split is not None:
        return chosen_films(films, splits, split, Path(place), test=True)
    judged = {name for _, test in read_splits(splits) for name in test}
    found = [film for film in films if film.name in judged]
    if not found:
        raise click.UsageError(f"none of the films of {place} is among the test_keys of {splits}")
    return found


def _films(
    data: str, splits: Path | None, split: int | None, segments: str | None, rate: float, seed: int, of_method: Any
) -> dict[str, Any]:
    """Return the figures of a method on films with notes."""
    from kgmm.cli.bundled_and import bundled_and
    from kgmm.data.noted_films import read_noted
    from kgmm.evaluate.film_methods import How, judge_noted
    from kgmm.train.lessons import planted

    if not of_method["method"]:
        raise click.UsageError("films with notes are for a --method")
    if segments:
        raise click.UsageError("--segments is for files of annotations: films are judged on their shots")
    with progress_bar("films") as progress, bundled_and((), of_method["kb"]) as store:
        place = planted(of_method["films"], progress, held=True) if data == "planted" else Path(data)
        films = _judged(read_noted(place), splits, split, place)
        how = How(of_method["weights"], store, rate=rate, seed=seed)
        return {"method": of_method["method"], **judge_noted(films, of_method["method"], how, progress=progress)}


def text(found: dict[str, Any], name: str = "") -> str:
    """Return figures as a table: never F without what random scores and people reach."""

    def told(value: float | None) -> str:
        return "     –" if value is None else f"{value:6.3f}"

    rows: list[tuple[str | None, ...]] = [("random scores", "random_f", "random_f_max", "random_tau", None)]
    rows.append(("a person against another", "human_pairwise_f", None, "human_tau", "human_rho"))
    rows.append(("a person against the others' mean", "mean_of_others_f", None, None, None))
    if "f_mean" in found:
        rows.insert(0, (name or found["method"], "f_mean", "f_max", "tau", "rho"))
    protocol = found["protocol"]
    assert isinstance(protocol, dict)
    kinds = {"kts": "the files' change points", "fixed": f"segments of {protocol.get('frames')} frames"}
    kind = kinds.get(protocol["segments"], protocol["segments"])
    head = f"{found['films']} films, {found['people']} people each; {kind}, {protocol['rate']:.0%} of the frames"
    lines = [head, f"{'':36} F mean  F max    tau    rho"]
    for label, *keys in rows:
        lines.append(f"{label:36} " + " ".join(told(found[key] if key else None) for key in keys))
    if "asked_f" in found:
        lines.append(f"{found['queries']} queries; parts that show what is asked, and shots matched by concepts:")
        for label, start in (("method", ""), ("random scores", "random_"), ("a person by the others' mean", "people_")):
            lines.append(f"{label:36} " + " ".join(told(found.get(start + key)) for key in ("asked_f", "matching_f")))
    if "thumbnail_first" in found:
        lines.append(f"the noted thumbnail is the best shot of {found['thumbnail_first']:.0%} of the films")
    return "\n".join(lines)
