"""Pictures to scene graphs; each perceiver is one module here with a function ``perceive``, named as the module."""

from typing import Any

from kgmm.families import Family
from kgmm.scene import SceneGraph
from kgmm.scene.images import ImageLike

__all__ = ["perceive", "perceivers"]

FAMILY = Family("kgmm.perceivers", "perceiver")


def perceive(image: ImageLike, perceiver: str = "default", **options: Any) -> SceneGraph:
    """Turn a picture into a scene graph: objects with boxes, scores and attributes, and their relations.

    Args:
        image: a picture file, its bytes, a Pillow image or an array (see :func:`kgmm.scene.images.read_image`); for
            the perceiver ``scene`` a scene-graph JSON file.
        perceiver: ``default`` (EfficientNet-Lite0, offline), ``hf`` (a Hugging Face detector, with
            ``model=`` a folder or hub name), ``onnx`` (a detector in a file, ``model=`` too), ``shapes`` (flat drawings)
            or ``scene``. ``"onnx:FILE"`` is short for the perceiver with that model.
        options: options of that perceiver, such as ``threshold``, the score in [0, 1] an object needs, and
            ``max_objects``: the best so many are kept.

    Raises:
        BadInput: if the picture cannot be read.
        KgmmError: if there is no perceiver of that name, or it has no such option.

    Example:
        >>> import numpy as np
        >>> perceive(np.full((64, 64, 3), 128, np.uint8)).objects
        ()
    """
    name, _, model = perceiver.partition(":")
    chosen = FAMILY.module(name).perceive
    scene = chosen(image, **FAMILY.options(name, chosen, {"model": model, **options} if model else options))
    assert isinstance(scene, SceneGraph)
    return scene


def perceivers() -> list[str]:
    """Return the names of all perceivers.

    Example:
        >>> "default" in perceivers()
        True
    """
    return FAMILY.names()
