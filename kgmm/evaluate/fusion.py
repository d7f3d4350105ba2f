"""Compare fusion levels and shared spaces on one cross-modal data set, in one table."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.data.cross_modal import CrossModal
from kgmm.errors import KgmmError
from kgmm.evaluate.hashing import CUTOFF, average_precision
from kgmm.fusion.levels import FusionClassifier
from kgmm.fusion.projections import SPACES, Projection
from kgmm.hashing.features import MODALITIES, Array
from kgmm.progress import Progress, silent

#: rows of the table that classify features as they are: name, level, rule of late fusion
CLASSIFIERS: tuple[tuple[str, Any, Any], ...] = (
    ("image alone", "image", "product"),
    ("text alone", "text", "product"),
    ("feature (early) fusion", "early", "product"),
    ("intermediate fusion", "intermediate", "product"),
    ("semantic (late) fusion, product", "late", "product"),
    ("semantic (late) fusion, average", "late", "average"),
    ("semantic (late) fusion, stacking", "late", "stacking"),
)


def evaluate(
    data: CrossModal, *, seeds: Sequence[int] = (0, 1, 2), components: int = 10, progress: Progress = silent
) -> dict[str, Any]:
    """Fit on the training pairs; classify the test pairs, and search the training items with them.

    Accuracy counts a pair as right if the likeliest category is among its own. A shared space of so many *components*
    classifies by early fusion of both projections. Late fusion searches by comparing posteriors (semantic matching).

    Returns ``rows``: name, ``accuracy`` and ``accuracy_std`` over *seeds*, ``image_to_text`` and ``text_to_image``
    ({``map``, ``map50``} or None), ``seconds`` a seed; and the switches. KgmmError if no seed is given, or the data
    cannot be fitted.
    """
    if not seeds:
        raise KgmmError("give at least one seed")
    jobs: list[tuple[str, Callable[[int], dict[str, Any]]]] = [
        *((name, partial(_classified, data, level, rule)) for name, level, rule in CLASSIFIERS),
        *((space.name, partial(_projected, data, space(components))) for space in SPACES),
    ]
    rows = []
    for done, (name, job) in enumerate(jobs):
        start = time.perf_counter()
        rows.append(_mean(name, [job(seed) for seed in seeds]))
        rows[-1]["seconds"] = round((time.perf_counter() - start) / len(seeds), 2)
        progress(done + 1, len(jobs), name)
    return {
        "rows": rows,
        "seeds": list(seeds),
        "components": components,
        "similarity": "cosine",
        "database": "train",
        "train": len(data.image_train),
        "test": len(data.image_test),
        "categories": data.labels_train.shape[1],
    }


def cross_modal_map(transform: Callable[[Array, str], Array], data: CrossModal) -> dict[str, dict[str, float]]:
    """Rank training items of the other modality by cosine; ties keep the database's order."""
    out = {}
    for query, base in (MODALITIES, MODALITIES[::-1]):
        likeness = _unit(transform(data.test[query], query)) @ _unit(transform(data.train[base], base)).T
        hits = np.take_along_axis(data.relevant, np.argsort(-likeness, axis=1, kind="stable"), axis=1)
        out[f"{query}_to_{base}"] = {
            "map": float(average_precision(hits).mean()),
            f"map{CUTOFF}": float(average_precision(hits[:, :CUTOFF]).mean()),
        }
    return out


def table(found: dict[str, Any]) -> str:
    """Return the rows of :func:`evaluate` as a Markdown table."""
    lines = ["| method | accuracy | image→text @all | @50 | text→image @all | @50 |", "|---|---|---|---|---|---|"]
    for row in found["rows"]:
        cells = [row["name"], f"{row['accuracy']:.3f} ± {row['accuracy_std']:.3f}"]
        for way in ("image_to_text", "text_to_image"):
            part = row[way]
            cells += ["–", "–"] if part is None else [f"{part['map']:.3f}", f"{part['map50']:.3f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _classified(data: CrossModal, level: Any, rule: Any, seed: int) -> dict[str, Any]:
    model = FusionClassifier(level, rule, seed).fit(data.image_train, data.text_train, data.labels_train)
    found = {"accuracy": accuracy(model.predict_proba(data.image_test, data.text_test), data.labels_test)}
    if (level, rule) != ("late", "product"):
        return found

    def posterior(x: Array, modality: str) -> Array:
        return model.predict_proba(x, None) if modality == "image" else model.predict_proba(None, x)

    return {**found, **cross_modal_map(posterior, data)}


def _projected(data: CrossModal, space: Projection, seed: int) -> dict[str, Any]:
    space.fit(data.image_train, data.text_train)
    train, test = ([space.transform(part[kind], kind) for kind in MODALITIES] for part in (data.train, data.test))
    model = FusionClassifier("early", seed=seed).fit(train[0], train[1], data.labels_train)
    right = accuracy(model.predict_proba(test[0], test[1]), data.labels_test)
    return {"accuracy": right, **cross_modal_map(space.transform, data)}


def accuracy(posterior: Array, labels: Array) -> float:
    """Return how often the likeliest category is one of the item's."""
    return float((labels[np.arange(len(labels)), posterior.argmax(1)] > 0).mean())


def _mean(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    right = [run["accuracy"] for run in runs]
    row: dict[str, Any] = {"name": name, "accuracy": float(np.mean(right)), "accuracy_std": float(np.std(right))}
    for way in ("image_to_text", "text_to_image"):
        parts = [run[way] for run in runs if way in run]
        row[way] = {key: float(np.mean([p[key] for p in parts])) for key in parts[0]} if parts else None
    return row


def _unit(x: NDArray[np.floating]) -> Array:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12))
