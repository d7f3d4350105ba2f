"""A language model's client finds the tools over standard input and output, and they answer."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kgmm import __version__
from kgmm.knowledge import KnowledgeStore

pytest.importorskip("mcp", reason="the mcp package is not installed")
PHOTO = Path(__file__).parents[2] / "graphs/photos/cat.jpg"


async def conversation(kb: str) -> dict[str, Any]:
    from mcp import Client, StdioServerParameters, stdio_client

    parameters = StdioServerParameters(command=sys.executable, args=["-m", "kgmm", "mcp", kb])
    heard: dict[str, Any] = {}
    async with Client(stdio_client(parameters)) as client:
        heard["tools"] = {t.name for t in (await client.list_tools()).tools}
        for name, arguments in (
            ("find", {"subject": "spoon", "predicate": "UsedFor"}),
            ("walk", {"seeds": ["spoon"], "k": 3}),
            ("paths", {"a": "dog", "b": "leash"}),
            ("retrieve", {"text": "what is a spoon used for", "limit": 3}),
            ("ask", {"question": "Can the animal in this picture fly?", "image": str(PHOTO)}),
        ):
            heard[name] = said(await client.call_tool(name, arguments))
        heard["verify"] = said(await client.call_tool("verify", {"trace_id": heard["ask"]["trace_id"]}))
        heard["wrong"] = await client.call_tool("ask", {"question": "What?", "scene": "nowhere"})
    return heard


def said(result: Any) -> Any:
    assert not result.is_error, result.content
    return result.structured_content or json.loads(result.content[0].text)


def test_tools_answer_a_client_in_another_process(bundled_kb: KnowledgeStore) -> None:
    import anyio

    with ThreadPoolExecutor(1) as thread:  # a browser test may have an event loop in this one
        heard = thread.submit(anyio.run, conversation, str(bundled_kb.path)).result()
    assert heard["tools"] == {"find", "walk", "paths", "retrieve", "passages", "ask", "verify"}
    assert heard["find"]["total"] > 2 and heard["walk"]["concepts"][0]["concept"] == "/c/en/spoon"
    assert heard["paths"]["paths"] and heard["retrieve"]["facts"][0]["predicate"] == "UsedFor"
    assert heard["ask"]["answer"] == "no" and heard["ask"]["citations"] and heard["verify"]["passed"]
    assert heard["wrong"].is_error and "no scene" in heard["wrong"].content[0].text


class Line:
    """A client that writes lines, as they come, and reads a reply to each."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process: subprocess.Popen[bytes] = process

    def say(self, line: bytes) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        assert select.select([self.process.stdout], [], [], 60)[0], f"no reply to {line[:80]!r}"
        return json.loads(self.process.stdout.readline())

    def request(self, method: str, **parameters: Any) -> Any:
        return self.say(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode())

    def refused(self, name: str, **arguments: Any) -> str:
        result = self.request("tools/call", name=name, arguments=arguments)["result"]
        assert result["isError"], result
        return str(result["content"][0]["text"])

    def memory(self) -> int:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def line(bundled_kb: KnowledgeStore) -> Iterator[Line]:
    command = [sys.executable, "-m", "kgmm", "mcp", str(bundled_kb.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        client = Line(process)
        who = {"name": "test", "version": "1"}
        told = client.request("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=who)
        assert told["result"]["serverInfo"] == {"name": "kgmm", "version": __version__}
        assert process.stdin is not None
        process.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        yield client
        process.stdin.close()
        assert process.wait(20) == 0


HALF = b'{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"find","arguments":{"subject":"\\ud800"}}}'


@pytest.mark.parametrize(
    ("text", "code", "number"),
    [
        (b"{broken", -32700, None),
        (b'[{"jsonrpc":"2.0","id":7,"method":"ping"}]', -32600, None),
        (HALF, -32700, 8),
        (b"5", -32600, None),
        (b'{"id":9}', -32600, 9),
        (b"[" * 100_000, -32700, None),
        (b'{"jsonrpc":"2.0","id":10,"method":"\xff\xfe"}', -32601, 10),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":1e400,"method":"ping"}', -32600, None),
    ],
    ids=["broken", "batch", "half a character", "number", "no method", "deep", "no UTF-8", "object", "null", "beyond"],
)
def test_a_line_that_is_no_request_is_answered(line: Line, text: bytes, code: int, number: int | None) -> None:
    reply = line.say(text)
    assert (reply["error"]["code"], reply["id"]) == (code, number) and reply["error"]["message"]


def test_arguments_out_of_bounds_and_unknown_ones_are_refused(line: Line) -> None:
    for limit in (-1, 0, 10**9):
        assert "limit" in line.refused("find", subject="spoon", limit=limit)
    assert "did you mean limit?" in line.refused("find", subject="spoon", lmit=3)
    assert "at most" in line.refused("walk", seeds=["dog"] * 100)
    assert "at most" in line.refused("retrieve", text="x " * 900)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read as Linux tells it")
def test_a_line_without_end_fills_no_memory(line: Line) -> None:
    assert line.process.stdin is not None
    before, most = line.memory(), 0
    for _ in range(100):
        line.process.stdin.write(b'"' + b"x" * 1_000_000)
        most = max(most, line.memory() - before)
    reply = line.say(b"")
    assert (reply["error"]["code"], reply["error"]["message"]) == (-32600, "a message may have 1,000,000 bytes")
    assert most < 50_000_000 and "result" in line.request("ping")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read as Linux tells it")
def test_a_picture_is_a_file_and_no_device_or_pipe(line: Line, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large.jpg").open("wb") as large:
        large.truncate(1 << 34)
    before = line.memory()
    for place in ("/dev/zero", str(tmp_path / "pipe"), str(tmp_path), "/nowhere", "a\0b", str(tmp_path / "large.jpg")):
        assert line.refused("ask", question="What is this?", image=place)
    assert line.memory() - before < 100_000_000


def test_with_write_a_model_may_tell_and_change_nothing_else(tmp_path: Path) -> None:
    import anyio

    from kgmm.serve.tools import server

    kb = KnowledgeStore(tmp_path / "kb")
    kb.add(("germany", "CapitalOf", "berlin"), valid=("1990-10-03", None))
    made = server(kb, writable=True)
    told = {"subject": "germany", "predicate": "CapitalOf", "object": "bonn", "contributor": "a model"}

    async def talk() -> tuple[set[str], Any, Any, Any]:
        names = {tool.name for tool in await made.list_tools()}
        await made.call_tool("tell", {**told, "valid_from": "1949", "valid_to": "1990-10-02", "source": "atlas"})
        found = await made.call_tool("find", {"subject": "germany", "at": "1960"})
        who = await made.call_tool("assertions", {name: told[name] for name in ("subject", "predicate", "object")})
        try:
            await made.call_tool("tell", {**told, "valid_from": "someday"})
        except Exception as error:
            return names, found, who, str(error)
        return names, found, who, ""

    with ThreadPoolExecutor(1) as thread:
        names, found, who, wrong = thread.submit(anyio.run, talk).result()
    assert names == {"find", "walk", "paths", "retrieve", "passages", "ask", "verify", "tell", "assertions"}
    assert "bonn" in str(found) and "berlin" not in str(found) and "a model" in str(who) and "no moment" in wrong
    (said,) = kb.assertions(("germany", "CapitalOf", "bonn"))
    assert (said.contributor, said.source, said.method) == ("a model", "atlas", "told")
