"""A network that learns a stream of tasks, one after another, under a strategy; its state is plain tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.data.streams import Stream, Task
from kgmm.nn.threads import one_thread
from kgmm.train.continual import create
from kgmm.train.continual.base import Samples
from kgmm.train.continual.growth import grow_linear

BATCH, RATE, WIDTH = 32, 1e-3, 256
PAIRS, PAIRS_RATE = 64, 3e-3  #: the same where pairs of texts are learned
RANDOM = 2000  #: hidden units of a layer that is not trained


class Network(nn.Module):
    """One hidden layer and a linear one that grows: (n, d) → (n, classes).

    Rows that are *pairs* (n, 2 d) are encoded one by one, without a rectifier, and read as e(a) ∘ e(b) and |e(a) − e(b)|: one encoder
    whatever the task's head asks.
    """

    def __init__(self, features: int, width: int, seed: int, pairs: bool = False) -> None:
        super().__init__()
        self.seed, self.pairs = seed, pairs
        self.inputs = features // 2 if pairs else features
        read = 2 * width if pairs else width
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            self.hidden = nn.Linear(self.inputs, width)
            if pairs:  # lengths and angles are those of the vectors, nearly
                nn.init.orthogonal_(self.hidden.weight, gain=max(self.inputs / width, 1.0) ** 0.5)
            else:
                nn.init.kaiming_uniform_(self.hidden.weight, nonlinearity="relu")
        self.head = nn.Linear(read, 1)
        self.head.weight, self.head.bias = nn.Parameter(torch.empty(0, read)), nn.Parameter(torch.empty(0))
        self.head.out_features = 0

    def features(self, rows: Tensor) -> Tensor:
        """Return what the last layer reads, (n, width), of pairs (n, 2 width)."""
        if not self.pairs:
            return torch.relu(self.hidden(rows))
        a, b = self.hidden(rows.view(-1, 2, self.inputs)).unbind(1)
        return torch.cat([a * b, (a - b).abs()], 1)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the classes' logits."""
        out: Tensor = self.head(self.features(rows))
        return out

    def grow(self, classes: int) -> None:
        """Make room for *classes* classes; those there are keep their bits."""
        if classes > self.head.out_features:
            self.head = grow_linear(self.head, classes, self.seed)


class TaskWork:
    """A stream's task for a strategy."""

    def __init__(self, model: Network, task: Task, number: int, parts: list[list[int]], told: bool) -> None:
        self.model: Network = model
        self.told, self.parts = told, parts
        self.own: list[int] | None = parts[number] if told else None
        self.size: int = len(task.y)
        self._samples: Samples = {
            "x": torch.from_numpy(task.x),
            "y": torch.from_numpy(task.y),
            "task": torch.full((len(task.y),), number),
        }

    @property
    def head(self) -> nn.Linear:
        """The last layer."""
        return self.model.head

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of some samples."""
        return self.loss_on(self.take(rows))

    def take(self, rows: Tensor) -> Samples:
        """Return some samples."""
        return {name: part[rows] for name, part in self._samples.items()}

    def loss_on(self, samples: Samples) -> Tensor:
        """Return the cross entropy among the classes that compete."""
        logits = self.model(samples["x"])
        if self.told:
            logits = logits.masked_fill(~allowed(self.parts, logits.shape[1])[samples["task"]], -1e9)
        return F.cross_entropy(logits, samples["y"])

    def outputs(self, model: nn.Module, samples: Samples) -> list[Tensor]:
        """Return the logits: of each task's classes where tasks are told, of all otherwise."""
        logits: Tensor = model(samples["x"])
        if not self.told:
            return [logits]
        return [logits[:, part] for part in self.parts if max(part) < logits.shape[1]]

    def features(self, samples: Samples) -> Tensor:
        """Return the hidden layer."""
        return self.model.features(samples["x"])

    def labels(self, samples: Samples) -> Tensor:
        """Return the classes."""
        return samples["y"]


def allowed(parts: list[list[int]], classes: int) -> Tensor:
    """Return which classes compete in which task, (tasks, classes).

    >>> allowed([[0, 1], [2]], 3).tolist()
    [[True, True, False], [False, False, True]]
    """
    mask = torch.zeros(len(parts), classes, dtype=torch.bool)
    for number, part in enumerate(parts):
        mask[number, [c for c in part if c < classes]] = True
    return mask


class Learner:
    """Learns a stream's tasks in their order.

    What is random follows from *seed* and the task's number, so that a learner restored from its :meth:`state` goes on with
    the same bits.

    Args:
        stream: its tasks; labels of test samples are read by :meth:`row` only.
        method: a strategy's name.
        seed: of weights, shuffles and draws.
        epochs: passes over each task.
        **options: the strategy's own.
    """

    def __init__(self, stream: Stream, method: str, *, seed: int = 0, epochs: int = 10, **options: Any) -> None:
        self.stream, self.seed, self.epochs = stream, seed, epochs
        self.strategy = create(method, **options)
        pairs = stream.choices > 0
        usual, self.rate = (PAIRS, PAIRS_RATE) if pairs else (WIDTH, RATE)
        width = RANDOM // (2 if pairs else 1) if self.strategy.closed else usual
        self.model = Network(stream.tasks[0].x.shape[1], width, seed, pairs)
        self.parts = [sorted({int(c) for c in task.y}) for task in stream.tasks]
        self.done = 0

    def learn(self) -> None:
        """Learn the next task."""
        number = self.done
        task = self.stream.tasks[number]
        self.model.grow(1 + max(max(part) for part in self.parts[: number + 1]))
        work = TaskWork(self.model, task, number, self.parts[: number + 1], self.stream.told)
        with one_thread(), torch.random.fork_rng([]):
            torch.manual_seed(self.seed * 1009 + number)
            self.strategy.before(work)
            if not self.strategy.closed:
                self._descend(work, number)
            self.model.eval()
            self.strategy.after(work)
        self.done += 1

    def learn_at_once(self) -> None:
        """Learn all tasks as one, where the last layer is in closed form: what one after another is compared with."""
        tasks = self.stream.tasks
        if self.stream.told:  # rows of their own: there is nothing to be fitted together
            while self.done < len(tasks):
                self.learn()
            return
        x, y = np.concatenate([task.x for task in tasks]), np.concatenate([task.y for task in tasks])
        self.model.grow(1 + max(max(part) for part in self.parts))
        with one_thread():
            self.strategy.after(TaskWork(self.model, tasks[0]._replace(x=x, y=y), 0, self.parts, self.stream.told))
        self.done = len(tasks)

    def _descend(self, work: TaskWork, number: int) -> None:
        optimizer = torch.optim.Adam(self.model.parameters(), self.rate)
        self.model.train()
        for epoch in range(self.epochs):
            random = np.random.default_rng([self.seed, number, epoch])
            order = torch.from_numpy(random.permutation(self.strategy.rows(work)))
            for rows in torch.split(order, BATCH):
                loss = self.strategy.loss(work, rows)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()

    @torch.no_grad()
    def row(self) -> list[float]:
        """Return the accuracy on each task of the stream, those to come included; classes to come have untrained rows."""
        known = max(1 + max(part) for part in self.parts)
        head = grow_linear(self.model.head, known, self.seed)
        there = self.model.head.out_features
        found = []
        for number, task in enumerate(self.stream.tasks):
            with one_thread():
                logits = head(self.model.features(torch.from_numpy(task.test_x)))
            classes = torch.arange(known)
            if self.stream.choices:
                wrong, right = self.parts[number]
                better = (logits[:, right] - logits[:, wrong]).view(-1, self.stream.choices).argmax(1).numpy()
                found.append(
                    float(np.mean(task.test_y.reshape(-1, self.stream.choices)[range(len(better)), better] % 2))
                )
                continue
            competing = torch.isin(classes, torch.tensor(self.parts[number]))
            if not self.stream.told:  # classes to come compete only where they are asked for
                competing |= classes < there
            told = logits.masked_fill(~competing, -torch.inf).argmax(1).numpy()
            place = np.array(self.stream.places or range(known))
            found.append(float(np.mean(place[told] == place[task.test_y])))
        return found

    def state(self) -> Samples:
        """Return all that the rest of the stream depends on."""
        model = {f"model.{k}": v.clone() for k, v in self.model.state_dict().items()}
        kept = {f"strategy.{k}": v for k, v in self.strategy.state().items()}
        return {"done": torch.tensor(self.done), **model, **kept}

    def restore(self, state: Samples) -> None:
        """Take back what :meth:`state` returned."""
        self.done = int(state["done"])
        self.model.grow(len(state["model.head.bias"]))
        self.model.load_state_dict({k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")})
        if self.done:
            self.strategy.restore(
                {k.removeprefix("strategy."): v for k, v in state.items() if k.startswith("strategy.")}
            )
