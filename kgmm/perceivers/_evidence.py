"""Where a classifier sees what: class activation maps of many crops, laid over one another.

A crop's class activation map (Zhou et al., CVPR 2016) is the classifier's weight of a class against the
features at each place. Each crop votes for a class with its probability, at the places its map lights up; an
object is a connected region where the votes for one kind agree.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch import Tensor

from kgmm.encode.efficientnet import SIDE, efficientnet
from kgmm.perceivers._classes import Classes
from kgmm.scene import Box
from kgmm.scene.images import Picture

KEPT = 6  #: Looks that are kept; one takes 4 to 7 MB.
GRID = 48  #: Cells of the evidence map along each side of the picture.
Scales = tuple[tuple[float, int], ...]
SCALES: Scales = ((1.0, 1), (0.65, 2), (0.45, 3))  #: Scales of the crops and how many lie along each side, overlapping.
#: A picture longer than this is covered by squarer crops, since stretching changes what things look like.
LONGEST = 1.6
LONGEST_SIDE = 640  #: Longest side at which pictures are looked at; the crops are 224 pixels wide.
VOTE = 0.125  #: Probability from which a crop has a vote on where something is.

Window = tuple[int, int, int, int]
Windows = list[Window]
Floats = NDArray[np.float32]
Size = tuple[int, int]  #: width and height


def windows(width: int, height: int, scales: Scales = SCALES) -> Windows:
    """Return the crops of a picture as (left, top, right, bottom), the whole picture first if it is one of them."""
    out: Windows = []
    for scale, count in scales:
        if count == 1:
            out.append((0, 0, width, height))
            continue
        w, across = _spread(scale * width, scale * height, width, count)
        h, down = _spread(scale * height, scale * width, height, count)
        for y in np.linspace(0, height - h, down):
            for x in np.linspace(0, width - w, across):
                out.append((int(x), int(y), max(round(x + w), int(x) + 1), max(round(y + h), int(y) + 1)))
    return out


def _spread(length: float, other: float, side: int, count: int) -> tuple[float, int]:
    """Return how long a crop is along one side and how many lie there: squarer and more if it is a long one."""
    if length <= LONGEST * other:
        return length, count
    more = min(count + round(length / (LONGEST * other)), 2 * count)
    return max(LONGEST * other, 1.3 * side / more), more


def cut(picture: Picture, boxes: Windows, side: int) -> NDArray[np.uint8]:
    """Return the windows of a picture as squares, shape (n, side, side, 3)."""
    image = Image.fromarray(picture.pixels)
    return np.stack([np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box)) for box in boxes])


@dataclass(frozen=True)
class Look:
    """What the network makes of n crops of a picture of *size*: feature maps (n, d, h, w), probabilities (n, 1000)."""

    boxes: Windows
    size: Size
    maps: Tensor
    probabilities: Floats


_looks: OrderedDict[tuple[bytes, Scales], Look] = OrderedDict()
_lock = Lock()


def looked(picture: Picture, scales: Scales = SCALES) -> Look:
    """Look at a picture's crops; the last few looks are kept, so that a second question about it need not look again."""
    key = (
        hashlib.blake2b(picture.pixels.tobytes(), digest_size=16).digest() + repr(picture.pixels.shape).encode(),
        scales,
    )
    with _lock:
        if key in _looks:
            _looks.move_to_end(key)
            return _looks[key]
    height, width = picture.pixels.shape[:2]
    boxes, network = windows(width, height, scales), efficientnet()
    with torch.inference_mode():
        maps = network.maps(cut(picture, boxes, SIDE))
        probabilities = torch.softmax(network.logits(maps.mean((2, 3))), 1).numpy()
    with _lock:
        _looks[key] = look = Look(boxes, (width, height), maps, probabilities)
        while len(_looks) > KEPT:
            _looks.popitem(last=False)
    return look


@dataclass(frozen=True)
class Region:
    """A place where the crops agree on one kind: node index, box in grid cells, mask, mean top vote."""

    node: int
    score: float
    mask: NDArray[np.bool_]

    @property
    def box(self) -> Box:
        """The mask's bounding box as parts of the picture's width and height."""
        ys, xs = np.nonzero(self.mask)
        left, top = int(xs.min()) / GRID, int(ys.min()) / GRID
        return (left, top, (int(xs.max()) + 1) / GRID - left, (int(ys.max()) + 1) / GRID - top)


def regions(look: Look, weights: Tensor, classes: Classes, needed: Floats) -> list[Region]:
    """Find regions where crops agree on a class or kind; those of a kind and of its classes overlap.

    Shapes: the classifier's *weights* (1000, d), and *needed* (nodes,), the score from which each of *classes* is believed.
    """
    probabilities, boxes, size = look.probabilities, look.boxes, look.size
    votes = probabilities @ classes.members
    found: list[Region] = []
    for node in np.flatnonzero(np.partition(votes, -2, axis=0)[-2:].mean(0) >= needed):
        voters = np.flatnonzero(votes[:, node] >= VOTE)
        evidence = evidence_map(look, weights, list(classes.nodes[node].classes), voters)
        found += _components(int(node), evidence, votes[:, node], boxes, size)
    return [region for region in found if region.score >= needed[region.node]]


def evidence_map(look: Look, weights: Tensor, members: list[int], voters: NDArray[np.int64]) -> Floats:
    """Return how much some crops' features speak for the classes *members* at each cell, shape (GRID, GRID)."""
    votes = look.probabilities[:, members].sum(1)
    share = torch.from_numpy(look.probabilities[voters][:, members])
    direction = (share / share.sum(1, keepdim=True)) @ weights[members]
    activation = torch.einsum("nd,ndhw->nhw", direction, look.maps[torch.from_numpy(voters)]).relu()
    activation = activation / activation.amax((1, 2), keepdim=True).clamp_min(1e-6)
    return _overlay(activation, votes, voters, look.boxes, look.size)


def _cells(box: Window, size: Size) -> tuple[int, int, int, int]:
    left, top = int(box[0] / size[0] * GRID), int(box[1] / size[1] * GRID)
    right, bottom = int(np.ceil(box[2] / size[0] * GRID)), int(np.ceil(box[3] / size[1] * GRID))
    return left, top, min(max(right, left + 1), GRID), min(max(bottom, top + 1), GRID)


def _overlay(activation: Tensor, votes: Floats, voters: NDArray[np.int64], boxes: Windows, size: Size) -> Floats:
    """Add up the crops' votes at each cell and divide by the crops that cover it, shape (GRID, GRID)."""
    total, covered = np.zeros((2, GRID, GRID), np.float32)
    for box in boxes:
        left, top, right, bottom = _cells(box, size)
        covered[top:bottom, left:right] += 1
    for row, crop in enumerate(voters):
        left, top, right, bottom = _cells(boxes[crop], size)
        shape = (bottom - top, right - left)
        scaled = F.interpolate(activation[row][None, None], shape, mode="bilinear", align_corners=False)
        total[top:bottom, left:right] += float(votes[crop]) * scaled[0, 0].numpy()
    return np.asarray(total / np.maximum(covered, 1), np.float32)


def _components(node: int, evidence: Floats, votes: Floats, boxes: Windows, size: Size) -> list[Region]:
    """Cut an evidence map into connected regions and score each by the two best crops that look at it."""
    labels, count = ndimage.label(evidence >= 0.4 * evidence.max())
    found = []
    for label in range(1, count + 1):
        mask = labels == label
        area = mask.sum()
        if area < 0.005 * GRID * GRID or evidence[mask].max() < 0.6 * evidence.max():
            continue
        looking = []
        for vote, box in zip(votes, boxes, strict=True):
            left, top, right, bottom = _cells(box, size)
            if mask[top:bottom, left:right].sum() >= 0.5 * min(area, (right - left) * (bottom - top)):
                looking.append(float(vote))
        found.append(Region(node, sum(sorted(looking, reverse=True)[:2]) / 2, mask))
    return found
