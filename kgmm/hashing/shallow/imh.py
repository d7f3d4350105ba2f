"""IMH: inter-media hashing, codes smooth over the neighbours of either medium (Song et al., SIGMOD 2013)."""

from typing import ClassVar, cast

import numpy as np
import scipy.linalg

from kgmm.hashing.features import MODALITIES, Array
from kgmm.hashing.kernel import square_distances
from kgmm.hashing.shallow._linear import LinearHasher
from kgmm.progress import Progress


class IMH(LinearHasher):
    """Inter-media hashing, unsupervised, all training pairs shared between the media.

    Minimizes over F with F'F = I and W_m: Σ_m ‖X_m W_m - F‖² + β‖W_m‖² + λ tr F'L_m F, L_m the Laplacian of
    the k-nearest-neighbour graph: F are the smallest eigenvectors of Σ_m (I - X_m(X_m'X_m + βI)^-1 X_m' + λL_m),
    W_m = (X_m'X_m + βI)^-1 X_m'F. Features are not centred. Bits are cut at the training median. The eigenproblem
    takes n² memory, so F is found on at most *sample* pairs.

    Options:
        beta: ridge weight β; lam: weight λ of the Laplacians; neighbors: k of the graphs.
        sample: largest number of pairs used.
    """

    name = "imh"
    DEFAULTS: ClassVar = {"beta": 1.0, "lam": 1.0, "neighbors": 15, "sample": 5000}

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        rows = np.arange(len(image))
        if len(image) > self.options["sample"]:
            rows = np.sort(np.random.default_rng(self.seed).choice(rows, self.options["sample"], replace=False))
        views = [np.asarray(x[rows], np.float64) for x in (image, text)]
        beta = self.options["beta"]
        total = np.zeros((len(rows), len(rows)))
        for done, (kind, x) in enumerate(zip(MODALITIES, views, strict=True)):
            progress(done, 3, f"neighbours of {kind}s")
            total += smoothness(x, beta, self.options["lam"], self.options["neighbors"])
        progress(2, 3, "eigenvectors")
        _, f = scipy.linalg.eigh(total, subset_by_index=(0, min(self.bits, len(rows)) - 1))
        for kind, x in zip(MODALITIES, views, strict=True):
            w = scipy.linalg.solve(x.T @ x + beta * np.eye(x.shape[1]), x.T @ f, assume_a="pos")
            self._keep(kind, np.zeros(x.shape[1]), w, np.median(x @ w, axis=0))


def smoothness(x: Array, beta: float, lam: float, neighbors: int) -> Array:
    """Return I - X(X'X + βI)^-1 X' + λL of one view, shape (n, n)."""
    n = len(x)
    fit = x @ scipy.linalg.solve(x.T @ x + beta * np.eye(x.shape[1]), x.T, assume_a="pos")
    graph = neighbor_graph(x, neighbors)
    return cast("Array", np.eye(n) - fit + lam * (np.diag(graph.sum(1)) - graph))


def neighbor_graph(x: Array, neighbors: int) -> Array:
    """Return the symmetric 0/1 matrix of the k nearest neighbours, shape (n, n); k is at most n - 1."""
    k = min(neighbors, len(x) - 1)
    distance = square_distances(x, x)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
    graph = np.zeros((len(x), len(x)))
    np.put_along_axis(graph, nearest, 1.0, axis=1)
    return cast("Array", np.maximum(graph, graph.T))


METHOD = IMH
