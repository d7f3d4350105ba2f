"""Many requests at the same time against ``kgmm serve``: errors, latency, memory.

python benchmarks/serve.py KB [--at-once 200] [--seconds 60] [--json]

Starts the server as a process, keeps AT_ONCE requests under way for SECONDS (look-ups, ConceptNet's API, walks, pages,
and questions about a stored scene), and reads the server's resident memory at the start, the middle and the end.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx

CALLS = [
    ("find", "/api/find?subject=dog&limit=20", 8),
    ("conceptnet", "/c/en/dog?limit=20", 8),
    ("query", "/query?start=/c/en/dog&rel=/r/IsA", 6),
    ("search", "/api/search?q=gira", 4),
    ("page", "/concept?name=spoon", 4),
    ("walk", "/api/walk?seed=spoon&k=10", 1),
    ("ask", "", 1),
]


def resident(process: int) -> float:
    """Return a process's resident memory in MiB (Linux)."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", text)
    assert found
    return int(found[1]) / 1024


async def hammer(address: str, at_once: int, seconds: float, process: int) -> dict[str, object]:
    order = [call for call in CALLS for _ in range(call[2])]
    times: dict[str, list[float]] = collections.defaultdict(list)
    errors: collections.Counter[str] = collections.Counter()
    memory: list[float] = []
    end = time.monotonic() + seconds

    async def worker(turn: int) -> None:
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:  # a shared pool would be waited for, too
            await worked(client, turn)

    async def worked(client: httpx.AsyncClient, turn: int) -> None:
        while time.monotonic() < end:
            name, path, _ = order[turn % len(order)]
            turn += 7
            start = time.perf_counter()
            try:
                if name == "ask":
                    data = {"question": "Which object is used for stirring?", "scene": "coffee"}
                    answer = await client.post("/api/ask", data=data)
                else:
                    answer = await client.get(path)
                if answer.status_code >= 400:
                    errors[f"{name} {answer.status_code}"] += 1
            except httpx.HTTPError as error:
                errors[f"{name} {type(error).__name__}"] += 1
            times[name].append(time.perf_counter() - start)

    async def watch() -> None:
        while time.monotonic() < end:
            memory.append(resident(process))
            await asyncio.sleep(seconds / 6)

    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        for name, path, _ in CALLS:  # models load before it counts
            await (
                client.post("/api/ask", data={"question": "What is this?", "scene": "coffee"})
                if name == "ask"
                else client.get(path)
            )
    end = time.monotonic() + seconds
    await asyncio.gather(watch(), *(worker(i) for i in range(at_once)))
    rows = {}
    for name, taken in times.items():
        taken.sort()
        rows[name] = {
            "requests": len(taken),
            "p50_ms": round(1e3 * taken[len(taken) // 2], 1),
            "p99_ms": round(1e3 * taken[int(0.99 * len(taken))], 1),
        }
    total = sum(len(t) for t in times.values())
    return {
        "requests": total,
        "per_second": round(total / seconds, 1),
        "errors": dict(errors),
        "calls": rows,
        "memory_mib": [round(m) for m in memory],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kb")
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    command = [sys.executable, "-m", "kgmm", "serve", options.kb, "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert said
        figures = asyncio.run(hammer(said[0], options.at_once, options.seconds, process.pid))
    finally:
        process.terminate()
        process.wait(20)
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    calls = figures.pop("calls")
    print(figures)
    assert isinstance(calls, dict)
    for name, row in calls.items():
        print(f"{name:12} {row}")


if __name__ == "__main__":
    main()
