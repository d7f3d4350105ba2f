"""``kgmm skim``: the parts of films that are worth watching."""

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import FILE, Number, emit, json_option, progress_bar
from kgmm.stories import films
from kgmm.stories.video.clock import clock


@click.command()
@click.argument("videos", nargs=-1, required=True, metavar="VIDEO...", type=FILE)
@click.option("--method", default="saliency", help="saliency, or chorus for music videos.")
@click.option("--rate", default=0.15, type=Number(0, 1, min_open=True), help="saliency: share of the film to keep.")
@click.option("--fusion", help="saliency: sum, min, max or variance [sum].")
@click.option("--length", type=Number(0, min_open=True), help="chorus: seconds of the clip [the chorus's own].")
@click.option("--subtitles", "-s", type=FILE, help="SRT or WebVTT with the film's words or lyrics [what is embedded].")
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="Write what is kept as MP4.")
@click.option("--html", type=click.Path(dir_okay=False), help="Write a page with a frame of each clip and the scores.")
@json_option
def skim(videos: tuple[Path, ...], output: str | None, html: str | None, as_json: bool, **options: Any) -> None:
    """Cut each VIDEO down to what stands out in it, or a music video to its chorus."""
    if len(videos) > 1 and (options["subtitles"] or output or html):
        raise click.UsageError("--subtitles, -o and --html are for one VIDEO")
    made = []
    for video in videos:
        with progress_bar("seconds") as progress:
            made.append(films.skim(video, progress=progress, **options))
        if output is not None:
            made[-1].write(output)
        if html is not None:
            made[-1].to_html(html)
        if not as_json:
            _show(made[-1])
    if as_json:
        emit({"skims": [one.to_dict() for one in made]})


def _show(made: films.Skim) -> None:
    count = len(made.clips)
    click.echo(f"{made.video.name}, by {made.method}: {made.seconds:.1f} s in {count} clip{'s' * (count != 1)}")
    for c in made.clips:
        click.echo(f"  {clock(c.start)} – {clock(c.end)}  {c.end - c.start:6.1f} s  {c.score:.3f}")
    for name, value in made.details.items():
        if value:
            click.echo(f"  {name.replace('_', '-')}: {films.spoken(value)}")
