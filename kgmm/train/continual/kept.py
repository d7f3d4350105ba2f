"""A training that goes on from a trained folder and keeps what was learned there: ``kgmm train … --continue FROM --keep HOW``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from kgmm.errors import BadInput, KgmmError, reason_of
from kgmm.files import publish
from kgmm.nn.folders import trained_name
from kgmm.train.continual import create
from kgmm.train.continual.base import Samples, Strategy
from kgmm.train.continual.growth import grown_rows
from kgmm.train.continual.strategies.lwf import Distillation

KEPT = "kept.safetensors"  #: what a strategy keeps of a training, beside the weights
EVERYTHING = 1 << 40  #: outputs of a teacher whose problem says itself which are old
NEEDED = ("ewc", "replay", "frozen")  #: strategies that need what the training before kept


class Learned(Protocol):
    """A training problem that strategies can work upon."""

    config: dict[str, Any]
    vocabulary: dict[str, Any]
    metric: str
    size: int
    model: nn.Module
    old: int  #: outputs that a training before has learned
    growing: tuple[str, ...]  #: weights with a row for each output

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of some samples, as the problem has it without any strategy."""

    def evaluate(self) -> dict[str, float]:
        """Return the figures."""

    def write(self, folder: Path) -> None:
        """Write what the model needs beside its weights."""

    def take(self, rows: Tensor) -> Samples:
        """Return some samples, on the CPU."""

    def loss_on(self, samples: Samples) -> Tensor:
        """Return the mean loss of samples."""

    def outputs(self, model: nn.Module, samples: Samples) -> list[Tensor]:
        """Return a model's logits, those alone that are old."""


class Keeping:
    """A problem under a strategy, for :func:`kgmm.train.fit.fit`; the figures are the problem's own.

    Args:
        problem: whose network has been grown to all outputs, old ones first.
        keep: ``ewc``, ``replay``, ``lwf``, ``frozen`` or ``none``.
        before: folder of the training that this one goes on from; None for a first training, which only keeps.
        seed: of rows that are new.
        **options: the strategy's own.

    Raises:
        BadInput: if *before* holds no weights that fit, or nothing was kept there that *keep* needs.
        KgmmError: if the problem's network has no last layer to solve for.
    """

    def __init__(self, problem: Learned, keep: str, before: Path | None, *, seed: int = 0, **options: Any) -> None:
        self.strategy: Strategy = create("plain" if keep == "none" else keep, **options)
        if self.strategy.closed and not hasattr(problem, "head"):
            raise KgmmError(f"{problem.config['name']} has no last layer in closed form; --keep ewc, replay or lwf")
        self.problem, self.keep, self.going_on = problem, keep, before is not None
        self.model: nn.Module = problem.model
        self.vocabulary: dict[str, Any] = problem.vocabulary
        self.metric: str = problem.metric
        self.size: int = problem.size
        self.config: dict[str, Any] = {**problem.config, "keep": keep}
        if options:
            self.config["keep_options"] = options
        if before is not None:
            self.config["continued"] = self._go_on(before, seed)

    def _go_on(self, before: Path, seed: int) -> str:
        """Take over weights and what was kept; return a checksum of both."""
        weights, kept = before / "model.safetensors", before / KEPT
        digest = hashlib.blake2b(_take_over(self.model, weights, self.problem.growing, seed), digest_size=8)
        if self.keep in NEEDED:
            digest.update(_restore(self.strategy, self.keep, kept))
        if isinstance(self.strategy, Distillation):
            self.strategy.known = [EVERYTHING]
            self.strategy.teach(self.model)
        if self.strategy.closed:
            for name, values in self.model.named_parameters():
                values.requires_grad_(name in self.problem.growing)
        return digest.hexdigest()

    def loss(self, rows: Tensor) -> Tensor:
        """Return the problem's loss with the strategy's."""
        return self.strategy.loss(self.problem, rows)

    def evaluate(self) -> dict[str, float]:
        """Return the problem's figures; where the last layer is in closed form, of that."""
        if self.strategy.closed and self.going_on:
            self._solve()
        return self.problem.evaluate()

    def _solve(self) -> None:
        """Solve for the last layer over all trainings; the sums stay as they were until the end."""
        state = self.strategy.state()
        self.strategy.after(self.problem)
        self.strategy.restore(state)

    def write(self, folder: Path) -> None:
        """Write what the problem writes, and what the next training needs of this one."""
        self.problem.write(folder)
        self.strategy.after(self.problem)
        if self.strategy.closed:  # a first training's last layer becomes the closed form's as well
            state = {k: v.detach().cpu().contiguous() for k, v in self.model.state_dict().items()}
            publish(folder / "model.safetensors", save(state))
        if self.keep in NEEDED:
            kept = {k: v.detach().cpu().contiguous() for k, v in self.strategy.state().items()}
            publish(folder / KEPT, save(kept, {"keep": self.keep}))


def check_family(before: Path, model: str, out: Path) -> None:
    """Refuse to go on from a folder that holds no model, or another than *model*, or into the folder itself."""
    if not before.is_dir():
        raise BadInput(before, "no such folder; --continue takes a folder that kgmm train wrote")
    if before.resolve() == out.resolve():
        raise BadInput(out, "is what --continue goes on from; choose another --out")
    if (name := trained_name(before)) != model:
        raise BadInput(before, f"holds {name}; --continue goes on with {model} where that was trained")


def _take_over(model: nn.Module, file: Path, growing: tuple[str, ...], seed: int) -> bytes:
    """Load weights into a network with more rows in *growing*; return the file's bytes."""
    if not file.is_file():
        raise BadInput(file, "no weights here; make them with: kgmm train")
    try:
        stored = load_file(file)
    except (SafetensorError, OSError) as error:
        raise BadInput(file, reason_of(error, "not a safetensors file")) from error
    state = model.state_dict()
    for name, values in state.items():
        old = stored.get(name)
        grown = old is not None and name in growing and old.shape[1:] == values.shape[1:] and len(old) <= len(values)
        if old is None or not (grown or old.shape == values.shape):
            shape = "none" if old is None else tuple(old.shape)
            raise BadInput(file, f"weights do not fit: {name} is {shape}, the network's {tuple(values.shape)}")
        old = old.to(values.dtype)
        state[name] = grown_rows(old, len(values), seed) if grown else old
    if strange := sorted(stored.keys() - state.keys()):
        raise BadInput(file, f"weights do not fit: the network has no {strange[0]}")
    if "seen" in state:  # counts the samples of one training
        state["seen"] = torch.zeros_like(state["seen"])
    model.load_state_dict(state)
    return file.read_bytes()


def _restore(strategy: Strategy, keep: str, file: Path) -> bytes:
    if not file.is_file():
        raise BadInput(file.parent, f"kept nothing for {keep}; train it with --keep {keep} (lwf and none need nothing)")
    try:
        with safe_open(file, "pt") as held:
            there = (held.metadata() or {}).get("keep")
        if there != keep:
            raise BadInput(file, f"was kept for {there}, not for {keep}")
        strategy.restore(load_file(file))
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise BadInput(file, reason_of(error, "nothing that a strategy kept")) from error
    return file.read_bytes()
