"""How a command ends: its exit code, and one line, with ``--json`` one document too, about what went wrong."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from kgmm.errors import BadInput, KgmmError, UnknownConcept

#: exit codes beside 0: failed, interrupted by Ctrl-C, nobody reads on (as the shell names the signal); Click's is 2
FAILED, INTERRUPTED, CLOSED = 1, 130, 141


def nothing(why: Exception | str) -> int:
    """Say on stderr why nothing was found; return the exit code: 1 if an error says so, as for a name nobody knows."""
    click.echo(f"kgmm: {why}", err=True)
    return FAILED if isinstance(why, Exception) else 0


def told(error: Exception | str) -> dict[str, Any]:
    """Return an error as a JSON document: what went wrong in words, and where or about what."""
    document: dict[str, Any] = {"error": " ".join(_message(error).split("\n"))}
    if isinstance(error, BadInput):
        document |= {"file": error.source, "line": error.line}
    if isinstance(error, UnknownConcept):
        document |= {error.kind: error.concept, "near": error.near}
    return document


def ended(run: Callable[[], Any], arguments: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    as_json = "--json" in own
    try:
        return int(run() or 0)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except BrokenPipeError:
        return _closed(CLOSED)
    except click.ClickException as error:
        if as_json:
            return _said(error, as_json, error.exit_code)
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as stop:
        with _deaf():
            return _said("; ".join(("interrupted", *filter(None, map(str, stop.args)))), as_json, INTERRUPTED)
    except UnicodeEncodeError as error:  # bytes of an argument that are no UTF-8
        return _said(f"{str(error.object)[:80]!r} is no text: it is not UTF-8", as_json, FAILED)
    except (KgmmError, OSError, MemoryError) as error:
        return _said(error, as_json, FAILED)
    except Exception as error:
        if "KeyboardInterrupt" not in str(error):  # pydantic's compiled code makes an error of its own of a Ctrl-C
            raise
        with _deaf():
            return _said("interrupted", as_json, INTERRUPTED)


@contextmanager
def _deaf() -> Iterator[None]:
    """Hear no Ctrl-C inside: one may come twice, by Polars' own handler and by Python's."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _said(error: Exception | str, as_json: bool, code: int) -> int:
    """Say what went wrong: on stderr, and as the document that ``--json`` promises."""
    document = told(error)
    try:
        if as_json:
            click.echo(json.dumps(document, ensure_ascii=False))
        click.echo(f"kgmm: {document['error']}", err=True)
    except OSError:  # nobody reads, or the disk is full: the code still tells
        return _closed(code)
    return code


def _message(error: Exception | str) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error) or type(error).__name__


def _closed(code: int) -> int:
    """Let what is still to be written go nowhere, so that the end of the process does not fail on it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code
