"""Adapters on the pairs of Office-Caltech's SURF features and of MNIST and USPS, beside skada's CORAL and subspaces.

``python -m benchmarks.transfer DATA [--methods dan,dann] [--seeds 3]``; DATA holds ``office_caltech`` and ``mnist_usps``.
"""

import argparse
import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kgmm.data.domains import Domain, read_domain
from kgmm.evaluate.transfer import evaluate
from kgmm.transfer import methods
from kgmm.transfer.base import scaled


def pairs(data: Path) -> Iterator[tuple[Domain, Domain]]:
    yield from itertools.permutations([read_domain(f) for f in sorted((data / "office_caltech").glob("*.mat"))], 2)
    with np.load(data / "mnist_usps" / "mnist_usps.npz", allow_pickle=False) as file:
        digits = [Domain(n, file[f"X{k}"].astype(float), file[f"Y{k}"]) for n, k in (("mnist", "s"), ("usps", "t"))]
    yield from itertools.permutations(digits, 2)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--methods", default=",".join(methods()))
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    both = list(pairs(given.data))
    rows = [[found[k] for k in found] for found in (peers(a, b) for a, b in both)]
    for name, column in zip(("logistic", "skada CORAL", "skada subspaces"), zip(*rows, strict=True), strict=True):
        print(f"{name:16} " + " ".join(f"{v:.3f}" for v in column) + f"  mean {np.mean(column):.4f}", flush=True)
    for method in given.methods.split(","):
        found = [evaluate(a, b, method, given.seeds) for a, b in both]
        for key in ("accuracy", "source_only"):
            column = [row[key] for row in found]
            print(
                f"{method:7} {key:11} " + " ".join(f"{v:.3f}" for v in column) + f"  mean {np.mean(column):.4f}",
                flush=True,
            )
        print(f"{method:7} seconds a fit {np.max([row['seconds'] for row in found]):.1f} at most", flush=True)


if __name__ == "__main__":
    main()
