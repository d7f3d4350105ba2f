"""The web application of a store: JSON API, ConceptNet's API, SPARQL and pages, behind one guard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from kgmm import __version__
from kgmm.errors import KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.serve import api, cn_routes, pages, sparql
from kgmm.serve.guard import LOOPBACK, Guard
from kgmm.serve.limits import Turns
from kgmm.serve.refusals import refused
from kgmm.serve.service import Limits, Service

ABOUT = """Facts, scenes and stories of one kgmm store: look-up, walks, paths, retrieval, and questions about pictures with
traces whose citations can be looked up again. `/c/…`, `/r/…`, `/a/…`, `/query`, `/related/…`, `/relatedness` and `/uri`
answer as ConceptNet 5's web API does; `/sparql` speaks the SPARQL 1.1 protocol."""


def app(
    kb: KnowledgeStore,
    *,
    writable: bool = False,
    limits: Limits | None = None,
    hosts: frozenset[str] = LOOPBACK,
    models: Mapping[str, Path] | None = None,
    perceiver: str = "default",
) -> FastAPI:
    """Return the application that serves a store.

    Args:
        kb: the store; each request sees its newest version.
        writable: whether facts may be added and removed, and SPARQL updates run.
        limits: what one request may cost.
        hosts: host names requests may be addressed to; ``*`` for any.
        models: names that questions may give for a reasoner, and the folders of the trained models they stand for.
        perceiver: what turns pictures into scenes.

    Example:
        >>> import tempfile, kgmm
        >>> from starlette.testclient import TestClient
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("dog", "IsA", "animal")])
        >>> TestClient(app(kb)).get("/api/find?subject=dog").json()["total"]
        1
    """
    service = Service(kb, limits, writable, models, perceiver)
    places: Any = {"docs_url": None, "redoc_url": None, "openapi_url": "/api/openapi.json"}
    made = FastAPI(title="kgmm", description=ABOUT, version=__version__, **places)
    made.state.service = service
    turns = Turns(service.limits.waiting)
    made.include_router(api.routes(service, turns))
    made.include_router(cn_routes.routes(service, turns))
    made.include_router(pages.routes(service, turns, made))
    made.mount("/static", StaticFiles(packages=[("kgmm.serve", "static")]), name="static")
    most = service.limits
    answer = sparql.endpoint(kb, writable=writable, timeout=most.seconds, limit=most.rows * 100, memory=most.memory)
    for at in ("/sparql", "/sparql/"):  # a POST that is redirected loses its query
        made.add_route(at, answer, methods=sparql.METHODS)
    for kind in (KgmmError, PermissionError, ValueError):  # the last: a text is no name, no number, no character
        made.add_exception_handler(kind, _ours)
    made.add_exception_handler(HTTPException, _http)
    made.add_exception_handler(RequestValidationError, _invalid)
    made.add_middleware(Guard, hosts=hosts, largest=service.limits.upload + 1_000_000)
    return made


async def _ours(request: Request, error: Exception) -> Any:
    return _said(request, refused(error), str(error))


async def _http(request: Request, error: Exception) -> Any:
    assert isinstance(error, HTTPException)
    return _said(request, error.status_code, str(error.detail), error.headers)


async def _invalid(request: Request, error: Exception) -> Any:
    assert isinstance(error, RequestValidationError)
    wrong = [f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors()]
    return _said(request, 422, "; ".join(wrong))


def _said(request: Request, status: int, reason: str, headers: Any = None) -> Any:
    reason = " ".join(reason.split())[:500]
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/"):
        return pages.failure(status, reason)
    return JSONResponse(jsonable_encoder({"error": {"status": status, "details": reason}}), status, headers=headers)
