"""How right an adapter is on a target whose labels it did not see, beside the same classifier without transfer."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from kgmm.data.domains import Domain
from kgmm.errors import BadInput, KgmmError
from kgmm.progress import Progress, silent
from kgmm.transfer import create, methods


def evaluate(
    source: Domain, target: Domain, method: str, seeds: int = 3, progress: Progress = silent, **options: Any
) -> dict[str, Any]:
    """Fit on the whole source with labels and the whole target without; compare with the target's labels.

    Returns:
        Means over seeds: ``accuracy``; ``source_only``, of the same classifier with transfer weight 0; ``target_only``,
        of that classifier trained on one half of the target with labels and measured on the other (what labels would
        give); ``majority``, the share of the target's commonest class; ``accuracies`` of each seed, and ``seconds`` a fit.

    Raises:
        BadInput: if the domains' features differ in number, or they share no class.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> y = np.repeat([0, 1], 20)
        >>> one = Domain("one", rng.normal(size=(40, 4)) + 3 * y[:, None], y)
        >>> evaluate(one, one, "coral", seeds=1)["accuracy"] > 0.8
        True
    """
    if method.replace("_", "-") not in methods():
        raise KgmmError(f"no adapter {method!r}; there are: {', '.join(methods())}")
    if source.features.shape[1] != target.features.shape[1]:
        both = f"{source.features.shape[1]} and {target.features.shape[1]}"
        raise BadInput(target.name, f"the domains have {both} features; an adapter needs the same ones")
    if not np.isin(target.labels, source.labels).any():
        raise BadInput(target.name, "shares no class with the source")
    rows = np.vstack([source.features, target.features])
    labels = np.concatenate([np.unique(source.labels, return_inverse=True)[1], np.full(len(target.labels), -1)])
    domain = np.concatenate([np.ones(len(source.labels)), -np.ones(len(target.labels))])
    classes = np.unique(source.labels)
    figures: dict[str, list[float]] = {"accuracy": [], "source_only": [], "target_only": []}
    seconds = []
    for seed in range(seeds):
        start = time.process_time()
        adapter = create(method, seed=seed, **options).fit(rows, labels, sample_domain=domain)
        seconds.append(time.process_time() - start)
        plain = create(method, seed=seed, **{**options, "weight": 0}).fit(rows, labels, sample_domain=domain)
        figures["accuracy"].append(_right(classes, adapter, target.features, target.labels))
        figures["source_only"].append(_right(classes, plain, target.features, target.labels))
        figures["target_only"].append(_supervised(method, options, target, seed))
        progress(seed + 1, seeds, f"{source.name} to {target.name}")
    _, counts = np.unique(target.labels, return_counts=True)
    means: dict[str, Any] = {name: float(np.mean(values)) for name, values in figures.items()}
    return {
        "method": method,
        "source": source.name,
        "target": target.name,
        **means,
        "majority": float(counts.max() / counts.sum()),
        "accuracies": figures["accuracy"],
        "seeds": seeds,
        "seconds": round(float(np.mean(seconds)), 2),
    }


def _right(classes: Any, adapter: Any, rows: Any, labels: Any) -> float:
    return float(np.mean(classes[adapter.predict(rows)] == labels))


def _supervised(method: str, options: dict[str, Any], target: Domain, seed: int) -> float:
    order = np.random.default_rng(seed).permutation(len(target.labels))
    learn, judge = np.array_split(order, 2)
    classes, coded = np.unique(target.labels, return_inverse=True)
    if len(np.unique(coded[learn])) < 2:
        return float("nan")
    adapter = create(method, seed=seed, **{**options, "weight": 0}).fit(target.features[learn], coded[learn])
    return _right(classes, adapter, target.features[judge], target.labels[judge])


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return figures as lines of text, one a pair of domains, and their mean."""
    head = f"{'source':12} {'target':12} {'method':8} accuracy  source only  target only  majority"
    keys = ("accuracy", "source_only", "target_only", "majority")
    lines = [head]
    for row in [*found, *([_mean(found, keys)] if len(found) > 1 else [])]:
        figures = "  ".join(f"{row[key]:{width}.3f}" for key, width in zip(keys, (8, 11, 11, 8), strict=True))
        lines.append(f"{row['source']:12} {row['target']:12} {row['method']:8} {figures}")
    return "\n".join(lines)


def _mean(found: Sequence[dict[str, Any]], keys: Sequence[str]) -> dict[str, Any]:
    means = {key: float(np.mean([row[key] for row in found])) for key in keys}
    return {"source": "mean", "target": "", "method": found[0]["method"], **means}
