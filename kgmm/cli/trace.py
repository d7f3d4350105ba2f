"""``kgmm trace …``: look at, check and compare traces kept as JSON files."""

import sys
from pathlib import Path

import click

from kgmm.cli.ask import evidence
from kgmm.cli.output import FILE, FOLDER, json_option, local, say
from kgmm.trace import Answer, Trace, reading
from kgmm.trace.diff import diff as compare


@click.group()
def trace() -> None:
    """Look at, check and compare traces (JSON files written by ``kgmm ask --trace``)."""


@trace.command()
@click.argument("file", type=FILE)
@json_option
def show(file: Path, as_json: bool) -> None:
    """Show the answer of FILE with its evidence."""
    found = Trace.from_json(file)
    answer = Answer(found.answer, found.score, found.alternatives, found)
    say(as_json, found.to_dict(), f"{found.question}\n{evidence(answer)}")


@trace.command()
@click.argument("file", type=FILE)
@click.argument("kb", type=FOLDER)
@json_option
def verify(file: Path, kb: Path, as_json: bool) -> None:
    """Look every citation of FILE up again in KB; exit code 1 if a check fails."""
    with local(kb) as store:
        checks = Trace.from_json(file).verify(store)
    lines = [f"{'✓' if c.passed else '✗'} {c.name:8} {c.text}" for c in checks]
    lines.append(f"{sum(c.passed for c in checks)} of {len(checks)} checks passed")
    say(as_json, [{"name": c.name, "passed": c.passed, "text": c.text} for c in checks], "\n".join(lines))
    if not all(c.passed for c in checks):
        sys.exit(1)


@trace.command()
@click.argument("file", type=FILE)
@click.argument("page", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--kb", type=FOLDER, help="Ask this store again for the answers without each fact, and check.")
@json_option
def html(file: Path, page: Path, kb: Path | None, as_json: bool) -> None:
    """Write FILE as the self-contained page PAGE."""
    found = Trace.from_json(file)
    if kb is None:
        found.to_html(page)
    else:
        then = found.store_version if str(kb.absolute()) == found.store else None
        with local(kb, then) as store:
            store.attach(found).to_html(page)
    say(as_json, {"page": str(page), "bytes": page.stat().st_size}, str(page))


@trace.command()
@click.argument("first", type=FILE)
@click.argument("second", type=FILE)
@json_option
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Say what differs between two traces of a question, and why."""
    found = compare(Trace.from_json(first), Trace.from_json(second))
    say(as_json, found.to_dict(), str(found))


@trace.command()
@json_option
def schema(as_json: bool) -> None:
    """Print the JSON schema of traces."""
    say(as_json, reading.schema(), reading.SCHEMA_FILE.read_text(encoding="utf-8").rstrip())
