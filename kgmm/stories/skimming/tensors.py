"""A film's numbers as networks read them: the same in training and in use."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.text import text_encoder
from kgmm.errors import KgmmError
from kgmm.language.words import content, lemmas
from kgmm.stories.footage.footage import WORDS, Floats, Footage
from kgmm.stories.footage.kept import kept
from kgmm.stories.skimming.wanted import Wanted

if TYPE_CHECKING:
    from kgmm.nn.film import FilmTensors

#: likenesses of two texts' vectors from which on one speaks of the other a little, and surely; and of what is seen to a
#: query: names of things are all a little alike
SAID, SEEN = (0.25, 0.65), (0.5, 0.9)
SHOWN = 0.2  #: how surely a concept is seen or said from which on a moment shows it


@lru_cache(maxsize=8)
def name_vectors(names: tuple[str, ...]) -> Floats:
    """Return the vectors of concepts' names, (c, 384) of unit length; kept in the user's cache."""
    if not names:
        return np.zeros((0, WORDS), np.float32)
    encoder = text_encoder()
    named = hashlib.blake2b(json.dumps(names).encode(), digest_size=16).hexdigest()
    found = kept(
        {"texts": named, "encoder": encoder.checksum},
        lambda: {"vectors": encoder.encode(list(names))},
        lambda arrays: arrays.keys() == {"vectors"} and arrays["vectors"].shape == (len(names), WORDS),
    )
    return np.asarray(found["vectors"], np.float32)


def sharpened(likeness: NDArray[np.floating[Any]], between: tuple[float, float] = SAID) -> NDArray[np.float64]:
    """Return likenesses of texts as shares: 0 up to the lower bound, 1 from the upper one on.

    >>> sharpened(np.array([0.1, 0.45, 0.9])).round(2).tolist()
    [0.0, 0.5, 1.0]
    """
    low, high = between
    return np.asarray(np.clip((likeness - low) / (high - low), 0, 1), np.float64)


def spoken(footage: Footage, names: Sequence[str]) -> NDArray[np.float64]:
    """Return 1 where a cue, or a word that stands in the picture, has a name, else 0; shape (n, names).

    >>> from kgmm.stories.video.subtitles import Cue
    >>> film = Footage(np.eye(3, dtype=np.float32), cues=(Cue(0.4, 1, "Two hot dogs!"),))
    >>> spoken(film, ["hot dog", "dog", "cat"]).tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    out = np.zeros((len(footage), len(names)))
    columns: dict[tuple[str, ...], list[int]] = {}
    for column, name in enumerate(names):
        columns.setdefault(lemmas(name), []).append(column)
    longest = max(map(len, columns), default=0)
    for cue in (*footage.cues, *footage.shown):
        low, high = np.searchsorted(footage.times, [cue.start, cue.end])
        said = lemmas(cue.text)
        for at, size in itertools.product(range(len(said)), range(1, longest + 1)):
            if found := columns.get(said[at : at + size]) if at + size <= len(said) else None:
                out[low:high, found] = 1
    return out


def film_tensors(
    footage: Footage, *, wanted: Wanted | None = None, title: str | None = None, concepts: Sequence[str] | None = None
) -> FilmTensors:
    """Return a film, and what is wanted of it, as tensors.

    Of a film with concepts a moment's features are its looks, the vector of what is said around it (384), the vector of
    what is seen (384: the concepts' names weighted by how surely they are seen), and the sound's energy; of one without,
    as the field's files have it, its looks alone. A concept's score is how surely it is seen, or said, whichever is
    more. One more column stands behind the concepts: how near what is said or seen is to the query's own words, so that
    a query can ask for what no concept is called. Its weight in a query is 1.

    Args:
        wanted: the query, over the film's concepts.
        title: the film's title, or any text that says what its frames should show; with a query both count alike.
        concepts: names of the columns, in the order in which a network learned them; by default the film's own.
    """
    import torch

    from kgmm.nn.film import FilmTensors

    columns = tuple(footage.concepts if concepts is None else concepts)
    place = {name: column for column, name in enumerate(footage.concepts)}
    at = np.array([place.get(name, -1) for name in columns], np.int64)
    features, scores, shown = _unasked(footage, columns)
    asked = np.zeros(len(footage))
    if columns and wanted is not None and wanted.words.any():
        long = np.maximum(np.linalg.norm(shown, axis=1), 1e-6)  # of a direction, however unsure what is seen is
        asked = np.maximum(sharpened(footage.words @ wanted.words), sharpened(shown @ wanted.words / long, SEEN))
        asked = np.maximum(asked, spoken(footage, content(wanted.text)).max(axis=1, initial=0))
    given: dict[str, Any] = {"concepts": torch.from_numpy(np.column_stack([scores, asked]))}
    if wanted is not None and wanted.text.strip():
        weights = np.where(at >= 0, wanted.weights[at], 0) if len(wanted.weights) else np.zeros(len(columns))
        given["query"] = torch.from_numpy(np.append(weights, 1.0))
        given["query_text"] = torch.from_numpy(query_vector(wanted))
        given["entities"] = given["concepts"][:, given["query"] > 0] >= SHOWN
    sides = [text_encoder().encode([title])[0].astype(np.float64)] if title and title.strip() else []
    if "query_text" in given:
        sides.append(given["query_text"].numpy())
    if sides:
        given["title_text"] = torch.from_numpy(_unit(np.sum(sides, axis=0)))
    return FilmTensors(torch.from_numpy(features), torch.from_numpy(footage.edges), str(footage.video), **given)


@lru_cache(maxsize=2)  # a film is asked several things, one after the other
def _unasked(
    footage: Footage, columns: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a film's features, the scores of *columns*, and the vectors of what is seen: all that no query changes."""
    if not columns:
        return footage.looks.astype(np.float64), np.zeros((len(footage), 0)), np.zeros((len(footage), WORDS))
    place = {name: column for column, name in enumerate(footage.concepts)}
    scores, shown = np.zeros((len(footage), len(columns))), np.zeros((len(footage), WORDS))
    for column, name in enumerate(columns):
        if name in place:
            scores[:, column] = footage.scores[:, place[name]]
    if footage.concepts:
        shown = np.asarray(footage.scores @ name_vectors(footage.concepts), np.float64)
    features = np.hstack([footage.looks, footage.words, shown, footage.energy[:, None]]).astype(np.float64)
    scores = np.maximum(scores, sharpened(footage.words @ name_vectors(columns).T))
    return features, np.maximum(scores, spoken(footage, columns)), shown


def query_vector(wanted: Wanted) -> NDArray[np.float64]:
    """Return a query's vector of unit length: its own words', and the wanted concepts' names by their weights."""
    vector = wanted.words.astype(np.float64)
    inside = np.flatnonzero(wanted.weights)
    if len(inside):
        names = tuple(wanted.concepts[i] for i in inside)
        vector = vector + _unit(wanted.weights[inside] @ name_vectors(names))
    return _unit(vector)


def _unit(vector: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float64)


def settings_for(name: str, film: FilmTensors, **more: Any) -> dict[str, Any]:
    """Return the arguments that make a network for films such as *film*, from :func:`film_tensors`; *more* replace some.

    Raises:
        KgmmError: if such films lack what the network reads: one without concepts has no words.
    """
    wide = film.features.shape[1]
    known = 0 if film.concepts is None else film.concepts.shape[1]
    if name in ("shdpp", "query-memory", "dsse") and known < 2:
        raise KgmmError(f"{name} needs films with concepts and words; {film.name} has features of its frames alone")
    looks = wide - 2 * WORDS - 1
    own: dict[str, dict[str, Any]] = {
        "seqdpp": {"hidden": 64},
        "shdpp": {"concepts": known},
        "query-memory": {"query_dim": WORDS, "aligned": [looks, looks + WORDS]},
        "dsse": {"side_dim": WORDS, "aligned": [looks, looks + WORDS]},
    }
    return {"in_dim": wide, **own.get(name, {}), **more}
