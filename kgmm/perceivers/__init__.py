"""Pictures to scene graphs; each perceiver is one module here with a function ``perceive``, named as the module."""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kgmm.errors import KgmmError
from kgmm.families import Family
from kgmm.perceivers import _joining
from kgmm.scene import SceneGraph
from kgmm.scene.images import ImageLike

__all__ = ["look_again", "looks_again", "perceive", "perceivers"]

FAMILY = Family("kgmm.perceivers", "perceiver")


def perceive(image: ImageLike, perceiver: str = "default", **options: Any) -> SceneGraph:
    """Turn a picture into a scene graph: objects with boxes, scores and attributes, and their relations.

    Args:
        image: a picture file, its bytes, a Pillow image or an array (see :func:`kgmm.scene.images.read_image`); for
            the perceiver ``scene`` a scene-graph JSON file.
        perceiver: ``default`` (EfficientNet-Lite0, offline), ``hf`` (a Hugging Face detector, with
            ``model=`` a folder or hub name), ``clip`` (names among ``queries``) and ``vlm`` (a vision-language model) alike,
            ``onnx`` (a detector in a file, ``model=`` too), ``ocr`` (words), ``people`` (faces and persons), ``shapes`` (flat
            drawings) or ``scene``. ``"onnx:FILE"`` is short for the perceiver with that model; ``"default+onnx:FILE"`` joins
            what several see (:mod:`kgmm.perceivers._joining`), and ``source`` of each object says who saw it.
        options: options of that perceiver, such as ``threshold``, the score in [0, 1] an object needs, and
            ``max_objects``: the best so many are kept. Of several perceivers each gets those that it has.

    Raises:
        BadInput: if the picture cannot be read.
        KgmmError: if there is no perceiver of that name, or it has no such option.

    Example:
        >>> import numpy as np
        >>> perceive(np.full((64, 64, 3), 128, np.uint8)).objects
        ()
    """
    parts = _joining.parts(perceiver, FAMILY.names())
    options = {option: value for option, value in options.items() if value is not None}
    if len(parts) == 1:
        return _seen(image, parts[0], options)
    known = [set(inspect.signature(FAMILY.module(part.name).perceive).parameters) for part in parts]
    if strange := [option for option in options if not any(option in one for one in known)]:
        raise KgmmError(f"no part of the perceiver {perceiver} has the option {', '.join(strange)}")
    own = [{o: v for o, v in options.items() if o in one} for one in known]
    seen = [(part, _seen(image, part, given)) for part, given in zip(parts, own, strict=True)]
    return _joining.join(seen, options.get("max_objects"))


def _seen(image: ImageLike, part: _joining.Part, options: dict[str, Any]) -> SceneGraph:
    chosen = FAMILY.module(part.name).perceive
    given = {**options, "model": part.model} if part.model else options
    scene = chosen(image, **FAMILY.options(part.name, chosen, given))
    assert isinstance(scene, SceneGraph)
    return scene


def look_again(
    image: ImageLike, scene: SceneGraph, sought: Mapping[str, float], perceiver: str = "default"
) -> SceneGraph:
    """Look once more at a picture for what a question or knowledge names; the same scene if the perceiver cannot.

    Args:
        image: the picture.
        scene: what the perceiver saw in it.
        sought: names, and how likely each is there before anyone looks, in (0, 1).
        perceiver: who looks: ``default``, which tells in ``absent`` of the scene what is certainly not there, or ``clip:MODEL``; of
            several those that can.

    Example:
        >>> look_again(b"", SceneGraph("s"), {"eye": 0.5}).objects
        ()
    """
    parts = _joining.parts(perceiver, FAMILY.names())
    for part in parts:
        looks, seen = getattr(FAMILY.module(part.name), "again", None), {o.id for o in scene.objects}
        if looks is not None:
            given = {"model": part.model} if part.model else {}
            scene = looks(image, scene, sought, **FAMILY.options(part.name, looks, given))
            assert isinstance(scene, SceneGraph)
            if len(parts) > 1:
                who = (o if o.id in seen else replace(o, source=part.name) for o in scene.objects)
                scene = replace(scene, objects=tuple(who))
    return scene


def looks_again(perceiver: str) -> bool:
    """Tell whether a perceiver can look at a picture for what it is told to look for.

    Example:
        >>> looks_again("default+ocr"), looks_again("shapes")
        (True, False)
    """
    return any(hasattr(FAMILY.module(part.name), "again") for part in _joining.parts(perceiver, FAMILY.names()))


def with_model(perceiver: str, model: str) -> str:
    """Return a perceiver with a model for those of its parts that need one and have none.

    Example:
        >>> with_model("default+onnx", "cups.onnx"), with_model("onnx:a.onnx", "cups.onnx")
        ('default+onnx:cups.onnx', 'onnx:a.onnx')

    Raises:
        KgmmError: if none of the parts takes a model, or there is no such perceiver.
    """
    parts = _joining.parts(perceiver, FAMILY.names())
    takes = [part for part in parts if "model" in inspect.signature(FAMILY.module(part.name).perceive).parameters]
    if not takes:
        raise KgmmError(f"the perceiver {perceiver} has no option model")
    return "+".join(f"{part}:{model}" if part in takes and not part.model else str(part) for part in parts)


def perceivers() -> list[str]:
    """Return the names of all perceivers.

    Example:
        >>> "default" in perceivers()
        True
    """
    return FAMILY.names()
