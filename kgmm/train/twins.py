"""KDMN's twins that read no fact, on FVQA: the question alone (blind), or the question and what is seen."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from kgmm.language.words import normal
from kgmm.nn.answers import Answers, answer_logits, group_answers
from kgmm.nn.kdmn import FactBatch
from kgmm.nn.no_knowledge import NoKnowledge
from kgmm.train.fit import Problem
from kgmm.train.kdmn import FvqaProblem, Split
from kgmm.train.memories import Example


class TwinProblem(Problem):
    """A :class:`~kgmm.nn.no_knowledge.NoKnowledge` network on FVQA, for :func:`kgmm.train.fit.fit`.

    The memories of *base* are not read; *blind* hides the picture as well; *more* are answers of the vocabulary beside
    those of the labels.
    """

    metric = "top1"

    def __init__(
        self, base: FvqaProblem, split: Split, *, seed: int = 0, blind: bool = False, more: Iterable[str] = ()
    ) -> None:
        self.base: FvqaProblem = base
        self.split: Split = split
        self.size: int = len(split.labelled)
        labelled = [base.train[i] for i in split.labelled.tolist()]
        self.answers: list[str] = sorted({e.answer for e in labelled} | set(more))
        torch.manual_seed(seed)
        sizes = {"words": base.words.dim, "sentence": base.train_batch.question.shape[1]}
        settings: dict[str, Any] = {"answers": len(self.answers), **sizes, "blind": blind}
        self.model: torch.nn.Module = NoKnowledge(**settings)
        name, about = "blind" if blind else "no-knowledge", "KDMN's twin that reads no fact."
        self.config: dict[str, Any] = {"name": name, "data": "fvqa", "network": settings, "about": about}
        self.config |= {"seed": seed, "labelled": self.size}
        self.vocabulary: dict[str, Any] = {"answers": self.answers}
        tuned = [base.train[i] for i in split.tune.tolist()]
        self.tune: tuple[list[Example], FactBatch] = (tuned, base.train_batch.take(split.tune))
        self.held: tuple[list[Example], FactBatch] = (base.held, base.held_batch)
        self.train_answers: Answers = self.answers_of(base.train, base.train_batch)
        self.right: Tensor = self.train_answers.places([e.answer for e in base.train])

    def answers_of(self, part: list[Example], batch: FactBatch) -> Answers:
        """Return what each question may get: the vocabulary, then seen names that are not in it."""
        said = [[*self.answers, *(normal(n) for n in e.memory.seen)] for e in part]
        return group_answers(said, len(self.answers) + batch.seen.shape[1])

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean cross-entropy of labelled samples."""
        rows = self.split.labelled[rows]
        said = self.said(rows)
        return F.cross_entropy(said, self.right[rows].to(said.device))

    def said(self, rows: Tensor) -> Tensor:
        """Return the logits of training samples' answers, (B, A)."""
        device = next(self.model.parameters()).device
        logits = self.model(self.base.train_batch.take(rows).to(device))
        return answer_logits(logits, self.train_answers.group[rows].to(device), self.train_answers.most)

    @torch.no_grad()
    def log_probabilities(self, part: list[Example], batch: FactBatch) -> tuple[Tensor, Tensor, Answers]:
        """Return log probabilities of each question's answers (Q, A), the right one's place, -1 if none, and them."""
        device, answers = next(self.model.parameters()).device, self.answers_of(part, batch)
        logits = answers.logits(self.model(batch.to(device)).cpu())
        return logits.log_softmax(1), answers.places([e.answer for e in part]), answers

    def evaluate(self) -> dict[str, float]:
        """Return top1 and top3 on the tuning questions, and as ``held_…`` on the held-out images."""
        figures = {}
        for name, (part, batch) in (("", self.tune), ("held_", self.held)):
            log_p, right, _ = self.log_probabilities(part, batch)
            best = log_p.topk(3, dim=1).indices
            figures[f"{name}top1"] = float((best[:, 0] == right).float().mean())
            figures[f"{name}top3"] = float((best == right.unsqueeze(1)).any(1).float().mean())
        return figures
