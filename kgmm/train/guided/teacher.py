r"""A teacher distilled into a student: KDMN learns the explicit reasoner's answers beside the labels.

The teacher walks the whole store and its rules; the student, which answers without it, is an ordinary KDMN.
:math:`L = (1-α)\,L_{labels} + α\, T^2 KL(p_t^{(T)} \Vert p_s^{(T)})` (Hinton, Vinyals, Dean 2015). A teacher needs
no labels, so it also teaches questions that have none. The student may also be a network that reads no fact at all
(:class:`FactlessStudent`): the teacher's knowledge is then in its weights only.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from kgmm.data.fvqa import FvqaQuestion
from kgmm.language.words import normal
from kgmm.nn.answers import answer_logits, end_logits, group_answers
from kgmm.nn.distill import distillation_loss
from kgmm.progress import Progress, silent
from kgmm.reason import ask
from kgmm.reason.answers import added_up
from kgmm.store import LocalStore
from kgmm.train.guided.base import Plain
from kgmm.train.kdmn import FvqaProblem, Split, end_loss
from kgmm.train.twins import TwinProblem

TOP = 10  #: answers of the teacher that are looked at


def teacher_answers(
    store: LocalStore, questions: Iterable[FvqaQuestion], reasoner: str = "explicit", progress: Progress = silent
) -> list[dict[str, float]]:
    """Ask a teacher every question: its answers with their shares of its confidence, empty where it abstains."""
    questions, out = list(questions), []
    for i, q in enumerate(questions):
        answer = ask(store, q.scene(), q.question, reasoner=reasoner, top=TOP)
        said = [(answer.text, answer.score), *answer.alternatives] if answer.text is not None else []
        shares = added_up([normal(text) for text, _ in said], [confidence for _, confidence in said])
        total = sum(shares.values())
        out.append({text: share / total for text, share in shares.items()} if total > 0 else {})
        progress(i + 1, len(questions), "teacher's answers")
    return out


def targets(taught: list[dict[str, float]], texts: list[list[str]]) -> Tensor:
    """Place a teacher's answers among those a student can give, (Q, A + 1).

    What it says beyond them falls to the last: KDMN's null, for its memory does not support it. Rows are empty where
    the teacher abstains.

    >>> targets([{"cat": 0.75, "cow": 0.25}, {}], [["dog", "cat"], ["dog"]]).tolist()
    [[0.0, 0.75, 0.25], [0.0, 0.0, 0.0]]
    """
    out = torch.zeros(len(taught), max(1, *map(len, texts)) + 1)
    for i, (shares, known) in enumerate(zip(taught, texts, strict=True)):
        at = {t: j for j, t in enumerate(known)}
        for text, share in shares.items():
            out[i, at.get(text, -1)] += share
    return out


@dataclass(frozen=True)
class Lesson:
    """How a teacher teaches."""

    weight: float = 0.3  #: α, the teacher's part where there are labels; it is all where there are none
    temperature: float = 2.0  #: T
    unlabelled: bool = True  #: whether the teacher also teaches the training questions without labels


class StudentProblem(Plain):
    """KDMN taught by labels where there are any, and everywhere by a teacher.

    *taught* is the teacher's answer to every training question, of :func:`teacher_answers`; the rest as for
    :class:`~kgmm.train.guided.base.Plain`.
    """

    name = "kdmn-student"
    about = "KDMN taught by labels and by the explicit reasoner's answers (the survey's III-A)."

    def __init__(
        self, base: FvqaProblem, split: Split, taught: list[dict[str, float]], lesson: Lesson = Lesson(), seed: int = 0
    ) -> None:
        super().__init__(base, split, seed=seed)
        self.lesson = lesson
        self.config.update(distillation=asdict(lesson))
        self._groups = group_answers([e.texts for e in base.train], 2 * base.train_batch.mask.shape[1])
        self._targets = targets(taught, self._groups.texts)
        self._rows, self._labelled = schooling(split, len(base.train), lesson.unlabelled)
        self.size: int = len(self._rows)

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of samples; those without labels have the teacher's only."""
        rows = self._rows[rows]
        device = next(self.model.parameters()).device
        pointer, null, attention, _ = self.model(self.base.train_batch.take(rows).to(device))
        ends = end_logits(pointer, null).log_softmax(1)
        labels = end_loss(ends, attention, self.base.right_ends[rows].to(device), self.base.gold_facts[rows].to(device))
        group = torch.cat([self._groups.group[rows], torch.full((len(rows), 1), self._groups.most)], 1)
        said = answer_logits(ends, group.to(device), self._groups.most + 1)
        taught = distillation_loss(said, self._targets[rows].to(device), self.lesson.temperature)
        return mix(labels, taught, self._labelled[rows].to(device), self.lesson.weight)


class FactlessStudent(TwinProblem):
    """As :class:`StudentProblem`, for a network that reads no fact; what it learned it keeps without store and teacher."""

    def __init__(
        self, base: FvqaProblem, split: Split, taught: list[dict[str, float]], lesson: Lesson = Lesson(), seed: int = 0
    ) -> None:
        self._rows, self._labelled = schooling(split, len(base.train), lesson.unlabelled)
        more = {max(taught[i], key=taught[i].__getitem__) for i in self._rows.tolist() if taught[i]}
        super().__init__(base, split, seed=seed, more=more)
        self.lesson: Lesson = lesson
        self.size: int = len(self._rows)
        self.config.update(distillation=asdict(lesson))
        self._targets = targets(taught, self.train_answers.texts)[:, :-1]

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of samples; those without labels have the teacher's only."""
        rows = self._rows[rows]
        said = self.said(rows)
        wanted = self._targets[rows, : said.shape[1]].to(said.device)
        taught = distillation_loss(said, wanted, self.lesson.temperature)
        labelled = self._labelled[rows].to(said.device)
        right = self.right[rows].to(said.device).masked_fill(~labelled, -100)
        return mix(F.cross_entropy(said, right, reduction="none"), taught, labelled, self.lesson.weight)


def schooling(split: Split, questions: int, unlabelled: bool) -> tuple[Tensor, Tensor]:
    """Return the rows a student learns from, and for every training question whether its label counts."""
    labelled = torch.zeros(questions, dtype=torch.bool)
    labelled[split.labelled] = True
    others = ~labelled
    others[split.tune] = False
    rest = others.nonzero().squeeze(1) if unlabelled else split.labelled[:0]
    return torch.cat([split.labelled, rest]), labelled


def mix(labels: Tensor, taught: Tensor, labelled: Tensor, weight: float) -> Tensor:
    r"""Return the mean of :math:`(1-α) L_{labels} + α L_{teacher}` where there is a label, of :math:`α L_{teacher}` elsewhere.

    >>> mix(torch.tensor([1.0, 9.0]), torch.tensor([3.0, 3.0]), torch.tensor([True, False]), 0.5).item()
    1.75
    """
    return torch.where(labelled, (1 - weight) * labels, torch.zeros_like(labels)).add(weight * taught).mean()
