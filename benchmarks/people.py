"""What the perceiver ``people`` finds, from a low score on, in scikit-image's pictures, those under graphs/ and small faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from kgmm.bundled import folder
from kgmm.perceivers import people

NAMES = (
    "astronaut brick camera cell chelsea clock coffee coins grass gravel horse hubble_deep_field immunohistochemistry logo"
    " microaneurysms moon page retina rocket text"
).split()


def small_faces() -> np.ndarray:
    """Return the best face's score, 0 if there is none, of each of scikit-image's 200 small pictures: 100 of faces, then 100 of others."""
    cascades, _ = people._detectors()
    best = []
    for small in data.lfw_subset():
        frame = Image.new("L", (160, 160), 128)
        frame.paste(Image.fromarray((small * 255).astype(np.uint8)).resize((100, 100)), (30, 30))
        found = people.faces(cascades, np.repeat(np.asarray(frame)[:, :, None], 3, 2))
        best.append(max((score for score, _ in found), default=0.0))
    return np.array(best)


def main() -> None:
    pictures = {name: Image.fromarray(getattr(data, name)()) for name in NAMES}
    more = [Path(data.__file__).parent / "motorcycle_left.png", *sorted((folder("graphs") / "photos").glob("*.jpg"))]
    pictures |= {path.name: Image.open(path) for path in more}
    for name, picture in pictures.items():
        seen = people.perceive(picture.convert("RGB"), threshold=0.15).objects
        print(f"{name:22} " + (", ".join(f"{o.name} {o.score:.2f}" for o in seen) or "nobody"))
    best = small_faces()
    for least in (0.3, 0.5, 0.7, 0.9):
        seen_from = best >= least
        print(f"from {least}: {seen_from[:100].sum()} of 100 faces, {seen_from[100:].sum()} of 100 others")


if __name__ == "__main__":
    main()
