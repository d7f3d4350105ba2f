"""``kgmm eval transfer``: adapters from one domain to another, beside no transfer."""

import itertools
from pathlib import Path

import click
from click.core import ParameterSource

from kgmm.cli.output import COUNT, FILE, FOLDER, Number, emit, json_option, progress_bar, say


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=FOLDER)
@click.option("--source", type=FILE, help="The domain with labels: .mat with fts and labels, .npz with X and y.")
@click.option("--target", type=FILE, help="The domain whose labels are only compared with.")
@click.option("--method", default="dan", help="coral, dan, dann, ddc, jan, jan-a, msda or sda.")
@click.option(
    "--network",
    type=click.Choice(["features", "pictures"]),
    default="features",
    help="pictures: whole networks with convolutions over pixels, for dan, dann, ddc, jan, jan-a.",
)
@click.option("--weight", type=Number(0), help="Of the transfer [the method's own].")
@click.option("--choose", is_flag=True, help="Let scores without target labels choose among methods and options.")
@click.option("--seeds", default=3, type=COUNT, help="Figures are means over so many.")
@json_option
def transfer(
    folder: Path | None,
    source: Path | None,
    target: Path | None,
    method: str,
    network: str,
    weight: float | None,
    choose: bool,
    seeds: int,
    as_json: bool,
) -> None:
    """Learn from a source with labels and a target without; tell how right it is on the target.

    With DIR all ordered pairs of the domains in it are measured. Beside the accuracy stand that of the same classifier
    with transfer weight 0, of one that learns from half of the target's labels, and of the commonest class.

    With --choose four scores that read no target label choose among methods with options of their own, each for itself; beside
    what they chose stand no transfer, a choice by chance, and the best that the target's labels would choose.
    """
    from kgmm.data.domains import read_domain, read_domains
    from kgmm.errors import BadInput
    from kgmm.evaluate.transfer import evaluate, table

    if folder is None and source is not None and target is not None:
        pairs = [(read_domain(source), read_domain(target))]
    elif folder is not None and source is target is None:
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in (".mat", ".npz"))
        domains = [domain for file in files for domain in read_domains(file)]
        pairs = list(itertools.permutations(domains, 2))
        if not pairs:
            raise BadInput(folder, f"{len(domains)} domains (.mat, .npz) are there; a transfer needs two")
    else:
        raise click.UsageError("name DIR, or --source FILE and --target FILE")
    if choose:
        from kgmm.evaluate import choosing

        asked = click.get_current_context()
        for name in ("method", "network", "weight"):
            if asked.get_parameter_source(name) is not ParameterSource.DEFAULT:
                raise click.UsageError(f"--choose chooses the method and its options; it takes no --{name}")
        with progress_bar("fits") as progress:
            chosen = choosing.choose(pairs, seeds=seeds, progress=progress)
        return say(as_json, chosen, choosing.table(chosen))
    given = {} if weight is None else {"weight": weight}
    found = []
    for one, other in pairs:
        with progress_bar("seeds") as progress:
            found.append(evaluate(one, other, method, seeds, progress, network, **given))
    if as_json:
        emit(found[0] if folder is None else {"pairs": found})
    else:
        click.echo(table(found))
