"""The addresses of ConceptNet's web API."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from kgmm.errors import KgmmError
from kgmm.serve import conceptnet as cn
from kgmm.serve.limits import Exact, Json, Turns
from kgmm.serve.refusals import refused
from kgmm.serve.service import Service

Offset = Annotated[int, Query(ge=0, le=1_000_000, description="edges to pass over")]
Limit = Annotated[int, Query(ge=1, le=1000, description="edges on a page")]


def _answer(ask: Callable[[], Json]) -> JSONResponse:
    try:
        return JSONResponse(ask())
    except cn.NotThere as error:
        return JSONResponse(error.body(), error.status)
    except (KgmmError, ValueError) as error:
        wrong = cn.NotThere(refused(error), " ".join(str(error).split())[:300])
        return JSONResponse(wrong.body(), wrong.status)


def routes(service: Service, turns: Turns) -> APIRouter:
    """Return ConceptNet's addresses over a store."""
    # the original's clients ask for format=json
    router = APIRouter(tags=["ConceptNet"], dependencies=[Depends(Exact("format"))])
    turn = [Depends(turns, scope="function")]
    look = [Depends(Turns(service.limits.waiting, 4), scope="function")]  # look-ups overtake what computes

    @router.get("/c/{uri:path}", summary="Edges around a concept", dependencies=look)
    @router.get("/r/{uri:path}", summary="Edges of a relation", dependencies=look)
    @router.get("/a/{uri:path}", summary="One assertion", dependencies=look)
    @router.get("/d/{uri:path}", summary="Edges of a data set", dependencies=look)
    def lookup(request: Request, uri: str, offset: Offset = 0, limit: Limit = 20) -> JSONResponse:
        path = request.url.path if not uri else f"/{request.url.path[1]}/{uri}"
        return _answer(lambda: cn.lookup(service.fresh(), path.rstrip("/") or path, cn.Page(offset, limit)))

    @router.get("/query", summary="Edges that meet criteria", dependencies=look)
    def query(
        start: str | None = None,
        end: str | None = None,
        node: str | None = None,
        other: str | None = None,
        rel: str | None = None,
        source: str | None = None,
        uri: str | None = None,
        offset: Offset = 0,
        limit: Limit = 20,
    ) -> JSONResponse:
        given = zip(cn.KEYS, (start, end, node, other, rel, source, uri), strict=True)
        criteria = {k: v for k, v in given if v}
        return _answer(lambda: cn.query(service.fresh(), criteria, cn.Page(offset, limit)))

    @router.get("/related/{uri:path}", summary="Terms near in meaning", dependencies=turn)
    def related(uri: str, filter: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> JSONResponse:
        def ask() -> Json:
            service.limits.holds("terms of a list", uri.count(",") + 1, service.limits.terms)
            return service.thought("related", lambda: cn.related(service.fresh(), f"/{uri}", filter, limit))

        return _answer(ask)

    @router.get("/relatedness", summary="How near two terms are in meaning", dependencies=turn)
    def relatedness(node1: str | None = None, node2: str | None = None) -> JSONResponse:
        return _answer(lambda: service.thought("relatedness", lambda: cn.relatedness(node1, node2)))

    @router.get("/uri", summary="The URI of a text")
    @router.get("/normalize", include_in_schema=False)
    def uri(language: str | None = None, text: str | None = None, term: str | None = None) -> JSONResponse:
        return _answer(lambda: cn.standardized(language, text or term))

    return router
