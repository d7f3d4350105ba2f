"""The JSON API of a served store."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from kgmm.errors import BadInput
from kgmm.serve.limits import Exact, Json, Turns
from kgmm.serve.service import Service
from kgmm.store import Assertion, Fact

Name = Annotated[str, Query(max_length=500, description="a word, /c/en/dog or an IRI")]
Part = Annotated[str | None, Query(max_length=500)]
At = Annotated[str | None, Query(max_length=40, description="only what held at this time: 2021, 2021-05 …")]
Seeds = Annotated[list[str], Query(max_length=50)]
Restart = Annotated[float, Query(ge=0.01, lt=1)]
By = Annotated[str, Query(pattern="^(weight|walk)$")]
Few = Annotated[int, Query(ge=1, le=20)]
Rows = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=100_000_000)]


class NewFact(BaseModel):
    """A fact to add."""

    model_config = ConfigDict(extra="forbid")

    subject: Annotated[str, Field(min_length=1, max_length=1000)]
    predicate: Annotated[str, Field(min_length=1, max_length=1000)]
    object: Annotated[str, Field(min_length=1, max_length=1000)]
    weight: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    graph: Annotated[str, Field(max_length=200)] = "facts"
    source: Annotated[str, Field(max_length=500)] = ""
    contributor: Annotated[str, Field(max_length=500)] = ""
    valid_from: Annotated[str | None, Field(max_length=40, description="2019, 2019-05, 2019-05-03 …")] = None
    valid_to: Annotated[str | None, Field(max_length=40)] = None
    confidence: Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False)] = None
    polarity: Annotated[int, Field(description="1: it holds, -1: it does not")] = 1
    method: Annotated[str, Field(max_length=100)] = ""
    licence: Annotated[str, Field(max_length=500)] = ""
    text: Annotated[str, Field(max_length=5000)] = ""

    def said(self) -> Fact | Assertion:
        """Return the fact, or what is said of it."""
        fact = Fact(self.subject, self.predicate, self.object, self.weight, self.graph, self.source)
        valid = (self.valid_from, self.valid_to) if self.valid_from or self.valid_to else None
        about: dict[str, Any] = {
            "contributor": self.contributor,
            "method": self.method,
            "licence": self.licence,
            "text": self.text,
        }
        if not any(about.values()) and self.polarity == 1 and valid is None and self.confidence is None:
            return fact
        about["method"] = self.method or "told"
        return Assertion(fact, polarity=self.polarity, confidence=self.confidence, valid=valid, **about)


def routes(service: Service, turns: Turns) -> APIRouter:
    """Return the API's addresses over a store."""
    router = APIRouter(tags=["kgmm"], dependencies=[Depends(Exact())])
    _reading(router, service)
    _graph(router, service, turns)
    _asking(router, service, turns)

    @router.post("/api/facts", summary="Add facts (with --write)", status_code=201)
    def add(facts: Annotated[list[NewFact], Field(min_length=1, max_length=10_000)]) -> Json:
        return service.add([fact.said() for fact in facts])

    @router.delete("/api/facts", summary="Remove a statement (with --write)")
    def remove(
        subject: Name,
        predicate: Name,
        object: Name,
        graph: Part = None,
        all: Annotated[bool, Query(description="let empty parts, ? and - stand for any")] = False,
    ) -> Json:
        return service.remove(subject, predicate, object, graph, all)

    return router


def _reading(router: APIRouter, service: Service) -> None:
    router.get("/health", summary="Whether the store can be read")(service.health)
    router.get("/api/info", summary="Sizes, graphs, relations, version")(service.info)

    @router.get("/api/find", summary="Facts that fit a pattern")
    def find(
        subject: Part = None,
        predicate: Part = None,
        object: Part = None,
        graph: Part = None,
        limit: Rows = 50,
        offset: Offset = 0,
        at: At = None,
    ) -> Json:
        return service.find(subject, predicate, object, graph, limit, offset, at)

    @router.get("/api/assertions", summary="Who says a fact, from what and of which time")
    def assertions(subject: Name, predicate: Name, object: Name, graph: Part = None) -> Json:
        return service.assertions(subject, predicate, object, graph)

    @router.get("/api/concept", summary="A concept and its facts")
    def concept(name: Name, limit: Rows = 50, offset: Offset = 0) -> Json:
        return service.concept(name, limit, offset)

    @router.get("/api/search", summary="Concepts by prefix, then by spelling")
    def search(q: Name, limit: Annotated[int, Query(ge=1, le=50)] = 10) -> list[str]:
        return service.search(q, limit)


def _graph(router: APIRouter, service: Service, turns: Turns) -> None:
    turn = [Depends(turns, scope="function")]

    @router.get("/api/walk", summary="Concepts nearest by random walk with restart", dependencies=turn)
    def walk(
        seed: Seeds,
        k: Rows = 20,
        restart: Restart = 0.15,
        relation: Annotated[list[str] | None, Query(max_length=50)] = None,
        at: At = None,
    ) -> Json:
        return service.walk(seed, k, restart, relation, at)

    @router.get("/api/paths", summary="The best ways between two concepts", dependencies=turn)
    def paths(
        a: Name, b: Name, k: Few = 3, max_length: Annotated[int, Query(ge=1, le=6)] = 4, by: By = "weight"
    ) -> Json:
        return service.paths(a, b, k, max_length, by)

    @router.get("/api/neighborhood", summary="The nearest, strongest facts around concepts", dependencies=turn)
    def neighborhood(seed: Seeds, hops: Annotated[int, Query(ge=1, le=4)] = 1, limit: Rows = 100) -> Json:
        return service.neighborhood(seed, hops, limit)

    @router.get("/api/retrieve", summary="Facts that bear on a sentence", dependencies=turn)
    def retrieve(text: Annotated[str, Query(max_length=2000)], limit: Rows = 20, at: At = None) -> Json:
        return service.retrieve(text, limit, at)

    @router.get("/api/passages", summary="Passages of documents that bear on a question", dependencies=turn)
    def passages(
        text: Annotated[str, Query(max_length=2000)],
        count: Annotated[int, Query(ge=1, le=100)] = 5,
        source: Part = None,
        since: At = None,
        until: At = None,
    ) -> Json:
        return service.passages(text, count, source, since, until)

    @router.get("/api/summarize", summary="A story's keyframes and terms for a logo or term", dependencies=turn)
    def summarize(
        story: Name,
        query: Name,
        frames: Annotated[int, Query(ge=1, le=50)] = 5,
        terms: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> Json:
        found: Json = service.summarize(story, query, frames, terms).to_dict()
        return found


def _asking(router: APIRouter, service: Service, turns: Turns) -> None:
    turn = [Depends(turns, scope="function")]

    @router.post(
        "/api/ask", summary="Answer a question about a picture, a scene or neither, with its trace", dependencies=turn
    )
    async def ask(
        question: Annotated[str, Form(max_length=2000)],
        image: Annotated[UploadFile | None, File(description="a photograph")] = None,
        scene: Annotated[str | None, Form(description="a stored scene's name, or a scene graph as JSON")] = None,
        choice: Annotated[list[str] | None, Form(max_length=50)] = None,
        reasoner: Annotated[str, Form(max_length=40)] = "default",
        at: Annotated[str | None, Form(max_length=40, description="only what held at this time")] = None,
    ) -> Json:
        source = await shown(image, scene)
        name, answer = await run_in_threadpool(service.ask, source, question, choice, reasoner, at)
        about = {"answer": answer.text, "score": answer.score, "alternatives": answer.alternatives}
        return {**about, "trace_id": name, "page": f"/t/{name}", "trace": answer.trace.to_dict()}

    @router.get("/api/trace/{name}", summary="A kept trace")
    def trace(name: str) -> Json:
        return service.trace(name).to_dict()

    @router.get("/api/trace/{name}/verify", summary="Look a kept trace's citations up again", dependencies=turn)
    def verify(name: str) -> Json:
        return service.verify(service.trace(name))


async def shown(image: UploadFile | None, scene: str | None) -> Any:
    """Return the picture's bytes or the scene that a request names, None if neither; BadInput if its scene is no JSON."""
    if image is not None and image.filename:
        return await image.read()
    if not scene or not scene.strip():
        return None
    if not scene.lstrip().startswith("{"):
        return scene.strip()
    try:
        return json.loads(scene)
    except (ValueError, RecursionError) as error:
        raise BadInput("scene", f"not JSON: {error}") from None
