"""A memory of samples from a stream of unknown length, every one kept with the same chance (Vitter 1985, Algorithm R)."""

from __future__ import annotations

import torch
from torch import Tensor

from kgmm.errors import KgmmError
from kgmm.train.continual.base import Samples, Work, count, joined


class Reservoir:
    """So many samples, a uniform choice of all that were offered.

    Args:
        size: samples kept at most.

    Example:
        >>> kept = Reservoir(2)
        >>> [kept.place(i, torch.Generator().manual_seed(i)) for i in range(2)]
        [0, 1]
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.seen = 0
        self.samples: Samples = {}

    def place(self, number: int, random: torch.Generator) -> int | None:
        """Return where the stream's sample *number*, from 0, is put; None if it is not kept."""
        if number < self.size:
            return number
        drawn = int(torch.randint(number + 1, (), generator=random))
        return drawn if drawn < self.size else None

    def offer(self, work: Work) -> None:
        """Offer all samples of a task, in their order; which are kept follows from the numbers of samples alone."""
        random = torch.Generator().manual_seed(self.seen + 1)
        held = count(self.samples)
        source: list[int] = list(range(held))  # row of what was held, or held + row of the task
        for row in range(work.size):
            place = self.place(self.seen, random)
            self.seen += 1
            if place is None:
                continue
            if place < len(source):
                source[place] = held + row
            else:
                source.append(held + row)
        rows = torch.tensor([one - held for one in source if one >= held], dtype=torch.long)
        if not len(rows):
            return
        fresh = work.take(rows)
        both = joined([self.samples, fresh]) if held else fresh
        at = {held + int(row): held + i for i, row in enumerate(rows)}
        order = torch.tensor([at.get(one, one) for one in source])
        self.samples = {name: part[order].clone() for name, part in both.items()}

    def draw(self, number: int) -> Samples:
        """Return *number* samples drawn with replacement from torch's own generator."""
        rows = torch.randint(count(self.samples), (number,))
        return {name: part[rows] for name, part in self.samples.items()}

    def state(self) -> Samples:
        """Return samples and the number seen."""
        return {"seen": torch.tensor(self.seen), **{f"sample.{k}": v for k, v in self.samples.items()}}

    def restore(self, state: Samples) -> None:
        """Take back what :meth:`state` returned; KgmmError if its parts do not belong together."""
        self.seen = int(state["seen"])
        self.samples = {k.removeprefix("sample."): v for k, v in state.items() if k.startswith("sample.")}
        if len({len(part) for part in self.samples.values()}) > 1:
            raise KgmmError("the kept samples' parts have different lengths")


def all_of(work: Work) -> Samples:
    """Return all samples of a task."""
    return work.take(torch.arange(work.size))


def some_of(samples: Samples, rows: Tensor) -> Samples:
    """Return some samples."""
    return {name: part[rows] for name, part in samples.items()}
