"""What a served store does, as JSON-ready data: one place for the web API, the pages and the MCP tools."""

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from kgmm.errors import BadInput
from kgmm.files import publish
from kgmm.graph import GraphView
from kgmm.knowledge import KnowledgeStore
from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.scene import NO_PICTURE, SceneGraph
from kgmm.scene.images import names_picture, read_image
from kgmm.serve.limits import Json
from kgmm.serve.limits import Limits as Limits
from kgmm.serve.refusals import NotFound
from kgmm.serve.scenes import bundled_scene as bundled_scene
from kgmm.serve.scenes import stored_scene as stored_scene
from kgmm.store import Assertion, Fact
from kgmm.store.facts import ANY, Term
from kgmm.trace import Answer, Trace

T = TypeVar("T")

#: pixels a side of a client's scene, and its boxes
LARGEST = 1_000_000
#: seconds the first call of a kind may take: it compiles
COMPILING = 120.0
#: traces kept for permalinks; the oldest go first
TRACES = 500
_TRACE_ID = re.compile(r"^[0-9a-f]{20}$")


class Service:
    """A store with limits. Safe for many threads; questions are answered one at a time.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("dog", "IsA", "animal")])
        >>> Service(kb).find(subject="dog")["facts"][0]["said"]
        'dog is a kind of animal'
    """

    def __init__(
        self,
        kb: KnowledgeStore,
        limits: Limits | None = None,
        writable: bool = False,
        models: Mapping[str, Path] | None = None,
        perceiver: str = "default",
    ) -> None:
        self.kb: KnowledgeStore = kb
        #: what turns pictures into scenes; the operator's to name
        self.perceiver: str = perceiver
        #: trained models that questions may name, and their folders
        self.models: dict[str, Path] = dict(models or {})
        self.limits: Limits = limits or Limits()
        self.writable: bool = writable
        self.thinking: AbstractContextManager[bool] = threading.Lock()
        self._views: dict[tuple[Any, ...], GraphView] = {}
        self._refreshed = 0.0
        self._renewing = threading.Lock()
        self.started: float = time.time()
        self.compiled: set[str] = set()

    def fresh(self) -> KnowledgeStore:
        """Return the store at its newest version; looked for at most once a second."""
        with self._renewing:
            if time.monotonic() - self._refreshed > 1.0:
                self.kb.refresh()
                self._refreshed = time.monotonic()
        return self.kb

    def timed(self, kind: str, work: Callable[[], T]) -> T:
        """Compute no longer than a request may; the first of a kind compiles, which nothing should break off."""
        first = replace(self.limits, seconds=max(self.limits.seconds, COMPILING))
        done = (self.limits if kind in self.compiled else first).within(work)
        self.compiled.add(kind)
        return done

    def thought(self, kind: str, work: Callable[[], T]) -> T:
        """Compute alone, and no longer than a request may."""
        with self.thinking:
            return self.timed(kind, work)

    def info(self) -> Json:
        """Return sizes, graphs, relations and version."""
        kb = self.fresh()
        relations = sorted(kb.relations().items(), key=lambda pair: (-pair[1], pair[0]))
        about = {"facts": len(kb), "version": kb.version, "writable": self.writable, "graphs": kb.graphs()}
        shown = dict(relations[: self.limits.rows])
        return {**about, "relations": shown, "scenes": self.scenes(), "stories": self.stories()}

    def health(self) -> Json:
        """Return whether the store can be read, and since when this has been running."""
        kb, seconds = self.fresh(), round(time.time() - self.started, 1)
        return {"status": "ok", "version": kb.version, "facts": len(kb), "seconds": seconds}

    def find(
        self,
        subject: Term = None,
        predicate: Term = None,
        object: Term = None,
        graph: Term = None,
        limit: int = 50,
        offset: int = 0,
        at: str | None = None,
    ) -> Json:
        """Return facts that fit a pattern (and held at a time), and how many there are."""
        parts = (subject or None, predicate or None, object or None)
        found = self.fresh().find(*parts, graph=graph or None, at=at or None)
        limit = max(0, min(limit, self.limits.rows))
        return {"total": len(found), "offset": offset, "facts": [stated(f) for f in found[offset : offset + limit]]}

    def concept(self, name: str, limit: int = 50, offset: int = 0) -> Json:
        """Return a concept with the facts it is in.

        Raises:
            NotFound: if the store does not have it; the message names concepts spelled alike.
        """
        kb = self.fresh()
        known = _concept(name)
        if kb.terms.id(known) is None:
            near = ", ".join(names.label(c) for c in self.search(name, 5))
            raise NotFound(f"no concept {name!r}" + (f"; did you mean {near}?" if near else ""))
        said = self.find(subject=known, limit=limit, offset=offset)
        heard = self.find(object=known, limit=limit, offset=offset)
        return {"concept": known, "label": names.label(known), "as_subject": said, "as_object": heard}

    def search(self, text: str, limit: int = 10) -> list[str]:
        """Return concepts whose label begins with a text, then those spelled alike."""
        kb, limit = self.fresh(), max(1, min(limit, 50))
        text = text.strip()[:200]
        if not text:
            return []
        found = kb.search(text, limit)
        if len(found) < limit and len(text) <= 40:
            found += [c for c in kb.near(text, limit) if c not in found]
        return found[:limit]

    def assertions(self, subject: str, predicate: str, object: str, graph: str | None = None) -> Json:
        """Return who says a fact, from what and of which time; and who says that it is none."""
        key = (subject, predicate, object, *([graph] if graph else []))
        said = self.fresh().assertions(key)[: self.limits.rows]
        return {"assertions": [{**asdict(one), "id": one.id} for one in said]}

    def view(self, relations: list[str] | None = None, at: str | None = None) -> GraphView:
        """Return the graph of the store's knowledge (of some relations, at a time); kept while the version stays."""
        kb = self.fresh()
        key = (kb.version, tuple(relations or ()), at or None)
        known = self._views.get(key)
        if known is not None:  # a walk waits for no question
            return known
        with self.thinking:
            if key not in self._views:
                if len(self._views) >= 4 or any(known[0] != kb.version for known in self._views):
                    self._views.clear()
                graphs = kb.knowledge_graphs() or None
                self._views[key] = kb.view(graphs=graphs, relations=relations or None, at=at or None)
            return self._views[key]

    def walk(
        self,
        seeds: list[str],
        k: int = 20,
        restart: float = 0.15,
        relations: list[str] | None = None,
        at: str | None = None,
    ) -> Json:
        """Return the concepts nearest some seeds by random walk with restart."""
        if not seeds:
            raise BadInput("seeds", "at least one concept is needed")
        self.limits.holds("seeds", len(seeds), self.limits.terms)
        view = self.view(relations, at)
        known = [s for s in map(_concept, seeds) if s in view]
        if not known:
            raise NotFound(f"no concept {seeds[0]!r} in the graph")
        k = max(1, min(k, self.limits.rows))
        best = self.timed("walk", lambda: view.walk(known, restart=restart).top(k))
        concepts = [{"concept": c, "label": names.label(c), "score": score} for c, score in best]
        return {"seeds": known, "restart": restart, "concepts": concepts}

    def paths(self, a: str, b: str, k: int = 3, max_length: int = 4, by: str = "weight") -> Json:
        """Return the best ways from one concept to another."""
        view = self.view()
        start, end = ends = _concept(a), _concept(b)
        for concept, said in zip(ends, (a, b), strict=True):
            if concept not in view:
                raise NotFound(f"no concept {said!r} in the graph")
        work = partial(view.paths, start, end, k=max(1, min(k, 20)), max_length=min(max_length, 6), by=by)
        found = self.timed("paths", work)
        paths = [{"said": str(p), "score": p.score, "hops": [asdict(h) for h in p.hops]} for p in found]
        return {"from": start, "to": end, "paths": paths}

    def neighborhood(self, seeds: list[str], hops: int = 1, limit: int = 100) -> Json:
        """Return the nearest, strongest facts around some concepts."""
        kb = self.fresh()
        self.limits.holds("seeds", len(seeds), self.limits.terms)
        known = [i for s in seeds if (i := kb.terms.id(_concept(s))) is not None]
        if not known:
            raise NotFound(f"no concept {seeds[0] if seeds else ''!r}")
        hops, limit = min(hops, 4), min(limit, self.limits.rows)
        c = self.timed("neighborhood", lambda: kb.neighborhood_ids(known, hops=hops, limit=limit))
        columns = [kb.terms.names(ids) for ids in (c.subject, c.predicate, c.object, c.graph)]
        facts = [Fact(s, p, o, float(w), g) for s, p, o, g, w in zip(*columns, c.weight, strict=True)]
        return {"facts": [stated(f) for f in facts]}

    def retrieve(self, text: str, limit: int = 20, at: str | None = None) -> Json:
        """Return the facts that bear on a sentence."""
        self._checked(text)
        limit = max(1, min(limit, self.limits.rows))
        memory = self.thought("retrieve", lambda: self.fresh().retrieve(text, limit=limit, at=at or None))
        facts = [{**stated(m.fact), "score": m.score, "chain": [stated(f) for f in m.chain]} for m in memory]
        return {"text": text, "concepts": [asdict(link) for link in memory.concepts], "facts": facts}

    def passages(
        self, text: str, count: int = 5, source: str | None = None, since: str | None = None, until: str | None = None
    ) -> Json:
        """Return the passages of documents that bear on a question, each with the way that led to it."""
        self._checked(text)
        filters: dict[str, Any] = {"source": source or None, "since": since or None, "until": until or None}
        kept = max(1, min(count, self.limits.rows))
        memory = self.thought("passages", lambda: self.fresh().retrieve(text, passages=kept, **filters))
        return {"text": text, "passages": [passage.to_dict() for passage in memory.passages]}

    def ask(
        self,
        image_or_scene: Any,
        question: str,
        choices: list[str] | None = None,
        reasoner: str = "default",
        at: str | None = None,
    ) -> tuple[str, Answer]:
        """Answer a question about a picture's bytes, a scene or the name of a stored scene; keep the trace.

        Returns:
            The trace's id, for permalinks, and the answer.

        Raises:
            BadInput: if picture, scene or question cannot be read.
            NotFound: if there is no such scene.
        """
        from kgmm.reason import reasoner_names

        self._checked(question, *(choices or ()))
        if reasoner not in (
            known := ["default", *reasoner_names(), *self.models]
        ):  # a folder is the operator's to name
            raise BadInput("reasoner", f"no reasoner {reasoner[:40]!r}; there are: {', '.join(known)}")
        about = self.uploaded(image_or_scene) if isinstance(image_or_scene, bytes) else self.scene(image_or_scene)

        def work() -> Answer:
            by = self.models.get(reasoner, reasoner)
            answer = self.fresh().ask(
                about, question, choices=choices or None, reasoner=by, at=at or None, perceiver=self.perceiver
            )
            answer.trace.verify(self.kb)
            return answer

        answer = self.thought("ask", work)
        return self.keep(answer.trace), answer

    def scene(self, source: Any) -> Any:
        """Return the scene graph of a picture's bytes, of JSON-ready data, of a stored scene's name, or of no picture (None)."""
        if source is None:
            return NO_PICTURE
        if isinstance(source, SceneGraph):
            return source
        if isinstance(source, dict):
            return self._sound(source)
        if isinstance(source, bytes):
            return self.perceive(source)
        if source not in self.scenes():
            raise NotFound(f"no scene {str(source)[:80]!r}")
        return stored_scene(self.kb, source)

    def _sound(self, data: Json) -> SceneGraph:
        """Return a client's scene graph: of an endurable size, of names that name something, without a picture's path."""
        most = self.limits.objects
        for key, times in (("objects", 1), ("relations", 5), ("tags", 1), ("absent", 1)):
            self.limits.holds(f"{key} of a scene", len(_listed(data, key)), times * most)
        scene = replace(SceneGraph.from_dict(data), image=None)
        said = sum(len(_listed(o, key)) for o in data["objects"] for key in ("attributes", "aliases"))
        self.limits.holds("attributes and aliases of a scene", said, 5 * most)
        try:
            json.dumps(scene.to_dict(), ensure_ascii=False, allow_nan=False).encode()
            numbers = [scene.width, scene.height, *(v for o in scene.objects for v in o.box or ())]
            if not all(abs(n) <= LARGEST for n in numbers):
                raise ValueError(f"sizes and boxes are pixels, at most {LARGEST:,}")
            for _, predicate, _, score in scene.facts():
                if not predicate.strip() or not 0 <= score <= 1:
                    raise ValueError("relations have names, and scores lie from 0 to 1")
        except ValueError as error:
            raise BadInput("scene", f"not a scene graph: {error}") from None
        return scene

    def perceive(self, picture: bytes) -> Any:
        """Return the scene graph of an uploaded picture."""
        from kgmm.perceivers import perceive

        kept = self.uploaded(picture)
        return self.thought("perceive", lambda: perceive(kept, perceiver=self.perceiver))

    def uploaded(self, picture: bytes) -> Path:
        """Keep an uploaded picture, for the page as long as the trace, and return its file, named by its contents."""
        self.limits.holds("bytes of a picture", len(picture), self.limits.upload)
        read_image(picture, max_pixels=self.limits.pixels)
        kept = self.kb.cache_dir("uploads") / hashlib.sha256(picture).hexdigest()[:20]
        if not kept.exists():
            publish(kept, picture)
            _prune(kept.parent, "*", TRACES)
        return kept

    def scenes(self) -> list[str]:
        """Return the names of the scenes in the store."""
        return sorted(g.removeprefix("scene/") for g in self.kb.graphs() if g.startswith("scene/"))

    def stories(self) -> list[str]:
        """Return the names of the stories in the store."""
        return sorted(g.removeprefix("story/") for g in self.kb.graphs() if g.startswith("story/"))

    def summarize(self, story: str, query: str, frames: int = 5, terms: int = 10, method: str = "mmss") -> Any:
        """Return the summary of a stored story for a logo or term."""
        if story not in self.stories():
            raise NotFound(f"no story {story[:80]!r}")
        if names_picture(query):
            raise NotFound(f"no logo or term {query[:80]!r}: a picture's path is not read here")
        frames, terms = min(frames, 50), min(terms, 100)
        work = partial(self.fresh().summarize, story, query, frames=frames, terms=terms, method=method)
        return self.thought("summarize", work)

    def keep(self, trace: Trace) -> str:
        """Keep a trace; return its id."""
        text = trace.to_json()
        name = hashlib.sha256(text.encode()).hexdigest()[:20]
        folder = self.kb.cache_dir("traces")
        publish(folder / f"{name}.json", text.encode())
        _prune(folder, "*.json", TRACES)
        return name

    def trace(self, name: str) -> Trace:
        """Return a kept trace; NotFound if there is none of that id (any more)."""
        path = self.kb.cache_dir("traces") / f"{name}.json"
        if not _TRACE_ID.match(name) or not path.is_file():
            raise NotFound(f"no trace {name[:40]!r}; traces are kept for the latest {TRACES} questions")
        found = Trace.from_json(path)
        return self.kb.attach(found) if found.scene is not None else found

    def verify(self, trace: Trace) -> Json:
        """Look every citation of a trace up again."""
        checks = self.timed("verify", lambda: trace.verify(self.fresh()))
        return {"passed": all(c.passed for c in checks), "checks": [asdict(c) for c in checks]}

    def add(self, facts: Sequence[Fact | Assertion]) -> Json:
        """Add facts, or what somebody says of them; PermissionError if the store is served read-only."""
        self._may_change()
        return {"added": self.kb.add(facts), "version": self.kb.version}

    def remove(self, subject: str, predicate: str, object: str, graph: str | None = None, every: bool = False) -> Json:
        """Remove the facts of one statement; with *every*, parts that are empty, ``?`` or ``-`` stand for any.

        Raises:
            PermissionError: if the store is served read-only.
            BadInput: if a part stands for any and *every* is not set.
        """
        self._may_change()
        s, p, o = (None if every and part in ANY else part for part in (subject, predicate, object))
        return {"removed": self.kb.remove(s, p, o, graph=graph), "version": self.kb.version}

    def _may_change(self) -> None:
        if not self.writable:
            raise PermissionError("this store is served read-only; start it with --write")

    def _checked(self, text: str, *choices: str) -> None:
        if not text.strip():
            raise BadInput("question", "it is empty")
        self.limits.holds("choices", len(choices), self.limits.terms)
        for said in (text, *choices):
            self.limits.holds("characters of a text", len(said), self.limits.characters)
        self.limits.holds("words of a text", len(" ".join((text, *choices)).split()), self.limits.words)


def stated(fact: Fact) -> Json:
    """Return a fact as JSON-ready data, with the English it says."""
    return {**asdict(fact), "said": phrase(fact.subject, fact.predicate, fact.object)}


def _concept(name: str) -> str:
    try:
        return names.concept(name)
    except ValueError:
        raise NotFound(f"{name!r} names no concept") from None


def _listed(data: Any, key: str) -> Any:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, list | tuple) else ()


def _prune(folder: Path, pattern: str, most: int) -> None:
    def age(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0

    kept = sorted(folder.glob(pattern), key=age)
    for old in kept[: max(0, len(kept) - most)]:
        old.unlink(missing_ok=True)
