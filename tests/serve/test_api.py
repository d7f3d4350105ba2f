"""The JSON API: the same objects as in Python, clear refusals, nothing written unless allowed."""

from __future__ import annotations

import asyncio
import io
import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from PIL import Image
from starlette.testclient import TestClient

import kgmm
from kgmm.serve.app import app
from kgmm.serve.service import Limits, Service

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "graphs/photos/astronaut.jpg"


def test_facts_are_found_and_counted(client: TestClient) -> None:
    found = client.get("/api/find", params={"subject": "spoon", "predicate": "UsedFor", "limit": 2}).json()
    assert found["total"] > 2 and len(found["facts"]) == 2
    assert found["facts"][0]["said"].startswith("spoon is used for")


def test_an_unknown_concept_is_404_with_what_is_spelled_alike(client: TestClient) -> None:
    answer = client.get("/api/concept", params={"name": "girafe"})
    assert answer.status_code == 404 and "giraffe" in answer.json()["error"]["details"]


def test_search_tolerates_spelling(client: TestClient) -> None:
    assert "/c/en/giraffe" in client.get("/api/search", params={"q": "girafe"}).json()


def test_walk_paths_neighborhood_and_retrieve(client: TestClient) -> None:
    walk = client.get("/api/walk", params={"seed": ["spoon"], "k": 3}).json()["concepts"]
    assert walk[0]["concept"] == "/c/en/spoon" and walk[0]["score"] > walk[1]["score"]
    paths = client.get("/api/paths", params={"a": "dog", "b": "leash"}).json()["paths"]
    assert paths and paths[0]["hops"][-1]["target"] == "/c/en/leash"
    assert len(client.get("/api/neighborhood", params={"seed": "dog", "limit": 5}).json()["facts"]) == 5
    memory = client.get("/api/retrieve", params={"text": "what is a spoon used for", "limit": 3}).json()
    assert memory["facts"][0]["predicate"] == "UsedFor"


def test_paths_say_which_way_each_statement_reads(client: TestClient) -> None:
    """Between these two, some statements hold both ways round."""
    asked = {"a": "dog", "b": "spoon", "k": 20, "max_length": 6}
    for by in ("weight", "walk"):
        answer = client.get("/api/paths", params={**asked, "by": by})
        assert answer.status_code == 200, answer.text
        hops = [hop for path in answer.json()["paths"] for hop in path["hops"]]
        assert {hop["forward"] for hop in hops} == {True, False}


def test_two_hundred_questions_may_wait_and_no_more_than_allowed(bundled_kb: kgmm.knowledge.KnowledgeStore) -> None:
    async def asked(waiting: int, count: int) -> list[int]:
        served = app(bundled_kb, limits=Limits(waiting=waiting))
        transport = httpx.ASGITransport(app=served)
        data = {"question": "Which object is used for stirring?", "scene": "coffee"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as many:
            answers = await asyncio.gather(*(many.post("/api/ask", data=data) for _ in range(count)))
        assert all("retry-after" in a.headers for a in answers if a.status_code == 503)
        return sorted(a.status_code for a in answers)

    assert asyncio.run(asked(2, 5)) == [200, 200, 200, 503, 503]
    assert Limits().waiting >= 200


def test_a_photograph_is_answered_and_its_trace_kept_and_verified(client: TestClient) -> None:
    answer = client.post(
        "/api/ask", data={"question": "Which object protects the head?"}, files={"image": ("a.jpg", PHOTO.read_bytes())}
    ).json()
    assert answer["answer"] == "helmet" and answer["trace"]["citations"]
    again = client.get(f"/api/trace/{answer['trace_id']}").json()
    assert again["answer"] == "helmet"
    assert client.get(f"/api/trace/{answer['trace_id']}/verify").json()["passed"]
    page = client.get(answer["page"])
    assert "script-src 'sha256-" in page.headers["content-security-policy"] and "helmet" in page.text


def test_a_model_that_the_operator_names_answers_and_no_other_folder(bundled_kb: kgmm.KnowledgeStore) -> None:
    from kgmm.reason.ranking.network import WEIGHTS

    client = TestClient(app(bundled_kb, models={"ours": WEIGHTS}))
    asked = {
        "question": "Which object is used for stirring?",
        "scene": '{"id": "s", "objects": [{"id": "a", "name": "spoon"}]}',
    }
    assert client.post("/api/ask", data={**asked, "reasoner": "ours"}).json()["trace"]["folder"] == str(WEIGHTS)
    refused = client.post("/api/ask", data={**asked, "reasoner": str(WEIGHTS)})
    assert refused.status_code == 400 and "ours" in refused.json()["error"]["details"]


def test_pictures_are_perceived_as_the_operator_says(bundled_kb: kgmm.KnowledgeStore) -> None:
    picture, file = Image.new("RGB", (64, 64), "white"), io.BytesIO()
    picture.paste("red", (16, 16, 48, 48))
    picture.save(file, "PNG")
    client = TestClient(app(bundled_kb, perceiver="shapes"))
    asked, image = {"question": "What is this?"}, {"image": ("x.png", file.getvalue())}
    scene = client.post("/api/ask", data=asked, files=image).json()["trace"]["scene"]
    assert [(o["name"], o["attributes"]) for o in scene["objects"]] == [("rectangle", ["red"])]


def test_a_question_without_a_picture_is_answered(client: TestClient) -> None:
    answer = client.post("/api/ask", data={"question": "Can a penguin fly?"}).json()
    assert answer["answer"] == "no" and client.get(answer["page"]).status_code == 200


def test_a_stored_scene_and_one_as_json_are_answered(client: TestClient) -> None:
    data = {"question": "Which object is used for stirring?"}
    assert client.post("/api/ask", data={**data, "scene": "coffee"}).json()["answer"] == "spoon"
    scene = '{"id": "s", "objects": [{"id": "a", "name": "spoon"}, {"id": "b", "name": "plate"}]}'
    assert client.post("/api/ask", data={**data, "scene": scene}).json()["answer"] == "spoon"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"question": " ", "scene": "cat"}, "empty"),
        ({"question": "What?", "scene": "nowhere"}, "no scene"),
        ({"question": "What?", "scene": "{broken"}, "not JSON"),
        ({"question": "What?", "scene": '{"id": 1}'}, "not a scene"),
        ({"question": "x" * 3000, "scene": "cat"}, "2000"),
        ({"question": "What?", "scene": "cat", "reasoner": "oracle"}, "no reasoner"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(client: TestClient, data: dict[str, str], said: str) -> None:
    answer = client.post("/api/ask", data=data)
    assert 400 <= answer.status_code < 500 and said in answer.json()["error"]["details"]


def test_no_picture_a_broken_one_and_a_huge_one_are_refused_in_under_a_second(client: TestClient) -> None:
    big = b"\x89PNG\r\n\x1a\n" + b"".join(
        len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(4, "big")
        for k, d in (
            (b"IHDR", (10_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"),
            (b"IDAT", zlib.compress(b"\0" * 30_001 * 100, 9)),
            (b"IEND", b""),
        )
    )
    frames = [Image.new("P", (9000, 9000)) for _ in range(2)]
    animated = io.BytesIO()
    frames[0].save(animated, "GIF", save_all=True, append_images=frames[1:])
    for content in (b"no picture", PHOTO.read_bytes()[:400], big, animated.getvalue()):
        start = time.perf_counter()
        answer = client.post("/api/ask", data={"question": "What is this?"}, files={"image": ("x.png", content)})
        assert answer.status_code == 400, answer.text
        assert time.perf_counter() - start < 1.0


def test_a_body_over_the_limit_is_refused(bundled_kb: kgmm.knowledge.KnowledgeStore) -> None:
    small = TestClient(app(bundled_kb, limits=Limits(upload=1000)))
    answer = small.post("/api/ask", data={"question": "?"}, files={"image": ("a.jpg", b"x" * 2_000_000)})
    assert answer.status_code == 413
    form = {"content-type": "multipart/form-data; boundary=b"}
    start = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    chunked = small.post("/api/ask", content=iter([start, *[b"x" * 100_000] * 20]), headers=form)
    assert chunked.status_code in (400, 413)


def test_security_headers_are_on_every_answer(client: TestClient) -> None:
    for path in ("/", "/api/info", "/nothing", "/static/style.css", "/c/en/dog"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff" and "content-security-policy" in headers
        assert "unsafe-inline" not in headers["content-security-policy"]


def test_other_hosts_and_other_sites_are_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421
    asked = {"question": "What is this?", "scene": "cat"}
    assert client.post("/api/ask", data=asked, headers={"origin": "http://evil.example"}).status_code == 403
    assert client.post("/api/ask", data=asked, headers={"origin": "null"}).status_code == 403


def test_a_store_is_read_only_unless_it_may_be_written(tmp_path: Path) -> None:
    fact = {"subject": "dog", "predicate": "IsA", "object": "animal"}
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("cat", "IsA", "animal")])
        closed, opened = TestClient(app(kb)), TestClient(app(kb, writable=True))
        assert closed.post("/api/facts", json=[fact]).status_code == 403 and len(kb) == 1
        assert closed.delete("/api/facts", params=fact).status_code == 403
        assert closed.post("/sparql/", data={"update": "DELETE WHERE {?s ?p ?o}"}).status_code == 403 and len(kb) == 1
        assert opened.post("/api/facts", json=[fact]).json()["added"] == 1 and len(kb) == 2
        assert opened.delete("/api/facts", params=fact).json()["removed"] == 1 and len(kb) == 1


def test_a_walk_waits_for_no_question(bundled_kb: kgmm.knowledge.KnowledgeStore) -> None:
    service = Service(bundled_kb)
    before = service.walk(["spoon"], 5)
    with service.thinking, ThreadPoolExecutor(1) as other:
        assert other.submit(service.walk, ["spoon"], 5).result(10) == before


def test_another_process_s_changes_are_seen(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb, kgmm.open(tmp_path / "kb") as writer:
        served = TestClient(app(kb))
        assert served.get("/health").json()["facts"] == 0
        writer.add([("cat", "IsA", "animal")])
        time.sleep(1.1)
        assert served.get("/health").json()["facts"] == 1


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "{% raw %}",
    "‮gnp.exe",
    "\u0000",
    "a" * 20_000,
    "'; DROP TABLE facts; --",
    "../../etc/passwd",
    "%00",
    "${jndi:ldap://x}",
    "🐈‍⬛" * 50,
    "\r\nSet-Cookie: a=b",
    "javascript:alert(1)",
    "/c/en/<b>",
    "http://[::1",
    '"""',
    "} UNION { ?s ?p ?o",
    "\ud7ff",
    "-1",
    "1e999",
    "NaN",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_executes_nothing_and_breaks_nothing(client: TestClient, text: str) -> None:
    for path, key in (
        ("/concept", "name"),
        ("/search", "q"),
        ("/find", "subject"),
        ("/walk", "seed"),
        ("/paths", "a"),
        ("/retrieve", "text"),
        ("/stories", "query"),
        ("/api/find", "object"),
        ("/api/walk", "seed"),
        ("/query", "node"),
        ("/uri", "text"),
        ("/related/c/en/x", "filter"),
    ):
        answer = client.get(path, params={key: text, "language": "en", "b": "dog"}, headers={"accept": "text/html"})
        assert answer.status_code < 500, (path, answer.text[:200])
        if "html" in answer.headers.get("content-type", ""):
            assert (
                "<script>alert" not in answer.text and "<img src=x" not in answer.text and "49" not in answer.text[:40]
            )


def five_hundred() -> list[str]:
    import random

    draw = random.Random(0)
    words = [
        "cat",
        "What is this?",
        "spoon UsedFor",
        "</td>",
        "&amp;",
        "<svg/onload=alert(1)>",
        "\\",
        "{{config}}",
        "\u202e",
        "\x1b[31m",
    ]
    pieces = [*(h[:2000] for h in HOSTILE), *words]
    return ["".join(draw.choices(pieces, k=draw.randint(1, 4))) for _ in range(500)]


def test_five_hundred_hostile_questions_labels_file_names_and_queries(client: TestClient) -> None:
    photo = PHOTO.read_bytes()[:300]
    for n, text in enumerate(five_hundred()):
        plain = text.encode("utf-8", "replace").decode()
        if n % 5 == 0:
            scene = json.dumps({"id": "s", "objects": [{"id": "a", "name": plain}, {"id": "b", "name": "cup"}]})
            answer = client.post("/api/ask", data={"question": plain[:1900], "scene": scene})
            if answer.status_code == 200:
                page = client.get(answer.json()["page"]).text
                assert "<svg/onload" not in page and "<script>alert" not in page and "<img src=x" not in page
        elif n % 5 == 1:
            answer = client.post(
                "/api/ask", data={"question": "?"}, files={"image": (plain.replace("\x00", ""), photo)}
            )
        elif n % 5 == 2:
            answer = client.post(
                "/sparql/", content=plain.encode(), headers={"content-type": "application/sparql-query"}
            )
        else:
            path = "/concept" if n % 5 == 3 else "/find"
            key = "name" if n % 5 == 3 else "object"
            answer = client.get(path, params={key: plain[:5000]}, headers={"accept": "text/html"})
            assert "<svg/onload" not in answer.text and "<script>alert" not in answer.text
        assert answer.status_code < 500, (n, text[:200], answer.text[:300])


def test_what_is_said_of_facts_and_when_they_held(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb, TestClient(app(kb, writable=True), base_url="http://localhost") as client:  # type: ignore[arg-type]
        fact = {"subject": "germany", "predicate": "CapitalOf"}
        bonn = {**fact, "object": "bonn", "contributor": "ann", "valid_from": "1949", "valid_to": "1990-10-02"}
        assert client.post("/api/facts", json=[bonn, {**fact, "object": "berlin"}]).json()["added"] == 2
        found = client.get("/api/find", params={"subject": "germany", "at": "2000"}).json()
        assert [one["object"] for one in found["facts"]] == ["/c/en/berlin"]
        said = client.get("/api/assertions", params={**fact, "object": "bonn"}).json()["assertions"]
        assert [(one["contributor"], one["valid"]) for one in said] == [("ann", ["1949", "1990-10-02"])]
        walked = client.get("/api/walk", params={"seed": ["germany"], "at": "2000"}).json()["concepts"]
        assert "/c/en/bonn" not in {one["concept"] for one in walked}
        wrong = client.get("/api/find", params={"subject": "germany", "at": "someday"})
        assert wrong.status_code == 400 and "no moment" in wrong.text
        assert client.post("/api/facts", json=[{**bonn, "polarity": 7}]).status_code == 400
