"""What the three knowledge-guided fusions share: KDMN on FVQA, its training images split once more, answers as groups.

The survey's section III-A names three ways to let knowledge guide a network: a Bayesian prior
(:mod:`~kgmm.train.guided.prior`), a teacher (:mod:`~kgmm.train.guided.teacher`), reinforcement
(:mod:`~kgmm.train.guided.policy`). Each is compared with :class:`Plain`, the same network without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from kgmm.data.fvqa import FvqaQuestion, load_questions, split_by_image
from kgmm.nn.answers import answer_logits
from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.train.kdmn import FvqaProblem, predict, score, write_words

if TYPE_CHECKING:
    from kgmm.train.kdmn import Example


@dataclass(frozen=True)
class Split:
    """Which of FVQA's training questions have labels to learn from, and which are kept to tune on.

    Attributes:
        questions: the training questions in the order of ``FvqaProblem.train``.
        labelled: rows to learn from.
        tune: rows of other images, for all that is not a weight: epochs, temperatures, the prior's weight.
    """

    questions: list[FvqaQuestion]
    labelled: Tensor
    tune: Tensor


def split_training(problem: FvqaProblem, folder: str | Path, share: float = 1.0, tune: float = 0.15) -> Split:
    """Split a problem's training questions by image.

    Args:
        problem: made from *folder*.
        folder: with ``questions-train.json``.
        share: of the images, used at all: less labels to see what knowledge is worth without them.
        tune: share of these that is kept for tuning.
    """
    known = problem.config
    questions = split_by_image(load_questions(Path(folder) / "questions-train.json"), known["dev"], known["split"])[0]
    used = split_by_image(questions, share, 11)[1] if share < 1 else questions
    rest, kept = split_by_image(used, tune, 12)
    at = {q.question_id: i for i, q in enumerate(questions)}
    rows = [torch.tensor([at[q.question_id] for q in part], dtype=torch.long) for part in (rest, kept)]
    return Split(questions, rows[0], rows[1])


def take(batch: FactBatch, rows: Tensor) -> FactBatch:
    """Return some questions of a batch."""
    return FactBatch(*(v[rows] for v in batch.__dict__.values()))


@dataclass(frozen=True)
class Answers:
    """Which answer each end of each memory gives, and which is right.

    Attributes:
        texts: each question's distinct answers, normalized.
        group: (Q, 2 N) int64 position in *texts* of each end; -1 at padding.
        right: (Q,) int64 position of the right answer, -1 if no end gives it.
    """

    texts: list[list[str]]
    group: Tensor
    right: Tensor

    @property
    def most(self) -> int:
        """The largest number of answers a question has."""
        return max(1, *(len(t) for t in self.texts))

    def mask(self) -> Tensor:
        """Return (Q, A) bool: the answers there are."""
        sizes = torch.tensor([len(t) for t in self.texts]).unsqueeze(1)
        return torch.arange(self.most).unsqueeze(0) < sizes

    def logits(self, ends: Tensor) -> Tensor:
        """Add up (Q, 2 N) logits of ends by answer: (Q, A)."""
        return answer_logits(ends, self.group, self.most)


def group_answers(part: list[Example], facts: int) -> Answers:
    """Group the ends of every memory by the answer they give; *facts* is the width memories are padded to."""
    group = torch.full((len(part), 2 * facts), -1, dtype=torch.long)
    texts: list[list[str]] = []
    right = torch.full((len(part),), -1, dtype=torch.long)
    for i, e in enumerate(part):
        at = {t: j for j, t in enumerate(dict.fromkeys(e.texts))}
        group[i, : len(e.texts)] = torch.tensor([at[t] for t in e.texts], dtype=torch.long)
        right[i] = at.get(e.answer, -1)
        texts.append(list(at))
    return Answers(texts, group, right)


class Plain:
    """KDMN on a :class:`Split`, guided by nothing: what the fusions are compared with.

    Its figures are those of the tuning questions, which choose the epoch; ``held_…`` are those of the images no one
    has seen, and choose nothing.

    Args:
        base: FVQA with its memories; shared between problems and seeds.
        split: of its training questions.
        seed: of the weights.
        network: settings of KDMN beside those of *base*.
    """

    metric = "top1"
    name = "kdmn"
    about = "A dynamic memory network over facts retrieved for a question (arXiv:1712.00733)."

    def __init__(
        self, base: FvqaProblem, split: Split, *, seed: int = 0, network: dict[str, Any] | None = None
    ) -> None:
        self.base, self.split, self.size = base, split, len(split.labelled)
        settings = {**base.config["network"], **(network or {})}
        torch.manual_seed(seed)
        self.model: torch.nn.Module = KDMN(**settings)
        self.config: dict[str, Any] = {
            **base.config,
            "name": self.name,
            "about": self.about,
            "network": settings,
            "labelled": self.size,
            "seed": seed,
        }
        self.vocabulary = base.vocabulary
        self._tune = take(base._train, split.tune)

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of labelled samples."""
        return self.base.loss_of(self.model, self.split.labelled[rows])

    def evaluate(self) -> dict[str, float]:
        """Return figures on the tuning questions, and as ``held_…`` on the held-out images."""
        asked, answers = [self.base.train[i] for i in self.split.tune.tolist()], self.base.answers
        tuned = score(asked, self.ends(self._tune), answers)
        held = score(self.base.held, self.ends(self.base._held), answers)
        return {**tuned, **{f"held_{k}": v for k, v in held.items()}}

    def ends(self, batch: FactBatch) -> Any:
        """Return the logits of all ends, the null, and the vocabulary if there is one, (Q, 2 N + 1 + V)."""
        return predict(self.model, batch)

    def write(self, folder: Path) -> None:
        """Write the word vectors."""
        write_words(self.base.words, folder)
