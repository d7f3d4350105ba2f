r"""Pictures and texts in one space: a map between two encoders, fitted on entities that have both, kept in a store.

``ridge`` leads pictures among the texts, $G = (Z_I^\top Z_I + \lambda I)^{-1} Z_I^\top Z_T$, where the asymmetric transfer
network starts (Wang, Cui, Zhu, AAAI 2018); ``cca`` leads both into a space of their own, each direction weighing as much
as both sides have in common (Rasiwasia et al., ACM MM 2010); ``datn`` is that network itself, without labels: a layer of either
side learned by an autoencoder, and a map from the pictures' to the texts'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.encode.image import ImageEncoder, image_encoder
from kgmm.encode.text import Encoder, text_encoder
from kgmm.encode.vectors import features
from kgmm.errors import BadInput, KgmmError, StoreError
from kgmm.files import publish, read_arrays
from kgmm.fusion.projections import CCA
from kgmm.hashing.features import Array, Modality, check_pairs, fitted_rows
from kgmm.language.names import concept, label
from kgmm.progress import Progress, silent

if TYPE_CHECKING:
    from kgmm.scene.images import ImageLike
    from kgmm.store import LocalStore

Method = Literal["cca", "ridge", "datn"]
Vectors = NDArray[np.float32]
#: of one side: its mean (d,) and map (d, dim), or with a layer between its mean (d,) and map (d, h), and the layer's bias (h,),
#: mean (h,) and map (h, dim)
Side = tuple[Vectors, ...]
PARTS = ("mean", "map", "bias", "inner_mean", "inner_map")
TOGETHER = 64  #: pictures that are encoded between two reports of progress


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
    maps: dict[str, Side]  #: modality -> how its vectors are led into the common space

    @property
    def dim(self) -> int:
        """How long vectors of the common space are."""
        return int(self.maps["text"][-1].shape[1])

    def transform(self, x: ArrayLike, modality: Modality) -> Vectors:
        """Return where one encoder's vectors (n, d) lie in the common space: (n, dim), of unit length.

        Raises:
            KgmmError: for another modality or number of columns.
        """
        if modality not in self.maps:
            raise KgmmError(f"alignment: modality must be 'image' or 'text', not {modality!r}")
        mean, along, *inner = self.maps[modality]
        rows: NDArray[Any] = (fitted_rows(x, "alignment", modality, len(mean)) - mean) @ along
        if inner:
            rows = (np.tanh(rows + inner[0]) - inner[1]) @ inner[2]
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
    progress: Progress = silent,
) -> Alignment:
    """Fit a map between two encoders' spaces from entities that have a picture and a text, and keep it in a store.

    Args:
        store: keeps it under both encoders' checksums, in place of an earlier one.
        image: entity -> its picture; pictures of entities without a text are led into the common space, too.
        text: entity -> its text; by default entities' labels.
        images, texts: encoders, or their names.
        method: ``ridge``, which did better on held-out training pairs of Wiki, ``cca`` or ``datn``.
        components: dimension of ``cca``'s space at most, and of ``datn``'s.
        ridge: added to covariances, relative to the mean variance of a feature (of ``datn``'s layers: to 1); positive.
        progress: called with pictures done, pictures in all and what is done.

    Raises:
        BadInput: if fewer than two entities have both, or a picture cannot be read.
        KgmmError: if there is no such method or encoder, or all pictures or texts are the same.
        MissingExtra: for ``datn``, if scikit-learn is not installed.
        StoreError: if the store's folder cannot be written.
    """
    _check(method, components, ridge)
    see = image_encoder(images) if isinstance(images, str) else images
    read = text_encoder(texts) if isinstance(texts, str) else texts
    pictures = {concept(node): picture for node, picture in image.items()}
    said = {n: label(n) for n in pictures} if text is None else {concept(n): t for n, t in text.items()}
    nodes = sorted(pictures)
    both = [row for row, node in enumerate(nodes) if node in said]
    if len(both) < 2:
        raise BadInput("align", f"{len(both)} entities have a picture and a text; two are needed, hundreds are better")
    parts = []
    for start in range(0, len(nodes), TOGETHER):
        parts.append(see.encode_images([pictures[node] for node in nodes[start : start + TOGETHER]]))
        progress(min(start + TOGETHER, len(nodes)), len(nodes), "pictures")
    seen = np.concatenate([np.asarray(part, np.float32) for part in parts])
    words = np.asarray(read.encode([said[nodes[row]] for row in both]), np.float32)
    maps = fit(seen[both], words, method, components, ridge)
    made = Alignment(see, read, method, tuple(nodes), seen, maps)
    _save(made, _place(store, see, read))
    return made


def fit(
    image: ArrayLike, text: ArrayLike, method: Method = "ridge", components: int = 64, ridge: float = 0.1
) -> dict[str, Side]:
    """Return how either modality is led into a common space, learned from pairs of rows: see :data:`Side`.

    Example:
        >>> {kind: [part.shape for part in side] for kind, side in fit(np.eye(3), np.eye(3)[:, :2]).items()}
        {'image': [(3,), (3, 2)], 'text': [(2,), (2, 2)]}
    """
    _check(method, components, ridge)
    x, y = (np.asarray(rows, np.float64) for rows in check_pairs("align", image, text))
    if method == "cca":
        space = CCA(components, ridge).fit(x, y)
        found = {kind: [space._mean[kind], space._weights[kind] * space.strength] for kind in ("image", "text")}
    elif method == "ridge":
        a, b = x - x.mean(axis=0), y - y.mean(axis=0)
        gram = a.T @ a
        gram += ridge * len(x) * max(float(np.trace(gram)) / gram.shape[0] / len(x), 1e-12) * np.eye(len(gram))
        led = [x.mean(axis=0), np.linalg.solve(gram, a.T @ b)]
        found = {"image": led, "text": [y.mean(axis=0), np.eye(b.shape[1])]}
    else:
        found = _network(x, y, components, ridge)
    return {kind: tuple(np.asarray(part, np.float32) for part in side) for kind, side in found.items()}


def _check(method: str, components: int, ridge: float) -> None:
    if method not in get_args(Method):
        raise KgmmError(f"align: no method {method!r}; there are {', '.join(get_args(Method))}")
    if components < 1:
        raise KgmmError(f"align: components must be at least 1, not {components}")
    if not 0 < ridge < float("inf"):
        raise KgmmError(f"align: the ridge must be positive, not {ridge}")


def _network(x: Array, y: Array, width: int, ridge: float) -> dict[str, list[Array]]:
    """Return both sides' layers and the pictures' map, learned by :class:`~kgmm.transfer.views.datn.DATN`."""
    from kgmm.transfer import create

    made = create("datn", width=width, ridge=ridge * len(x)).fit_pairs(y, x)
    led = made.map_.detach().double().numpy()
    found = {}
    for kind, rows, which, inner in (("image", x, 1, led), ("text", y, 0, np.eye(width))):
        mean, along, bias = made.layer(which)
        hidden = np.tanh((rows - mean) @ along + bias)
        found[kind] = [mean, along, bias, hidden.mean(axis=0), inner]
    return found


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

    tensors = {"pictures": made.pictures}
    for kind, side in made.maps.items():
        tensors |= {f"{name}_{kind}": np.ascontiguousarray(part) for name, part in zip(PARTS, side, strict=False)}
    header = {"method": made.method, "nodes": json.dumps(made.nodes)}
    header |= {"images": made.images.checksum, "texts": made.texts.checksum}
    try:
        place.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"{place.parent}: cannot be made: {error.strerror}") from error
    publish(place, save(tensors, metadata=header))


def _load(place: Path, see: ImageEncoder, read: Encoder) -> Alignment:
    header, held = read_arrays(place, "an alignment", "; align again")
    try:
        arrays = {name: np.asarray(array, np.float32) for name, array in held.items()}
        pictures = arrays["pictures"]
        maps: dict[str, Side] = {}
        for kind in ("image", "text"):
            names = [f"{name}_{kind}" for name in PARTS]
            names = names if set(names) & set(held) > set(names[:2]) else names[:2]
            maps[kind] = tuple(arrays[name] for name in names)
        nodes, method, sums = json.loads(header["nodes"]), header["method"], (header["images"], header["texts"])
    except (KeyError, ValueError) as error:
        raise BadInput(place, f"no alignment ({error}); align again") from error
    dim = maps["text"][-1].shape[-1] if maps["text"][-1].ndim else 0
    fits = all(_fits(maps[kind], wide, dim) for kind, wide in (("image", see.dim), ("text", read.dim)))
    named = isinstance(nodes, list) and all(isinstance(n, str) for n in nodes)
    if not (fits and named and sums == (see.checksum, read.checksum) and pictures.shape == (len(nodes), see.dim)):
        raise BadInput(place, "does not fit its encoders; align again")
    if not all(np.isfinite(a).all() for a in (*maps["image"], *maps["text"], pictures)):
        raise BadInput(place, "a number is not finite; align again")
    return Alignment(see, read, method, tuple(nodes), pictures, maps)


def _fits(side: Side, wide: int, dim: int) -> bool:
    """Tell whether the arrays of a side lead from as many columns to as many as they should."""
    if len(side) == 2:
        return side[0].shape == (wide,) and side[1].shape == (wide, dim)
    inner = side[1].shape[-1] if side[1].ndim else 0
    shapes = [(wide,), (wide, inner), (inner,), (inner,), (inner, dim)]
    return all(part.shape == shape for part, shape in zip(side, shapes, strict=True))
