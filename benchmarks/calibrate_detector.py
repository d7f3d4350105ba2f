"""How often a detector in an ONNX file is right at each confidence: the two numbers that joining perceivers knows it by.

python benchmarks/calibrate_detector.py yolox_nano.onnx

Looks at scikit-image's pictures, matplotlib's portrait and the photographs under ``graphs/``, whose contents among COCO's names were written down
by hand, each as it is, mirrored and cut to four overlapping corners. A detection is right if what it names is in the
picture. Detections of one name in one picture count as one together, so that 24 coins taken for clocks are one mistake.
Fitted are slope and offset of a logistic on the confidence's log odds (Platt 1999), drawn weakly towards (1, 0).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image
from scipy.optimize import minimize

from kgmm.bundled import folder
from kgmm.perceivers import perceive

CONTENTS = {
    "astronaut": "person",
    "camera": "person",
    "chelsea": "cat",
    "coffee": "cup, dining table, spoon",
    "stereo_motorcycle": "motorcycle, bicycle, bottle, bench",
    "clock": "clock",
    "horse": "horse",
    "grace_hopper": "person, tie",
}
EMPTY = (
    "brick grass gravel coins hubble_deep_field moon page text logo retina immunohistochemistry colorwheel checkerboard"
)
PHOTOS = ("flower", "pagoda", "rocket")  #: of graphs/, with nothing that COCO names
PULL = 0.5  #: how much a distance of 1 from slope 1 or offset 0 costs, in observations


def pictures() -> dict[str, np.ndarray]:
    found = {}
    for name in (*CONTENTS, *EMPTY.split()):
        if name == "grace_hopper":
            import matplotlib.cbook

            with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
                found[name] = np.asarray(Image.open(file).convert("RGB"))
            continue
        pixels = getattr(skimage.data, name)()
        found[name] = np.asarray(pixels[0] if isinstance(pixels, tuple) else pixels)
    photos = folder("graphs") / "photos"
    return found | {name: np.asarray(Image.open(photos / f"{name}.jpg")) for name in PHOTOS}


def views(pixels: np.ndarray) -> list[np.ndarray]:
    """Return a picture as it is, mirrored, and its four corners, 85 % of it each."""
    high, wide = (round(0.85 * side) for side in pixels.shape[:2])
    corners = [pixels[y, x] for y in (slice(high), slice(-high, None)) for x in (slice(wide), slice(-wide, None))]
    return [np.ascontiguousarray(view) for view in (pixels, pixels[:, ::-1], *corners)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--least", type=float, default=0.2, help="confidence from which detections count")
    options = parser.parse_args()
    groups: dict[tuple[str, str], list[float]] = defaultdict(list)
    for name, pixels in pictures().items():
        for view in views(pixels):
            for o in perceive(view, "onnx", model=options.model, threshold=options.least).objects:
                groups[name, o.name].append(o.score)
    rows = [
        (s, name in CONTENTS.get(picture, "").split(", "), 1 / len(scores), picture)
        for (picture, name), scores in groups.items()
        for s in scores
    ]
    odds = np.array([np.log(s / (1 - s)) for s, *_ in rows])
    right, weights = (np.array([row[i] for row in rows], float) for i in (1, 2))

    def cost(both: np.ndarray, use: np.ndarray) -> float:
        z = np.where(right > 0, 1, -1) * (both[0] * odds + both[1])
        return float((use * np.logaddexp(0, -z)).sum() + PULL * ((both[0] - 1) ** 2 + both[1] ** 2))

    slope, offset = minimize(cost, [1.0, 0.0], args=(weights,)).x
    print(f"{len(groups)} names in pictures, {sum(n in CONTENTS.get(p, '').split(', ') for p, n in groups)} right")
    print(f"slope {slope:.2f}, offset {offset:.2f}")
    for s in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        print(f"  {s:.2f} → {1 / (1 + np.exp(-slope * np.log(s / (1 - s)) - offset)):.2f}")
    before = after = 0.0
    for left in {row[3] for row in rows}:  # each picture is judged by what the others say
        out = np.array([row[3] == left for row in rows])
        a, b = minimize(cost, [1.0, 0.0], args=(weights * ~out,)).x
        for scale, shift, which in ((1.0, 0.0, "before"), (a, b, "after")):
            p = 1 / (1 + np.exp(-scale * odds[out] - shift))
            error = float((weights[out] * (p - right[out]) ** 2).sum())
            before, after = (before + error, after) if which == "before" else (before, after + error)
    print(
        f"squared error of a probability, leaving each picture out: {before / weights.sum():.3f} as told, {after / weights.sum():.3f} fitted"
    )
    for key, scores in sorted(groups.items(), key=lambda g: -max(g[1])):
        print(f"  {max(scores):.2f} {len(scores):3} {key}")


if __name__ == "__main__":
    main()
