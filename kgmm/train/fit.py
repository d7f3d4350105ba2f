"""Train any of the models: seeded, resumable after a kill, stopping early, logged, written as safetensors.

A :class:`Problem` says what a batch's loss is and how the model is measured; :func:`fit` does the rest and leaves in
its folder ``model.safetensors``, ``config.json``, ``vocabulary.json``, ``metrics.jsonl``, ``README.md`` (the model
card) and, while it runs, ``checkpoint.safetensors``. Nothing is pickled.
"""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from kgmm.errors import BadInput, KgmmError, reason_of
from kgmm.files import publish
from kgmm.nn.devices import pick_device
from kgmm.progress import Progress, silent

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Problem(Protocol):
    """A model with its data: what :func:`fit` trains."""

    config: dict[str, Any]  #: names of model and data, and all that builds the model again
    vocabulary: dict[str, Any]  #: token → id or list of words, as the model needs it
    model: nn.Module
    size: int  #: number of training samples
    metric: str  #: the figure of :meth:`evaluate` that decides, larger is better

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of the training samples *rows* on the model's device."""

    def evaluate(self) -> dict[str, float]:
        """Return figures on the development split."""

    def write(self, folder: Path) -> None:
        """Write what the trained model needs beside weights, config and vocabulary: nothing, for most."""
        return


@dataclass(frozen=True)
class Recipe:
    """How to train; written to the model's config."""

    epochs: int = 10
    batch: int = 64
    rate: float = 1e-3
    weight_decay: float = 1e-2
    patience: int = 5  #: epochs without a better figure after which training stops
    seed: int = 0
    clip: float = 2.0
    device: str = "auto"  #: ``cpu``, ``cuda``, or ``auto``
    mixed: bool = True  #: 16-bit arithmetic where a GPU has it
    threads: int = 1


@dataclass(frozen=True)
class Trained:
    """What a training run gave."""

    folder: Path
    figures: dict[str, float]
    epoch: int
    seconds: float
    epochs_run: int  #: epochs this process trained; less than the last epoch after a resume


def fit(problem: Problem, out: str | Path, recipe: Recipe | None = None, progress: Progress = silent) -> Trained:
    """Train, keep the best epoch's weights, and write the model folder *out*; *progress* is told every batch.

    An interrupted run is continued from its last full epoch if the same command is given again: shuffles are seeded by
    epoch, and the checkpoint holds optimizer and generator states, so the result is the same as without the kill.

    Raises:
        BadInput: if *out* holds the checkpoint of another configuration.
        KgmmError: if the learning rate is not a positive number, or there is no such device.
    """
    recipe = recipe or Recipe()
    if not 0 < recipe.rate < float("inf"):
        raise KgmmError(f"a learning rate of {recipe.rate} teaches nothing; give a positive number")
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    device = pick_device(recipe.device)
    problem.model.to(device)
    optimizer = torch.optim.AdamW(problem.model.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
    state = _Run(problem, optimizer, recipe, folder)
    state.resume()
    start = time.perf_counter()
    first = state.epoch
    log = _Log(folder, first)
    while state.epoch < recipe.epochs and state.stale < recipe.patience:
        loss = _epoch(state, device, progress)
        problem.model.eval()
        with torch.no_grad():
            figures = problem.evaluate()
        log.write(state.epoch + 1, {"loss": loss, **figures})  # before the checkpoint: a kill between loses no row
        state.finish(figures)
    trained = Trained(folder, state.figures, state.best_epoch, time.perf_counter() - start, state.epoch - first)
    state.close(trained)
    return trained


def _epoch(run: _Run, device: torch.device, progress: Progress) -> float:
    problem, optimizer, recipe, epoch = run.problem, run.optimizer, run.recipe, run.epoch
    problem.model.train()
    order = np.random.default_rng([recipe.seed, epoch]).permutation(problem.size)
    batches = torch.split(torch.from_numpy(order), recipe.batch)
    mixed = recipe.mixed and device.type == "cuda"
    total = 0.0
    for i, rows in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * _warm_cosine((epoch + i / len(batches)) / recipe.epochs)
        with torch.autocast(device.type, torch.bfloat16) if mixed else nullcontext():
            loss = problem.loss(rows)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(problem.model.parameters(), recipe.clip)
        optimizer.step()
        total += float(loss.detach()) * len(rows)
        progress(epoch * len(batches) + i + 1, recipe.epochs * len(batches), f"epoch {epoch + 1}")
    return total / max(problem.size, 1)


def _warm_cosine(done: float) -> float:
    """Return the learning rate's factor: up over the first 5 %, then down a cosine to 2 %."""
    if done < 0.05:
        return 0.1 + 0.9 * done / 0.05
    return float(0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * min((done - 0.05) / 0.95, 1.0))))


class _Run:
    """State of a run between epochs, and its files."""

    NOTED = ("epoch", "stale", "best_epoch", "figures")  #: what a checkpoint notes beside tensors

    def __init__(self, problem: Problem, optimizer: torch.optim.Optimizer, recipe: Recipe, folder: Path) -> None:
        self.problem, self.optimizer, self.recipe, self.folder = problem, optimizer, recipe, folder
        self.epoch = self.stale = self.best_epoch = 0
        self.figures: dict[str, float] = {}
        self.checkpoint = folder / "checkpoint.safetensors"
        self.weights = folder / "model.safetensors"

    def _identity(self) -> dict[str, Any]:
        return {"model": self.problem.config, "recipe": asdict(self.recipe)}

    def resume(self) -> None:
        """Continue from the folder's checkpoint, if it has one."""
        if not self.checkpoint.exists():
            return
        try:
            with safe_open(self.checkpoint, "pt") as file:
                notes = json.loads(file.metadata()["run"])
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(
                self.checkpoint, f"{reason_of(error, 'not a checkpoint')}; delete it to start anew"
            ) from error
        ours = json.loads(json.dumps(self._identity()))
        if notes["identity"] != ours:
            changed = f"belongs to a run with other settings ({', '.join(_changed(notes['identity'], ours))})"
            raise BadInput(self.checkpoint, f"{changed}; choose another --out or delete it")
        tensors = load_file(self.checkpoint)
        self.problem.model.load_state_dict(_with_prefix(tensors, "model."))
        for prefix, parameter in self._parameters():
            if entry := _with_prefix(tensors, prefix):
                place = {k: v if k == "step" else v.to(parameter.device) for k, v in entry.items()}
                self.optimizer.state[parameter] = place
        torch.set_rng_state(tensors["rng"])
        if "cuda_rng" in tensors and torch.cuda.is_available():  # dropout on a GPU draws from its own
            torch.cuda.set_rng_state(tensors["cuda_rng"])
        for name in self.NOTED:
            setattr(self, name, notes[name])

    def _parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the optimizer's parameters, each with the prefix that what is kept of it has in a checkpoint."""
        for i, parameter in enumerate(p for group in self.optimizer.param_groups for p in group["params"]):
            yield f"optimizer.{i}.", parameter

    def finish(self, figures: dict[str, float]) -> None:
        """Close an epoch: keep the weights if they are the best so far, and write the checkpoint."""
        self.epoch += 1
        self.stale += 1
        best = self.figures.get(self.problem.metric, -float("inf"))
        if figures[self.problem.metric] >= best:  # of equal epochs the later one, which has seen more
            self.stale = 0 if figures[self.problem.metric] > best else self.stale
            self.figures, self.best_epoch = figures, self.epoch
            _save(_cpu(self.problem.model.state_dict()), self.weights)
        tensors = {f"model.{k}": v for k, v in _cpu(self.problem.model.state_dict()).items()}
        for prefix, parameter in self._parameters():
            entry = self.optimizer.state.get(parameter, {})
            tensors |= {f"{prefix}{k}": v.detach().cpu().contiguous() for k, v in entry.items()}
        tensors["rng"] = torch.get_rng_state()
        if torch.cuda.is_available():
            tensors["cuda_rng"] = torch.cuda.get_rng_state()
        notes = {"identity": self._identity(), **{name: getattr(self, name) for name in self.NOTED}}
        _save(tensors, self.checkpoint, {"run": json.dumps(notes)})

    def close(self, trained: Trained) -> None:
        """Load the best weights, write what describes them, and drop the checkpoint."""
        if self.weights.exists():
            self.problem.model.load_state_dict(load_file(self.weights))
        self.problem.model.eval()
        reached = {"figures": trained.figures, "epoch": trained.epoch}
        config = {**self.problem.config, "recipe": asdict(self.recipe), **reached}
        write_json(self.folder / "config.json", config)
        write_json(self.folder / "vocabulary.json", self.problem.vocabulary)
        (self.folder / "README.md").write_text(_card(config, self.problem.model, trained.seconds), encoding="utf-8")
        self.problem.write(self.folder)
        self.checkpoint.unlink(missing_ok=True)


def _changed(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what differs between two runs' settings, as "epochs 6 → 7"."""
    both = [(then.get(part, {}), now[part]) for part in ("model", "recipe")]
    pairs = [(name, old.get(name), new.get(name)) for old, new in both for name in sorted({*old, *new})]
    return [f"{name} {before} → {after}" for name, before, after in pairs if before != after]


def _cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.detach().cpu().clone().contiguous() for k, v in state.items()}


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _save(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write in one step, so that a kill leaves the old file or the new one."""
    publish(path, save(tensors, metadata))  # safetensors' own files can be read by nobody else


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file in one step."""
    publish(path, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())


def _card(config: dict[str, Any], model: nn.Module, seconds: float) -> str:
    figures = "\n".join(f"| {name} | {value:.4f} |" for name, value in config["figures"].items())
    count = sum(p.numel() for p in model.parameters())
    settings = json.dumps(config["recipe"])
    return (
        f"# {config['name']} on {config['data']}\n\n{config.get('about', '')}\n\n{count:,} parameters; epoch {config['epoch']}"
        f" was the best; the last run of the training took {seconds:.0f} s.\nMade by `{config.get('command', 'kgmm train')}`"
        f" with {settings}.\n\n| development figure | value |\n|---|---|\n{figures}\n"
    )


class _Log:
    """``metrics.jsonl``, a row for each of the *epochs* done, and for TensorBoard where that is installed."""

    def __init__(self, folder: Path, epochs: int) -> None:
        self.path = folder / "metrics.jsonl"
        rows = self.path.read_text().splitlines()[:epochs] if self.path.exists() else []
        self.path.write_text("".join(row + "\n" for row in rows))
        self.board = _board(folder / "tensorboard", fresh=not epochs)

    def write(self, epoch: int, figures: dict[str, float]) -> None:
        """Append one epoch's figures."""
        with self.path.open("a") as lines:
            lines.write(json.dumps({"epoch": epoch, **{k: round(float(v), 6) for k, v in figures.items()}}) + "\n")
        if self.board is not None:
            for name, value in figures.items():
                self.board.add_scalar(name, value, epoch)
            self.board.flush()


def _board(folder: Path, fresh: bool) -> SummaryWriter | None:
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    for stale in folder.glob("events.out.tfevents.*") if fresh else ():
        stale.unlink()  # of another run that ended in this folder
    return SummaryWriter(str(folder))


def halve(folder: str | Path) -> None:
    """Store a trained folder's weights in half precision, which :func:`kgmm.nn.folders.load_weights` reads as well."""
    path = Path(folder) / "model.safetensors"
    _save({k: v.half() if v.is_floating_point() else v for k, v in load_file(path).items()}, path)
