"""Visual patterns on real pictures and features, each beside the same with captions shuffled within their class.

    python -m benchmarks.visual_real easy-vqa                  # the package easy-vqa: drawn shapes, questions as captions, shapes as classes
    python -m benchmarks.visual_real crops                     # crops of the bundled photographs, names of what is in them as captions
    python -m benchmarks.visual_real wiki DATA/wiki            # Wikipedia's features, topics and sections (Rasiwasia et al. 2010)

A pattern is right if four fifths of its pictures show what it is called. Shuffled captions say how many are found where words have nothing to do
with pictures. On Wikipedia rules are mined from the training articles, and counted in the test articles.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from kgmm.bundled import folder
from kgmm.patterns import rules
from kgmm.patterns.visual import Activations, VisualPattern, activations, mine_pictures
from kgmm.scene import Box, SceneGraph
from kgmm.scene.boxes import overlap_of_union

COLOURS = ("black", "blue", "brown", "gray", "green", "red", "teal", "yellow")


class Pictured(NamedTuple):
    """A picture with its caption, its class, and where the things are that it shows."""

    pixels: np.ndarray
    caption: str
    label: str
    boxes: dict[str, list[Box]]


def easy_vqa(count: int, seed: int) -> list[Pictured]:
    """Return shapes on a ground: the caption is what is asked of the picture and true, or the answer if it is no yes or no."""
    import easy_vqa

    said: dict[int, list[str]] = defaultdict(list)
    shape: dict[int, str] = {}
    for question, answer, at in zip(*easy_vqa.get_train_questions(), strict=True):
        if answer in ("circle", "rectangle", "triangle"):
            shape[at] = answer
        if answer == "yes" and not {"not", "no"} & set(question.split()):
            said[at].append(question)
        elif answer not in ("yes", "no"):
            said[at].append(f"{question} {answer}")
    paths, made = easy_vqa.get_train_image_paths(), list[Pictured]()
    for at in np.random.default_rng(seed).permutation(sorted(shape)).tolist():
        told = {word for text in said[at] for word in text.replace("?", " ").split() if word in COLOURS}
        if len(told) == 1 and len(made) < count:  # of some pictures no question tells the colour
            pixels = np.asarray(Image.open(paths[at]).convert("RGB"))
            ground = np.median(np.concatenate([pixels[0], pixels[-1]]), axis=0)
            y, x = np.nonzero(np.abs(pixels - ground).max(-1) > 40)
            box = float(x.min()), float(y.min()), float(np.ptp(x) + 1), float(np.ptp(y) + 1)
            made.append(Pictured(pixels, " ".join(said[at]), shape[at], {told.pop(): [box]}))
    return made


def crops(count: int, seed: int) -> list[Pictured]:
    """Return crops of the bundled photographs; a thing is in one if most of its box is."""
    rng, made, scenes = (
        np.random.default_rng(seed),
        list[Pictured](),
        sorted((folder("graphs") / "scenes").glob("*.json")),
    )
    for number in range(count):
        scene = SceneGraph.from_json(scenes[number % len(scenes)])
        photo = np.asarray(Image.open(folder("graphs") / "photos" / f"{scene.id}.jpg").convert("RGB"))
        tall, wide = photo.shape[:2]
        h, w = (int(side * rng.uniform(0.35, 0.65)) for side in (tall, wide))
        y, x = int(rng.integers(0, tall - h)), int(rng.integers(0, wide - w))
        boxes: dict[str, list[Box]] = defaultdict(list)
        for thing in scene.objects:
            left, top, width, height = thing.box or (0.0, 0.0, 0.0, 0.0)
            a, b, c, d = max(left, x), max(top, y), min(left + width, x + w), min(top + height, y + h)
            if c > a and d > b and (c - a) * (d - b) > 0.6 * width * height:
                boxes[thing.name.split()[-1]].append((a - x, b - y, c - a, d - b))
        made.append(Pictured(photo[y : y + h, x : x + w], "a picture with " + ", ".join(boxes), scene.id, dict(boxes)))
    return made


def shuffled(made: Sequence[Pictured], seed: int) -> list[str]:
    """Return the captions, each at another picture of its class."""
    rng, captions = np.random.default_rng(seed), [one.caption for one in made]
    for label in dict.fromkeys(one.label for one in made):
        own = [i for i, one in enumerate(made) if one.label == label]
        for i, j in zip(own, rng.permutation(own).tolist(), strict=True):
            captions[i] = made[j].caption
    return captions


def judged(made: Sequence[Pictured], found: Sequence[VisualPattern], least: int) -> str:
    """Return the figures: of things in *least* pictures of a class or more how many are found, of patterns how many are right, and places."""
    held = Counter((one.label, name) for one in made for name in one.boxes)
    size = Counter(one.label for one in made)
    # what every picture of a class shows has no part in it
    wanted = {key for key, n in held.items() if n >= least and n <= 0.9 * size[key[0]]}
    right, chance, places, whole = set(), list[float](), list[bool](), list[bool]()
    for pattern in found:
        shown = np.mean([pattern.name in made[i].boxes for i in pattern.pictures])
        chance.append(held[str(pattern.label), pattern.name] / size[str(pattern.label)])
        if shown >= 0.8:
            right.add((str(pattern.label), pattern.name))
        for i, box in zip(pattern.pictures, pattern.places, strict=True):
            for into, place in ((places, box), (whole, (0.0, 0.0, *made[i].pixels.shape[1::-1]))):
                if pattern.name in made[i].boxes:
                    into.append(max(overlap_of_union(place, one) for one in made[i].boxes[pattern.name]) >= 0.5)
    share = f"{len(right & wanted)} of {len(wanted)} things found, {len(right)} of {len(found)} patterns right"
    if not found:
        return share
    return f"{share} (a name holds for {np.mean(chance):.2f} of its class), placed {np.mean(places or [0]):.2f}, whole picture {np.mean(whole or [0]):.2f}"


def pictures(make: Callable[[int, int], list[Pictured]], count: int, seed: int) -> None:
    """Print the figures of a set, and of the same with shuffled captions."""
    made = make(count, seed)
    seen: Activations = activations([one.pixels for one in made])
    for kind, captions in (("captions", [one.caption for one in made]), ("shuffled", shuffled(made, seed))):
        found = mine_pictures([one.pixels for one in made], captions, [one.label for one in made], seen=seen)
        print(f"seed {seed}, {len(made)} pictures, {kind}: {judged(made, found, 15)}", flush=True)
        print("   ", "; ".join(f"{p.label}: {' '.join(p.words[:4])} ({len(p.pictures)})" for p in found), flush=True)


def wiki(place: Path) -> None:
    """Print what rules from visual words and topics to sections hold on articles that they were not mined from."""
    import scipy.io

    read = scipy.io.loadmat(str(place / "raw_features.mat"))
    labels = {
        part: [int(line.split()[-1]) for line in (place / f"{name}set_txt_img_cat.list").read_text().splitlines()]
        for part, name in (("tr", "train"), ("te", "test"))
    }
    mean, spread = read["I_tr"].mean(0), read["I_tr"].std(0) + 1e-9
    names = (place / "categories.list").read_text().split()
    rows: dict[str, list[list[str]]] = {}
    for part in ("tr", "te"):
        strong, topics = (read[f"I_{part}"] - mean) / spread >= 1.0, read[f"T_{part}"] >= 0.15
        rows[part] = [
            [*(f"v{i}" for i in np.flatnonzero(a)), *(f"t{i}" for i in np.flatnonzero(b))]
            for a, b in zip(strong, topics, strict=True)
        ]

    def held(train: list[list[str]], kept: Callable[[list[str]], bool]) -> tuple[int, float, float, float]:
        """Return rules, their mean confidence in training and in test, and the share of their sections there."""
        whole = [[*row, names[label - 1]] for row, label in zip(train, labels["tr"], strict=True)]
        found = rules(whole, 20, 0.6, consequent=names, closed=True, max_length=4)
        sets, told, tested, sections = [set(row) for row in rows["te"]], [], [], []
        for row in found.iter_rows(named=True):
            if not kept(row["antecedents"]):
                continue
            at = [i for i, one in enumerate(sets) if one.issuperset(row["antecedents"])]
            if len(at) >= 5:
                told.append(row["confidence"])
                tested.append(np.mean([names[labels["te"][i] - 1] == row["consequents"][0] for i in at]))
                sections.append(np.mean([names[label - 1] == row["consequents"][0] for label in labels["te"]]))
        return len(told), *(float(np.mean(part)) if part else 0.0 for part in (told, tested, sections))

    def both(items: list[str]) -> bool:
        return {item[0] for item in items} == {"v", "t"}

    order = np.random.default_rng(0).permutation(len(rows["tr"]))
    mixed = [
        [*(i for i in rows["tr"][at] if i[0] == "v"), *(i for i in a if i[0] == "t")]
        for a, at in zip(rows["tr"], order, strict=True)
    ]
    kinds: list[tuple[str, Any, Callable[[list[str]], bool]]] = [
        ("visual words and topics", rows["tr"], both),
        ("topics alone", rows["tr"], lambda items: {item[0] for item in items} == {"t"}),
        ("visual words alone", rows["tr"], lambda items: {item[0] for item in items} == {"v"}),
        ("topics and the visual words of another article", mixed, both),
    ]
    for kind, train, kept in kinds:
        count, told, tested, section = held(train, kept)
        print(
            f"{kind}: {count} rules, confidence {told:.3f}, in test articles {tested:.3f}; their sections there {section:.3f}",
            flush=True,
        )


def main() -> None:
    """Print the figures of a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=["easy-vqa", "crops", "wiki"])
    parser.add_argument("place", type=Path, nargs="?")
    parser.add_argument("--pictures", type=int, default=480)
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args()
    if given.set == "wiki":
        wiki(given.place)
    else:
        pictures(easy_vqa if given.set == "easy-vqa" else crops, given.pictures, given.seed)


if __name__ == "__main__":
    main()
