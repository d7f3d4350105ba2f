"""``kgmm walk`` and ``kgmm path``: what is near a concept, and how two concepts hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kgmm import graph
from kgmm.cli.ending import nothing
from kgmm.cli.output import COUNT, Number, at_option, emit, json_option, say, together
from kgmm.cli.unknown import unknown
from kgmm.language import names
from kgmm.store import LocalStore

if TYPE_CHECKING:
    from kgmm.graph import GraphView, Path


#: what of a store is walked, and how
_of_view = together(
    click.option("--graph", "graphs", multiple=True, help="Only this named graph (repeatable)."),
    click.option("--relation", "relations", multiple=True, help="Only this relation (repeatable)."),
    click.option("--directed", is_flag=True, help="Follow facts only from subject to object."),
    click.option("--split-senses", is_flag=True, help="Keep senses (/c/en/dog/n) apart from their word."),
    at_option,
)


def _view(kb: str, graphs: tuple[str, ...], relations: tuple[str, ...], at: str | None, **how: Any) -> GraphView:
    store = LocalStore(kb, create=False).as_of(at)
    if missing := unknown(store, relations=relations, graphs=graphs):
        raise missing
    return graph.view(store, list(graphs) or None, list(relations) or None, **how)


def _as_json(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    told = ("source", "relation", "target", "forward", "weight")
    hops = [{name: getattr(hop, name) for name in told} for hop in path.hops]
    return {"concepts": list(path.concepts), "score": path.score, "hops": hops, "text": str(path)}


@click.command()
@click.argument("kb", type=click.Path(exists=True))
@click.argument("seeds", nargs=-1, required=True, metavar="SEED...")
@click.option("--top", default=20, type=COUNT, help="How many concepts.")
@click.option("--restart", default=0.15, type=Number(0, 1, min_open=True))
@_of_view
@json_option
def walk(kb: str, seeds: tuple[str, ...], top: int, restart: float, as_json: bool, **chosen: Any) -> None:
    """Rank the concepts of KB by random walk with restart from SEED..., with the strongest path to each."""
    from kgmm.graph.strongest import strongest

    view = _view(kb, **chosen)
    scores = view.walk(list(seeds), restart)
    best = scores.top(top)
    targets = [view.require(concept) for concept, _ in best]
    found = strongest(view, scores.seeds, targets)
    for name in scores.missing:
        click.echo(f"kgmm: no concept {name!r} in the view, walking from the others", err=True)
    seeded = {"seeds": view.node_names.at(scores.seeds), "missing": list(scores.missing), "restart": restart}
    paths = zip(best, map(_as_json, found), strict=True)
    results = [{"concept": concept, "score": score, "path": path} for (concept, score), path in paths]
    about = {**seeded, "error": scores.error, "concepts": len(view), "results": results}
    say(as_json, about, _table(best, found))


def _table(best: list[tuple[str, float]], found: list[Path | None]) -> str:
    """Return places, scores, concepts and paths in aligned columns."""
    words = [names.label(concept) for concept, _ in best]
    width = max(len("concept"), *(len(word) for word in words))
    lines = [f"{'':>3}  {'score':>8}  {'concept':<{width}}  strongest path"]
    for place, ((_, score), word, path) in enumerate(zip(best, words, found, strict=True), 1):
        way = "(seed)" if path is not None and not path.hops else str(path or "(none within 4 hops)")
        lines.append(f"{place:>3}  {score:8.6f}  {word:<{width}}  {way}")
    return "\n".join(lines)


@click.command()
@click.argument("kb", type=click.Path(exists=True))
@click.argument("a")
@click.argument("b")
@click.option("-k", "--count", default=3, type=COUNT, help="How many paths.")
@click.option("--max-length", default=6, type=COUNT, help="Most hops of a path.")
@click.option("--by", default="weight", type=click.Choice(["weight", "walk"]), help="Prefer strong facts, or no hubs.")
@_of_view
@json_option
def path(kb: str, a: str, b: str, count: int, max_length: int, by: str, as_json: bool, **chosen: Any) -> int:
    """Show the best paths in KB between the concepts A and B."""
    found = _view(kb, **chosen).paths(a, b, k=count, max_length=max_length, by=by)
    if as_json:
        emit({"from": a, "to": b, "by": by, "paths": [_as_json(p) for p in found]})
    else:
        for one in found:
            click.echo(f"{one.score:10.4g}  {one}")
    return 0 if found else nothing(f"no path of at most {max_length} hops")
