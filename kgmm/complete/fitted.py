"""What completion learns of a store: once for a version, kept in the store's cache."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from kgmm.complete.calibrate import Curve, softmax_top, threshold
from kgmm.complete.joined import CLUES, Joined
from kgmm.complete.models import Floats
from kgmm.complete.ranking import open_scores
from kgmm.complete.triples import Ints, Known, Triples
from kgmm.encode.text import text_encoder
from kgmm.encode.vectors import term_vectors
from kgmm.errors import BadInput, KgmmError
from kgmm.files import whole
from kgmm.language.names import is_literal
from kgmm.progress import Progress

if TYPE_CHECKING:
    from kgmm.store import LocalStore

FORMAT = "kgmm completion 2"
LEAST = 10  #: facts to learn from
WORK = 400_000  #: triples that learning passes over, some minutes of one core; fewer passes the more triples there are
APART = 1000  #: facts kept apart at most, and at most a tenth of all
TOP = 10
LEAST_KEPT = 0.1  #: of any threshold: what is less likely is not kept, however few facts told the threshold
SIZE, HIDDEN = 128, 512


@dataclass
class Fitted:
    """A model of a store's facts with its curves and thresholds.

    Args:
        triples: all facts that are learned from, also those kept apart.
        joined: what scores.
        curves: from shares to probabilities, of first candidates and of the others.
        thresholds: (relations,) least probability that is kept.
    """

    triples: Triples
    joined: Joined
    curves: tuple[Curve, Curve]
    thresholds: NDArray[np.float64]

    @staticmethod
    def encode(texts: list[str]) -> Floats:
        """Return the vectors of texts."""
        return text_encoder("minilm").encode(texts)

    def likeliest(self, score: Floats, relation: int, k: int) -> tuple[Ints, NDArray[np.float64]]:
        """Return the *k* best answers of scores (entities,), and their probabilities, falling."""
        best, share = softmax_top(score, k)
        sure = np.concatenate([self.curves[0](share[:1]), self.curves[1](share[1:])])
        return best, np.minimum.accumulate(sure)


def fitted(store: LocalStore, seconds: float, progress: Progress) -> Fitted:
    """Return what was learned of the version shown, learning it where nothing is kept; what is damaged is learned anew."""
    return store.derived("completion", lambda: _kept_or_learned(store, seconds, progress))


def facts_of(store: LocalStore) -> tuple[Triples, NDArray[np.uint32]]:
    """Return a store's general facts between nodes as triples, and their entities' term ids.

    Raises:
        BadInput: if there are too few.
    """
    columns = store.columns([graph for graph in store.knowledge_graphs() if graph != "completed"])
    terms, at = np.unique(np.stack([columns.subject, columns.object]), return_inverse=True)
    names = store.terms.names(terms)
    is_node = np.array([not is_literal(name) for name in names], bool)
    subject, target = at.reshape(2, -1)
    used, relation = np.unique(columns.predicate, return_inverse=True)
    between = is_node[target] if len(names) else np.zeros(0, bool)
    rows = np.unique(np.stack([subject, relation, target], 1)[between].astype(np.int64), axis=0)
    if len(rows) < LEAST:
        raise BadInput("complete", f"{len(rows)} facts are too few to learn from; {LEAST} are needed")
    return Triples(tuple(names), tuple(store.terms.names(used)), rows), terms.astype(np.uint32)


def _kept_or_learned(store: LocalStore, seconds: float, progress: Progress) -> Fitted:
    triples, terms = facts_of(store)
    text = term_vectors(store, terms.astype(np.int64), text_encoder("minilm"))
    folder = store.cache_dir("completion")
    place = folder / f"version-{store.version}.safetensors"
    if place.is_file():
        try:
            return _read(place, triples, text)
        except (KgmmError, ValueError, KeyError, RuntimeError, OSError):
            place.unlink(missing_ok=True)  # damaged, or of another format: learned anew
    made, arrays = _learned(triples, text, seconds, progress)
    from safetensors.numpy import save_file

    with whole(place) as draft:
        save_file(arrays, draft, metadata={"format": FORMAT, "relations": json.dumps(triples.relations)})
    for old in folder.glob("version-*.safetensors"):
        if old != place:
            old.unlink(missing_ok=True)
    return made


def _learned(triples: Triples, text: Floats, seconds: float, progress: Progress) -> tuple[Fitted, dict[str, Any]]:
    rng = np.random.default_rng(0)
    count = min(APART, len(triples.rows) // 10)
    kept = np.zeros(len(triples.rows), bool)
    kept[rng.choice(len(kept), count, replace=False)] = True
    learned = Triples(triples.entities, triples.relations, triples.rows[~kept])
    epochs = max(1, min(60, WORK // len(triples.rows)))
    joined = Joined(seconds=seconds, epochs=epochs, batch=512, rate=1e-3).fit(
        learned, text, triples.rows[kept], progress
    )
    curves, thresholds = _curves(joined, learned, triples.rows[kept])
    arrays = {f"network.{name}": value.numpy() for name, value in joined.model.network.state_dict().items()}
    arrays |= {"place": joined.model.place.numpy(), "weights": joined.weights, "thresholds": thresholds}
    for name, curve in zip(("first", "other"), curves, strict=True):
        arrays |= {f"{name}.at": curve.at, f"{name}.value": curve.value}
    return _assembled(triples, text, arrays), {n: np.ascontiguousarray(a) for n, a in arrays.items()}


def _curves(joined: Joined, learned: Triples, kept: Ints) -> tuple[tuple[Curve, Curve], NDArray[np.float64]]:
    """Return curves and thresholds by the objects of rows kept apart, each question asked once."""
    known, truth = learned.known, Known(learned, kept)
    share, right, place, relation = [np.empty(0)], [np.empty(0, bool)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for e, r in np.unique(kept[:, :2], axis=0).tolist():
        score = joined.scores(np.array([e]), np.array([r]))[0]
        best, shares = softmax_top(open_scores(score, known.answers(e, r), -1), TOP)
        share.append(shares)
        right.append(np.isin(best, truth.answers(e, r)))
        place.append(np.arange(len(best)))
        relation.append(np.full(len(best), r))
    s, y, p, of = (np.concatenate(parts) for parts in (share, right, place, relation))
    first, other = Curve.fit(s[p == 0], y[p == 0]), Curve.fit(s[p > 0], y[p > 0])
    sure = np.where(p == 0, first(s), other(s))
    usual = threshold(sure, y)
    bounds = [threshold(sure[of == r], y[of == r], usual) for r in range(len(learned.relations))]
    return (first, other), np.maximum(bounds, LEAST_KEPT)


def _read(place: Path, triples: Triples, text: Floats) -> Fitted:
    """Return what was kept; BadInput if it is not of these facts."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(place, "numpy") as file:
            told = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise BadInput(place, f"cannot be read: {error}") from error
    shape = (len(triples.entities), SIZE)
    if told.get("format") != FORMAT or json.loads(told["relations"]) != list(triples.relations):
        raise BadInput(place, "is of other facts or another format")
    if arrays["weights"].shape != (triples.questions, len(CLUES)):
        raise BadInput(place, "is of other clues")
    if arrays["place"].shape != shape or len(arrays["thresholds"]) != len(triples.relations):
        raise BadInput(place, "is of other facts")
    return _assembled(triples, text, arrays)


def _assembled(triples: Triples, text: Floats, arrays: dict[str, Any]) -> Fitted:
    """Return the model of arrays; what is told of facts kept apart counts for neighbours and rules from now on."""
    joined = Joined()
    network = {
        n.removeprefix("network."): torch.from_numpy(a.copy()) for n, a in arrays.items() if n.startswith("network.")
    }
    joined.model.restore(triples, text, network, torch.from_numpy(arrays["place"].copy()))
    joined.ready(triples, text)
    joined.weights = arrays["weights"]
    curves = Curve(arrays["first.at"], arrays["first.value"]), Curve(arrays["other.at"], arrays["other.value"])
    return Fitted(triples, joined, curves, arrays["thresholds"])
