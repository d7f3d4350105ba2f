"""Generated and hostile requests against ``kgmm serve --write``: statuses, the slowest, memory before and after.

python benchmarks/hostile.py KB [--generated 2000] [--hostile 500] [--slow 100] [--at-once 4] [--json]

KB is copied, and the server started on the copy. Generated requests name what a store may have, in every combination of
parameters; hostile ones are large, deep, mistyped, half a character, paths, floods of a SPARQL query's memory and time.
SLOW connections that send a byte a second are held open meanwhile. Exit code 1 if a request got 5xx or no answer.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

TEXTS = [
    "dog",
    "spoon",
    "/c/en/person",
    "ice cream",
    "http://conceptnet.io/c/en/knife",
    "",
    "-",
    "?",
    "/",
    "gira",
    "IsA",
]
TEXTS += [
    "/r/UsedFor",
    "/c/en",
    "what is a spoon used for",
    "coffee",
    "commonsense",
    "scene/coffee",
    "default",
    "0",
    "-1",
]
BAD = ["\0", "a" * 3000, "../../etc/passwd", "/etc/passwd", "%00", "1e999", "NaN", "💥" * 300, "_:", '"', '"x"^^']
BAD += [
    "http://[::1",
    "\r\nX: y",
    "<script>",
    "{{7*7}}",
    "/c//",
    "10" * 40,
    "}{",
    "[" * 999,
    "/dev/zero",
    "\u202e",
    "file:///etc",
]
GETS = {
    "/api/find": "subject predicate object graph limit offset",
    "/api/concept": "name limit offset",
    "/api/search": "q limit",
    "/api/walk": "seed k restart relation",
    "/api/paths": "a b k max_length by",
    "/api/neighborhood": "seed hops limit",
    "/api/retrieve": "text limit",
    "/api/summarize": "story query frames terms",
    "/query": "start end node other rel source uri offset limit",
    "/relatedness": "node1 node2",
    "/uri": "language text term",
    "/sparql": "query default-graph-uri named-graph-uri",
    "/concept": "name offset",
    "/find": "subject predicate object graph offset",
    "/walk": "seed restart",
    "/paths": "a b by",
    "/retrieve": "text",
    "/stories": "story query",
}
LOOKED_UP = [
    "/c/",
    "/r/",
    "/a/",
    "/d/",
    "/related/c/",
    "/related/list/en/",
    "/api/trace/",
    "/t/",
    "/photo/",
    "/static/",
]
SPARQL = [
    "ASK {?s ?p ?o}",
    "SELECT * {?a ?b ?c . ?d ?e ?f . ?g ?h ?i}",
    "SELECT DISTINCT ?a ?b ?c ?d {?a ?p ?b . ?c ?q ?d}",
    "SELECT (COUNT(*) AS ?n) {?a ?p ?b . ?c ?q ?d . ?e ?r ?f}",
    "SELECT * {?s (<urn:a>|!<urn:a>)* ?o}",
    "SELECT * FROM <file:///etc/passwd> {?s ?p ?o}",
    "SELECT {" * 500,
    "CONSTRUCT {?s ?p ?o} {?s ?p ?o}",
]


def generated(draw: random.Random) -> dict[str, Any]:
    """Return a request whose parameters are there, and some of whose values are, too."""
    if draw.random() < 0.2:
        return {"url": draw.choice(LOOKED_UP) + draw.choice(["en/dog", "IsA", *TEXTS]), "params": {"limit": "3"}}
    path = draw.choice(list(GETS))
    names = GETS[path].split()
    number = ("limit", "offset", "k", "hops", "frames", "terms", "restart", "max_length")
    values = {n: draw.choice(["1", "3", "0.5", "0"] if n in number else TEXTS) for n in names if draw.random() < 0.6}
    return {"url": path, "params": values | ({"query": draw.choice(SPARQL[:1])} if path == "/sparql" else {})}


def scene(draw: random.Random) -> str:
    """Return a scene that is hardly one."""
    if draw.random() < 0.1:
        return draw.choice(['{"id":' * 5000, '{"a":' + "[" * 50_000, "{}", "[]", "{broken", '{"id": 1, "objects": 5}'])
    odd: list[Any] = ["", "/", "cup", "\ud800", "x" * 500, 10**30, -1, 1e308, float("nan"), None, [], {}, "/etc/passwd"]
    things = [{"id": str(i), "name": "cup"} for i in range(draw.choice([1, 3, 150, 5000]))]
    for key in draw.sample(["name", "score", "box", "attributes", "aliases"], 2):
        things[0][key] = draw.choice([*odd, [draw.choice(odd)] * draw.choice([1, 4, 500])])
    more = {k: draw.choice([*odd, [["", 1]], [[1, 2]]]) for k in draw.sample(["height", "width", "image", "tags"], 2)}
    return json.dumps({"id": draw.choice(["s", "", "../x", 7]), "objects": things, **more})


def hostile(draw: random.Random) -> dict[str, Any]:
    """Return a request made to break, to fill or to hold up a server."""
    kind = draw.randrange(8)
    if kind == 0:
        path = draw.choice(list(GETS))
        return {"url": path, "params": {n: draw.choice(BAD) for n in GETS[path].split() if draw.random() < 0.7}}
    if kind == 1:
        return {"url": draw.choice(LOOKED_UP) + draw.choice([*BAD[3:], ",".join(f"w{i}" for i in range(1500))])}
    if kind in (2, 3):
        words = " ".join(draw.choices(["spoon", "dog", "knife", "zqx", "which", "used"], k=400))[:1999]
        asked = draw.choice(["Which object is used for stirring?", words, *BAD])
        more = draw.choice([{}, {"reasoner": "/tmp"}, {"choice": BAD}, {"choices": "x"}])
        return {"url": draw.choice(["/api/ask", "/ask"]), "data": {"question": asked, "scene": scene(draw), **more}}
    if kind == 4:
        return {
            "url": "/sparql",
            "data": {draw.choice(["query", "query", "update", "qery"]): draw.choice([*SPARQL, *BAD])},
        }
    if kind == 5:
        fact = {k: draw.choice([*BAD, *TEXTS, 1, None]) for k in ("subject", "predicate", "object", "weight", "graph")}
        body = draw.choice([json.dumps([fact] * draw.choice([1, 20_000])), "[" * 100_000, "5", '"\\ud800"', ""])
        return {"url": "/api/facts", "content": body, "headers": {"content-type": "application/json"}}
    if kind == 6:
        return {
            "url": "/api/facts",
            "params": {k: draw.choice(BAD + TEXTS) for k in ("subject", "predicate", "object")},
        }
    picture = draw.choice([b"", b"\xff\xd8\xff" * 1000, b"\x89PNG\r\n\x1a\n" + bytes(1000), bytes(25_000_000)])
    return {"url": "/api/ask", "data": {"question": "What?"}, "files": {"image": (draw.choice(BAD[2:9]), picture)}}


def sent(client: httpx.Client, request: dict[str, Any]) -> tuple[str, float, str]:
    """Send a request; return its status or failure, its seconds, and what was asked."""
    request = dict(request)
    method = (
        "POST" if {"data", "content", "files"} & set(request) else "DELETE" if request["url"] == "/api/facts" else "GET"
    )
    start, asked = time.perf_counter(), f"{method} {request}"
    try:
        status = str(client.request(method, request.pop("url"), **request).status_code)
    except (httpx.InvalidURL, UnicodeError):
        status = "unsendable"
    except httpx.HTTPError as error:
        status = type(error).__name__
    return status, time.perf_counter() - start, asked[:160]


def memory(process: int) -> float:
    """Return the MiB that a process and its children hold for themselves (Linux)."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    found = [re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{p}/status").read_text()) for p in (process, *children)]
    return sum(int(f[1]) for f in found if f) / 1024


def hold(address: httpx.URL, count: int, over: threading.Event) -> None:
    """Keep connections open that send a byte a second."""
    while not over.is_set():
        held = [socket.create_connection((address.host, address.port or 80)) for _ in range(count)]
        while held and not over.wait(1):
            for one in list(held):
                try:
                    one.sendall(b"G")
                except OSError:
                    held.remove(one)
        for one in held:
            one.close()


def run(kb: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Serve a copy of a store and send it everything."""
    draw = random.Random(options.seed)
    requests = [generated(draw) for _ in range(options.generated)] + [hostile(draw) for _ in range(options.hostile)]
    draw.shuffle(requests)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(kb, Path(folder) / "kb")
        command = [sys.executable, "-m", "kgmm", "serve", f"{folder}/kb", "--port", "0", "--write"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            said = server.stderr.readline()
            threading.Thread(target=server.stderr.read, daemon=True).start()
            found = re.search(r"http://[\d.]+:\d+", said)
            assert found, said
            over = threading.Event()
            with (
                httpx.Client(base_url=found[0], timeout=120) as client,
                ThreadPoolExecutor(options.at_once + 1) as pool,
            ):
                slow = pool.submit(hold, httpx.URL(found[0]), options.slow, over)
                before, start = memory(server.pid), time.monotonic()
                half = len(requests) // 2
                try:
                    answers = list(pool.map(lambda r: sent(client, r), requests[:half]))
                    middle = memory(server.pid)
                    answers += pool.map(lambda r: sent(client, r), requests[half:])
                finally:
                    over.set()
                slow.result()
                seconds, after = time.monotonic() - start, memory(server.pid)
            server.terminate()
    slowest = sorted(answers, key=lambda a: -a[1])[:5]
    failed = [a for a in answers if a[0] != "unsendable" and not ("200" <= a[0] < "500")]
    return {
        "statuses": dict(collections.Counter(a[0] for a in answers).most_common()),
        "failed": failed[:20],
        "slowest": [(status, round(took, 2), asked) for status, took, asked in slowest],
        "seconds": round(seconds, 1),
        "memory_mib": [round(m) for m in (before, middle, after)],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kb", type=Path)
    parser.add_argument("--generated", type=int, default=2000)
    parser.add_argument("--hostile", type=int, default=500)
    parser.add_argument("--slow", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = run(options.kb, options)
    print(json.dumps(found) if options.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
