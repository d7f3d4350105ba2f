"""Measure one hashing method on one cross-modal data set; every figure says by which switches it was taken."""

from __future__ import annotations

import time
from typing import Any

from kgmm.data.cross_modal import CrossModal, read_cross_modal
from kgmm.errors import KgmmError
from kgmm.evaluate.hashing_measures import measures
from kgmm.hashing import create
from kgmm.hashing.features import check_finite
from kgmm.progress import Progress, silent

__all__ = ["CrossModal", "evaluate", "read_cross_modal"]


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
    """Fit on the training pairs, query with the test items, search the training items.

    Args:
        data: the data set.
        method: a name of :func:`kgmm.hashing.methods`.
        bits: length of a code.
        codes: ``own``: a database item is coded by its own modality's function; ``unified``: by the pair's joint code.
        seed: of the method.
        progress: told about the fit.
        **options: of the method.

    Returns:
        ``image_to_text`` and ``text_to_image`` (see :func:`measures`), ``codes``, ``database``, method, times, and
        ``chance``: the precision of a random ranking.

    Raises:
        KgmmError: if the method has no unified codes, *codes* is neither, or features are not finite.
    """
    if codes not in ("own", "unified"):
        raise KgmmError(f"codes must be 'own' or 'unified', not {codes!r}")
    hasher = create(method, bits=bits, seed=seed, **options)
    if codes == "unified" and not hasher.has_unified:
        raise KgmmError(f"{hasher.name} codes each modality by itself and has no joint code of a pair; use codes 'own'")
    for kind, x in (("image", data.image_test), ("text", data.text_test)):  # before a long fit, not after it
        check_finite(x, f"{kind} features of the test items")
    start = time.perf_counter()
    hasher.fit(data.image_train, data.text_train, data.labels_train, progress=progress)
    fit_seconds = time.perf_counter() - start
    start = time.perf_counter()
    queries = {
        "image": hasher.encode(data.image_test, "image"),
        "text": hasher.encode(data.text_test, "text"),
    }
    own = {"image": hasher.encode(data.image_train, "image"), "text": hasher.encode(data.text_train, "text")}
    encode_seconds = time.perf_counter() - start
    if codes == "unified":
        assert hasher.unified is not None
        own = {"image": hasher.unified, "text": hasher.unified}
    return {
        "image_to_text": measures(queries["image"], own["text"], data.relevant, bits),
        "text_to_image": measures(queries["text"], own["image"], data.relevant, bits),
        "codes": codes,
        "database": "train",
        "cutoffs": ["all", 50],
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
