"""Scene graphs: what is seen in a picture, as plain data; reading pictures; showing both."""

from kgmm.scene.boxes import Box
from kgmm.scene.graph import NO_PICTURE, SceneGraph, SceneObject, SceneRelation

__all__ = ["NO_PICTURE", "Box", "SceneGraph", "SceneObject", "SceneRelation"]
