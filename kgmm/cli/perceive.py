"""``kgmm perceive``: what is in a picture, as text, JSON or boxes drawn on it."""

from pathlib import Path
from typing import Any

import click

from kgmm import perceivers
from kgmm.cli.output import PLACE, Number, emit, json_option
from kgmm.perceivers import _joining
from kgmm.perceivers._draw import draw_scene
from kgmm.scene import SceneGraph


@click.command()
@click.argument("image", type=PLACE)
@click.option(
    "--perceiver",
    default="default",
    help="default, clip, hf, ocr, onnx, people, shapes, vlm or scene; several joined: default+onnx:FILE.",
)
@click.option("--model", help="The model: folder or hub name for clip, hf and vlm, file for onnx.")
@click.option("--labels", help="Names of what the model of onnx finds: one a line, or JSON; COCO's by default.")
@click.option(
    "--query", "queries", multiple=True, help="What to look for, with clip or an open vocabulary of hf; repeatable."
)
@click.option("--threshold", type=Number(0, 1), help="Score an object needs.")
@click.option("--draw", type=click.Path(path_type=Path, dir_okay=False), help="Write the picture with boxes here.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the scene graph (JSON) here.")
@json_option
def perceive(image: Path, perceiver: str, draw: Path | None, save: Path | None, as_json: bool, **given: Any) -> None:
    """Turn the photograph IMAGE into a scene graph."""
    scene = perceivers.perceive(image, perceiver, **_options(perceiver, given))
    if draw is not None:
        draw_scene(scene, draw)
    if save is not None:
        scene.to_json(save)
    emit(scene.to_dict()) if as_json else _show(scene)


def _options(perceiver: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, if they mean something to a perceiver."""
    options = {name: value for name, value in given.items() if value not in (None, ())}
    parts = _joining.parts(perceiver, perceivers.perceivers())
    for part in parts:
        if part.name in ("clip", "hf", "onnx", "vlm") and not part.model and "model" not in options:
            kind = "an ONNX file" if part.name == "onnx" else "a folder or a name on the hub"
            raise click.UsageError(f"--perceiver {perceiver} needs --model, {kind}")
    uses = {"hf": {"model", "queries"}, "onnx": {"model", "labels"}, "vlm": {"model"}, "clip": {"model", "queries"}}
    used = {option for part in parts for option in uses.get(part.name, ())}
    for option, flag in (("model", "--model"), ("labels", "--labels"), ("queries", "--query")):
        if option in options and option not in used:
            raise click.UsageError(f"{flag} means nothing to --perceiver {perceiver}")
    if perceiver == "scene" and "threshold" in options:
        raise click.UsageError("--threshold means nothing for a scene graph that is read from a file")
    return options


def _show(scene: SceneGraph) -> None:
    for o in scene.objects:
        box = "" if o.box is None else f"  [{', '.join(f'{v:.0f}' for v in o.box)}]"
        attributes = f"  {', '.join(o.attributes)}" if o.attributes else ""
        words = f'  "{o.text}"' if o.text else ""
        seen = f"  ({o.source})" if o.source else ""
        click.echo(f"{o.id}  {o.name}  {o.score:.2f}{box}{words}{attributes}{seen}")
    for r in scene.relations:
        click.echo(f"{scene[r.subject].name} ({r.subject}) {r.predicate} {scene[r.object].name} ({r.object})")
    for tag, score in scene.tags:
        click.echo(f"place: {tag}  {score:.2f}")
    if not scene.objects and not scene.tags:
        click.echo("nothing seen that the perceiver is sure of; try a lower --threshold", err=True)
