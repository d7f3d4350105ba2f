"""How right an adapter is on a target whose labels it did not see, beside the same classifier without transfer."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from kgmm.data.domains import Domain, check_pair, picture_of
from kgmm.errors import KgmmError
from kgmm.progress import Progress, silent
from kgmm.transfer import create, deep_methods, methods


def evaluate(
    source: Domain,
    target: Domain,
    method: str,
    seeds: int = 3,
    progress: Progress = silent,
    network: str = "features",
    **options: Any,
) -> dict[str, Any]:
    """Fit on the whole source with labels and the whole target without; compare with the target's labels.

    Args:
        network: ``features``, or ``pictures``: whole networks with convolutions, for rows that are pixels.
        **options: the method's own.

    Returns:
        Means over seeds: ``accuracy``; ``source_only``, of the same classifier with transfer weight 0; ``target_only``,
        of that classifier trained on one half of the target with labels and measured on the other (what labels would
        give), None if the target has too few rows or classes; ``majority``, the share of the target's commonest class; ``accuracies`` of each seed, and ``seconds`` a fit.

    Raises:
        BadInput: if the domains' features differ in number, they share no class, or the source has only one.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> y = np.repeat([0, 1], 20)
        >>> one = Domain("one", rng.normal(size=(40, 4)) + 3 * y[:, None], y)
        >>> evaluate(one, one, "coral", seeds=1)["accuracy"] > 0.8
        True
    """
    if method.replace("_", "-") not in methods():
        raise KgmmError(f"no adapter {method!r}; there are: {', '.join(methods())}")
    check_pair(source, target)
    options = {**options, **_network(method, source, target, network)}
    rows = np.vstack([source.features, target.features])
    labels = np.concatenate([np.unique(source.labels, return_inverse=True)[1], np.full(len(target.labels), -1)])
    domain = np.concatenate([np.ones(len(source.labels)), -np.ones(len(target.labels))])
    classes = np.unique(source.labels)
    figures: dict[str, list[float | None]] = {"accuracy": [], "source_only": [], "target_only": []}
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
    means: dict[str, Any] = {name: _mean_of(values) for name, values in figures.items()}
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


def _supervised(method: str, options: dict[str, Any], target: Domain, seed: int) -> float | None:
    order = np.random.default_rng(seed).permutation(len(target.labels))
    learn, judge = np.array_split(order, 2)
    classes, coded = np.unique(target.labels, return_inverse=True)
    if len(np.unique(coded[learn])) < 2 or not len(judge):
        return None
    adapter = create(method, seed=seed, **{**options, "weight": 0}).fit(target.features[learn], coded[learn])
    return _right(classes, adapter, target.features[judge], target.labels[judge])


def _network(method: str, source: Domain, target: Domain, network: str) -> dict[str, Any]:
    """Return the options of a method for features, or for pictures of the shape that both domains have."""
    if network == "features":
        return {}
    if network != "pictures":
        raise KgmmError(f"no network {network!r}; there are: features, pictures")
    if method.replace("_", "-") not in deep_methods():
        raise KgmmError(f"{method} is no network; those for pictures are: {', '.join(deep_methods())}")
    return {"picture_shape": picture_of(source, target)}


def _mean_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return figures as lines of text, one a pair of domains, and their mean."""
    head = f"{'source':12} {'target':12} {'method':8} accuracy  source only  target only  majority"
    keys = ("accuracy", "source_only", "target_only", "majority")
    lines = [head]
    for row in [*found, *([_mean(found, keys)] if len(found) > 1 else [])]:
        figures = "  ".join(
            f"{'–' if row[key] is None else format(row[key], '.3f'):>{width}}"
            for key, width in zip(keys, (8, 11, 11, 8), strict=True)
        )
        lines.append(f"{row['source']:12} {row['target']:12} {row['method']:8} {figures}")
    return "\n".join(lines)


def _mean(found: Sequence[dict[str, Any]], keys: Sequence[str]) -> dict[str, Any]:
    means = {key: _mean_of([row[key] for row in found]) for key in keys}
    return {"source": "mean", "target": "", "method": found[0]["method"], **means}
