"""Questions about coloured shapes as training problems: easy-vqa and CLEVR-like worlds, from pixels, for any network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from kgmm.data import clevr, easy_vqa
from kgmm.errors import KgmmError
from kgmm.nn.vqa import JOINS
from kgmm.reason.visual.grammar import clevr_program, easy_program, tokens
from kgmm.reason.visual.segments import Pictures, read_pixels, segments
from kgmm.reason.visual.worlds import SIZE, WORLDS, Program, World, draw, make_network
from kgmm.train.fit import Problem
from kgmm.train.measures import by_kind, majority_hits


@dataclass(frozen=True)
class Asked:
    """One question about one picture, with the program read from its words."""

    question: str
    program: Program
    answer: str
    picture: int


@dataclass
class Part:
    """The questions of one split and the pictures they are about."""

    asked: list[Asked]
    pictures: Pictures


def easy_part(split: str, limit: int | None = None) -> Part:
    """Return easy-vqa's ``train`` or ``test``, cut into objects."""
    questions = easy_vqa.load_questions(split)[:limit]
    images = sorted({q.image for q in questions})
    at = {image: i for i, image in enumerate(images)}
    found = [segments(read_pixels(easy_vqa.image_path(split, i))) for i in images]
    asked = [Asked(q.question, easy_program(q.question), q.answer, at[q.image]) for q in questions]
    return Part(asked, Pictures(found, 64.0))


def clevr_part(scenes: range, per_scene: int, lengths: tuple[int, ...], seed: int) -> Part:
    """Draw worlds by the seeds of *scenes*, and questions with programs of *lengths* steps about their pictures."""
    worlds = [clevr.scene(s) for s in scenes]
    found = [segments(np.asarray(draw(w), np.float32) / 255.0) for w in worlds]
    drawn = clevr.questions(worlds, per_scene, lengths, seed)
    asked = [Asked(q.question, clevr_program(q.question), q.answer, q.scene) for q in drawn]
    return Part(asked, Pictures(found, float(SIZE)))


Parts = tuple[Part, Part, Part]  #: training, development and test split


def parts(data: str, small: bool = False) -> Parts:
    """Return training, development and test split.

    easy-vqa has no development split: a tenth of its training pictures serves. CLEVR-like training and development
    programs have 2 to 5 steps, test programs 6: one step longer than any in training. Of *small* splits training is a
    twentieth; the others are a fifth, for a figure of fewer questions says little (of 64, it was 6 points too high).
    """
    learned, asked = (20, 5) if small else (1, 1)
    if data == "easy-vqa":
        full = easy_part("train", 38_575 // asked)
        held = {p for p in range(len(full.pictures.mask)) if p % 10 == 9}
        rest = [a for a in full.asked if a.picture not in held]
        train = Part(rest[: len(rest) * asked // learned], full.pictures)
        dev = Part([a for a in full.asked if a.picture in held], full.pictures)
        return train, dev, easy_part("test", 9_673 // asked)
    if data == "clevr":
        train = clevr_part(range(1_500 // learned), 20, (2, 2, 2, 3, 3, 4, 5), 1)
        dev = clevr_part(range(100_000, 100_000 + 150 // asked + 1), 8, (2, 3, 4, 5), 2)
        return train, dev, clevr_part(range(200_000, 200_000 + 300 // asked + 1), 8, (6,), 3)
    raise KgmmError(f"no data set {data!r}; there are: {', '.join(WORLDS)}")


class ShapesProblem(Problem):
    """A network on a data set of shapes, for :func:`kgmm.train.fit.fit`.

    *network* is ``modules`` or a name of :data:`kgmm.nn.vqa.JOINS`, *dim* its width inside, *data* ``easy-vqa`` or
    ``clevr``; *split* shares what :func:`parts` made between networks.
    """

    metric = "accuracy"

    def __init__(
        self, network: str, data: str, *, seed: int = 0, dim: int = 64, split: Parts | None = None, small: bool = False
    ) -> None:
        if network != "modules" and network not in JOINS:
            raise KgmmError(f"no model {network!r}; there are: modules, {', '.join(JOINS)}")
        made = split or parts(data, small)
        self.train: Part = made[0]
        self.dev: Part = made[1]
        self.test: Part = made[2]
        self.world: World = WORLDS[data]
        self.size: int = len(self.train.asked)
        self.answer_id: dict[str, int] = {a: i for i, a in enumerate(self.world.answers)}
        self.network = network
        about = f"Answers questions about {data} pictures from the objects segmentation finds."
        self.config: dict[str, Any] = {"name": network, "data": data, "dim": dim, "seed": seed, "about": about}
        known = ["", "?", *sorted({w for a in self.train.asked for w in tokens(a.question)})]
        self.vocabulary: dict[str, Any] = {"tokens": known}
        torch.manual_seed(seed)
        self.adopt(known)

    def adopt(self, known: list[str]) -> None:
        """Take over a trained model's vocabulary, and make the network anew for it."""
        self.token_id: dict[str, int] = {w: i for i, w in enumerate(known)}
        self.model: torch.nn.Module = make_network(self.network, self.world, len(known), self.config["dim"])
        self._tokens = {id(p): self._ids(p) for p in (self.train, self.dev, self.test)}

    def _ids(self, part: Part) -> tuple[Tensor, Tensor, Tensor]:
        texts = [[self.token_id.get(w, 1) for w in tokens(a.question)] for a in part.asked]
        ids = torch.zeros(len(texts), max(map(len, texts), default=1), dtype=torch.long)
        for i, row in enumerate(texts):
            ids[i, : len(row)] = torch.tensor(row)
        answers = torch.tensor([self.answer_id[a.answer] for a in part.asked])
        return ids, answers, torch.tensor([a.picture for a in part.asked])

    def logits(self, part: Part, rows: Tensor, pictures: str = "seen") -> Tensor:
        """Return the model's logits for some questions of a split; *pictures* as in :meth:`accuracy`."""
        device = next(self.model.parameters()).device
        ids, _, picture = self._tokens[id(part)]
        at = picture[rows]
        if pictures == "shuffled":
            at = (at + len(part.pictures.mask) // 2) % len(part.pictures.mask)
        given = [t[at].to(device) for t in (part.pictures.features, part.pictures.boxes, part.pictures.mask)]
        if pictures == "empty":
            given = [torch.zeros_like(t) for t in given]
        asked = [part.asked[i].program for i in rows.tolist()] if self.network == "modules" else ids[rows].to(device)
        out: Tensor = self.model(asked, *given)[0]
        return out

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean cross-entropy of training samples *rows*."""
        logits = self.logits(self.train, rows)
        return F.cross_entropy(logits, self._tokens[id(self.train)][1][rows].to(logits.device))

    def evaluate(self) -> dict[str, float]:
        """Return the accuracy on the development split."""
        return {"accuracy": self.accuracy(self.dev)["all"]}

    @torch.no_grad()
    def accuracy(self, part: Part, pictures: str = "seen") -> dict[str, float]:
        """Return the accuracy on a split: all, and by the kind of question (the program's last function).

        *pictures* are ``seen``, ``empty`` or ``shuffled`` (another question's): what a network knows of the world is in
        its picture, so the latter are its runs without knowledge and with wrong knowledge.
        """
        hits: list[bool] = []
        _, answers, _ = self._tokens[id(part)]
        for rows in torch.split(torch.arange(len(part.asked)), 512):
            hits += (self.logits(part, rows, pictures).argmax(1).cpu() == answers[rows]).tolist()
        return by_kind([a.program[-1].function for a in part.asked], hits)

    def majority(self, part: Part) -> dict[str, float]:
        """Return the accuracy of the most frequent training answer for each kind of question, as :meth:`accuracy` does."""
        lasts = ([(a.program[-1], a.answer) for a in p.asked] for p in (self.train, part))
        known, asked = ([(f"{step.function} {step.argument}", answer) for step, answer in p] for p in lasts)
        return by_kind([a.program[-1].function for a in part.asked], majority_hits(known, asked))
