"""``kgmm serve`` and ``kgmm mcp``: a store in the browser, for programs, and for language models."""

import socket
from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, PLACE, Number, local
from kgmm.errors import KgmmError, MissingExtra


@click.command()
@click.argument("kb", type=PLACE)
@click.option("--host", default="127.0.0.1", help="Address to listen at; others can reach any but loopback.")
@click.option("--port", default=7860, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--write", is_flag=True, help="Let requests add and remove facts and run SPARQL updates.")
@click.option("--sparql", "only_sparql", is_flag=True, help="Serve the SPARQL 1.1 protocol only, at the root.")
@click.option("--name", multiple=True, help="Further host names requests may be addressed to.")
@click.option(
    "--model", multiple=True, metavar="NAME=FOLDER", help="A trained model that questions may name as reasoner."
)
@click.option("--perceiver", default="default", help="What turns pictures into scenes, such as default+onnx:FILE.")
@click.option("--timeout", default=10.0, type=Number(0.1), help="Seconds a query may take.")
@click.option("--rows", default=1000, type=COUNT, help="Rows of an answer.")
def serve(
    kb: Path,
    host: str,
    port: int,
    write: bool,
    only_sparql: bool,
    name: tuple[str, ...],
    model: tuple[str, ...],
    perceiver: str,
    timeout: float,
    rows: int,
) -> None:
    """Explore KB in the browser; JSON, ConceptNet's web API and SPARQL for programs."""
    try:
        import uvicorn

        from kgmm.serve import sparql
        from kgmm.serve.app import app
        from kgmm.serve.guard import LOOPBACK, Guard
        from kgmm.serve.limits import Limits
        from kgmm.serve.slow_clients import Connection
        from kgmm.serve.warm import warm
    except ImportError as error:
        raise MissingExtra(error.name or "fastapi", "serve") from error
    with local(kb) as store, _listening(host, port) as place:
        served: Any
        models = dict(map(_model, model))
        hosts = frozenset(LOOPBACK | {host} | set(name))
        if only_sparql:
            store.sparql("ASK { ?s ?p ?o }")  # its index is built before anyone waits for it
            served = Guard(sparql.app(store, writable=write, timeout=timeout, limit=rows * 100), hosts)
        else:
            limits = Limits(seconds=timeout, rows=rows)
            served = app(store, writable=write, limits=limits, hosts=hosts, models=models, perceiver=perceiver)
            click.echo("warming up … ", nl=False, err=True)
            click.echo(f"{warm(served.state.service):.1f} s; ", nl=False, err=True)
        quiet: Any = {"ws": "none", "proxy_headers": False, "log_level": "warning", "server_header": False}
        running = uvicorn.Server(uvicorn.Config(served, http=Connection, timeout_graceful_shutdown=5, **quiet))
        _announce(running, kb, host)
        running.run([place])


def _model(said: str) -> tuple[str, Path]:
    """Read NAME=FOLDER."""
    from kgmm.reason.registry import reasoner

    name, _, folder = said.partition("=")
    if not name or not folder:
        raise click.UsageError(f"--model {said}: give NAME=FOLDER")
    reasoner(Path(folder))  # says what is wrong with it
    return name, Path(folder)


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise KgmmError(f"cannot listen at {host}, port {port}: {error.strerror}") from error


def _announce(server: Any, kb: Path, host: str) -> None:
    """Print where it listens once it does."""
    start = server.startup

    async def told(*args: Any, **more: Any) -> None:
        await start(*args, **more)
        if server.servers:
            port = server.servers[0].sockets[0].getsockname()[1]
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"{kb} at http://{shown}:{port}/  (Ctrl-C stops)", err=True)

    server.startup = told


@click.command()
@click.argument("kb", type=PLACE)
@click.option("--write", is_flag=True, help="Let models add what they say, as theirs; they change and remove nothing.")
def mcp(kb: Path, write: bool) -> None:
    """Offer KB to language models as tools: the Model Context Protocol over standard input and output."""
    from kgmm.serve.tools import server

    with local(kb) as store:
        server(store, writable=write).run()
