"""Seconds to perceive a photograph, warm, and the part the network takes."""

from __future__ import annotations

import time

import numpy as np

from kgmm.bundled import folder
from kgmm.encode.efficientnet import SIDE, efficientnet
from kgmm.perceivers import perceive


def main() -> None:
    photographs = sorted((folder("graphs") / "photos").glob("*.jpg"))
    for path in photographs:
        perceive(path)
    for path in photographs:
        walls, cores = [], []
        for _ in range(5):
            wall, core = time.perf_counter(), time.process_time()
            scene = perceive(path)
            walls.append(time.perf_counter() - wall)
            cores.append(time.process_time() - core)
        names = ", ".join(o.name for o in scene.objects) or "nothing"
        print(f"{path.name:16} {np.median(walls) * 1000:5.0f} ms wall {np.median(cores) * 1000:5.0f} ms cpu  {names}")
    crops = np.zeros((14, SIDE, SIDE, 3), np.uint8)
    network = efficientnet()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        network.maps(crops)
        times.append(time.perf_counter() - start)
    print(f"network, 14 crops: {min(times) * 1000:.0f} ms wall at best")


if __name__ == "__main__":
    main()
