"""KDMN's twins that read no fact, on FVQA: the question alone (blind), or the question and what is seen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from kgmm.language.words import normal
from kgmm.nn.answers import answer_logits
from kgmm.nn.no_knowledge import NoKnowledge
from kgmm.train.guided.base import Split, take

if TYPE_CHECKING:
    from kgmm.nn.kdmn import FactBatch
    from kgmm.train.kdmn import Example, FvqaProblem


class TwinProblem:
    """A :class:`~kgmm.nn.no_knowledge.NoKnowledge` network on FVQA, for :func:`kgmm.train.fit.fit`.

    Args:
        base: FVQA; its memories are not read.
        split: of its training questions.
        seed: of the weights.
        blind: whether the picture is hidden as well.
        more: answers of the vocabulary beside those of the labels.
    """

    metric = "top1"

    def __init__(
        self,
        base: FvqaProblem,
        split: Split,
        *,
        seed: int = 0,
        blind: bool = False,
        more: Iterable[str] = (),
    ) -> None:
        self.base, self.split, self.size = base, split, len(split.labelled)
        labelled = [base.train[i] for i in split.labelled.tolist()]
        self.answers = sorted({e.answer for e in labelled} | set(more))
        torch.manual_seed(seed)
        settings: dict[str, Any] = {
            "answers": len(self.answers),
            "words": base.words.dim,
            "sentence": base._train.question.shape[1],
            "blind": blind,
        }
        self.model: torch.nn.Module = NoKnowledge(**settings)
        self.config: dict[str, Any] = {
            "name": "blind" if blind else "no-knowledge",
            "data": "fvqa",
            "network": settings,
            "seed": seed,
            "labelled": self.size,
            "about": "KDMN's twin that reads no fact.",
        }
        self.vocabulary: dict[str, Any] = {"answers": self.answers}
        self.tune = ([base.train[i] for i in split.tune.tolist()], take(base._train, split.tune))
        self.held = (base.held, base._held)
        self._train, self._right = self._groups(base.train, base._train)

    def texts(self, e: Example) -> list[str]:
        """Return the answers a question may get: the vocabulary, then seen names that are not in it."""
        return list(dict.fromkeys([*self.answers, *(normal(n) for n in e.memory.seen)]))

    def _groups(self, part: list[Example], batch: FactBatch) -> tuple[Tensor, Tensor]:
        known = len(self.answers)
        group = torch.full((len(part), known + batch.seen.shape[1]), -1, dtype=torch.long)
        group[:, :known] = torch.arange(known)
        right = torch.full((len(part),), -1, dtype=torch.long)
        for i, e in enumerate(part):
            at = {t: j for j, t in enumerate(self.texts(e))}
            group[i, known : known + len(e.memory.seen)] = torch.tensor(
                [at[normal(n)] for n in e.memory.seen], dtype=torch.long
            )
            right[i] = at.get(e.answer, -1)
        return group, right

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean cross-entropy of labelled samples."""
        rows = self.split.labelled[rows]
        said = self.said(rows)
        return F.cross_entropy(said, self._right[rows].to(said.device))

    def said(self, rows: Tensor) -> Tensor:
        """Return the logits of training samples' :meth:`texts`, (B, A)."""
        device = next(self.model.parameters()).device
        logits = self.model(take(self.base._train, rows).to(device))
        return answer_logits(logits, self._train[rows].to(device), int(self._train.max()) + 1)

    @torch.no_grad()
    def log_probabilities(self, part: list[Example], batch: FactBatch) -> tuple[Tensor, Tensor]:
        """Return log probabilities of each question's :meth:`texts` (Q, A), and the right one's place, -1 if none."""
        device = next(self.model.parameters()).device
        group, right = self._groups(part, batch)
        logits = self.model(batch.to(device)).cpu()
        return answer_logits(logits, group, int(group.max()) + 1).log_softmax(1), right

    def evaluate(self) -> dict[str, float]:
        """Return top1 and top3 on the tuning questions, and as ``held_…`` on the held-out images."""
        figures = {}
        for name, (part, batch) in {"": self.tune, "held_": self.held}.items():
            log_p, right = self.log_probabilities(part, batch)
            best = log_p.topk(3, dim=1).indices
            figures[f"{name}top1"] = float((best[:, 0] == right).float().mean())
            figures[f"{name}top3"] = float((best == right.unsqueeze(1)).any(1).float().mean())
        return figures

    def write(self, folder: Path) -> None:
        """Nothing but weights, config and vocabulary is needed."""
