"""Programs of neural modules (Andreas et al. 2016; Hu et al. 2017) run over object features, a batch's questions at once."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kgmm.nn import modules as nmn

#: functions that end in a number or a truth, not in an attention over objects
SCALARS = frozenset({"count", "exist", "absent", "greater", "less", "equal"})
#: functions that read attentions and no word
OF_SETS: dict[str, Callable[..., Tensor]] = dict(
    zip("and or except count exist".split(), (nmn.both, nmn.either, nmn.without, nmn.count, nmn.exist), strict=True)
)
MAGNIFY = 40.0  #: distances between centres, as shares of the picture, are also given this much larger and squashed


@dataclass(frozen=True, slots=True)
class ProgramStep:
    """One step: a function, its argument, and the numbers of the steps it reads; :func:`kgmm.data.clevr.execute` knows the functions."""

    function: str
    argument: str = ""
    inputs: tuple[int, ...] = ()


Program = tuple[ProgramStep, ...]


class ProgramNetwork(nn.Module):
    """Answer by running each question's program; every step's attention is kept.

    What words, relations and attributes say of all objects is computed once a batch; the steps then look it up. *words*
    are what steps take as arguments, *answers* yes, no, numbers and words, *attributes* each with its values, all
    answers.

    Shapes:
        programs of B questions; features (B, N, f), boxes (B, N, 4), mask (B, N) → log probabilities (B, answers).
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
        self.answers: list[str] = list(answers)
        self.word_id: dict[str, int] = {w: i for i, w in enumerate(words)}
        self.answer_id: dict[str, int] = {a: i for i, a in enumerate(answers)}
        self.attribute_id: dict[str, int] = {a: i for i, a in enumerate(attributes)}
        self.find = nmn.Find(features, len(words), hidden)
        self.relate = nmn.Relate(6, len(words), hidden)
        self.same = nmn.Same()
        allowed = torch.full((len(attributes), len(answers)), -30.0)
        for a, values in attributes.items():
            for value in values:
                allowed[self.attribute_id[a], self.answer_id[value]] = 0.0
        self.register_buffer("allowed", allowed, persistent=False)
        #: answers that are no words are never allowed for an attribute, so any column may stand for them
        self.columns: list[int] = [self.word_id.get(a, 0) for a in answers]

    def forward(
        self, programs: Sequence[Program], features: Tensor, boxes: Tensor, mask: Tensor
    ) -> tuple[Tensor, list[list[Tensor]]]:
        """Return log probabilities of answers, and each question's value of every step."""
        tables = _Tables(self, features, boxes, mask)
        out = features.new_zeros(len(programs), len(self.answers))
        values: list[list[Tensor]] = [[] for _ in programs]
        sets, scalars = list[Tensor](), list[Tensor]()
        for n in range(max(map(len, programs), default=0)):
            attention, scalar = torch.zeros_like(features[..., 0]), features.new_zeros(len(programs))
            for function, rows in _by_function(programs, n).items():
                steps = [programs[i][n] for i in rows]
                at = torch.tensor(rows, device=features.device)
                given = _given(steps, at, scalars if function in ("greater", "less", "equal") else sets)
                value = tables.step(function, [s.argument for s in steps], given, at)
                if function in SCALARS:
                    scalar = scalar.index_copy(0, at, value)
                elif function != "query":
                    attention = attention.index_copy(0, at, value)
                last = [k for k, i in enumerate(rows) if n == len(programs[i]) - 1]
                if last:
                    out = out.index_copy(0, at[last], self._answer(function, value[last]))
                for row, v in zip(rows, value.detach(), strict=True):
                    values[row].append(v)
            sets.append(attention)
            scalars.append(scalar)
        return out, values

    def _answer(self, function: str, value: Tensor) -> Tensor:
        """Turn last steps' values into log probabilities of answers."""
        if function == "query":
            return value.log_softmax(-1)
        out = value.new_full((len(value), len(self.answers)), -30.0)
        if function == "count":
            numbers = [(int(a), i) for a, i in self.answer_id.items() if a.isdigit()]
            scores = torch.stack([-3.0 * (value - n).square() for n, _ in numbers], -1).log_softmax(-1)
            return out.index_copy(1, torch.tensor([i for _, i in numbers], device=value.device), scores)
        if function not in SCALARS:
            raise ValueError(f"a program cannot end in {function!r}")
        truth = value.clamp(1e-6, 1 - 1e-6)
        place = torch.tensor([self.answer_id["yes"], self.answer_id["no"]], device=value.device)
        return out.index_copy(1, place, torch.stack([truth.log(), (1 - truth).log()], -1))


class _Tables:
    """What holds of a batch's objects and pairs of objects, for every word and attribute."""

    def __init__(self, network: ProgramNetwork, features: Tensor, boxes: Tensor, mask: Tensor) -> None:
        self.network, self.mask = network, mask
        self.holds = network.find.every(features, mask)
        self.related = network.relate.every(pair_features(boxes))
        said = network.find.scores(features)[..., network.columns].unsqueeze(2)
        self.reads = said + network.get_buffer("allowed")
        self.kinds = self.reads.softmax(-1)

    def _ids(self, arguments: list[str], table: dict[str, int]) -> Tensor:
        return torch.tensor([table.get(a, 0) for a in arguments], device=self.mask.device)

    def step(self, function: str, arguments: list[str], given: list[Tensor], at: Tensor) -> Tensor:
        """Run one function for the rows *at* of the batch: an attention (R, N), a scalar (R,) or logits (R, answers)."""
        match function:
            case "find" | "filter":
                holds = self.holds[at, :, self._ids(arguments, self.network.word_id)]
                every = torch.tensor([not a for a in arguments], device=at.device).unsqueeze(-1)
                holds = torch.where(every, self.mask[at].to(holds.dtype), holds)
                return holds if function == "find" else nmn.both(given[0], holds)
            case "relate":
                pairs = self.related[at, :, :, self._ids(arguments, self.network.word_id)]
                return nmn.follow(given[0], pairs, self.mask[at])
            case "same":
                kinds = self.kinds[at, :, self._ids(arguments, self.network.attribute_id)]
                alike: Tensor = self.network.same(given[0], kinds, self.mask[at])
                return alike
            case "absent":
                return 1 - nmn.exist(given[0])
            case "query":
                reads = self.reads[at, :, self._ids(arguments, self.network.attribute_id)]
                return nmn.query(given[0], reads)
            case "greater" | "less" | "equal":
                return nmn.compare(given[0], given[1], function)
        if function not in OF_SETS:
            raise ValueError(f"no module {function!r}")
        return OF_SETS[function](*given)


def pair_features(boxes: Tensor) -> Tensor:
    """Describe j as seen from i: boxes (B, N, 4) → (B, N, N, 6), distances, the same magnified, difference of extents."""
    apart = boxes.unsqueeze(1) - boxes.unsqueeze(2)
    return torch.cat([apart[..., :2], torch.tanh(MAGNIFY * apart[..., :2]), apart[..., 2:]], -1)


def _by_function(programs: Sequence[Program], n: int) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for i, program in enumerate(programs):
        if n < len(program):
            rows[program[n].function].append(i)
    return rows


def _given(steps: list[ProgramStep], at: Tensor, before: list[Tensor]) -> list[Tensor]:
    """Return what the steps read, one tensor an input: rows *at* of the values of earlier steps."""
    reads = zip(*(s.inputs for s in steps), strict=True)
    return [torch.stack(before, 1)[at, torch.tensor(numbers, device=at.device)] for numbers in reads]
