"""A program of neural modules run over object features, all of a batch's questions of one shape at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from kgmm.nn import modules as nmn


class Step(Protocol):
    """What a program's step looks like: a function, its argument, the steps it reads."""

    @property
    def function(self) -> str: ...  # noqa: D102
    @property
    def argument(self) -> str: ...  # noqa: D102
    @property
    def inputs(self) -> tuple[int, ...]: ...  # noqa: D102


class ProgramNetwork(nn.Module):
    """Answer by running each question's program; every step's attention is kept.

    Shapes:
        programs of B questions; features (B, N, f), boxes (B, N, 4), mask (B, N) → log probabilities (B, answers).

    Args:
        words: what steps take as arguments.
        answers: yes, no, numbers and words.
        attributes: attribute → its values, each an answer.
        features: width of an object's features.
        hidden: width inside the modules.
    """

    def __init__(
        self,
        words: Sequence[str],
        answers: Sequence[str],
        attributes: dict[str, Sequence[str]],
        features: int,
        hidden: int = 48,
    ) -> None:
        super().__init__()
        self.answers = list(answers)
        self.word_id = {w: i for i, w in enumerate(words)}
        self.answer_id = {a: i for i, a in enumerate(answers)}
        self.attribute_id = {a: i for i, a in enumerate(attributes)}
        self.find = nmn.Find(features, len(words), hidden)
        self.relate = nmn.Relate(4, len(words), hidden)
        self.query = nmn.Query(features, len(attributes), len(answers), hidden)
        self.same = nmn.Same()
        allowed = torch.full((len(attributes), len(answers)), -30.0)
        for a, values in attributes.items():
            for value in values:
                allowed[self.attribute_id[a], self.answer_id[value]] = 0.0
        self.register_buffer("allowed", allowed, persistent=False)

    def forward(
        self, programs: Sequence[Sequence[Step]], features: Tensor, boxes: Tensor, mask: Tensor
    ) -> tuple[Tensor, list[list[Tensor]]]:
        """Return log probabilities of answers, and each question's value of every step."""
        shapes: dict[tuple[tuple[str, tuple[int, ...]], ...], list[int]] = defaultdict(list)
        for i, program in enumerate(programs):
            shapes[tuple((s.function, s.inputs) for s in program)].append(i)
        out = features.new_zeros(len(programs), len(self.answers))
        values: list[list[Tensor]] = [[] for _ in programs]
        for rows in shapes.values():
            at = torch.tensor(rows, device=features.device)
            logits, steps = self._run([programs[i] for i in rows], features[at], boxes[at], mask[at])
            out = out.index_copy(0, at, logits)
            for k, row in enumerate(rows):
                values[row] = [step[k].detach() for step in steps]
        return out, values

    def _run(
        self, programs: list[Sequence[Step]], features: Tensor, boxes: Tensor, mask: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Run programs of one shape together."""
        centre = boxes[..., :2]
        edges = torch.cat(
            [
                centre.unsqueeze(1) - centre.unsqueeze(2),
                (boxes[..., 2:].unsqueeze(1) - boxes[..., 2:].unsqueeze(2)),
            ],
            -1,
        )
        values: list[Tensor] = []
        for n, step in enumerate(programs[0]):
            arguments = [p[n].argument for p in programs]
            given = [values[i] for i in step.inputs]
            values.append(self._step(step.function, arguments, given, features, edges, mask))
        return self._answer(programs[0][-1].function, values[-1]), values

    def _ids(self, arguments: list[str], table: dict[str, int], like: Tensor) -> Tensor:
        return torch.tensor([table.get(a, 0) for a in arguments], device=like.device)

    def _step(
        self,
        function: str,
        arguments: list[str],
        given: list[Tensor],
        features: Tensor,
        edges: Tensor,
        mask: Tensor,
    ) -> Tensor:
        out: Tensor
        match function:
            case "find" | "filter":
                holds: Tensor = self.find(features, mask, self._ids(arguments, self.word_id, features))
                every = torch.tensor([not a for a in arguments], device=features.device).unsqueeze(-1)
                holds = torch.where(every, mask.to(holds.dtype), holds)
                return holds if function == "find" else nmn.both(given[0], holds)
            case "relate":
                out = self.relate(given[0], edges, mask, self._ids(arguments, self.word_id, features))
                return out
            case "same":
                ids = self._ids(arguments, self.attribute_id, features)
                logits = self.query.logits(features, ids) + self.get_buffer("allowed")[ids].unsqueeze(1)
                out = self.same(given[0], logits.softmax(-1), mask)
                return out
            case "and":
                return nmn.both(*given)
            case "or":
                return nmn.either(*given)
            case "except":
                return nmn.without(*given)
            case "count":
                return nmn.count(given[0])
            case "exist":
                return nmn.exist(given[0])
            case "absent":
                return 1 - nmn.exist(given[0])
            case "query":
                ids = self._ids(arguments, self.attribute_id, features)
                out = self.query(given[0], features, ids) + self.get_buffer("allowed")[ids]
                return out
            case "greater" | "less" | "equal":
                return nmn.compare(given[0], given[1], function)
        raise ValueError(f"no module {function!r}")

    def _answer(self, function: str, value: Tensor) -> Tensor:
        """Turn the last step's value into log probabilities of answers."""
        if function == "query":
            return value.log_softmax(-1)
        out = value.new_full((len(value), len(self.answers)), -30.0)
        if function == "count":
            numbers = [(int(a), i) for a, i in self.answer_id.items() if a.isdigit()]
            scores = torch.stack([-3.0 * (value - n).square() for n, _ in numbers], -1).log_softmax(-1)
            return out.index_copy(1, torch.tensor([i for _, i in numbers], device=value.device), scores)
        truth = value.clamp(1e-6, 1 - 1e-6)
        return torch.stack([truth.log(), (1 - truth).log()], -1) @ self._yes_no(out) + self._others(out)

    def _yes_no(self, like: Tensor) -> Tensor:
        place = torch.zeros(2, len(self.answers), device=like.device, dtype=like.dtype)
        place[0, self.answer_id["yes"]] = place[1, self.answer_id["no"]] = 1.0
        return place

    def _others(self, like: Tensor) -> Tensor:
        other = torch.full((len(self.answers),), -30.0, device=like.device, dtype=like.dtype)
        other[[self.answer_id["yes"], self.answer_id["no"]]] = 0.0
        return other
