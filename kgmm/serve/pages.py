"""The pages of a served store: rendered here, with a little script for suggestions and dropped pictures."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, File, Form, Query, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from kgmm import bundled
from kgmm.errors import KgmmError
from kgmm.language import names
from kgmm.serve.api import By, Offset, Restart, shown
from kgmm.serve.guard import POLICY
from kgmm.serve.limits import Exact, Turns
from kgmm.serve.refusals import NotFound, refused
from kgmm.serve.service import Service, bundled_scene
from kgmm.templates import templates
from kgmm.trace.page.render import page as trace_page

PAGE = 25
Text = Annotated[str, Query(max_length=2000)]
#: styles a story board carries inline; it runs no script
BOARD = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "script-src 'self'", "script-src 'none'"
)


@cache
def _templates() -> Any:
    made = templates(Path(__file__).with_name("templates"))
    made.trim_blocks, made.filters["quoted"] = True, lambda text: quote(str(text), safe="")
    return made


def page(name: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """Return one page."""
    return HTMLResponse(_templates().get_template(name).render(**shown), status)


def failure(status: int, reason: str) -> HTMLResponse:
    """Return the page that says what went wrong."""
    return page("failure.html", status, title="That did not work", reason=reason, code=status)


def routes(service: Service, turns: Turns, app: FastAPI) -> APIRouter:
    """Return the pages' addresses."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(Exact())])
    _looking(router, service, turns)
    _graph(router, service, turns)
    _asking(router, service, turns)

    @router.get("/favicon.ico")
    def icon() -> FileResponse:
        return FileResponse(Path(__file__).parent / "static/icon.svg", media_type="image/svg+xml")

    @router.get("/docs")
    def docs() -> HTMLResponse:
        acts = [(path, verb, act) for path, verbs in app.openapi()["paths"].items() for verb, act in verbs.items()]
        asked = ([p["name"] for p in act.get("parameters", [])] for _, _, act in acts)
        found = [(v.upper(), path, act.get("summary", ""), p) for (path, v, act), p in zip(acts, asked, strict=True)]
        return page("docs.html", title="API", calls=found)

    return router


def _looking(router: APIRouter, service: Service, turns: Turns) -> None:
    @router.get("/")
    def home() -> HTMLResponse:
        return page("home.html", title="Explore", info=service.info(), photos=_photos(service))

    @router.get("/concept")
    def concept(name: Text = "", offset: Offset = 0) -> HTMLResponse:
        try:
            found = service.concept(name, PAGE, offset)
        except NotFound as error:
            return page("search.html", 404, title=name, query=name, found=service.search(name), reason=str(error))
        return page("concept.html", title=found["label"], found=found, offset=offset, size=PAGE)

    @router.get("/search")
    def search(q: Text = "") -> Any:
        found = service.search(q, 30)
        if len(found) == 1 or (found and names.label(found[0]) == q.strip().lower()):
            return RedirectResponse(f"/concept?name={quote(found[0], safe='')}", 303)
        return page("search.html", title=f"Search: {q}", query=q, found=found, reason="")

    @router.get("/find")
    def find(
        subject: Text = "", predicate: Text = "", object: Text = "", graph: Text = "", offset: Offset = 0
    ) -> HTMLResponse:
        asked = {"subject": subject, "predicate": predicate, "object": object, "graph": graph}
        found = service.find(**asked, limit=PAGE, offset=offset)
        return page("find.html", title="Facts", asked=asked, found=found, offset=offset, size=PAGE)

    @router.get("/retrieve", dependencies=[Depends(turns, scope="function")])
    def retrieve(text: Text = "") -> HTMLResponse:
        found = service.retrieve(text) if text.strip() else None
        passages = service.passages(text)["passages"] if text.strip() else []
        return page("retrieve.html", title="Retrieve", text=text, found=found, passages=passages)


def _graph(router: APIRouter, service: Service, turns: Turns) -> None:
    turn = [Depends(turns, scope="function")]

    @router.get("/walk", dependencies=turn)
    def walk(seed: Text = "", restart: Restart = 0.15) -> HTMLResponse:
        seeds = [s.strip() for s in seed.split(",") if s.strip()]
        found, reason = _tried(lambda: service.walk(seeds, 25, restart)) if seeds else (None, "")
        return page("walk.html", title="Walk", seed=seed, restart=restart, found=found, reason=reason)

    @router.get("/paths", dependencies=turn)
    def paths(a: Text = "", b: Text = "", by: By = "walk") -> HTMLResponse:
        found, reason = _tried(lambda: service.paths(a, b, 5, 4, by)) if a.strip() and b.strip() else (None, "")
        return page("paths.html", title="Paths", a=a, b=b, by=by, found=found, reason=reason)

    @router.get("/query-page")
    def sparql() -> HTMLResponse:
        return page("sparql.html", title="SPARQL")

    @router.get("/stories", dependencies=turn)
    def stories(story: Text = "", query: Text = "") -> Any:
        found, reason = _tried(lambda: service.summarize(story, query)) if story and query else (None, "")
        if found is not None:
            return HTMLResponse(found.to_html(), headers={"content-security-policy": BOARD})
        shown = {"stories": service.stories(), "story": story, "query": query, "reason": reason}
        return page("stories.html", 404 if reason else 200, title="Stories", **shown)


def _asking(router: APIRouter, service: Service, turns: Turns) -> None:
    @router.post("/ask", dependencies=[Depends(turns, scope="function")])
    async def ask(
        question: Annotated[str, Form(max_length=2000)],
        image: Annotated[UploadFile | None, File()] = None,
        scene: Annotated[str | None, Form()] = None,
    ) -> Any:
        source = await shown(image, scene)
        name, _ = await run_in_threadpool(service.ask, source, question)
        return RedirectResponse(f"/t/{name}", 303)

    @router.get("/t/{name}")
    def trace(name: str) -> HTMLResponse:
        text = trace_page(service.trace(name))
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        said = policy[1].replace("&#39;", "'") if policy else "default-src 'none'"
        return HTMLResponse(text, headers={"content-security-policy": f"{said}; frame-ancestors 'none'"})

    @router.get("/photo/{name}")
    def photo(name: str) -> FileResponse:
        if name not in _photos(service):
            raise NotFound(f"no photograph {name[:80]!r}")
        return FileResponse(_photo(name))


def _photos(service: Service) -> list[str]:
    """Return the stored scenes that are bundled ones, and whose photograph is at hand."""
    return [s for s in service.scenes() if bundled_scene(service.kb, s) is not None and _photo(s).is_file()]


def _photo(name: str) -> Path:
    return bundled.folder("graphs") / "photos" / f"{name}.jpg"


def _tried(ask: Any) -> tuple[Any, str]:
    """Return what was found, or None and the reason, for pages that keep their form on the screen."""
    try:
        return ask(), ""
    except (KgmmError, ValueError) as error:
        if refused(error) >= 500:
            raise
        return None, " ".join(str(error).split())[:300]
