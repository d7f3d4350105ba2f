"""Visual patterns: what pictures of an event and their captions have in common, named and placed (Li et al., ACM MM 2016)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.encode import text_encoder
from kgmm.errors import KgmmError
from kgmm.language.words import STOP, lemmas, tokens
from kgmm.patterns.itemsets import mine
from kgmm.patterns.transactions import Transactions
from kgmm.progress import Progress, silent
from kgmm.scene import Box

if TYPE_CHECKING:
    from kgmm.scene.images import ImageLike

MAPS = 120  #: of the network's last layer that a picture has at most, the strongest
STRONG = 1.0  #: standard deviations above a map's mean over all pictures from which it counts
WORDS = 8  #: of a caption that count, by tf-idf
LIKE = 0.8  #: cosine of words from which they are one cluster (average linkage)
TELLING = 16  #: maps that a pattern is placed by at most
#: chance, within the class, that maps and words stand together so often without having to do with each other, at most
SURE = 0.02
#: standard errors by which a pattern's maps are stronger on average where its words stand, at least
STRONGER = 5.0
_TEXT = 100_000  #: items from here on are clusters of words
OVERLAP = 0.5  #: Jaccard index of pictures from which patterns are one (the paper's)
#: share of its largest activation that a pattern has where it is: in the whole picture, and in a look at twice the part found there
FIRST, SECOND, CLOSER = 0.4, 0.3, 2.0
LARGE = 1280  #: pixels of a picture's longer side at most

#: words stand in for each other if they are together less often than this share of what chance has, and are told better as one by so many standard errors
APART, GAIN = 0.5, 1.0
MOST_SETS = 100_000  #: closed sets of a class that are looked at
MOST_WORDS = 60  #: of a class that are looked at for it, the most telling

Holders = dict[int, NDArray[np.bool_]]  #: item → which pictures have it


@dataclass(frozen=True)
class Activations:
    """The strongest maps of each of N pictures."""

    maps: list[NDArray[np.int64]]  #: (k,) which ones
    #: (k, h, w) how strong where, in standard deviations above the mean of the map's maxima
    shown: list[NDArray[np.float16]]
    peaks: NDArray[np.float32]  #: (N, 1280) the maxima of all maps, in standard deviations above their mean
    sizes: list[tuple[int, int]]  #: width and height of the pictures, pixels


@dataclass(frozen=True)
class VisualPattern:
    """Maps and words that go together in pictures of one class.

    Example:
        >>> VisualPattern("flag", ("flag",), "parade", (3,), 0.1, 0.9, (0,), ((1.0, 1.0, 5.0, 5.0),)).name
        'flag'
    """

    name: str  #: the word that tells its captions from others best
    words: tuple[str, ...]  #: of its clusters, the most telling first
    label: Hashable  #: the class of pictures that it is of
    maps: tuple[int, ...]  #: of the network's last layer, those first that tell it best
    support: float  #: share of all pictures that have it and are of the class
    confidence: float  #: share of the pictures that have it which are of the class
    pictures: tuple[int, ...]  #: of the class, which have it
    places: tuple[Box, ...]  #: where in each of these, (x, y, width, height) in pixels


def activations(pictures: Sequence[ImageLike], progress: Progress = silent) -> Activations:
    """Return the strongest maps of pictures: those whose maximum lies far above that map's maxima in all pictures."""
    from kgmm.encode.efficientnet import SIDE, efficientnet
    from kgmm.encode.image import resized
    from kgmm.scene.images import read_image

    network, kept, sizes = efficientnet(), list[NDArray[np.float16]](), list[tuple[int, int]]()
    for i, picture in enumerate(pictures):
        read = read_image(picture, max_side=LARGE)
        sizes.append((read.width, read.height))
        kept.append(network.maps(resized(read, 2 * SIDE)[None])[0].numpy().astype(np.float16))
        progress(i + 1, len(pictures), "pictures")
    peaks = np.array([m.max((1, 2)) for m in kept], np.float32)
    mean, spread = peaks.mean(0), peaks.std(0) + 1e-6
    z = (peaks - mean) / spread
    chosen = [np.flatnonzero(row >= max(STRONG, np.sort(row)[-MAPS])) for row in z]
    shown = [
        ((m[c] - mean[c, None, None]) / spread[c, None, None]).astype(np.float16)
        for m, c in zip(kept, chosen, strict=True)
    ]
    return Activations(chosen, shown, z, sizes)


def word_clusters(captions: Sequence[str]) -> tuple[list[list[int]], list[list[str]]]:
    """Return the clusters of each caption's telling words, and the words of each cluster."""
    said = [
        [w for w, raw in zip(lemmas(c), tokens(c), strict=True) if len(w) > 2 and w not in STOP and raw not in STOP]
        for c in captions
    ]
    seen = Counter(word for words in said for word in set(words))
    worth = {word: math.log(len(captions) / n) for word, n in seen.items() if n > 1}
    told = [
        sorted({w for w in words if worth.get(w, 0) > 0}, key=lambda w: (-worth[w] * words.count(w), w))[:WORDS]
        for words in said
    ]
    vocabulary = sorted({word for words in told for word in words})
    of = dict(zip(vocabulary, _clustered(vocabulary), strict=True))
    clusters: list[list[str]] = [[] for _ in range(1 + max(of.values(), default=-1))]
    for word, number in of.items():
        clusters[number].append(word)
    return [sorted({of[word] for word in words}) for words in told], clusters


def _clustered(words: Sequence[str]) -> list[int]:
    """Return a cluster of each word: words whose vectors are alike on average."""
    if len(words) < 2:
        return [0] * len(words)
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.cluster.vq import kmeans2

    vectors = text_encoder("minilm").encode(list(words))
    if len(words) <= 4000:
        tree = linkage(vectors, "average", metric="cosine")
        found = fcluster(tree, 1 - LIKE, "distance")
    else:
        found = kmeans2(vectors.astype(np.float64), len(words) // 3, minit="++", seed=0)[1]
    return np.unique(found, return_inverse=True)[1].reshape(-1).tolist()


def mine_pictures(
    pictures: Sequence[ImageLike],
    captions: Sequence[str],
    classes: Sequence[Hashable],
    *,
    min_confidence: float = 0.8,
    min_support: float | None = None,
    seen: Activations | None = None,
    progress: Progress = silent,
) -> list[VisualPattern]:
    """Return what pictures of each class and their captions have in common, the most frequent first.

    A picture is the set of its strongest maps, of the clusters of its caption's words, and its class; closed sets with at least one
    of each that keep to the bounds are patterns (Eqs. 33–35 of the survey). Those in the same pictures are one.

    Args:
        pictures, captions, classes: of equal length; a class is an event, a section, …
        min_confidence: least share of a pattern's pictures that are of the class; 0.8 in the paper.
        min_support: least share of all pictures; ten pictures or a thousandth, whichever is more, if it is not given, as in the paper.
        seen: activations of these pictures, where they are known.
        progress: told of pictures read.

    Raises:
        KgmmError: if lengths differ.
    """
    if not len(pictures) == len(captions) == len(classes):
        raise KgmmError(
            f"{len(pictures)} pictures, {len(captions)} captions and {len(classes)} classes; one of each is needed"
        )
    if not len(pictures):
        return []
    seen = seen or activations(pictures, progress)
    told, clusters = word_clusters(captions)
    rows = [[*maps.tolist(), *(_TEXT + c for c in some)] for maps, some in zip(seen.maps, told, strict=True)]
    share = max(10 / len(rows), 1e-3) if min_support is None else min_support
    least = max(2, math.ceil(share * len(rows) - 1e-9))
    have, said = _holders(rows), [set(lemmas(caption)) for caption in captions]
    found: list[VisualPattern] = []
    for label in dict.fromkeys(classes):
        inside = np.array([c == label for c in classes])
        as_one = _one_thing(have, inside, seen, least)
        held = have | {_TEXT + some[0]: _any(have, some) for some in as_one}
        of = {c: (c,) for c in range(len(clusters))} | {some[0]: some for some in as_one}
        first = {_TEXT + c: _TEXT + some[0] for some in as_one for c in some}
        own = [[*{first.get(item, item): None for item in row}] for row in rows]
        for pattern in _merged(_of_class(own, held, inside, least, min_confidence), held, inside, seen):
            words = _names(pattern, said, [word for at in pattern.clusters for c in of[at] for word in clusters[c]])
            places = tuple(_place(seen, i, pictures[i], pattern.maps) for i in pattern.pictures)
            support = len(pattern.pictures) / len(rows)
            found.append(
                VisualPattern(
                    words[0], words, label, pattern.maps, support, pattern.confidence, pattern.pictures, places
                )
            )
    return sorted(found, key=lambda p: (-p.support, str(p.label), p.name))


@dataclass(frozen=True)
class _Found:
    """A set of maps and word clusters with the pictures of the class that have it."""

    maps: tuple[int, ...]
    clusters: tuple[int, ...]
    confidence: float
    pictures: tuple[int, ...]


def _any(have: Holders, clusters: Sequence[int]) -> NDArray[np.bool_]:
    """Return which pictures have a word of some clusters."""
    found: NDArray[np.bool_] = np.logical_or.reduce([have[_TEXT + c] for c in clusters])
    return found


def _one_thing(have: Holders, inside: NDArray[np.bool_], seen: Activations, least: int) -> list[tuple[int, ...]]:
    """Return clusters that stand in for each other in a class: seldom together, and told from the rest better as one than each alone."""
    peaks = seen.peaks[inside]

    def worth(clusters: tuple[int, ...]) -> float:
        return float(np.sort(_stronger(peaks, _any(have, clusters)[inside]))[-TELLING:].mean())

    def gain(one: tuple[int, ...], other: tuple[int, ...]) -> float:
        a, b = _any(have, one)[inside], _any(have, other)[inside]
        if (a & b).sum() >= APART * a.sum() * b.sum() / len(a):
            return 0.0
        both = worth((*one, *other))
        return both - max(worths[one], worths[other]) if both >= STRONGER else 0.0

    often = [item - _TEXT for item, at in have.items() if item >= _TEXT and least / 2 <= at[inside].sum() < len(peaks)]
    worths: dict[tuple[int, ...], float] = {(c,): worth((c,)) for c in sorted(often)}
    worths = dict(sorted(worths.items(), key=lambda told: (-told[1], told[0]))[:MOST_WORDS])
    gains = {pair: gain(*pair) for pair in combinations(worths, 2)}
    while gains and gains[pair := max(gains, key=lambda pair: (gains[pair], pair))] >= GAIN:
        whole = (*pair[0], *pair[1])
        worths = {one: known for one, known in worths.items() if one not in pair} | {whole: worth(whole)}
        gains = {other: known for other, known in gains.items() if not {*pair} & {*other}}
        gains |= {(one, whole): gain(one, whole) for one in worths if one != whole}
    return [some for some in worths if len(some) > 1]


def _of_class(
    rows: list[list[int]], have: Holders, inside: NDArray[np.bool_], least: int, confidence: float
) -> list[_Found]:
    """Return the closed sets of a class in which maps and words go together more than chance has it, the best first."""
    own = [row for row, here in zip(rows, inside.tolist(), strict=True) if here]
    if len(own) < least:
        return []
    of_class, found = np.flatnonzero(inside), list[tuple[int, float, _Found]]()
    for items in _sets(Transactions.of(own), least):
        maps, words = sorted(i for i in items if i < _TEXT), sorted(i for i in items if i >= _TEXT)
        if not maps or not words:
            continue
        shown, said = (np.logical_and.reduce([have[i] for i in part]) for part in (maps, words))
        both = shown & said
        sure = float((both & inside).sum() / both.sum())
        chance = _chance(shown[inside], said[inside])
        if sure >= confidence and chance < SURE:
            pictures = tuple(of_class[both[inside]].tolist())
            one = _Found(tuple(maps), tuple(w - _TEXT for w in words), sure, pictures)
            found.append((len(words), chance, one))
    return [one for *_, one in sorted(found, key=lambda told: (*told[:2], told[2].clusters, told[2].maps))]


def _sets(data: Transactions, least: int) -> list[list[int]]:
    """Return the closed sets, or, where there are too many to look at, the frequent pairs: maps that are alike multiply by the million."""
    try:
        found = mine(data, least, most=MOST_SETS)
    except KgmmError:
        found = None
    if found is None or len(found) > MOST_SETS:
        found = mine(data, least, closed=False, max_length=2)
    return found.named()


def _holders(rows: list[list[int]]) -> Holders:
    """Return which pictures have each item."""
    found: Holders = {}
    for number, row in enumerate(rows):
        for item in row:
            found.setdefault(item, np.zeros(len(rows), bool))[number] = True
    return found


def _chance(shown: NDArray[np.bool_], said: NDArray[np.bool_]) -> float:
    """Return how likely it is that maps and words meet as often as they do, if they had nothing to do with each other."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(int((shown & said).sum()) - 1, len(shown), int(shown.sum()), int(said.sum())))


def _merged(found: list[_Found], have: Holders, inside: NDArray[np.bool_], seen: Activations) -> list[_Found]:
    """Join sets that say the same words, lie in the same pictures, or whose words go with the same maps."""
    groups: list[list[_Found]] = []
    for one in found:
        for group in groups:
            if _overlap(one.pictures, group[0].pictures) > OVERLAP or set(one.clusters) & set(group[0].clusters):
                group.append(one)
                break
        else:
            groups.append([one])
    merged: list[_Found] = []
    for group in groups:
        one, worth = _told_by(group[0].clusters, group, have, inside, seen)
        if worth < STRONGER:
            continue
        alike = next((i for i, other in enumerate(merged) if _overlap(one.maps, other.maps) > OVERLAP), None)
        if alike is None:
            merged.append(one)
        else:
            clusters = (*merged[alike].clusters, *one.clusters)
            merged[alike], _ = _told_by(clusters, [merged[alike], one], have, inside, seen)
    return merged


def _told_by(
    clusters: tuple[int, ...], group: list[_Found], have: Holders, inside: NDArray[np.bool_], seen: Activations
) -> tuple[_Found, float]:
    """Return the pattern of some clusters, its maps those that are stronger in the class where its words stand, and by how much."""
    said = np.logical_or.reduce([have[_TEXT + c] for c in clusters])[inside]
    worth = _stronger(seen.peaks[inside], said)
    maps = np.argsort(-worth, kind="stable")[:TELLING]
    pictures = tuple(sorted({i for one in group for i in one.pictures if any(have[_TEXT + c][i] for c in clusters)}))
    found = _Found(tuple(maps[worth[maps] > 0].tolist()), clusters, min(one.confidence for one in group), pictures)
    return found, float(worth[maps].mean())


def _stronger(peaks: NDArray[np.float32], said: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how much stronger each map is where words stand than where they do not, in standard errors (Welch)."""
    if said.all():
        everywhere: NDArray[np.float64] = peaks.mean(0) * len(peaks) ** 0.5
        return everywhere
    here, there = peaks[said], peaks[~said]
    error = here.var(0) / len(here) + there.var(0) / len(there) + 1e-3
    found: NDArray[np.float64] = (here.mean(0) - there.mean(0)) / np.sqrt(error)
    return found


def _overlap(a: Sequence[int], b: Sequence[int]) -> float:
    """Return the Jaccard index."""
    return len(set(a) & set(b)) / max(1, len(set(a) | set(b)))


def _names(pattern: _Found, said: list[set[str]], words: list[str]) -> tuple[str, ...]:
    """Return a pattern's words, those first that its captions have and others have not (tf-idf)."""
    inside = set(pattern.pictures)

    def telling(word: str) -> float:
        here = sum(word in said[i] for i in inside) / len(inside)
        there = sum(word in some for i, some in enumerate(said) if i not in inside) / max(1, len(said) - len(inside))
        return here * math.log((here + 0.01) / (there + 0.01))

    return tuple(sorted(words, key=lambda word: (-telling(word), word)))


def _place(seen: Activations, picture: int, image: ImageLike, maps: Sequence[int]) -> Box:
    """Return where maps are together strongest in a picture: a box from the whole picture, and then from a closer look there."""
    from kgmm.encode.efficientnet import SIDE, efficientnet
    from kgmm.encode.image import resized
    from kgmm.scene.images import Picture, read_image

    at = {m: i for i, m in enumerate(seen.maps[picture].tolist())}
    own = [seen.shown[picture][at[m]].astype(np.float32) for m in maps if m in at]
    width, height = seen.sizes[picture]
    if not own:
        return 0.0, 0.0, float(width), float(height)
    pixels = read_image(image, max_side=LARGE).pixels
    tall, wide = pixels.shape[:2]
    x, y, w, h = _hottest(np.stack(own), 1.0, FIRST, (0, 0, wide, tall))
    side = max(w, h) * CLOSER
    left, top = (int(max(0.0, at + size / 2 - side / 2)) for at, size in ((x, w), (y, h)))
    right, bottom = (int(min(most, at + size / 2 + side / 2)) for most, at, size in ((wide, x, w), (tall, y, h)))
    crop = Picture(np.ascontiguousarray(pixels[top:bottom, left:right]), right - left, bottom - top)
    closer = efficientnet().maps(resized(crop, 2 * SIDE)[None])[0].numpy()[list(maps)]
    x, y, w, h = _hottest(closer, 0.5, SECOND, (left, top, right - left, bottom - top))
    return x / wide * width, y / tall * height, w / wide * width, h / tall * height


def _hottest(maps: NDArray[np.float32], power: float, share: float, within: tuple[int, int, int, int]) -> Box:
    """Return the box around the part of maps' mean that has a share of its largest value and holds that; in pixels of *within*."""
    from scipy.ndimage import label, zoom

    low = maps.min((1, 2), keepdims=True) if power == 1 else np.median(maps, (1, 2), keepdims=True)
    high = np.maximum(maps.max((1, 2), keepdims=True) - low, 1e-6)
    heat = zoom((np.maximum(maps - low, 0) / high) ** power, (1, 8, 8), order=1, grid_mode=True, mode="nearest").mean(0)
    parts, _ = label(heat >= share * heat.max())
    rows, columns = np.nonzero(parts == parts[np.unravel_index(heat.argmax(), heat.shape)])
    (x, y, w, h), (tall, wide) = within, heat.shape
    left, top = columns.min() / wide * w, rows.min() / tall * h
    right, bottom = (columns.max() + 1) / wide * w, (rows.max() + 1) / tall * h
    return float(x + left), float(y + top), float(right - left), float(bottom - top)
