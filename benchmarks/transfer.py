"""Adapters on the pairs of Office-Caltech's SURF features and of MNIST and USPS, beside skada's CORAL and subspaces.

``python -m benchmarks.transfer DATA [--methods dan,dann] [--seeds 3] [--no-peers] [--pictures]``; with --pictures whole networks
on the digits alone. DATA holds ``office_caltech`` and ``mnist_usps``.
``python -m benchmarks.transfer --timing``: processor seconds of one fit on 5,000 made rows of 800 features, half of them the target's.
"""

import argparse
import itertools
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kgmm.data.domains import Domain, read_domain, read_domains
from kgmm.evaluate.transfer import evaluate
from kgmm.transfer import create, deep_methods, methods
from kgmm.transfer.base import scaled


def pairs(data: Path) -> Iterator[tuple[Domain, Domain]]:
    yield from itertools.permutations([read_domain(f) for f in sorted((data / "office_caltech").glob("*.mat"))], 2)
    yield from digits(data)


def digits(data: Path) -> Iterator[tuple[Domain, Domain]]:
    yield from itertools.permutations(read_domains(data / "mnist_usps" / "mnist_usps.npz"), 2)


def peers(source: Domain, target: Domain) -> dict[str, float]:
    """Accuracies of logistic regression alone, and after skada's CORAL and subspace alignment, on the same scale."""
    from skada import CORAL, SubspaceAlignment
    from sklearn.linear_model import LogisticRegression

    one, other = scaled(source.features), scaled(target.features)
    rows, domain = np.vstack([one, other]), np.repeat([1, -1], [len(one), len(other)])
    labels = np.concatenate([source.labels, np.full(len(other), -1)])
    found = {}
    plain = LogisticRegression(C=0.01, max_iter=500)
    found["logistic"] = float(plain.fit(one, source.labels).score(other, target.labels))
    for name, peer in (
        ("skada CORAL", CORAL(plain, reg=0.1)),
        ("skada subspaces", SubspaceAlignment(plain, n_components=80)),
    ):
        peer.fit(rows, labels, sample_domain=domain)
        found[name] = float(np.mean(peer.predict(other, sample_domain=domain[domain < 0]) == target.labels))
    return found


def timing(names: list[str], rows: int = 5000, features: int = 800) -> None:
    """Print how long a fit takes for each method, with its own options."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, rows)
    X = np.abs(rng.normal(size=(10, features))[y] + rng.normal(size=(rows, features)))
    domain = np.repeat([1, -1], rows // 2)
    X[domain < 0] *= rng.uniform(0.5, 1.5, features)
    masked = np.where(domain > 0, y, -1)
    for name in names:
        began, wall = time.process_time(), time.perf_counter()
        adapter = create(name).fit(X, masked, sample_domain=domain)
        spent, waited = time.process_time() - began, time.perf_counter() - wall
        right = adapter.score(X[domain < 0], y[domain < 0])
        print(f"{name:7} {spent:6.1f} s of processor, {waited:6.1f} s waited, right {right:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--timing", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--methods", help="all unless named")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    known = deep_methods() if given.pictures else methods()
    chosen = given.methods.split(",") if given.methods else known
    if given.timing:
        return timing(chosen)
    if given.data is None:
        parser.error("name the folder of the data")
    both = list(digits(given.data) if given.pictures else pairs(given.data))
    network = "pictures" if given.pictures else "features"
    rows = [[found[k] for k in found] for found in (peers(a, b) for a, b in both if not given.no_peers)]
    columns = list(zip(*rows, strict=True))
    for name, column in zip(("logistic", "skada CORAL", "skada subspaces"), columns, strict=not given.no_peers):
        print(f"{name:16} " + " ".join(f"{v:.3f}" for v in column) + f"  mean {np.mean(column):.4f}", flush=True)
    for method in chosen:
        found = [evaluate(a, b, method, given.seeds, network=network) for a, b in both]
        for key in ("accuracy", "source_only"):
            column = [row[key] for row in found]
            print(
                f"{method:7} {key:11} " + " ".join(f"{v:.3f}" for v in column) + f"  mean {np.mean(column):.4f}",
                flush=True,
            )
        print(f"{method:7} seconds a fit {np.max([row['seconds'] for row in found]):.1f} at most", flush=True)


if __name__ == "__main__":
    main()
