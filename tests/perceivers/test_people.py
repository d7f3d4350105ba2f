"""Faces and persons: found where they are, none where there are none; what the guide says of precision and recall holds."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kgmm.errors import MissingExtra
from kgmm.perceivers import people, perceive
from kgmm.scene.boxes import overlap_of_union

cv2 = pytest.importorskip("cv2", reason="OpenCV, the extra people, is not installed")
data = pytest.importorskip("skimage.data", reason="scikit-image, the extra data, is not installed")
carried = pytest.mark.skipif(
    not hasattr(cv2, "HOGDescriptor"),
    reason="OpenCV 5 is installed, which carries no detectors; the extra people has 4",
)
NOBODY = "brick chelsea clock coffee coins gravel logo page retina rocket text".split()


def pixels(name: str) -> np.ndarray:
    return np.asarray(Image.fromarray(getattr(data, name)()).convert("RGB"))


@carried
@pytest.mark.parametrize(("picture", "face"), [("astronaut", (175, 65, 95, 100)), ("camera", (165, 80, 105, 115))])
def test_a_face_is_found_and_belongs_to_a_person(picture: str, face: tuple[float, ...]) -> None:
    scene = perceive(pixels(picture), "people")
    assert sorted(o.name for o in scene.objects) == ["face", "person"]
    by_name = {o.name: o for o in scene.objects}
    assert overlap_of_union(by_name["face"].box, face) > 0.5  # type: ignore[arg-type]
    parts = [(r.subject, r.object) for r in scene.relations if r.predicate == "part_of"]
    assert parts == [(by_name["face"].id, by_name["person"].id)]


@carried
@pytest.mark.parametrize("picture", NOBODY)
def test_nobody_is_seen_where_nobody_is(picture: str) -> None:
    assert perceive(pixels(picture), "people").objects == ()


@carried
def test_of_two_hundred_small_pictures_those_of_faces_are_told() -> None:
    """Labeled Faces in the Wild (Huang et al. 2007) as scikit-image has it: 100 faces, then 100 cut from beside faces."""
    from benchmarks.people import small_faces

    seen = small_faces() >= 0.5
    assert seen[:100].mean() >= 0.95 and not seen[100:].any()


def test_an_opencv_without_detectors_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "HOGDescriptor", raising=False)
    people._detectors.cache_clear()
    with pytest.raises(MissingExtra, match=r"OpenCV 4 .*kgmm\[people\]"):
        perceive(np.zeros((64, 64, 3), np.uint8), "people")
