"""How much is forgotten and carried over along a stream of tasks: the accuracy matrix and its measures, beside plain and joint."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from kgmm.data.streams import Stream
from kgmm.errors import BadInput, KgmmError, reason_of
from kgmm.files import publish
from kgmm.progress import Progress, silent
from kgmm.train.continual import methods
from kgmm.train.continual.network import Learner

Matrix = NDArray[np.float64]


def average_accuracy(matrix: Matrix) -> float:
    r"""Return ``ACC = Σ_i R[T, i] / T`` (Lopez-Paz & Ranzato, NeurIPS 2017, Eq. 2).

    R is the accuracy on task i (column) after learning task t (row).

    >>> average_accuracy(np.array([[0.9, 0.1], [0.7, 0.8]]))
    0.75
    """
    return float(matrix[-1].mean())


def backward_transfer(matrix: Matrix) -> float:
    r"""Return ``BWT = Σ_(i<T) (R[T, i] - R[i, i]) / (T - 1)`` (Eq. 3): below 0 is forgetting.

    >>> round(backward_transfer(np.array([[0.9, 0.1], [0.7, 0.8]])), 6)
    -0.2
    """
    last = len(matrix) - 1
    return float(np.mean([matrix[last, i] - matrix[i, i] for i in range(last)]))


def forward_transfer(matrix: Matrix, untrained: Sequence[float]) -> float:
    r"""Return ``FWT = Σ_(i>1) (R[i - 1, i] - b[i]) / (T - 1)`` (Eq. 4), b the untrained network's accuracies.

    >>> round(forward_transfer(np.array([[0.9, 0.3], [0.7, 0.8]]), [0.1, 0.2]), 6)
    0.1
    """
    return float(np.mean([matrix[i - 1, i] - untrained[i] for i in range(1, len(matrix))]))


def run(
    stream: Stream, method: str, *, seed: int = 0, epochs: int = 10, keep: Path | None = None, **options: Any
) -> tuple[Matrix, list[float]]:
    """Learn a stream; return the accuracy matrix (T, T) and the untrained network's accuracies (T,).

    Args:
        keep: folder where the state after each task is kept; a run that was killed goes on from there, with the same bits.
        **options: the method's own.

    Raises:
        BadInput: if *keep* holds what is no state, or that of other settings.
    """
    learner = Learner(stream, method, seed=seed, epochs=epochs, **options)
    rows = [learner.row()]
    file = None if keep is None else keep / f"{method}-{seed}.safetensors"
    identity = json.dumps({"stream": _checksum(stream), "method": method, "epochs": epochs, **options}, sort_keys=True)
    if file is not None and file.exists():
        rows = _restored(learner, file, identity)
    while learner.done < len(stream.tasks):
        learner.learn()
        rows.append(learner.row())
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            state = {"rows": torch.tensor(rows, dtype=torch.float64), **learner.state()}
            publish(file, save({k: v.contiguous() for k, v in state.items()}, {"run": identity}))
    return np.array(rows[1:]), rows[0]


def _restored(learner: Learner, file: Path, identity: str) -> list[list[float]]:
    try:
        with safe_open(file, "pt") as kept:
            notes = (kept.metadata() or {}).get("run")
            state = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise BadInput(file, f"{reason_of(error, 'no state of a stream')}; delete it to start anew") from error
    if notes != identity:
        raise BadInput(file, "the state of another stream or other settings; choose another folder or delete it")
    rows: list[list[float]] = state.pop("rows").tolist()
    learner.restore(state)
    return rows


def measure(
    stream: Stream,
    method: str,
    seeds: int = 3,
    *,
    epochs: int = 10,
    keep: Path | None = None,
    progress: Progress = silent,
    **options: Any,
) -> dict[str, Any]:
    """Measure a method on a stream, beside plain fine-tuning and joint training.

    Returns:
        Means over seeds: ``acc``, ``bwt``, ``fwt``, ``matrix``; the same of ``plain`` and ``joint``. ``joint`` learns all tasks so
        far at once with the same network; for ``frozen``, whose network is another, ``joint_head`` is its own last layer fitted once on
        all tasks. ``seconds`` are processor seconds a seed of the method.

    Raises:
        KgmmError: if there is no such method or option.
    """
    if method not in methods():
        raise KgmmError(f"no method {method!r}; there are: {', '.join(methods())}")
    wanted = list(dict.fromkeys([method, "plain", "joint"]))
    found, done = {}, 0
    for name in wanted:
        given = options if name == method else {}
        runs, start = [], time.process_time()
        for seed in range(seeds):
            runs.append(run(stream, name, seed=seed, epochs=epochs, keep=keep, **given))
            done += 1
            progress(done, len(wanted) * seeds, f"{stream.name}, {name}")
        found[name] = _means(runs) | {"seconds": round((time.process_time() - start) / seeds, 2)}
    own = found[method]
    report = {"stream": stream.name, "method": method, "told": stream.told, "seeds": seeds, "epochs": epochs, **own}
    report["tasks"] = [task.name for task in stream.tasks]
    report["plain"], report["joint"] = (
        {k: found[name][k] for k in ("acc", "bwt", "fwt")} for name in ("plain", "joint")
    )
    report |= {name: {"acc": float(np.mean(values)), "each": values} for name, values in (stream.simple or {}).items()}
    if method == "frozen":
        report["joint_head"] = {"acc": float(np.mean([_at_once(stream, seed, options) for seed in range(seeds)]))}
    return report


def _at_once(stream: Stream, seed: int, options: dict[str, Any]) -> float:
    """Return the accuracy over the stream's tasks of frozen features whose last layer is fitted once on all of them."""
    learner = Learner(stream, "frozen", seed=seed, **options)
    learner.learn_at_once()
    return float(np.mean(learner.row()))


def _means(runs: list[tuple[Matrix, list[float]]]) -> dict[str, Any]:
    figures = {
        "acc": [average_accuracy(matrix) for matrix, _ in runs],
        "bwt": [backward_transfer(matrix) for matrix, _ in runs],
        "fwt": [forward_transfer(matrix, untrained) for matrix, untrained in runs],
    }
    means: dict[str, Any] = {name: float(np.mean(values)) for name, values in figures.items()}
    means["each"] = figures
    means["matrix"] = np.mean([matrix for matrix, _ in runs], axis=0).tolist()
    return means


def _checksum(stream: Stream) -> str:
    digest = hashlib.blake2b(repr((stream.name, stream.told, stream.places)).encode(), digest_size=8)
    for task in stream.tasks:
        for part in task[1:]:
            digest.update(repr((part.shape, part.dtype.str)).encode() + part.tobytes())
    return digest.hexdigest()


def table(found: dict[str, Any]) -> str:
    """Return figures as text: the method beside plain and joint, and the accuracy matrix."""
    lines = [
        f"{found['stream']}, {len(found['tasks'])} tasks, {found['seeds']} seeds",
        "method        ACC     BWT     FWT",
    ]
    rows = {found["method"]: found, "plain": found["plain"], "joint": found["joint"]}
    for name, row in rows.items():
        lines.append(f"{name:10} {row['acc']:6.3f}  {row['bwt']:+.3f}  {row['fwt']:+.3f}")
    lines += [f"{name:10} {found[name]['acc']:6.3f}" for name in ("chance", "nearest") if name in found]
    if "joint_head" in found:
        lines.append(f"{'at once':10} {found['joint_head']['acc']:6.3f}")
    lines.append("after each task (row), accuracy on each (column):")
    lines += ["  ".join(f"{value:.3f}" for value in row) for row in found["matrix"]]
    return "\n".join(lines)
