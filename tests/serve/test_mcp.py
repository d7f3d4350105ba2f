"""A language model's client finds the tools over standard input and output, and they answer."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

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
    assert heard["tools"] == {"find", "walk", "paths", "retrieve", "ask", "verify"}
    assert heard["find"]["total"] > 2 and heard["walk"]["concepts"][0]["concept"] == "/c/en/spoon"
    assert heard["paths"]["paths"] and heard["retrieve"]["facts"][0]["predicate"] == "UsedFor"
    assert heard["ask"]["answer"] == "no" and heard["ask"]["citations"] and heard["verify"]["passed"]
    assert heard["wrong"].is_error and "no scene" in heard["wrong"].content[0].text
