"""Readers of VQA data sets as they are released, each to :class:`VqaRecord`, lazily where possible, or BadInput."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from kgmm.errors import BadInput, reason_of
from kgmm.files import read_json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VqaRecord:
    """One question about an image, its annotators' answers with counts, most frequent first; none in test splits."""

    id: str
    image: str
    question: str
    answers: tuple[tuple[str, int], ...] = ()
    choices: tuple[str, ...] = ()
    kind: str = ""
    facts: tuple[str, ...] = ()  #: ids or texts of supporting facts, where the data set has them

    @property
    def answer(self) -> str | None:
        """The most frequent answer."""
        return self.answers[0][0] if self.answers else None

    def accuracy(self, answer: str) -> float:
        """Return VQA's soft accuracy, exact match if fewer than three people answered.

        As the official evaluation does it (Antol et al. 2015): min(said / 3, 1), averaged over leaving out each annotator.

        >>> round(VqaRecord("1", "a.jpg", "?", (("cat", 2), ("dog", 8))).accuracy("cat"), 3)
        0.6
        """
        said, people = dict(self.answers).get(answer, 0), sum(n for _, n in self.answers)
        if people < 3:
            return float(said > 0)
        return (said * min((said - 1) / 3, 1.0) + (people - said) * min(said / 3, 1.0)) / people


def held_out(id: str, fraction: float) -> bool:
    """Tell whether what has this id is for development: a hash below *fraction*, the same on every machine.

    >>> [held_out(f"image {i}", 0.2) for i in range(5)], held_out("image 0", 1.0)
    ([False, False, True, False, False], True)
    """
    return int.from_bytes(blake2b(id.encode(), digest_size=8).digest()) < fraction * 2**64


def records(path: str | Path, rows: Any, make: Callable[[Any], T], what: str = "question") -> Iterator[T]:
    """Yield what *make* makes of each row of a list; BadInput names the row of which it makes nothing."""
    for number, row in enumerate(_list(path, rows, f"{what}s"), 1):
        try:
            record = make(row)
        except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
            id = row[0] if isinstance(row, tuple) else number
            raise BadInput(path, reason_of(error, f"{what} {id} lacks a field or has a wrong one")) from error
        yield record


def _field(path: str | Path, document: Any, name: str) -> Any:
    if not isinstance(document, dict) or name not in document:
        raise BadInput(path, f"expected a JSON object with {name!r}")
    return document[name]


def _list(path: str | Path, rows: Any, what: str) -> list[Any]:
    if not isinstance(rows, list):
        raise BadInput(path, f"expected a list of {what}, found {type(rows).__name__}")
    return rows


def _by_id(path: str | Path) -> list[tuple[str, Any]]:
    document = read_json(path)
    if not isinstance(document, dict):
        raise BadInput(path, "expected a JSON object of questions by id")
    return list(document.items())


def _labels(path: str | Path) -> dict[Any, Any]:
    labels = {}
    for number, row in enumerate(_list(path, _field(path, read_json(path), "annotations"), "annotations"), 1):
        try:
            labels[row["question_id"]] = row
        except (KeyError, TypeError) as error:
            raise BadInput(path, reason_of(error, f"annotation {number} has no question_id")) from error
    return labels


def vqa2(questions: str | Path, annotations: str | Path | None = None) -> Iterator[VqaRecord]:
    """Read VQA 2.0 (also OK-VQA, VQA 1.0): ``*_questions.json`` and, for labelled splits, ``*_annotations.json``."""
    labels = _labels(annotations) if annotations is not None else {}

    def make(row: Any) -> VqaRecord:
        label = labels.get(row["question_id"])
        if label is None and annotations is not None:
            lone = f"question {row['question_id']} of {questions} has no annotation"
            raise BadInput(annotations, f"{lone}; are both of one split?")
        label = label or {}
        said = tuple(Counter(a["answer"] for a in label.get("answers", ())).most_common())
        kind, choices = str(label.get("question_type", "")), tuple(row.get("multiple_choices", ()))
        return VqaRecord(str(row["question_id"]), str(row["image_id"]), row["question"], said, choices, kind)

    yield from records(questions, _field(questions, read_json(questions), "questions"), make)


def ok_vqa(questions: str | Path, annotations: str | Path | None = None) -> Iterator[VqaRecord]:
    """Read OK-VQA (``OpenEnded_mscoco_*_questions.json``, ``mscoco_*_annotations.json``): VQA 2.0's layout."""
    return vqa2(questions, annotations)


def visual7w(path: str | Path, split: str | None = None) -> Iterator[VqaRecord]:
    """Read Visual7W's ``dataset_v7w_telling.json``: the right answer first among the choices, then three wrong ones."""
    images = _list(path, _field(path, read_json(path), "images"), "images")
    for number, image in enumerate(images, 1):
        if not isinstance(image, dict) or not isinstance(image.get("qa_pairs"), list):
            raise BadInput(path, f"image {number} has no list of qa_pairs")
        if split is not None and image.get("split") != split:
            continue
        name = str(image.get("filename", image.get("image_id", "")))

        def make(row: Any, name: str = name) -> VqaRecord:
            said, choices = ((row["answer"], 1),), (row["answer"], *row.get("multiple_choices", ()))
            return VqaRecord(str(row["qa_id"]), name, row["question"], said, choices, row.get("type", ""))

        yield from records(path, image["qa_pairs"], make, f"image {number}, question")


def gqa(path: str | Path) -> Iterator[VqaRecord]:
    """Read GQA's ``*_balanced_questions.json`` (an object of questions by id), its kind being the structural type."""

    def make(item: Any) -> VqaRecord:
        number, row = item
        answers = ((row["answer"], 1),) if "answer" in row else ()
        kind = row.get("types", {}).get("structural", "")
        return VqaRecord(str(number), str(row["imageId"]), row["question"], answers, kind=kind)

    yield from records(path, _by_id(path), make)


def fvqa(path: str | Path) -> Iterator[VqaRecord]:
    """Read FVQA's ``all_qs_dict_release.json`` (an object of questions by id)."""

    def make(item: Any) -> VqaRecord:
        number, row = item
        given, said, kind = row.get("fact", ()), ((row["answer"], 1),), row.get("kb_source", "")
        facts = (given,) if isinstance(given, str) else tuple(given)
        return VqaRecord(str(number), row["img_file"], row["question"], said, kind=kind, facts=facts)

    yield from records(path, _by_id(path), make)
