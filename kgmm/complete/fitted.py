"""What completion learns of a store: once for a version, kept in the store's cache."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from kgmm.complete.calibrate import Curve, Odds, threshold
from kgmm.complete.certainty import Candidates, Certainty
from kgmm.complete.joined import CLUES, Joined
from kgmm.complete.models import Floats
from kgmm.complete.triples import Ints, Triples
from kgmm.encode.text import text_encoder
from kgmm.encode.vectors import term_vectors
from kgmm.errors import BadInput
from kgmm.language.names import is_literal
from kgmm.progress import Progress
from kgmm.store.kept import keep, kept

if TYPE_CHECKING:
    from kgmm.store import LocalStore

FORMAT = 3  #: raised when what is kept changes its meaning
LEAST = 10  #: facts to learn from
WORK = 400_000  #: triples that learning passes over, some minutes of one core; fewer passes the more triples there are
APART = 1000  #: facts kept apart at most, and at most a tenth of all
LEAST_KEPT = 0.1  #: of any threshold: what is less likely is not kept, however few facts told the threshold
SIZE, HIDDEN = 128, 512


@dataclass
class Fitted:
    """A model of a store's facts with how sure its answers are and thresholds.

    Args:
        triples: all facts that are learned from, also those kept apart.
        joined: what scores.
        certainty: from scores to probabilities.
        thresholds: (relations,) least probability that is kept.
    """

    triples: Triples
    joined: Joined
    certainty: Certainty
    thresholds: NDArray[np.float64]

    @staticmethod
    def encode(texts: list[str]) -> Floats:
        """Return the vectors of texts."""
        return text_encoder("minilm").encode(texts)


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
    chosen = [FORMAT, SIZE, HIDDEN, list(CLUES)]
    if (found := kept(store, "completion", chosen)) is not None:
        return _assembled(triples, text, found[1])
    arrays = _learned(triples, text, seconds, progress)
    keep(store, "completion", chosen, {}, arrays)
    return _assembled(triples, text, arrays)


def _learned(triples: Triples, text: Floats, seconds: float, progress: Progress) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(0)
    count = min(APART, len(triples.rows) // 10)
    apart = np.zeros(len(triples.rows), bool)
    apart[rng.choice(len(apart), count, replace=False)] = True
    learned, rows = Triples(triples.entities, triples.relations, triples.rows[~apart]), triples.rows[apart]
    epochs = max(1, min(60, WORK // len(triples.rows)))
    joined = Joined(seconds=seconds, epochs=epochs, batch=512, rate=1e-3).fit(learned, text, rows, progress)
    found = Candidates.of(joined.scores, learned, rows)
    certainty = Certainty.by(found, learned, rows)
    arrays = {f"network.{name}": value.numpy() for name, value in joined.model.network.state_dict().items()}
    arrays |= {"place": joined.model.place.numpy(), "weights": joined.weights}
    arrays |= {f"first.{name}": value for name, value in asdict(certainty.first).items()}
    arrays |= {f"other.{name}": value for name, value in asdict(certainty.other).items()}
    arrays["thresholds"] = _thresholds(found, certainty, learned, rows)
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _thresholds(found: Candidates, certainty: Certainty, learned: Triples, rows: Ints) -> NDArray[np.float64]:
    """Return (relations,) where F1 of the objects of rows kept apart was best; of a relation with none right, where it was of all."""
    half = len(learned.relations)
    sure = certainty(found.features, found.asked[:, 1], found.share)
    there = (found.best >= 0) & (found.asked[:, 1:] < half)
    right, relation = found.right(learned, rows)[1][there], np.broadcast_to(found.asked[:, 1:], sure.shape)[there]
    usual = threshold(sure[there], right)
    bounds = [threshold(sure[there][relation == r], right[relation == r], usual) for r in range(half)]
    return np.maximum(bounds, LEAST_KEPT)


def _assembled(triples: Triples, text: Floats, arrays: dict[str, Any]) -> Fitted:
    """Return the model of arrays; what is told of facts kept apart counts for neighbours and rules from now on."""
    joined = Joined()
    network = {name: torch.from_numpy(array.copy()) for name, array in _parts(arrays, "network.").items()}
    joined.model.restore(triples, text, network, torch.from_numpy(arrays["place"].copy()))
    joined.ready(triples, text)
    joined.weights = arrays["weights"]
    certainty = Certainty(Odds(**_parts(arrays, "first.")), Curve(**_parts(arrays, "other.")))
    return Fitted(triples, joined, certainty, arrays["thresholds"])


def _parts(arrays: dict[str, Any], start: str) -> dict[str, Any]:
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
