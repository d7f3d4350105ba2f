"""The perceiver ``scene``: a scene graph (Johnson et al., CVPR 2015) that someone else made, from its JSON file."""

from pathlib import Path

from kgmm.errors import BadInput
from kgmm.files import file_at
from kgmm.scene import SceneGraph


def perceive(image: object) -> SceneGraph:
    """Return the scene graph in a JSON file, or the scene itself if it is one already.

    Raises:
        BadInput: if the file is missing or no scene graph.
    """
    if isinstance(image, SceneGraph):
        return image
    if not isinstance(image, str | Path):
        raise BadInput(type(image).__name__, "not a scene: give a scene-graph JSON file")
    return SceneGraph.from_json(file_at(image, "scene file"))
