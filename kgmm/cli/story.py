"""``kgmm story`` and ``kgmm summarize``: from news video to a story graph, and from there to what a story shows."""

import tempfile
from pathlib import Path
from typing import Any

import click

from kgmm import stories
from kgmm.cli.ending import nothing
from kgmm.cli.output import COUNT, FILE, Number, emit, json_option, progress_bar
from kgmm.errors import KgmmError
from kgmm.store import LocalStore
from kgmm.stories import StoryGraph, Summary
from kgmm.stories.example.news import news
from kgmm.stories.files import NAME
from kgmm.stories.transcript import read_story
from kgmm.stories.video.clock import clock

BUNDLED = "news"  #: what STORY may be instead of a path


@click.command()
@click.argument("videos", nargs=-1, required=True, metavar="VIDEO...", type=click.Path(exists=True))
@click.option(
    "--subtitles",
    "-s",
    multiple=True,
    type=FILE,
    help="SRT or WebVTT, one for each VIDEO; by default the file of its name, or what is embedded.",
)
@click.option("--output", "-o", type=click.Path(), help="Folder or .json file of the story [VIDEO.story].")
@click.option("--id", help="Name of the story graph; the first video's by default.")
@click.option("--kb", type=click.Path(), help="Also put the story into this knowledge store.")
@click.option("--transcript", is_flag=True, help="Also take what is said into the documents of --kb, with its times.")
@click.option("--read-frames", is_flag=True, help="Take words that stand in the frames, such as straps, as if said.")
@json_option
def story(
    videos: tuple[str, ...],
    subtitles: tuple[Path, ...],
    output: str | None,
    kb: str | None,
    transcript: bool,
    read_frames: bool,
    as_json: bool,
    **own: Any,
) -> None:
    """Build a story graph from news VIDEO..., or from one folder of keyframes with a transcript table.

    Finds shots, keyframes, newslogos and terms; `kgmm summarize` works on the result. A story made before (its folder or
    JSON file) can be given instead, to put it into --kb.
    """
    if transcript and kb is None:
        raise click.UsageError("--transcript goes with --kb")
    first = Path(videos[0])
    file, pictures = _places(Path(output) if output else first.with_suffix(".story"))
    ready = len(videos) == 1 and (first.suffix == ".json" or (first / NAME).is_file())
    if read_frames and (ready or (len(videos) == 1 and first.is_dir())):
        raise click.UsageError("--read-frames needs a video")
    if ready:
        made = stories.read(first)
        file = file if output else first
    elif len(videos) == 1 and first.is_dir():
        made = stories.from_folder(videos[0], subtitles[0] if subtitles else None, **own)
    else:
        with progress_bar("seconds") as progress:
            own |= {"keyframes": pictures, "read_frames": read_frames, "progress": progress}
            made = stories.from_video(videos, subtitles or None, **own)
    if not ready or output:
        file.parent.mkdir(parents=True, exist_ok=True)
        stories.to_json(made, file)
    if kb is not None:
        with LocalStore(kb) as store:
            if transcript:
                read_story(store, made)
            else:
                stories.save(made, store)
    if as_json:
        emit({**_counts(made), "file": str(file), "logos": _logos(made)})
        return
    click.echo(f"{file}: " + ", ".join(f"{n:,} {what}" for what, n in _counts(made).items() if what != "story"))
    _list_logos(made)
    if not made.edges.terms:
        click.echo("kgmm: no subtitles, so the story has no terms; give --subtitles", err=True)


def _places(output: Path) -> tuple[Path, Path]:
    """Return where the JSON and the pictures go."""
    if output.suffix == ".json":
        return output, output.with_name(output.stem + "-keyframes")
    return output / "story.json", output / "keyframes"


def _counts(made: StoryGraph) -> dict[str, Any]:
    edges = made.edges
    nodes = {"shots": edges.frame_count, "newslogos": edges.logo_count, "terms": len(edges.terms)}
    return {"story": made.id, "broadcasts": len(made.broadcasts), **nodes, "edges": len(edges.term) + len(edges.logo)}


def _logos(made: StoryGraph) -> list[dict[str, Any]]:
    """Return each logo with how often it is seen and what it is about, by walk."""
    found = []
    for i, logo in enumerate(made.logos):
        shots, about = int((made.edges.logo == i).sum()), stories.summarize(made, logo.id, 1, 4).terms
        found.append({"id": logo.id, "name": logo.name, "shots": shots, "terms": [t.term for t in about]})
    return found


def _list_logos(made: StoryGraph) -> None:
    for logo in _logos(made):
        shots = f"{logo['shots']} shot{'' if logo['shots'] == 1 else 's'}"
        click.echo(f"  {logo['id']:<12} {logo['name']:<18} {shots:>9}  {', '.join(logo['terms'])}")


@click.command()
@click.argument("story", metavar="STORY")
@click.argument("logo", required=False, metavar="LOGO")
@click.option("--frames", default=5, type=COUNT, help="How many keyframes.")
@click.option("--terms", default=10, type=COUNT, help="How many terms.")
@click.option("--method", default="mmss", help="mmss, or frequency, tfidf, cooccurrence.")
@click.option("--restart", type=Number(0, 1, min_open=True), help="Restart probability [0.65].")
@click.option("--lift", is_flag=True, help="Score by lift over the stationary distribution: no common words.")
@click.option("--kb", type=click.Path(exists=True), help="Link terms to the concepts and facts of this store.")
@click.option("--html", type=click.Path(), help="Write the storyboard as one HTML page.")
@click.option("--png", type=click.Path(), help="Write the storyboard as a picture.")
@json_option
def summarize(
    story: str, logo: str | None, kb: str | None, html: str | None, png: str | None, as_json: bool, **how: Any
) -> int:
    """Summarize the STORY behind LOGO: its best keyframes and terms.

    STORY is what `kgmm story` wrote, or `news` for the bundled example, or the name of a story in --kb.
    LOGO is a logo's name, a term, or a picture of a logo; without it the logos are listed.
    For films without newslogos see `kgmm skim`.
    """
    graph = _opened(story, kb, draw=bool(logo and (html or png)))
    if logo is None:
        emit({**_counts(graph), "logos": _logos(graph)}) if as_json else _list_logos(graph)
        lacking = KgmmError(f"{story} has no newslogos; name one of its terms instead of LOGO")
        return 0 if graph.logos else nothing(lacking)
    if (how["lift"] or how["restart"] is not None) and how["method"] != "mmss":
        raise click.UsageError("--restart and --lift belong to --method mmss")
    found = stories.summarize(graph, logo, **how)
    if kb is not None:
        with LocalStore(kb, create=False) as store:
            found = found.linked(store)
    if html is not None:
        found.to_html(html)
    if png is not None:
        found.to_png(png)
    emit(found.to_dict()) if as_json else _show(found)
    return 0


def _opened(story: str, kb: str | None, draw: bool) -> StoryGraph:
    if Path(story).exists():
        return stories.read(story)
    if kb is not None:
        with LocalStore(kb, create=False) as store:
            if f"story/{story}" in store.graphs():
                return stories.from_store(store, story)
    if story == BUNDLED:
        return news(tempfile.mkdtemp(prefix="kgmm-news-") if draw else None)
    return stories.read(story)  # names what is missing


def _show(found: Summary) -> None:
    days = {b.id: b.date or b.title or b.id for b in found.story.broadcasts}
    click.echo(f"{found.query}, by {found.method}")
    for frame in found.in_time_order():
        shot = frame.shot
        said = shot.text if len(shot.text) < 90 else shot.text[:87].rsplit(" ", 1)[0] + " …"
        click.echo(f"  {days.get(shot.broadcast, ''):<10} {clock(shot.start)}  {frame.score:.4f}  {shot.id:<8}  {said}")
    for term in found.terms:
        facts = f"  {'; '.join(term.facts)}" if term.facts else ""
        click.echo(f"  {term.score:.4f}  {term.term}{facts}")
