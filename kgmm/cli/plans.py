"""``kgmm plans``: one plan out of several contributors' plans."""

from dataclasses import asdict
from pathlib import Path

import click

from kgmm.cli.output import FILE, json_option, say


@click.command()
@click.argument("file", type=FILE)
@click.option("--method", type=click.Choice(["kemeny", "borda"]), default="kemeny", help="How plans are combined.")
@json_option
def plans(file: Path, method: str, as_json: bool) -> None:
    """Combine the plans in FILE: lines such as "ann: wash > cut = peel > cook", or a JSON object of lists.

    A plan may leave steps out and have several at one place (=).
    """
    from kgmm.trust.plans import aggregate, read_plans

    found = aggregate(read_plans(file), method)
    how = {"kemeny": "no order has fewer pairs turned" if found.exact else "no move of one step is better"}
    lines = [" > ".join(" = ".join(group) for group in found.order)]
    lines.append(f"{found.distance:g} pairs turned" + (f"; {how[method]}" if method in how else ""))
    lines += [f"{name:20} {share:.2f} of their pairs" for name, share in found.agreement.items()]
    say(as_json, asdict(found), "\n".join(lines))
