"""Streams of tasks that are learned one after another: made of a file of features, a folder of pictures, or several of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from kgmm.data.domains import Domain, read_domain, read_domains
from kgmm.errors import BadInput, KgmmError
from kgmm.files import file_at
from kgmm.progress import Progress, silent

Floats = NDArray[np.float32]
#: what is asked where classes are split (van de Ven & Tolias 2019): which class of the sample's task; which place the class
#: has in its task, the task untold; which class of all
Scenario = Literal["task", "domain", "class"]
SCENARIOS: tuple[str, ...] = get_args(Scenario)
#: what is learned where places are asked: the classes, whose places are known, or nothing but the places
Rows = Literal["class", "place"]
KEPT_OUT = 4  #: every fourth sample is judged by
FEWEST = 8  #: samples of a class that can be learned and judged by


class Task(NamedTuple):
    """Samples to learn from and to be judged by; labels number the classes of the whole stream as they come."""

    name: str
    x: Floats
    y: NDArray[np.int64]
    test_x: Floats
    test_y: NDArray[np.int64]


class Stream(NamedTuple):
    """Tasks in their order; *told*: a sample comes with its task, so that only the task's classes compete.

    *places*, where there are some, are what is asked of a class: a class taken for another of the same place is right.
    *choices*, where there are some: rows come in groups of so many, of which one is right (its label is odd); measured is the share
    of groups whose right one is preferred. *simple*: what methods that learn nothing reach on each task.
    """

    name: str
    tasks: list[Task]
    told: bool
    places: tuple[int, ...] = ()
    choices: int = 0
    simple: dict[str, list[float]] | None = None


def permuted(domain: Domain, tasks: int = 5, seed: int = 0) -> Stream:
    """Return the same classes several times, the features in another order each time (Goodfellow et al. 2013).

    Example:
        >>> stream = permuted(Domain("digits", np.random.default_rng(0).random((32, 4)), np.arange(32) % 2), tasks=3)
        >>> len(stream.tasks), stream.told
        (3, False)
    """
    base = _task(domain.name, _scaled(domain), domain.labels, np.unique(domain.labels), seed)
    found = []
    for number in range(tasks):
        order = np.random.default_rng([seed, number]).permutation(base.x.shape[1]) if number else slice(None)
        x, test_x = (np.ascontiguousarray(rows[:, order]) for rows in (base.x, base.test_x))
        found.append(Task(f"order {number + 1}", x, base.y, test_x, base.test_y))
    return Stream(f"permuted {domain.name}", found, told=False)


def split(
    domain: Domain, classes: int = 2, seed: int = 0, scenario: Scenario = "domain", rows: Rows = "class"
) -> Stream:
    """Return a task for every *classes* classes (Zenke et al. 2017: digits two by two).

    Args:
        rows: with *scenario* ``domain``: learn classes and answer with the place of the one found, or learn places alone.

    Raises:
        BadInput: if that makes one task, or a class has too few samples.
    """
    known = np.unique(domain.labels)
    groups = [known[i : i + classes] for i in range(0, len(known), classes)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [np.concatenate(groups[-2:])]  # one class alone is no question
    if len(groups) < 2:
        raise BadInput(domain.name, f"{len(known)} classes make one task of {classes}; a stream needs two")
    x, alone = _scaled(domain), scenario == "domain" and rows == "place"
    found = []
    for group in groups:
        own = np.isin(domain.labels, group)
        found.append(_task(" ".join(map(str, group)), x[own], domain.labels[own], group if alone else known, seed))
    places = tuple(place for group in groups for place in range(len(group)))
    name = f"split {domain.name}, {scenario}" + (", places alone" if alone else "")
    return Stream(name, found, scenario == "task", places if scenario == "domain" and not alone else ())


def each(domains: Sequence[Domain], seed: int = 0) -> Stream:
    """Return a task for every domain; classes of the same name are the same class.

    Raises:
        BadInput: if their features or labels are of different kinds.
    """
    first = domains[0]
    for other in domains[1:]:
        if other.features.shape[1] != first.features.shape[1]:
            both = f"{other.features.shape[1]} features, {first.name} has {first.features.shape[1]}"
            raise BadInput(other.name, f"{both}; one network learns them all")
        if (other.labels.dtype.kind == "U") != (first.labels.dtype.kind == "U"):
            raise BadInput(other.name, f"labels are of another kind than those of {first.name}")
    known: list[Any] = list(dict.fromkeys(c for domain in domains for c in np.unique(domain.labels).tolist()))
    at = {name: number for number, name in enumerate(known)}
    found = []
    for domain in domains:
        coded = np.array([at[label] for label in domain.labels.tolist()], np.int64)
        found.append(_task(domain.name, _scaled(domain), coded, np.arange(len(known)), seed))
    return Stream(" → ".join(domain.name for domain in domains), found, told=False)


def read_stream(
    kinds: Sequence[str],
    data: Path | None = None,
    *,
    tasks: int = 5,
    classes: int = 2,
    scenario: Scenario = "domain",
    rows: Rows = "class",
    seed: int = 0,
    progress: Progress = silent,
) -> Stream:
    """Return the stream that *kinds* name: ``permuted-mnist`` or ``split-mnist`` of *data*, or files and folders.

    One file (.npz, .mat, .csv) or folder (a folder of pictures for each class) is split by class; of several, each is a task. Of
    a file with a source and a target (``Xs``, ``Xt``) the source is taken. Pictures are the vectors of EfficientNet-Lite0, texts
    (.csv with ``text`` and ``label``) those of all-MiniLM.

    Args:
        tasks: of permuted-mnist.
        classes: of a task, where one file or folder is split.
        scenario: what is asked where classes are split.
        rows: what is learned where places are asked.

    Raises:
        BadInput: if a file or folder cannot be used.
        KgmmError: if *data* is missing.
    """
    named = [kind for kind in kinds if kind in ("permuted-mnist", "split-mnist")]
    if named:
        if len(kinds) > 1:
            raise KgmmError(f"{named[0]} is a stream by itself; leave the others out")
        if data is None:
            raise KgmmError(f"{named[0]} needs the digits: --data FILE, a .npz with X and y or a .mat")
        domain = read_domains(data)[0]
        if named[0] == "permuted-mnist":
            return permuted(domain, tasks, seed)
        return split(domain, classes, seed, scenario, rows)
    domains = [_domain(Path(kind), progress) for kind in kinds]
    if len(domains) == 1:
        return split(domains[0], classes, seed, scenario, rows)
    return each(domains, seed)


def _domain(place: Path, progress: Progress) -> Domain:
    if place.is_dir():
        return read_pictures(place, progress)
    if place.suffix.lower() == ".csv":
        return read_texts(place)
    if place.suffix.lower() not in (".npz", ".mat"):
        raise BadInput(
            place, "a stream is tasks, permuted-mnist, split-mnist, a .npz, .mat, .csv or a folder of pictures"
        )
    domains = read_domains(place)
    return domains[0] if len(domains) > 1 else read_domain(place)


def read_texts(file: Path) -> Domain:
    """Return all-MiniLM's vectors of a CSV file's texts: columns ``text`` and ``label``, named in its first line.

    Raises:
        BadInput: if a column or a value is missing.
    """
    from kgmm.encode import text_encoder

    place = file_at(file, "file of texts")
    texts, labels = [], []
    try:
        with place.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if lacking := {"text", "label"} - set(rows.fieldnames or ()):
                raise BadInput(place, f"has no column {' and '.join(sorted(lacking))}; expected text and label", line=1)
            for row in rows:
                text, label = (row["text"] or "").strip(), (row["label"] or "").strip()
                if not text or not label:
                    raise BadInput(place, "a text or a label is missing", line=rows.line_num)
                texts.append(text)
                labels.append(label)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(place, f"not a CSV file in UTF-8 ({error})") from error
    if not texts:
        raise BadInput(place, "has no rows")
    return Domain(place.stem, text_encoder("minilm").encode(texts).astype(np.float64), np.array(labels))


def read_pictures(folder: Path, progress: Progress = silent) -> Domain:
    """Return the vectors of a folder's pictures; each of its folders is a class.

    Raises:
        BadInput: if there are not two folders with pictures.
    """
    from kgmm.encode.image import image_encoder
    from kgmm.scene.images import names_picture

    files = [
        (place, part.name)
        for part in sorted(folder.iterdir())
        if part.is_dir() and not part.name.startswith(".")
        for place in sorted(part.iterdir())
        if place.is_file() and names_picture(place)
    ]
    if len({name for _, name in files}) < 2:
        raise BadInput(folder, "expected a folder of pictures for each class, two at least")
    encoder = image_encoder()
    vectors = []
    for start in range(0, len(files), 32):
        vectors.append(encoder.encode_images([place for place, _ in files[start : start + 32]]))
        progress(min(start + 32, len(files)), len(files), "pictures")
    return Domain(folder.name, np.concatenate(vectors).astype(np.float64), np.array([name for _, name in files]))


def _scaled(domain: Domain) -> Floats:
    """Return rows of a mean square of 1 in all: small features learn as fast as large ones, and none is looked at by class."""
    size = float(np.sqrt(np.mean(np.square(domain.features)))) or 1.0
    return np.asarray(domain.features / size, np.float32)


def _task(name: str, x: Floats, labels: NDArray[Any], known: NDArray[Any], seed: int) -> Task:
    """Cut samples: of each class every fourth is judged by, after a shuffle."""
    y = np.searchsorted(known, labels).astype(np.int64)
    order = np.random.default_rng([seed, 7]).permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    _, starts, counts = np.unique(y[order], return_index=True, return_counts=True)
    if counts.min() < FEWEST:
        few = known[y[order][starts[int(counts.argmin())]]]
        raise BadInput(name, f"class {few} has {counts.min()} samples; {FEWEST} are needed to learn and to judge by")
    within = np.arange(len(y)) - np.repeat(starts, counts)
    kept = within % KEPT_OUT == KEPT_OUT - 1
    learn, judge = order[~kept], order[kept]
    return Task(name, np.ascontiguousarray(x[learn]), y[learn], np.ascontiguousarray(x[judge]), y[judge])
