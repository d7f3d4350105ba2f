"""CCA, kernel CCA and PLS: two views in one space, where a picture can be compared with a text.

They are Rasiwasia et al.'s (2010) correlation matching, and kernel CCA is Hardoon et al.'s (2004).
"""

from typing import ClassVar, Self, cast

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import KgmmError
from kgmm.hashing.correlation import canonical, ridged
from kgmm.hashing.features import MODALITIES, Array, check_finite, check_modality, check_pairs, fitted_rows
from kgmm.hashing.kernel import rbf, square_distances

BASES = 1000  #: largest number of training rows that a kernel is measured from

__all__ = ["CCA", "PLS", "SPACES", "KernelCCA", "Projection"]


class Projection:
    """A map of either modality into one shared space.

    Args:
        components: dimension of that space; fewer where the features have fewer directions in common.
    """

    name: ClassVar[str] = ""

    def __init__(self, components: int = 10) -> None:
        if components < 1:
            raise KgmmError(f"{self.name}: components must be at least 1, not {components}")
        self.components = components
        self._mean: dict[str, Array] = {}
        self._weights: dict[str, Array] = {}
        #: what each direction's two sides have in common (a correlation or covariance), largest first
        self.strength: Array = np.empty(0)

    def fit(self, image: ArrayLike, text: ArrayLike) -> Self:
        """Learn from pairs: *image* of shape (n, d_image), row i belonging to row i of *text*, (n, d_text).

        Raises:
            KgmmError: if a modality is missing or constant, rows do not pair up, or a value is not finite.
        """
        pairs = check_pairs(self.name, image, text)
        if len(pairs[0]) < 2:
            raise KgmmError(f"{self.name}: {len(pairs[0])} pairs; give at least two")
        rows = [self._features(np.asarray(x, np.float64), kind) for x, kind in zip(pairs, MODALITIES, strict=True)]
        self._mean = {kind: x.mean(0) for kind, x in zip(MODALITIES, rows, strict=True)}
        x, y = (part - part.mean(0) for part in rows)
        w_x, w_y, strength = self._solve(x, y)
        self._weights = {"image": w_x[:, : self.components], "text": w_y[:, : self.components]}
        self.strength = strength[: self.components]
        return self

    def transform(self, x: ArrayLike, modality: str) -> Array:
        """Return where items of one modality lie in the shared space, shape (n, at most components).

        Raises:
            KgmmError: before fit, for another modality or dimension, or for values that are not finite.
        """
        check_modality(self.name, modality)
        if not self._weights:
            raise KgmmError(f"{self.name}: call fit first")
        rows = fitted_rows(x, self.name, modality, self._width(modality))
        check_finite(rows, f"{self.name}: {modality} features")
        return (self._known(rows, modality) - self._mean[modality]) @ self._weights[modality]

    def _width(self, modality: str) -> int:
        return len(self._mean[modality])

    def _features(self, x: Array, modality: str) -> Array:
        """Return what the linear part is fitted on."""
        return x

    def _known(self, x: NDArray[np.floating], modality: str) -> NDArray[np.floating]:
        """Return the same for items that come after fit."""
        return x

    def _solve(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        raise NotImplementedError


class CCA(Projection):
    """Canonical correlation analysis with a ridge, in closed form (Hotelling 1936; the survey's reference).

    Solves C_xy C_yy^-1 C_yx a = ρ² C_xx a with κI added to C_xx and C_yy. Scikit-learn's CCA has no ridge and
    fails on singular features such as topic proportions, which sum to one.

    Args:
        ridge: κ, relative to the mean variance of a feature.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(200, 1))
        >>> cca = CCA(1).fit(z @ [[1.0, 2, 3]], z @ [[2.0, -1]])
        >>> round(float(cca.strength[0]), 2)
        1.0
    """

    name = "cca"

    def __init__(self, components: int = 10, ridge: float = 1e-4) -> None:
        super().__init__(components)
        self.ridge = ridge

    def _solve(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        cxx, cyy = (ridged(z.T @ z / len(z), self.ridge) for z in (x, y))
        return canonical(cxx, cyy, x.T @ y / len(x))


class KernelCCA(Projection):
    """CCA of radial basis kernels (Hardoon, Szedmak & Shawe-Taylor 2004).

    Solves (K_x + κI)^-1 K_y (K_y + κI)^-1 K_x α = ρ²α with centred kernels, as a ridge CCA of features whose
    inner products are the kernels. Those features are measured from at most :data:`BASES` training rows (Nyström),
    so the equation holds exactly up to that many pairs. The kernel is exp(-‖x - y‖² / mean squared distance).

    Args:
        kappa: κ, relative to the kernel's trace; positive, since κ = 0 correlates anything. The default
            did best on held-out training pairs of Wiki.
    """

    name = "kernel-cca"

    def __init__(self, components: int = 10, kappa: float = 0.001) -> None:
        super().__init__(components)
        if kappa <= 0:
            raise KgmmError(f"{self.name}: kappa must be positive, not {kappa}: without it all is correlated")
        self.kappa = kappa
        self._base: dict[str, Array] = {}
        self._spread: dict[str, float] = {}
        self._root: dict[str, Array] = {}

    def _features(self, x: Array, modality: str) -> Array:
        self._base[modality] = base = x[np.sort(np.random.default_rng(0).permutation(len(x))[:BASES])]
        self._spread[modality] = float(square_distances(x, base).mean())
        values, vectors = scipy.linalg.eigh(rbf(base, base, self._spread[modality]))
        keep = values > values[-1] * 1e-10
        self._root[modality] = vectors[:, keep] / np.sqrt(values[keep])
        return cast("Array", self._known(x, modality))

    def _known(self, x: NDArray[np.floating], modality: str) -> NDArray[np.floating]:
        kernel = rbf(np.asarray(x, np.float64), self._base[modality], self._spread[modality])
        return cast("NDArray[np.floating]", kernel @ self._root[modality])

    def _width(self, modality: str) -> int:
        return int(self._base[modality].shape[1])

    def _solve(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        cxx, cyy = (z.T @ z + self.kappa * float((z**2).sum()) * np.eye(z.shape[1]) for z in (x, y))
        return canonical(cxx, cyy, x.T @ y)


class PLS(Projection):
    """Partial least squares: the directions of largest covariance, by scikit-learn's ``PLSSVD`` (Wegelin 2000).

    Features are scaled to unit variance; constant ones are left alone.
    """

    name = "pls"

    def _solve(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        from sklearn.cross_decomposition import PLSSVD

        scale_x, scale_y = (np.where(z.std(0) > 0, z.std(0), 1.0) for z in (x, y))
        count = min(self.components, *x.shape, y.shape[1])
        model = PLSSVD(n_components=count, scale=False).fit(x / scale_x, y / scale_y)
        w_x, w_y = model.x_weights_ / scale_x[:, None], model.y_weights_ / scale_y[:, None]
        return w_x, w_y, np.asarray(((x @ w_x) * (y @ w_y)).mean(0))


SPACES: tuple[type[Projection], ...] = (CCA, KernelCCA, PLS)  #: every shared space, in the order of the tables
