"""``kgmm eval hashing`` and ``kgmm eval fusion``: methods for pictures with texts on a cross-modal data set."""

from pathlib import Path

import click

from kgmm.cli.output import COUNT, PLACE, WHOLE, json_option, progress_bar, say


@click.command()
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option("--method", default="scm-seq", help="A hashing method, such as cvh, cmfh, seph.")
@click.option("--bits", default=64, type=COUNT, help="Length of a code.")
@click.option(
    "--codes",
    default="own",
    type=click.Choice(["own", "unified"]),
    help="Code a database item by its own modality's function, or by the pair's joint code"
    " (cca-itq, cmfh, qch, seph and networks have one).",
)
@click.option("--seed", default=0, type=WHOLE, help="Everything random follows from it.")
@click.option("--plot", "picture", metavar="FILE", type=PLACE, help="Draw precision against recall (.png or .svg).")
@json_option
def hashing(folder: Path, method: str, bits: int, codes: str, seed: int, picture: Path | None, as_json: bool) -> None:
    """Fit on the training pairs of DIR, query with its test items, search its training items.

    DIR holds a .mat file with I_tr, I_te, T_tr, T_te and train*.list and test*.list with categories in the
    last column. Relevant is what shares a category.
    """
    from kgmm.data.cross_modal import read_cross_modal
    from kgmm.evaluate.hashing import check_plot, evaluate, plot

    if picture is not None:
        check_plot(picture)
    data = read_cross_modal(folder)
    with progress_bar("steps") as progress:
        found = evaluate(data, method, bits, codes, seed, progress=progress)
    if picture is not None:
        plot(found, picture)
    items = f"database: {found['items']} training items, {codes} codes; {found['queries']} test queries"
    lines = [f"{found['method']}, {bits} bits, {items}"]
    for way in ("image_to_text", "text_to_image"):
        row = found[way]
        near = f"precision within radius 2 {row['precision_radius_2']:.3f}"
        lines.append(f"{way.replace('_', ' ')}: mAP {row['map']:.3f} (all), {row['map50']:.3f} (@50), {near}")
    lines.append(f"fit {found['fit_seconds']:.2f} s, encode {found['encode_seconds']:.3f} s")
    say(as_json, found, "\n".join(lines))


@click.command()
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option("--seeds", default=3, type=COUNT, help="Runs to average.")
@click.option("--components", default=10, type=COUNT, help="Dimension of the spaces of CCA, kernel CCA and PLS.")
@json_option
def fusion(folder: Path, seeds: int, components: int, as_json: bool) -> None:
    """Fit on the training pairs of DIR; classify its test pairs, and search its training items with them.

    DIR is laid out as for `kgmm eval hashing`. Prints a Markdown table: accuracy of the category of pairs, and
    mean average precision of search across modalities by cosine.
    """
    from kgmm.data.cross_modal import read_cross_modal
    from kgmm.evaluate.fusion import evaluate, table

    data = read_cross_modal(folder)
    with progress_bar("rows") as progress:
        found = evaluate(data, seeds=range(seeds), components=components, progress=progress)
    say(as_json, found, table(found))
