"""What the three knowledge-guided fusions share: KDMN on FVQA, its training images split once more.

The survey's section III-A names three ways to let knowledge guide a network: a Bayesian prior
(:mod:`~kgmm.train.guided.prior`), a teacher (:mod:`~kgmm.train.guided.teacher`), reinforcement
(:mod:`~kgmm.train.guided.policy`). Each is compared with :class:`Plain`, the same network without it.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.train.kdmn import ABOUT, FvqaProblem, Split, predict, score, write_words
from kgmm.train.memories import Example


class Plain:
    """KDMN on a :class:`Split`, guided by nothing: what the fusions are compared with.

    Its figures are those of the tuning questions, which choose the epoch; ``held_…`` are those of the images no one has
    seen, and choose nothing. *base* is FVQA with its memories, shared between problems and seeds; *network* has
    settings of KDMN beside those of *base*.
    """

    metric = "top1"
    name = "kdmn"
    about = ABOUT

    def __init__(
        self, base: FvqaProblem, split: Split, *, seed: int = 0, network: dict[str, Any] | None = None
    ) -> None:
        self.base: FvqaProblem = base
        self.split: Split = split
        self.size: int = len(split.labelled)
        settings = {**base.config["network"], **(network or {})}
        torch.manual_seed(seed)
        self.model: torch.nn.Module = KDMN(**settings)
        own = {"name": self.name, "about": self.about, "labelled": self.size, "seed": seed}
        self.config: dict[str, Any] = {**base.config, **own, "network": settings}
        self.vocabulary: dict[str, Any] = base.vocabulary
        self.tune: list[Example] = [base.train[i] for i in split.tune.tolist()]
        self.tune_batch: FactBatch = base.train_batch.take(split.tune)

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of labelled samples."""
        return self.base.loss_of(self.model, self.split.labelled[rows])

    def evaluate(self) -> dict[str, float]:
        """Return figures on the tuning questions, and as ``held_…`` on the held-out images."""
        answers = self.base.answers
        tuned = score(self.tune, self.ends(self.tune_batch), answers)
        held = score(self.base.held, self.ends(self.base.held_batch), answers)
        return {**tuned, **{f"held_{k}": v for k, v in held.items()}}

    def ends(self, batch: FactBatch) -> Any:
        """Return the logits of all ends, the null, and the vocabulary if there is one, (Q, 2 N + 1 + V)."""
        return predict(self.model, batch)

    def write(self, folder: Path) -> None:
        """Write the word vectors."""
        write_words(self.base.words, folder)
