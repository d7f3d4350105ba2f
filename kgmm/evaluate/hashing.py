"""Measure one hashing method on one cross-modal data set, by Hamming ranking, and draw its precision and recall."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.data.cross_modal import CrossModal
from kgmm.errors import KgmmError, needed
from kgmm.hashing import create
from kgmm.hashing.base import Codes, unpack
from kgmm.hashing.features import check_finite
from kgmm.progress import Progress, silent

RECALLS = np.round(np.arange(0.1, 1.01, 0.1), 1)  #: recall levels at which precision is reported
CUTOFF, RADIUS = 50, 2  #: length of the list of the second figure, and the bits within which precision is taken

SUFFIXES = (".png", ".svg")  #: what a file may end with
#: key of the evaluation -> label, colour (told apart in greyscale and by the colour-blind)
CURVES = {"image_to_text": ("image → text", "#0b5394"), "text_to_image": ("text → image", "#e69138")}


def evaluate(
    data: CrossModal,
    method: str,
    bits: int,
    codes: str = "own",
    seed: int = 0,
    *,
    progress: Progress = silent,
    **options: Any,
) -> dict[str, Any]:
    """Fit a method of :func:`kgmm.hashing.methods`, query with the test items, search the training items.

    With *codes* ``own`` a database item is coded by its own modality's function, with ``unified`` by the pair's joint
    code.

    Returns ``image_to_text`` and ``text_to_image`` (see :func:`measures`), ``codes``, ``database``, method, times, and
    ``chance``: the precision of a random ranking. KgmmError if the method has no unified codes, *codes* is neither, or
    features are not finite.
    """
    if codes not in ("own", "unified"):
        raise KgmmError(f"codes must be 'own' or 'unified', not {codes!r}")
    hasher = create(method, bits=bits, seed=seed, **options)
    if codes == "unified" and not hasher.has_unified:
        raise KgmmError(f"{hasher.name} codes each modality by itself and has no joint code of a pair; use codes 'own'")
    for kind, x in data.test.items():  # before a long fit, not after it
        check_finite(x, f"{kind} features of the test items")
    start = time.perf_counter()
    hasher.fit(data.image_train, data.text_train, data.labels_train, progress=progress)
    fit_seconds = time.perf_counter() - start
    start = time.perf_counter()
    queries, own = ({kind: hasher.encode(x, kind) for kind, x in part.items()} for part in (data.test, data.train))
    encode_seconds = time.perf_counter() - start
    if codes == "unified":
        assert hasher.unified is not None
        own = dict.fromkeys(own, hasher.unified)
    return {
        "image_to_text": measures(queries["image"], own["text"], data.relevant, bits),
        "text_to_image": measures(queries["text"], own["image"], data.relevant, bits),
        "codes": codes,
        "database": "train",
        "cutoffs": ["all", CUTOFF],
        "ties": "database order",
        "method": hasher.name,
        "bits": bits,
        "seed": seed,
        "queries": len(data.image_test),
        "items": len(data.image_train),
        "chance": float(data.relevant.mean()),
        "fit_seconds": round(fit_seconds, 3),
        "encode_seconds": round(encode_seconds, 3),
    }


def measures(queries: Codes, database: Codes, relevant: NDArray[np.bool_], bits: int) -> dict[str, Any]:
    """Rank the database by Hamming distance for each query; ties keep the database's order.

    Average precision is (1/R) Σ_k P(k) rel(k), R the relevant items in the list ranked (whole, or cut off); a query
    that has none counts 0. Precision within a radius counts 0 where nothing lies in it.

    Of packed codes, *queries* (q, bytes) and *database* (n, bytes), and which item is *relevant* to which query (q, n),
    gives ``map``, ``map50`` (of the list cut off at :data:`CUTOFF`), ``precision_radius_2`` (of the ball of
    :data:`RADIUS` bits) and ``precision_recall``: [[recall, precision], …].
    """
    base, curves = unpack(database, bits), np.zeros(len(RECALLS))
    full, cut, inside = list[float](), list[float](), list[float]()
    for start in range(0, len(queries), 256):
        part = unpack(queries[start : start + 256], bits)
        distance = ((bits - part @ base.T) / 2).round().astype(np.int16)
        order = np.argsort(distance, axis=1, kind="stable")
        hits = np.take_along_axis(relevant[start : start + 256], order, axis=1)
        full.extend(average_precision(hits))
        cut.extend(average_precision(hits[:, :CUTOFF]))
        ball = distance <= RADIUS
        good = (ball & relevant[start : start + 256]).sum(1)
        inside.extend(good / np.maximum(ball.sum(1), 1))
        curves += interpolated(hits).sum(0)
    curve = [[float(r), float(p)] for r, p in zip(RECALLS, curves / max(len(queries), 1), strict=True)]
    return {
        "map": float(np.mean(full)),
        f"map{CUTOFF}": float(np.mean(cut)),
        f"precision_radius_{RADIUS}": float(np.mean(inside)),
        "precision_recall": curve,
    }


def average_precision(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the average precision of ranked lists, shape (q,).

    >>> average_precision(np.array([[True, False, True], [False, False, False]])).round(3).tolist()
    [0.833, 0.0]
    """
    found = hits.cumsum(1)
    precision = found / np.arange(1, hits.shape[1] + 1)
    return np.asarray((precision * hits).sum(1) / np.maximum(found[:, -1], 1))


def interpolated(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the best precision at or after each recall level, shape (q, levels)."""
    found = hits.cumsum(1)
    precision = found / np.arange(1, hits.shape[1] + 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    need = np.ceil(RECALLS * np.maximum(found[:, -1:], 1) - 1e-9)
    at = np.stack([np.searchsorted(row, levels) for row, levels in zip(found, need, strict=True)])
    out: NDArray[np.float64] = np.take_along_axis(best, np.minimum(at, hits.shape[1] - 1), axis=1)
    out[found[:, -1] == 0] = 0
    return out


def check_plot(path: str | Path) -> Path:
    """Return *path* if a plot can be written there; else raise KgmmError before a long fit, not after it."""
    place = Path(path)
    if place.suffix.lower() not in SUFFIXES:
        raise KgmmError(f"{place}: a plot must end with {' or '.join(SUFFIXES)}")
    if not place.parent.is_dir():
        raise KgmmError(f"{place}: there is no folder {place.parent}")
    with needed("matplotlib", "notebook"):
        import matplotlib  # noqa: F401
    return place


def plot(found: dict[str, Any], path: str | Path) -> None:
    """Write the curves of both directions of :func:`evaluate`, and chance; raises as :func:`check_plot`."""
    place = check_plot(path)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for key, (label, color) in CURVES.items():
        recall, precision = zip(*found[key]["precision_recall"], strict=True)
        text = f"{label}, mAP {found[key]['map']:.3f}"
        axes.plot(recall, precision, color=color, marker="o", markersize=3.5, label=text)
    axes.axhline(found["chance"], color="gray", linewidth=1, linestyle=":", label=f"chance, {found['chance']:.3f}")
    axes.set(xlabel="recall", ylabel="interpolated precision", xlim=(0, 1.02), ylim=(0, 1))
    axes.set_title(f"{found['method']}, {found['bits']} bits, database codes {found['codes']}", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    # words stay words, so that they can be searched; without date and random ids the same figures give the same file
    plain = {"Date": None} if place.suffix.lower() == ".svg" else None
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "kgmm"}):
        figure.savefig(place, dpi=150, metadata=plain)
