"""``kgmm align``: pictures and texts of a store's concepts in one space."""

import time
from pathlib import Path
from typing import get_args

import click

from kgmm.cli.output import COUNT, FILE, FOLDER, PLACE, Number, json_option, local, progress_bar, say


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("folder", type=FOLDER)
@click.option("--names", required=True, type=FILE, help="JSONL, CSV or TSV: file, concept[, text].")
@click.option("--method", default="ridge", help="ridge, cca or datn.")
@click.option("--components", default=64, type=COUNT, help="Dimensions of the space of cca and datn at most.")
@click.option("--ridge", default=0.1, type=Number(0, min_open=True), help="Added to covariances, of a feature's own.")
@click.option("--images", default="efficientnet", help="The pictures' encoder.")
@click.option("--texts", default="minilm", help="The texts' encoder.")
@json_option
def align(
    kb: Path,
    folder: Path,
    names: Path,
    method: str,
    components: int,
    ridge: float,
    images: str,
    texts: str,
    as_json: bool,
) -> None:
    """Fit a map between pictures in FOLDER and texts of KB's concepts, and keep it in KB for `kgmm similar`.

    A line's text is by default the concept's label. Where any line has a text, the map is fitted on those that have one, and the
    other pictures are led along it.
    """
    from kgmm.errors import BadInput
    from kgmm.fusion.alignment import Method
    from kgmm.language.names import concept
    from kgmm.patterns.folder import inside, told

    if method not in get_args(Method):
        raise click.BadParameter(f"{method!r}; there are {', '.join(get_args(Method))}", param_hint="--method")
    pictures, said = dict[str, Path](), dict[str, str]()
    for name, (line, entity, words) in told(names, "concept", "text").items():
        path = inside(folder, name, names, line)
        if pictures.setdefault(concept(entity), path) != path:
            raise BadInput(names, f"{entity} has a picture before", line=line)
        if words:
            said[concept(entity)] = words
    start = time.perf_counter()
    with local(kb) as store, progress_bar("pictures") as progress:
        how = {"images": images, "texts": texts, "components": components, "ridge": ridge}
        made = store.align(pictures, said or None, method=method, progress=progress, **how)  # type: ignore[arg-type]
    seconds, pairs = round(time.perf_counter() - start, 1), len(said) or len(pictures)
    found = {"pictures": len(pictures), "pairs": pairs, "method": method, "dim": made.dim, "seconds": seconds}
    text = f"{kb}: {pairs:,} pictures beside their texts, {method}, {made.dim} dimensions, {seconds:g} s"
    say(as_json, {**found, "images": images, "texts": texts}, text)
