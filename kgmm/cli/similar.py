"""``kgmm similar``: from a picture or sentence to like concepts, scenes and story frames."""

from dataclasses import asdict
from pathlib import Path

import click

from kgmm.cli.ending import nothing
from kgmm.cli.output import COUNT, PLACE, emit, json_option, local

#: modality -> what its nodes are called
NODES = {
    "": "concepts",
    "concept": "concepts",
    "scene": "scenes",
    "story": "story frames",
    "picture": "aligned pictures",
    "passage": "passages like it",
}


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("query")
@click.option(
    "--modality", type=click.Choice(["concept", "scene", "story", "picture", "passage"]), help="Look for these only."
)
@click.option("-k", "--count", default=10, type=COUNT, help="How many.")
@click.option("--hasher", metavar="MODEL", type=PLACE, help="Search codes of a fitted method.")
@json_option
def similar(kb: Path, query: str, modality: str | None, count: int, hasher: Path | None, as_json: bool) -> int:
    """Show what in KB is like QUERY: a sentence, a picture's path, or a scene's JSON file; passages like a document's.

    MODEL is where a hashing method was saved in Python: a .safetensors and a .json file.
    """
    with local(kb) as store:
        asked = Path(query) if modality != "passage" and Path(query).is_file() else query
        found = store.similar(asked, modality=modality, k=count, hasher=hasher)
    if as_json:
        emit([{name: said for name, said in asdict(s).items() if said or name != "reasons"} for s in found])
    width = max((len(s.label) for s in found), default=0)
    for s in found if not as_json else ():
        bits = "" if s.hamming is None else f"{s.hamming:>3} bits  "
        click.echo(
            f"{s.score:6.3f}  {bits}{s.modality:<7}  {s.label:<{width}}  {s.node}"
            + (f"  ({', '.join(s.reasons)})" if s.reasons else "")
        )
    return 0 if found else nothing(f"{kb} holds no {NODES[modality or '']}")
