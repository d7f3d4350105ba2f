"""Scene graphs: what is seen in a picture, as plain data; reading pictures; showing both."""

from kgmm.scene.boxes import Box
from kgmm.scene.graph import SceneGraph, SceneObject, SceneRelation

__all__ = ["Box", "SceneGraph", "SceneObject", "SceneRelation"]
