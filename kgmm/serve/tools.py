"""A store as tools for language models, over the Model Context Protocol."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from kgmm import __version__
from kgmm.errors import BadInput, KgmmError, needed
from kgmm.serve.limits import Json, unknown
from kgmm.serve.service import Limits, Service
from kgmm.store import Assertion, Fact

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from kgmm.knowledge import KnowledgeStore

INSTRUCTIONS = """Facts of one knowledge base. Look facts up with find, near concepts with walk, connections with paths, facts
that bear on a sentence with retrieve, passages of documents with passages. ask answers a question about a picture or stored scene and cites its facts;
verify looks the citations of such an answer up again. Concepts may be written as words: "ice cream"."""


Rows = Annotated[int, Field(ge=1, le=1000)]
Text = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(max_length=500)]
Time = Annotated[str | None, Field(max_length=40)]
#: bytes of a message, and what is said of a longer one
LONGEST = 1_000_000
LONG = f"a message may have {LONGEST:,} bytes"
NO_ID = "not a request: its id is a text or a whole number"
#: JSON-RPC's codes
NO_JSON, NO_REQUEST = -32700, -32600


def server(kb: KnowledgeStore, limits: Limits | None = None, writable: bool = False) -> MCPServer[Any]:
    """Return an MCP server with the tools find, walk, paths, retrieve, passages, ask and verify, none of which writes.

    With *writable* there are tell, which adds what a model says as such and nothing else, and assertions.

    Raises:
        MissingExtra: if the ``serve`` extra is not installed.
    """
    with needed("mcp", "serve"):
        from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError

    class StoreServer(MCPServer[Any]):  # type: ignore[misc]
        """A server that answers what it cannot read, and names arguments it does not know."""

        async def call_tool(self, name: str, arguments: Json, *args: Any, **more: Any) -> Any:
            tool = self._tool_manager.get_tool(name)
            if tool is not None:
                unknown(arguments, list(tool.parameters["properties"]), ToolError)
            return await super().call_tool(name, arguments, *args, **more)

        async def run_stdio_async(self) -> None:
            await _talk(self._lowlevel_server)

    service = Service(kb, limits, writable)
    made = StoreServer("kgmm", instructions=INSTRUCTIONS, version=__version__)

    def tool(act: Callable[..., Json]) -> Callable[..., Json]:
        """Offer a function; what we refuse is told the client in one line."""

        @wraps(act)
        def told(*args: Any, **more: Any) -> Json:
            try:
                return act(*args, **more)
            except (KgmmError, ValueError, OSError) as error:
                raise ToolError(" ".join(str(error).split())) from error

        made.tool()(told)
        return told

    @tool
    def find(
        subject: Name | None = None,
        predicate: Name | None = None,
        object: Name | None = None,
        limit: Rows = 20,
        at: Time = None,
    ) -> Json:
        """Return facts by subject, relation (UsedFor, IsA, AtLocation …) and object; leave out what is not known.

        With at ("2021", "2021-05-03") only those that held then.
        """
        return service.find(subject, predicate, object, None, limit, at=at)

    @tool
    def walk(seeds: list[Name], k: Rows = 15, at: Time = None) -> Json:
        """Return the concepts nearest some concepts, by random walk with restart; with at, of what held then."""
        return service.walk(seeds, k, at=at)

    @tool
    def paths(a: Name, b: Name, k: Annotated[int, Field(ge=1, le=20)] = 3) -> Json:
        """Return the best connections between two concepts, fact by fact."""
        return service.paths(a, b, k, 4, "walk")

    @tool
    def retrieve(text: Text, limit: Rows = 20, at: Time = None) -> Json:
        """Return the facts that bear on a sentence, best first; with at, of what held then."""
        return service.retrieve(text, limit, at)

    @tool
    def passages(
        text: Text,
        count: Annotated[int, Field(ge=1, le=50)] = 5,
        source: Name | None = None,
        since: Time = None,
        until: Time = None,
    ) -> Json:
        """Return the passages of documents that bear on a question, best first, with the names that led to each.

        source takes one source or a pattern with *, since and until what is dated so.
        """
        return service.passages(text, count, source, since, until)

    @tool
    def ask(question: Text, image: str | None = None, scene: Name | None = None, at: Time = None) -> Json:
        """Answer a question about a picture (a file's path), a stored scene (its name) or neither, with cited facts.

        With at from what held then.
        """
        source: Any = _picture(image, service) if image else scene
        name, answer = service.ask(source, question, at=at)
        trace = answer.trace.to_dict()
        return {part: trace[part] for part in ("answer", "score", "abstained", "citations")} | {"trace_id": name}

    @tool
    def verify(trace_id: str) -> Json:
        """Look the citations of an answer of ask up again."""
        return service.verify(service.trace(trace_id))

    if writable:
        _telling(tool, service)
    return made


def _telling(tool: Callable[[Callable[..., Json]], Any], service: Service) -> None:
    """Offer the tools of a store that may be told something: what is told says who told it, and takes nothing away."""

    @tool
    def tell(
        subject: Name,
        predicate: Name,
        object: Name,
        contributor: Annotated[str, Field(min_length=1, max_length=500)],
        source: Name = "",
        holds: bool = True,
        valid_from: Time = None,
        valid_to: Time = None,
        confidence: Annotated[float | None, Field(ge=0, le=1)] = None,
        text: Text = "",
    ) -> Json:
        """Add what you were told or read as an assertion: contributor is who says it (you), source the document.

        holds=false says that it does not hold. valid_from and valid_to ("2019", "2019-05-03") say when it did.
        """
        valid = (valid_from, valid_to) if valid_from or valid_to else None
        said = {"valid": valid, "confidence": confidence, "text": text, "method": "told"}
        fact = Fact(subject, predicate, object, source=source)
        return service.add([Assertion(fact, contributor, 1 if holds else -1, **said)])  # type: ignore[arg-type]

    @tool
    def assertions(subject: Name, predicate: Name, object: Name) -> Json:
        """Return who says a fact, from what, of which time; and who says that it is none."""
        return service.assertions(subject, predicate, object)


def _picture(path: str, service: Service) -> bytes:
    """Return the bytes of a picture's file, which the user who started the server names: no device, no pipe, not too large."""
    place = os.path.expanduser(path)
    try:
        # a pipe without a writer is not waited for
        with open(os.open(place, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadInput(place, "not a file")
            data = file.read(service.limits.upload + 1)
    except OSError as error:
        raise BadInput(place, error.strerror or str(error)) from error
    service.limits.holds("bytes of a picture", len(data), service.limits.upload)
    return data


class _Lines:
    """The lines of standard input, as they come; in the place of one that is too long stands what is wrong with it."""

    def __init__(self) -> None:
        self._file: Any = os.fdopen(os.dup(0), "rb")
        with open(os.devnull, "rb") as nothing:  # children read nothing of it
            os.dup2(nothing.fileno(), 0)

    async def __aiter__(self) -> AsyncIterator[str]:
        from anyio import to_thread

        while line := await to_thread.run_sync(self._file.readline, LONGEST + 1, abandon_on_cancel=True):
            text = line.decode(errors="replace") if len(line) <= LONGEST else LONG
            yield NO_ID if _has_odd_id(text) else text
            while len(line) > LONGEST and not line.endswith(b"\n"):
                line = await to_thread.run_sync(self._file.readline, LONGEST + 1, abandon_on_cancel=True)


def _has_odd_id(text: str) -> bool:
    """Tell whether a line is a request whose id is none; it would be taken for a notice, which nobody answers."""
    try:
        said = json.loads(text) if '"id"' in text else None
    except (ValueError, RecursionError):
        return False
    number = said.get("id", 0) if isinstance(said, dict) and "method" in said else 0
    return isinstance(number, bool) or not isinstance(number, str | int)


async def _talk(server: Any) -> None:
    """Serve over standard input and output; lines that are no message are answered with what is wrong."""
    import anyio
    from mcp.server.stdio import stdio_server
    from mcp.shared.message import SessionMessage

    lines: Any = _Lines()
    async with stdio_server(lines) as (read, write), anyio.create_task_group() as tasks:
        passed, messages = anyio.create_memory_object_stream[SessionMessage | Exception](0)

        async def sort_out() -> None:
            async with passed:
                async for message in read:
                    if not isinstance(message, Exception):
                        await passed.send(message)
                    elif (error := _complaint(message)) is not None:
                        await write.send(SessionMessage(error))

        tasks.start_soon(sort_out)
        await server.run(messages, write, server.create_initialization_options())
        tasks.cancel_scope.cancel()


def _complaint(error: Exception) -> Any:
    """Return the answer to a line that is no message; None if it is blank."""
    from mcp_types.jsonrpc import ErrorData, JSONRPCError

    said: Any = error.errors()[0]["input"] if isinstance(error, ValidationError) else ""
    if isinstance(said, str) and not said.strip():
        return None
    code, reason = NO_REQUEST, "not a request: an object with jsonrpc, method and id is expected"
    if isinstance(error, ValidationError) and error.errors()[0]["type"] == "json_invalid":
        code, reason = NO_JSON, error.errors()[0]["msg"]
        if said in (LONG, NO_ID):
            code, reason = NO_REQUEST, said
        try:
            said = json.loads(said)  # half a character is JSON to some
        except (ValueError, RecursionError):
            said = None
    if isinstance(said, list) and not (isinstance(error, ValidationError) and "params" in error.errors()[0]["loc"]):
        reason = "batches are not taken: send one request a line"
    number = said.get("id") if isinstance(said, dict) else None
    known = number if isinstance(number, str | int) and not isinstance(number, bool) else None
    if isinstance(known, str):
        known = known.encode(errors="replace").decode()
    return JSONRPCError(jsonrpc="2.0", id=known, error=ErrorData(code=code, message=reason[:300]))
