"""What commands share: JSON on stdout, progress on a terminal's stderr."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import reduce
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kgmm.errors import StoreError
from kgmm.progress import Progress, silent

if TYPE_CHECKING:
    from kgmm.knowledge import KnowledgeStore

#: types of options: a file that is there, a folder that is there, and where something is or will be
FILE, FOLDER = (click.Path(exists=True, file_okay=f, dir_okay=not f, path_type=Path) for f in (True, False))
PLACE = click.Path(path_type=Path)


class Number(click.FloatRange):
    """A number within bounds; not a number and infinity are in no bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or raise BadParameter if it is none, or out of bounds."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class Whole(click.IntRange):
    """A whole number of at most 31 bits, which is what compiled code takes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or raise BadParameter if it is none, or out of bounds."""
        number = super().convert(value, param, ctx)
        if number >= 1 << 31:
            self.fail(f"{value!r} is too large.", param, ctx)
        return number


#: types of options: how many of something, and a number that may be 0 (a version, what random numbers begin with)
COUNT, WHOLE = Whole(1), Whole(0)

F = TypeVar("F", bound=Callable[..., Any])

#: the time a command looks at; the function takes ``at: str | None``
at_option: Callable[[F], F] = click.option("--at", help="Only what held at this time: 2021, 2021-05, 2021-05-03 …")

#: the option every command has; the function takes ``as_json: bool``
json_option: Callable[[F], F] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of text."
)


def together(*parameters: Callable[[F], F]) -> Callable[[F], F]:
    """Return several arguments and options, which commands share, as one decorator."""
    return lambda command: reduce(lambda made, parameter: parameter(made), reversed(parameters), command)


def emit(document: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, default=str))


def say(as_json: bool, document: Any, text: str) -> None:
    """Print one JSON document on stdout, or the text that says the same."""
    emit(document) if as_json else click.echo(text)


def local(kb: str | Path, version: int | None = None, create: bool = False) -> KnowledgeStore:
    """Open the store in a folder; StoreError if there is none (and none is to be made) or *kb* is an endpoint, which cannot serve here."""
    from kgmm.opening import open
    from kgmm.remote_knowledge import RemoteKnowledge

    store = open(kb, create=create, version=version)
    if isinstance(store, RemoteKnowledge):
        raise StoreError(f"{kb}: this command needs a store in a folder, not an endpoint; load what it needs into one")
    return store


@contextmanager
def only_if_filled(kb: str | Path) -> Iterator[None]:
    """Take a store away again that the block made and left by an error before anything was in it."""
    from kgmm.errors import KgmmError
    from kgmm.store.local import LocalStore

    place = Path(kb).expanduser()
    there = place.exists()
    try:
        yield
    except BaseException:
        if not there and place.is_dir():
            with suppress(KgmmError):
                with LocalStore(place, create=False) as store:
                    empty = not len(store) and len(store.versions()) <= 1
                if empty:
                    shutil.rmtree(place)
        raise


@contextmanager
def progress_bar(unit: str = "bytes") -> Iterator[Progress]:
    """Yield a progress callback that draws on stderr if that is a terminal, with rate and time left."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich import progress as rich
    from rich.console import Console

    counted = (rich.DownloadColumn(), rich.TransferSpeedColumn()) if unit == "bytes" else (rich.MofNCompleteColumn(),)
    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), *counted, rich.TimeRemainingColumn())
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def report(done: int, total: int, what: str) -> None:
            bars.update(task, completed=done, total=total or None, description=what)

        yield report


@contextmanager
def awaited(what: str, after: float = 1.0) -> Iterator[None]:
    """Say on stderr, if that is a terminal, what a user waits for where the block takes more than *after* seconds."""
    timer = Timer(after, lambda: click.echo(f"{what} …", err=True))
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
