"""``kgmm describe``: a picture, scene or film in short sentences for someone who cannot see it."""

from collections.abc import Iterator
from pathlib import Path

import click

from kgmm.cli.output import FILE, Number, emit, json_option, progress_bar
from kgmm.describe import PACE, SECONDS, Description, narrate
from kgmm.describe import describe as describe_scene
from kgmm.describe.sightings import FIELD_OF_VIEW
from kgmm.scene import SceneGraph

POSITIVE = Number(0, min_open=True)
FILMS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".ts", ".m4v", ".mpg", ".mpeg")


@click.command()
@click.argument("place", metavar="IMAGE|SCENE|FILM", type=FILE)
@click.option("--kb", help="The store whose facts tell what is dangerous; the bundled knowledge by default.")
@click.option("--no-kb", is_flag=True, help="Warn only of what is seen to be hot, sharp and so on.")
@click.option("--perceiver", default="default", help="What turns a picture into a scene.")
@click.option("--model", help="The perceiver's model: folder or hub name for hf and vlm, file for onnx.")
@click.option("--seconds", default=SECONDS, type=POSITIVE, help="How long a scene, or a film's last, may be spoken of.")
@click.option("--words-per-second", default=PACE, type=POSITIVE, help="How fast it is said.")
@click.option(
    "--field-of-view", default=FIELD_OF_VIEW, type=Number(0, 180, True, True), help="Degrees a picture is wide."
)
@click.option("--every", default=1.0, type=POSITIVE, help="Seconds between the frames of a film that are looked at.")
@click.option(
    "--untracked", is_flag=True, help="Ids of a .jsonl are of one scene each: names and boxes tell what is the same."
)
@click.option("--speak", "aloud", is_flag=True, help="Speak it with espeak-ng.")
@json_option
def describe(
    place: Path,
    kb: str | None,
    no_kb: bool,
    perceiver: str,
    model: str | None,
    every: float,
    untracked: bool,
    aloud: bool,
    as_json: bool,
    **how: float,
) -> None:
    """Describe a picture, a scene (JSON), scenes with times (.jsonl) or a film: nearest and fastest first.

    Distances are measured where a scene says so (an attribute such as "2 m"), else estimated from how high things usually are
    ("about"), else near or far by the size of the box. What is dangerous is looked up in knowledge; --json cites the facts.
    """
    import kgmm
    from kgmm.perceivers import with_model

    if kb and no_kb:
        raise click.UsageError("--kb and --no-kb exclude each other")
    seer = with_model(perceiver, model) if model else perceiver
    film = _film(place, seer, every) if place.suffix.lower() in FILMS else None
    if no_kb:
        store = None
    elif kb:
        store = kgmm.open(kb, create=False)
    else:
        with progress_bar() as progress:
            store = kgmm.open_bundled(progress=progress)
    try:
        if place.suffix.lower() == ".jsonl":
            from kgmm.describe.moments import read_moments

            found = narrate(read_moments(place), store, tracked=not untracked, **how)
        elif film is not None:
            found = narrate(film, store, tracked=False, **how)
        else:
            seen = kgmm.perceive(place, "scene" if place.suffix.lower() == ".json" else seer)
            found = [describe_scene(seen, store, **how)]
    finally:
        if store is not None:
            store.close()
    if as_json:
        emit({"descriptions": [one.to_dict() for one in found]})
    else:
        _show(found)
    if aloud:
        from kgmm.describe.speech import speak

        speak("\n".join(one.text for one in found if one.text), how["words_per_second"])


def _film(place: Path, perceiver: str, every: float) -> Iterator[tuple[float, SceneGraph]]:
    """Yield what a perceiver sees in a film's frames, one every so many seconds."""
    from kgmm.perceivers import perceive
    from kgmm.stories.video.decoding import frames

    due = 0.0
    with progress_bar("seconds") as progress:
        for time, pixels in frames(place, progress=progress):
            if time >= due:
                yield time, perceive(pixels, perceiver)
                due = time + every


def _show(found: list[Description]) -> None:
    for one in found:
        if one.at is None:
            click.echo("\n".join(s.text for s in one.sentences) or "Nothing seen.")
        elif one.text:
            click.echo(f"{one.at:6.1f} s  {one.text}")
        if one.left_out and one.at is None:
            click.echo(f"({one.left_out} more things; there is no time to say them)", err=True)
    for why in dict.fromkeys(why for one in found for why in one.assumptions):
        click.echo(f"({why})", err=True)
