"""A store as tools for language models, over the Model Context Protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from kgmm.errors import KgmmError, MissingExtra
from kgmm.serve.service import Limits, Service

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from kgmm.knowledge import KnowledgeStore

INSTRUCTIONS = """Facts of one knowledge base. Look facts up with find, near concepts with walk, connections with paths, facts
that bear on a sentence with retrieve. ask answers a question about a picture or stored scene and cites its facts;
verify looks the citations of such an answer up again. Concepts may be written as words: "ice cream"."""


def server(kb: KnowledgeStore, limits: Limits | None = None) -> MCPServer[Any]:
    """Return an MCP server with the tools find, walk, paths, retrieve, ask and verify; none of them writes.

    Raises:
        MissingExtra: if the ``serve`` extra is not installed.
    """
    try:
        from mcp.server import MCPServer
    except ImportError as error:
        raise MissingExtra("mcp", "serve") from error
    from mcp.server.mcpserver.exceptions import ToolError

    service = Service(kb, limits)
    made: MCPServer[Any] = MCPServer("kgmm", instructions=INSTRUCTIONS)

    def tool(act: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        """Offer a function; what we refuse is told the client in one line."""

        @wraps(act)
        def told(*args: Any, **more: Any) -> dict[str, Any]:
            try:
                return act(*args, **more)
            except (KgmmError, ValueError, OSError) as error:
                raise ToolError(" ".join(str(error).split())) from error

        made.tool()(told)
        return told

    @tool
    def find(
        subject: str | None = None, predicate: str | None = None, object: str | None = None, limit: int = 20
    ) -> dict[str, Any]:
        """Return facts by subject, relation (UsedFor, IsA, AtLocation …) and object; leave out what is not known."""
        return service.find(subject, predicate, object, None, limit)

    @tool
    def walk(seeds: list[str], k: int = 15) -> dict[str, Any]:
        """Return the concepts nearest some concepts, by random walk with restart."""
        return service.walk(seeds, k)

    @tool
    def paths(a: str, b: str, k: int = 3) -> dict[str, Any]:
        """Return the best connections between two concepts, fact by fact."""
        return service.paths(a, b, k, 4, "walk")

    @tool
    def retrieve(text: str, limit: int = 20) -> dict[str, Any]:
        """Return the facts that bear on a sentence, best first."""
        return service.retrieve(text, limit)

    @tool
    def ask(question: str, image: str | None = None, scene: str | None = None) -> dict[str, Any]:
        """Answer a question about a picture (a file's path) or a stored scene (its name), with cited facts."""
        source: Any = _picture(image, service) if image else scene or ""
        name, answer = service.ask(source, question)
        trace = answer.trace.to_dict()
        return {
            "answer": answer.text,
            "score": answer.score,
            "abstained": trace["abstained"],
            "citations": trace["citations"],
            "trace_id": name,
        }

    @tool
    def verify(trace_id: str) -> dict[str, Any]:
        """Look the citations of an answer of ask up again."""
        return service.verify(service.trace(trace_id))

    return made


def _picture(path: str, service: Service) -> bytes:
    from pathlib import Path

    from kgmm.errors import BadInput

    place = Path(path).expanduser()
    try:
        if place.stat().st_size > service.limits.upload:
            raise BadInput(place, f"too large, at most {service.limits.upload:,} bytes")
        return place.read_bytes()
    except OSError as error:
        raise BadInput(place, error.strerror or str(error)) from error
