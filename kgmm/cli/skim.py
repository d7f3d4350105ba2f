"""``kgmm skim``: the parts of films that are worth watching."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import FILE, FOLDER, PLACE, WHOLE, Number, emit, json_option, local, progress_bar
from kgmm.language.phrase import phrase
from kgmm.stories import films
from kgmm.stories.video.clock import clock

FACTS = 6  #: facts that are shown for a clip at most


@click.command()
@click.argument("videos", nargs=-1, required=True, metavar="VIDEO...", type=FILE)
@click.option(
    "--method", default="saliency", help="saliency, chorus, uniform, clusters, keyshots, archetypal … [saliency]."
)
@click.option("--rate", default=0.15, type=Number(0, 1, min_open=True), help="Share of each film to keep [0.15].")
@click.option("--query", "-q", help="What the skim should be about.")
@click.option("--title", help="The films' title.")
@click.option("--title-images", type=FOLDER, help="A folder of pictures of what the title names.")
@click.option("--tags", multiple=True, help="Tags by commas: once for all films, or once for each VIDEO.")
@click.option("--kb", type=PLACE, help="A store whose facts widen the query, and are cited.")
@click.option("--segments", type=click.Choice(["shots", "kts"]), help="Where films are parted [shots].")
@click.option("--read-frames", is_flag=True, help="Read words in pictures, too (extra ocr).")
@click.option("--weights", type=FOLDER, help="Of a method that learns, from kgmm train skim [those that come with it].")
@click.option("--seed", default=0, type=WHOLE, help="What random numbers begin with [0].")
@click.option("--fusion", help="saliency: sum, min, max or variance [sum].")
@click.option("--length", type=Number(0, min_open=True), help="chorus: seconds of the clip [the chorus's own].")
@click.option(
    "--subtitles", "-s", multiple=True, type=FILE, help="SRT or WebVTT, once for each VIDEO [what is embedded]."
)
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="Write what is kept as MP4.")
@click.option("--html", type=click.Path(dir_okay=False), help="Write a page with a frame of each clip and the scores.")
@json_option
def skim(
    videos: tuple[Path, ...],
    method: str,
    kb: Path | None,
    tags: tuple[str, ...],
    subtitles: tuple[Path, ...],
    output: str | None,
    html: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Cut each VIDEO down to what matters in it: a music video to its chorus, several films of an event to its key shots."""
    together = method not in films.film_summarizers() or films.judges_segments(method)
    if len(videos) > 1 and not together and (subtitles or output or html):
        raise click.UsageError(f"--subtitles, -o and --html are for one VIDEO where films are skimmed by {method}")
    if tags:
        given = [[tag.strip() for tag in some.split(",") if tag.strip()] for some in tags]
        options["tags"] = given[0] if len(given) == 1 else given
    with ExitStack() as stack:
        if kb is not None:
            options["kb"] = stack.enter_context(local(kb))
        made: list[films.Skim] = []
        for some in [list(videos)] if together else [[video] for video in videos]:
            with progress_bar("seconds") as progress:
                done = films.skim(some, method, subtitles=list(subtitles) or None, progress=progress, **options)
            if output is not None:
                done.write(output)
            if html is not None:
                done.to_html(html)
            made += done.each()
            if not as_json:
                for one in done.each():
                    _show(one)
        if as_json:
            emit({"skims": [one.to_dict() for one in made]})


def _show(made: films.Skim) -> None:
    count = len(made.clips)
    click.echo(f"{made.video.name}, by {made.method}: {made.seconds:.1f} s in {count} clip{'s' * (count != 1)}")
    for c in made.clips:
        why = made.reason(c)
        click.echo(f"  {clock(c.start)} – {clock(c.end)}  {c.end - c.start:6.1f} s  {c.score:.3f}  {why.text}".rstrip())
        for fact in why.facts[:FACTS]:
            click.echo(f"      {phrase(fact.subject, fact.predicate, fact.object)}")
    for name, value in made.details.items():
        if value:
            click.echo(f"  {name.replace('_', '-')}: {films.spoken(value)}")
