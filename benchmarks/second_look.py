"""The second look of the perceiver default: what pictures give for names by chance, and how long it takes.

python -m benchmarks.second_look [--json]

Every name that can be looked for is looked for in scikit-image's and the bundled photographs. Nearly none of these names is shown, so
that the share above a ratio of likelihoods is how often a name gets there by chance (a little less: what is shown counts too).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.perceivers import _again, _evidence, look_again, perceive
from kgmm.scene.images import read_image

PHOTOS = sorted((Path(__file__).parents[1] / "graphs" / "photos").glob("*.jpg"))
NAMES = "brick camera cell chelsea clock coffee coins colorwheel grass gravel hubble_deep_field immunohistochemistry moon page retina text"
RATIOS = (_again.LEAST, _again.PLAIN, 256.0)


def pictures() -> list[Any]:
    """Return the bundled photographs and those that come with scikit-image."""
    import skimage.data

    more = [getattr(skimage.data, name)() for name in NAMES.split() if hasattr(skimage.data, name)]
    return [*PHOTOS, *(p for p in more if isinstance(p, np.ndarray))]


def main() -> None:
    """Look, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    nodes = {id(node): node for node in _again._nodes().values()}.values()
    ratios, first, second, again = [], [], [], []
    for picture in pictures():
        look = read_image(picture, max_side=_evidence.LONGEST_SIDE)
        every = _again._joined(_evidence.looked(look), _evidence.looked(look, _again.FINER))
        ratios += [_again._ratio(every, node) for node in nodes]
    for picture in PHOTOS * 2:
        _evidence._looks.clear()
        start = time.perf_counter()
        scene = perceive(picture)
        seen = time.perf_counter()
        look_again(picture, scene, {"spoon": 0.5, "dog": 0.08})
        looked = time.perf_counter()
        look_again(picture, scene, {"whisk": 0.5, "horse": 0.08})
        first.append(seen - start)
        second.append(looked - seen)
        again.append(time.perf_counter() - looked)
    figures = {
        "pictures": len(pictures()),
        "names": len(nodes),
        **{f"ratio >= {bound:g}": round(float(np.mean(np.array(ratios) >= bound)), 4) for bound in RATIOS},
        f"ratio <= {_again.NOTHING:g}": round(float(np.mean(np.array(ratios) <= _again.NOTHING)), 4),
        "first look, s": round(statistics.median(first), 3),
        "second look, s": round(statistics.median(second), 3),
        "second look at a picture looked at twice, s": round(statistics.median(again), 3),
    }
    print(json.dumps(figures, indent=1) if options.json else "\n".join(f"{k:44} {v}" for k, v in figures.items()))


if __name__ == "__main__":
    main()
