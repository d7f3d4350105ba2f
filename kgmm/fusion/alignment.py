r"""Pictures and texts in one space: a map between two encoders, fitted on entities that have both, kept in a store.

``ridge`` leads pictures among the texts, $G = (Z_I^\top Z_I + \lambda I)^{-1} Z_I^\top Z_T$, where the asymmetric transfer
network starts (Wang, Cui, Zhu, AAAI 2018); ``cca`` leads both into a space of their own, each direction weighing as much
as both sides have in common (Rasiwasia et al., ACM MM 2010).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.encode.image import ImageEncoder, image_encoder
from kgmm.encode.text import Encoder, text_encoder
from kgmm.encode.vectors import features
from kgmm.errors import BadInput, KgmmError, StoreError
from kgmm.files import publish
from kgmm.fusion.projections import CCA
from kgmm.hashing.features import Modality, check_pairs, fitted_rows
from kgmm.language.names import concept, label

if TYPE_CHECKING:
    from kgmm.scene.images import ImageLike
    from kgmm.store import LocalStore

Method = Literal["cca", "ridge"]
Vectors = NDArray[np.float32]
ARRAYS = ("mean_image", "mean_text", "map_image", "map_text", "pictures")


@dataclass(frozen=True)
class Alignment:
    """Two encoders' spaces brought into one, and the pictures that it was fitted on.

    Example:
        >>> made = align(kb, {"dog": "dog.jpg", "cat": "cat.jpg"})                      # doctest: +SKIP
        >>> made.picture_vectors().shape                                              # doctest: +SKIP
        (2, 384)
    """

    images: ImageEncoder
    texts: Encoder
    method: str
    nodes: tuple[str, ...]  #: that have a picture
    pictures: Vectors  #: their vectors, (nodes, dim of images)
    maps: dict[str, tuple[Vectors, Vectors]]  #: modality -> mean (d,), map (d, dim)

    @property
    def dim(self) -> int:
        """How long vectors of the common space are."""
        return int(self.maps["text"][1].shape[1])

    def transform(self, x: ArrayLike, modality: Modality) -> Vectors:
        """Return where one encoder's vectors (n, d) lie in the common space: (n, dim), of unit length.

        Raises:
            KgmmError: for another modality or number of columns.
        """
        if modality not in self.maps:
            raise KgmmError(f"alignment: modality must be 'image' or 'text', not {modality!r}")
        mean, along = self.maps[modality]
        rows = (fitted_rows(x, "alignment", modality, len(mean)) - mean) @ along
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)

    def picture_vectors(self) -> Vectors:
        """Return where the pictures of ``nodes`` lie in the common space: (nodes, dim)."""
        return self.transform(self.pictures, "image")

    def features(self, store: LocalStore, ids: ArrayLike) -> Vectors:
        """Return nodes in the common space, (n, dim): by their picture if they have one, otherwise by their label."""
        numbers = np.asarray(ids).astype(np.int64)
        found = self.transform(features(store, numbers, self.texts), "text")
        place = {node: row for row, node in enumerate(self.nodes)}
        at = np.array([place.get(name, -1) for name in store.terms.names(numbers)], np.int64)
        found[at >= 0] = self.picture_vectors()[at[at >= 0]]
        return found


def align(
    store: LocalStore,
    image: Mapping[str, ImageLike],
    text: Mapping[str, str] | None = None,
    *,
    images: str | ImageEncoder = "efficientnet",
    texts: str | Encoder = "minilm",
    method: Method = "ridge",
    components: int = 64,
    ridge: float = 0.1,
) -> Alignment:
    """Fit a map between two encoders' spaces from entities that have a picture and a text, and keep it in a store.

    Args:
        store: keeps it under both encoders' checksums, in place of an earlier one.
        image: entity -> its picture.
        text: entity -> its text; by default entities' labels.
        images, texts: encoders, or their names.
        method: ``ridge``, which did better on held-out training pairs of Wiki, or ``cca``.
        components: dimension of ``cca``'s space at most.
        ridge: added to covariances, relative to the mean variance of a feature; positive.

    Raises:
        BadInput: if fewer than two entities have both, or a picture cannot be read.
        KgmmError: if there is no such method or encoder, or all pictures or texts are the same.
        StoreError: if the store's folder cannot be written.
    """
    see = image_encoder(images) if isinstance(images, str) else images
    read = text_encoder(texts) if isinstance(texts, str) else texts
    pictures = {concept(node): picture for node, picture in image.items()}
    said = {n: label(n) for n in pictures} if text is None else {concept(n): t for n, t in text.items()}
    both = sorted(pictures.keys() & said.keys())
    if len(both) < 2:
        raise BadInput("align", f"{len(both)} entities have a picture and a text; two are needed, hundreds are better")
    seen = np.asarray(see.encode_images([pictures[node] for node in both]), np.float32)
    words = np.asarray(read.encode([said[node] for node in both]), np.float32)
    fitted = fit(seen, words, method, components, ridge)
    maps = {"image": (fitted[0], fitted[2]), "text": (fitted[1], fitted[3])}
    made = Alignment(see, read, method, tuple(both), seen, maps)
    _save(made, _place(store, see, read))
    return made


def fit(
    image: ArrayLike, text: ArrayLike, method: Method = "ridge", components: int = 64, ridge: float = 0.1
) -> tuple[Vectors, Vectors, Vectors, Vectors]:
    """Return both means and both maps, learned from pairs of rows: (d,), (e,), (d, dim), (e, dim).

    Example:
        >>> [part.shape for part in fit(np.eye(3), np.eye(3)[:, :2])]
        [(3,), (2,), (3, 2), (2, 2)]
    """
    if not ridge > 0:
        raise KgmmError(f"align: the ridge must be positive, not {ridge}")
    x, y = (np.asarray(rows, np.float64) for rows in check_pairs("align", image, text))
    if method == "cca":
        space = CCA(components, ridge).fit(x, y)
        means, maps = space._mean, [space._weights[kind] * space.strength for kind in ("image", "text")]
        found = [means["image"], means["text"], *maps]
    elif method == "ridge":
        a, b = x - x.mean(axis=0), y - y.mean(axis=0)
        gram = a.T @ a
        gram += ridge * len(x) * max(float(np.trace(gram)) / gram.shape[0] / len(x), 1e-12) * np.eye(len(gram))
        found = [x.mean(axis=0), y.mean(axis=0), np.linalg.solve(gram, a.T @ b), np.eye(b.shape[1])]
    else:
        raise KgmmError(f"align: no method {method!r}; there are cca and ridge")
    return cast("tuple[Vectors, Vectors, Vectors, Vectors]", tuple(np.asarray(part, np.float32) for part in found))


def kept(
    store: LocalStore, images: str | ImageEncoder = "efficientnet", texts: str | Encoder = "minilm"
) -> Alignment | None:
    """Return the alignment of two encoders that a store keeps, None if there is none.

    Raises:
        BadInput: if what is kept is damaged; :func:`align` replaces it.
    """
    if not store.places.alignments.is_dir():
        return None
    see = image_encoder(images) if isinstance(images, str) else images
    read = text_encoder(texts) if isinstance(texts, str) else texts
    place = _place(store, see, read)
    return _load(place, see, read) if place.is_file() else None


def _place(store: LocalStore, see: ImageEncoder, read: Encoder) -> Path:
    names = ["".join(c if c.isalnum() else "_" for c in part.checksum) for part in (see, read)]
    folder: Path = store.places.alignments
    return folder / f"{names[0]}-{names[1]}.safetensors"


def _save(made: Alignment, place: Path) -> None:
    from safetensors.numpy import save

    arrays = [made.maps["image"][0], made.maps["text"][0], made.maps["image"][1], made.maps["text"][1], made.pictures]
    tensors = {name: np.ascontiguousarray(a) for name, a in zip(ARRAYS, arrays, strict=True)}
    header = {"method": made.method, "nodes": json.dumps(made.nodes)}
    header |= {"images": made.images.checksum, "texts": made.texts.checksum}
    try:
        place.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"{place.parent}: cannot be made: {error.strerror}") from error
    publish(place, save(tensors, metadata=header))


def _load(place: Path, see: ImageEncoder, read: Encoder) -> Alignment:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(place, "numpy") as file:
            header: dict[str, Any] = file.metadata() or {}
            mean_i, mean_t, map_i, map_t, pictures = (np.asarray(file.get_tensor(n), np.float32) for n in ARRAYS)
        nodes, method, sums = json.loads(header["nodes"]), header["method"], (header["images"], header["texts"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise BadInput(place, f"no alignment ({error}); align again") from error
    dim = map_i.shape[-1] if map_i.ndim else 0
    shapes: Sequence[tuple[int, ...]] = [(see.dim,), (read.dim,), (see.dim, dim), (read.dim, dim)]
    fits = all(a.shape == s for a, s in zip((mean_i, mean_t, map_i, map_t), shapes, strict=True))
    named = isinstance(nodes, list) and all(isinstance(n, str) for n in nodes)
    if not (fits and named and sums == (see.checksum, read.checksum) and pictures.shape == (len(nodes), see.dim)):
        raise BadInput(place, "does not fit its encoders; align again")
    if not all(np.isfinite(a).all() for a in (mean_i, mean_t, map_i, map_t, pictures)):
        raise BadInput(place, "a number is not finite; align again")
    return Alignment(see, read, method, tuple(nodes), pictures, {"image": (mean_i, map_i), "text": (mean_t, map_t)})
