"""``kgmm eval crowd``: policies of trust on a crowd whose truth is known."""

from pathlib import Path

import click

from kgmm.cli.output import PLACE, json_option, say


@click.command()
@click.argument("place", metavar="DIR|FILE", type=PLACE)
@click.option("--report", is_flag=True, help="Also print what the default policy makes of each contributor.")
@json_option
def crowd(place: Path, report: bool, as_json: bool) -> None:
    """Infer the truth of a crowd's answers by every policy, and compare it with the known one.

    DIR holds answer.csv (question,worker,answer) and truth.csv (question,truth); FILE is a table with the columns
    orig_id, !amt_worker_ids, response, gold. The default policy is fixed; the truth is only compared with.
    """
    from kgmm.data.crowd import read_crowd
    from kgmm.evaluate.crowd import evaluate

    read = read_crowd(place)
    found = evaluate(read)
    counts = "{answers} answers of {contributors} contributors to {items} items, {values} values; {judged} judged"
    lines = [counts.format(**found)]
    for policy, value in sorted(found["accuracy"].items(), key=lambda pair: -pair[1]):
        mark = "  (default)" if policy == found["policy"] else ""
        lines.append(f"{policy:20} {value:.4f}  {found['seconds'][policy]:7.3f} s{mark}")
    if report:
        from kgmm.trust import infer

        people = infer(read.item, read.contributor, read.value).report().sort("claims", descending=True)
        found["contributors_report"] = people.to_dicts()
        for row in people.iter_rows(named=True):
            lines.append(
                f"{row['contributor']:20} {row['claims']:6} claims, reliability {row['reliability']:.3f}"
                f" ({row['low']:.3f}–{row['high']:.3f}), agreement {row['agreement']:.3f}"
            )
    say(as_json, found, "\n".join(lines))
