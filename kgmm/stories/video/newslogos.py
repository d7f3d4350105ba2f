"""Newslogos: insets that hold still through a shot while the rest moves, found by their frame and told apart by hash."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kgmm.scene.boxes import overlap_of_smaller, overlap_of_union
from kgmm.stories.video.decoding import Pixels
from kgmm.stories.video.shots import Cut

AREA, SHAPE = (0.01, 0.3), (0.6, 2.4)  #: share of the picture an inset takes, and its width by its height
#: how far a still pixel's values lie apart over a shot (of 255), and the share of an inset that is still
STILL, SHARE = 36, 0.9
MOVING = 0.985  #: share of still pixels from which on a whole picture counts as still
CONTRAST = 12.0  #: standard deviation of lightness that an inset has at least: a blank panel is no logo
#: difference of neighbouring pixels (of 255) that makes an edge; how far sides may miss a corner, in pixels
EDGE, SLACK = 14, 5
TRIM = 3  #: pixels at each side of an inset that are not looked at: its border, blurred by compression
SAME = 44  #: bits of 256 in which two sightings of one logo may differ
ALWAYS = 0.35  #: a region in more than this share of all shots belongs to the channel, not to a story
SIDE, KEPT = 32, 8  #: pixels a side of the reduced picture, and coefficients a side of its spectrum that are kept
COLOURED = 24.0  #: a colour coefficient counts from here on, so that grey pictures have no noise in their bits

Box = tuple[int, int, int, int]  #: x, y, width, height


@dataclass(frozen=True)
class Sighting:
    """An inset in one shot: its place, pixels and their hash; ``telling`` if the picture around it moved."""

    shot: int
    box: Box
    pixels: Pixels
    hash: str
    telling: bool = True


def insets(shot: Cut, index: int = 0) -> list[Sighting]:
    """Return the framed regions of a shot that hold still; none if it was sampled fewer than three times."""
    stack = inner(shot)
    if len(stack) < 3:
        return []
    still = _spread(stack) <= STILL
    picture = np.median(stack, axis=0).astype(np.uint8)
    telling = float(still.mean()) < MOVING
    found: list[Sighting] = []
    for box in sorted(set(_rectangles(stack)), key=lambda box: (-box[2] * box[3], box)):
        if any(overlap_of_smaller(box, other.box) > 0.3 for other in found):
            continue
        x, y, w, h = box
        inside = still[y + TRIM : y + h - TRIM, x + TRIM : x + w - TRIM]
        if inside.mean() >= SHARE and cropped(picture, box).std() >= CONTRAST:
            found.append(sighting(index, picture, box, telling))
    return found


def _spread(stack: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return how far each pixel's values lie apart, (h, w); noise is smoothed over 3 x 3 pixels first."""
    from scipy.ndimage import uniform_filter

    smooth = np.stack([uniform_filter(frame, (3, 3, 1)) for frame in stack])
    apart: NDArray[np.int16] = (smooth.max(axis=0).astype(np.int16) - smooth.min(axis=0)).max(axis=2)
    return apart


def cropped(picture: Pixels, box: Box) -> Pixels:
    """Return what is inside an inset's border."""
    x, y, w, h = box
    return np.ascontiguousarray(picture[y + TRIM : y + h - TRIM, x + TRIM : x + w - TRIM])


def sighting(shot: int, picture: Pixels, box: Box, telling: bool = True) -> Sighting:
    """Return the sighting of an inset at a place of a picture."""
    inside = cropped(picture, box)
    return Sighting(shot, box, inside, perceptual_hash(inside), telling)


def matched(sightings: Sequence[Sighting], picture_of: Callable[[int], Pixels], shots: int) -> list[Sighting]:
    """Return sightings brought to the places where logos mostly stand, and those that were missed there.

    A programme shows its logos in one place or a few. Where a shot has no inset, but one of these places looks like a
    logo seen elsewhere, the logo is there: its sides were too faint against the picture behind it. *picture_of* gives the
    still picture of a shot by its number: what its samples have in common.
    """
    places = _places([s.box for s in sightings])
    snapped = []
    for s in sightings:
        near = [p for p in places if _alike(p, s.box) or overlap_of_smaller(p, s.box) > 0.95]
        if not near:
            snapped.append(s)
        elif near[0] == s.box:
            snapped.append(replace(s, telling=True))
        else:
            snapped.append(sighting(s.shot, picture_of(s.shot), near[0]))
    seen = {s.shot for s in snapped}
    known = [s.hash for s in snapped if s.box in places]
    added = []
    for shot in range(shots):
        if shot in seen:
            continue
        picture = picture_of(shot)
        high, wide = picture.shape[:2]
        tried = [sighting(shot, picture, p) for p in places if p[0] + p[2] <= wide and p[1] + p[3] <= high]
        close = [(min(distance(t.hash, k) for k in known), i) for i, t in enumerate(tried)]
        if close and min(close)[0] <= SAME:
            added.append(tried[min(close)[1]])
    return sorted([*snapped, *added], key=lambda s: s.shot)


def _places(boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes around which at least three of *boxes*, and a tenth of them, gather; the most usual first."""
    left = Counter(boxes)
    found: list[Box] = []
    while left:
        box = max(left, key=lambda b: (left[b], b))
        near = [b for b in left if _alike(b, box)]
        count = sum(left[b] for b in near)
        for b in near:
            del left[b]
        if count >= max(3, 0.1 * len(boxes)):
            found.append(box)
    return found


def _alike(a: Box, b: Box) -> bool:
    """Tell whether two boxes are about the same."""
    return overlap_of_union(a, b) >= 0.7


def inner(shot: Cut) -> NDArray[np.uint8]:
    """Return the samples without those next to a cut, where two shots may be mixed."""
    for margin in (max(0.3, 0.05 * (shot.end - shot.start)), 0.1):
        first, last = shot.start + margin, shot.end - margin
        kept = [pixels for at, pixels in zip(shot.times, shot.samples, strict=True) if first <= at <= last]
        if len(kept) >= 3:
            return np.stack(kept)
    return np.stack(shot.samples)


def _rectangles(stack: NDArray[np.uint8]) -> Iterator[Box]:
    """Yield the boxes whose four sides are edges that stay where they are through the shot."""
    height, width = stack.shape[1:3]
    across, down = np.zeros((2, height, width), np.float32)
    for frame in stack.astype(np.int16):  # one by one: the differences of all at once would take much memory
        across[1:] += np.abs(np.diff(frame, axis=0)).max(axis=2) > EDGE
        down[:, 1:] += np.abs(np.diff(frame, axis=1)).max(axis=2) > EDGE
    often = 0.75 * len(stack)
    rows = list(_runs(across >= often, round(0.08 * width)))
    columns = list(_runs((down >= often).T, round(0.1 * height)))
    for left, top_l, bottom_l in columns:
        for right, top_r, bottom_r in columns:
            if not 0.08 * width <= right - left <= 0.6 * width:
                continue
            high, low = max(top_l, top_r) - SLACK, min(bottom_l, bottom_r) + SLACK
            sides = [y for y, a, b in rows if a <= left + SLACK and b >= right - SLACK and high <= y <= low]
            for top in sides:
                for bottom in sides:
                    w, h = right - left, bottom - top
                    clear = left >= 2 and top >= 2 and right <= width - 2 and bottom <= height - 2
                    share = w * h / (width * height)
                    if h > 0 and AREA[0] <= share <= AREA[1] and SHAPE[0] <= w / h <= SHAPE[1] and clear:
                        yield left, top, w, h


def _runs(edges: NDArray[Any], least: int) -> Iterator[tuple[int, int, int]]:
    """Yield (row, first, last) of the runs of edge pixels at least *least* long; gaps of three pixels are bridged."""
    for row in np.flatnonzero(edges.sum(axis=1) >= 0.8 * least):
        at = np.flatnonzero(edges[row])
        for part in np.split(at, np.flatnonzero(np.diff(at) > 8) + 1):
            long = int(part[-1] - part[0]) + 1
            if long >= least and len(part) >= 0.6 * long:
                yield int(row), int(part[0]), int(part[-1])


def cluster(hashes: Sequence[str]) -> list[int]:
    """Return for each hash the number of its cluster: hashes at most 44 bits apart are joined (union-find).

    >>> cluster(["00" * 32, "ff" * 32, "00" * 31 + "03"])
    [0, 1, 0]
    """
    if not hashes:
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    bits = np.unpackbits(np.array([list(bytes.fromhex(h)) for h in hashes], np.uint8), axis=1)
    signs = bits.astype(np.float32) * 2 - 1
    pairs = []
    for start in range(0, len(signs), 2048):
        away = (signs.shape[1] - signs[start : start + 2048] @ signs.T) / 2
        pairs.append(np.array(np.nonzero(away <= SAME)) + np.array([[start], [0]]))
    ends = np.concatenate(pairs, axis=1)
    joined = coo_array((np.ones(ends.shape[1], np.int8), (ends[0], ends[1])), shape=(len(signs), len(signs)))
    labels = connected_components(joined, directed=False)[1]
    order: dict[int, int] = {}
    return [order.setdefault(int(label), len(order)) for label in labels]


def logos(sightings: Sequence[Sighting], shots: int) -> list[list[Sighting]]:
    """Return the sightings of each newslogo, in order of first appearance.

    What is on nearly always belongs to the channel, and what is seen beside many different logos to the studio; both
    are left out, and so is a rectangle of a still picture that never comes again.
    """
    groups: dict[int, list[Sighting]] = defaultdict(list)
    labels = cluster([s.hash for s in sightings])
    beside: dict[int, Counter[int]] = defaultdict(Counter)
    of_shot: dict[int, set[int]] = defaultdict(set)
    for sighting, label in zip(sightings, labels, strict=True):
        groups[label].append(sighting)
        of_shot[sighting.shot].add(label)
    for together in of_shot.values():
        for a in together:
            beside[a].update(together - {a})
    kept = []
    for label, group in groups.items():
        seen = {s.shot for s in group}
        furniture = len(beside[label]) >= 3 and len(seen) > max(beside[label].values())
        chance = len(seen) == 1 and not any(s.telling for s in group) and shots > 1
        if not furniture and not chance and (shots < 8 or len(seen) <= ALWAYS * shots):
            kept.append(group)
    return sorted(kept, key=lambda group: group[0].shot)


def perceptual_hash(pixels: NDArray[np.uint8]) -> str:
    """Return 256 bits as 64 hex digits: signs of the low cosine coefficients of lightness and both colours.

    The pixels are RGB, of shape (h, w, 3). Lightness gives 16 x 8 coefficients, the opponent colours red-green and
    blue-yellow 8 x 8 each, so that two logos of one drawing in different colours stay apart.
    Source: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010 (lightness part).

    >>> ramp = np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 64, 3))
    >>> distance(perceptual_hash(ramp), perceptual_hash(ramp[::2, ::2])) < 20
    True
    """
    from scipy.fft import dctn

    small = np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    light = small @ np.array([0.299, 0.587, 0.114], np.float32)
    bits = []
    for plane, rows in ((light - 128, 2 * KEPT), (red - green, KEPT), (blue - (red + green) / 2, KEPT)):
        spectrum = dctn(plane, norm="ortho")[:rows, :KEPT].ravel()
        bits.append(spectrum > (np.median(spectrum) if rows > KEPT else COLOURED))
    return np.packbits(np.concatenate(bits)).tobytes().hex()


def distance(a: str, b: str) -> int:
    """Return in how many bits two hashes differ."""
    return (int(a, 16) ^ int(b, 16)).bit_count()
