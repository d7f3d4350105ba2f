"""Methods that have learned: their weights, their judgement of a film, and what of the request was behind it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.text import text_encoder
from kgmm.errors import BadInput, UnknownConcept
from kgmm.language.words import content, lemmas
from kgmm.progress import Progress, silent
from kgmm.stories.footage.footage import Footage
from kgmm.stories.skimming.request import Judged, Reason, Request
from kgmm.stories.skimming.tensors import SEEN, SHOWN, film_tensors, name_vectors, sharpened, spoken
from kgmm.stories.skimming.wanted import Wanted

if TYPE_CHECKING:
    from kgmm.nn.film import FilmJudgement, FilmNetwork, FilmTensors

SHIPPED = Path(__file__).parents[2] / "weights"
FEW = 3  #: concepts or words of a reason at most
NEARLY = 0.3  #: likeness of what is said to the query's words from which on it is told as a reason


def network(request: Request, method: str) -> tuple[FilmNetwork, tuple[str, ...]]:
    """Return the network of a method, from the request's weights or those that ship, and its concepts' names.

    Raises:
        BadInput: if there are no such weights.
    """
    from kgmm.nn.film_networks import load_film_network

    folder = request.weights or SHIPPED / f"skim-{method}"
    if request.weights is None and not folder.is_dir():
        raise BadInput(
            method,
            f"no weights come with it; make them with: kgmm train skim DATA --method {method} --out DIR, "
            "and give them: --weights DIR",
        )
    return load_film_network(folder, method)


def judged(request: Request, method: str, *, titled: bool = False, progress: Progress = silent) -> list[Judged]:
    """Return what a learned method makes of each film; *titled* ones look at its title, and at a query as at one.

    Raises:
        UnknownConcept: if the query names no concept that can be seen, and nothing in the films is said near it.
    """
    learned, names = network(request, method)
    wanted = request.wanted if request.query else None
    title = request.title if titled else None
    films = [film_tensors(footage, wanted=wanted, title=title, concepts=names) for footage in request.footage]
    if wanted is not None:
        _must_be_known(wanted, films)
    made = []
    for number, (footage, film) in enumerate(zip(request.footage, films, strict=True)):
        found = learned.judge(film)
        reasons = tuple(_reason(footage, i, found, wanted, title) for i in range(film.segments))
        moments, segments = (np.asarray(values.numpy(), np.float64) for values in (found.moments, found.segments))
        made.append(Judged(moments, segments, reasons))
        progress(number + 1, len(films), "judging films")
    return made


def _must_be_known(wanted: Wanted, films: Sequence[FilmTensors]) -> None:
    """Raise UnknownConcept if a query names nothing that can be seen, and no film says or shows what is near its words."""
    if wanted.supported or any(film.entities is not None and bool(film.entities.any()) for film in films):
        return
    near = difflib.get_close_matches(wanted.text, wanted.concepts, 3, 0.6)
    raise UnknownConcept(wanted.text, near, "what the films show or say")


def _reason(footage: Footage, segment: int, found: FilmJudgement, wanted: Wanted | None, title: str | None) -> Reason:
    """Say which concepts of the query and words of the title a segment shows; without either, what is seen there."""
    if wanted is not None and title is not None:
        one, two = of_query(footage, segment, wanted), of_title(footage, segment, title)
        text = "; ".join(each.text for each in (one, two) if each.text)
        return Reason(text, (*one.words, *two.words), one.concepts or two.concepts, facts=one.facts)
    if wanted is not None:
        return of_query(footage, segment, wanted)
    if title is not None:
        return of_title(footage, segment, title)
    names = _best(footage.concepts, _mean(footage, segment, footage.scores), SHOWN)
    drawn = ["unlike what was taken before it"] if found.chosen is not None and segment in found.chosen else []
    return Reason("; ".join([*drawn, *([f"shows {', '.join(names)}"] if names else [])]), concepts=names)


def of_query(footage: Footage, segment: int, wanted: Wanted) -> Reason:
    """Return which wanted concepts a segment shows or speaks of, with the facts that led to them, and the query's words.

    A concept counts by its weight and by how surely it is seen, or said, on the mean of the segment's moments.
    """
    inside = np.flatnonzero(wanted.weights)
    names = tuple(wanted.concepts[i] for i in inside)
    seen = _mean(footage, segment, footage.scores[:, inside])
    said = _mean(footage, segment, np.maximum(sharpened(footage.words @ name_vectors(names).T), spoken(footage, names)))
    shown = _best(names, np.maximum(seen, said) * wanted.weights[inside], SHOWN / 2)
    there = f" {' '.join(lemmas(_said(footage, segment)))} "
    words = tuple(word for word in content(wanted.text) if f" {' '.join(lemmas(word))} " in there)
    facts = tuple(dict.fromkeys(fact for name in shown for fact in wanted.facts.get(name, ())))
    parts = [f"shows or speaks of {', '.join(shown)}"] if shown else []
    if words:
        parts.append(f"says {', '.join(words)}")
    if not parts and float(_mean(footage, segment, wanted.said(footage)[:, None])[0]) > NEARLY:
        parts.append(f"what is said is near to {wanted.text}")
    return Reason("; ".join(parts), words, shown, facts=facts)


def of_title(footage: Footage, segment: int, title: str) -> Reason:
    """Return which words of a title a segment shows or speaks of, the nearest first."""
    words = tuple(dict.fromkeys(content(title)))
    if not words:
        return Reason()
    vectors = text_encoder().encode(list(words))
    said = _mean(footage, segment, footage.words @ vectors.T)
    shown = footage.scores @ name_vectors(footage.concepts) if footage.concepts else np.zeros_like(footage.words)
    seen = _mean(footage, segment, shown) @ vectors.T
    there = f" {' '.join(lemmas(_said(footage, segment)))} "
    literal = np.array([f" {' '.join(lemmas(word))} " in there for word in words])
    seen = seen / max(float(np.linalg.norm(_mean(footage, segment, shown))), 1e-6)
    found = _best(words, np.maximum(sharpened(said), sharpened(seen, SEEN)) + literal, SHOWN)
    names = _best(footage.concepts, _mean(footage, segment, footage.scores), SHOWN)
    return Reason(f"nearest to the title's {', '.join(found)}" if found else "", found, names if found else ())


def _mean(footage: Footage, segment: int, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    return np.asarray(values[footage.edges[segment] : footage.edges[segment + 1]].mean(axis=0), np.float64)


def _said(footage: Footage, segment: int) -> str:
    return footage.said(float(footage.starts[segment]), float(footage.starts[segment + 1]))


def _best(names: Sequence[str], values: NDArray[np.float64], least: float) -> tuple[str, ...]:
    """Return the :data:`FEW` names of largest value at most, those below *least* left out."""
    order = np.argsort(-values, kind="stable")[:FEW]
    return tuple(names[i] for i in order if values[i] >= least)
