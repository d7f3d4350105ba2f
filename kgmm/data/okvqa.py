"""OK-VQA as questions with soft-scored answers and the names of what detectors saw (Marino et al., CVPR 2019)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgmm.data.released import held_out, records
from kgmm.errors import BadInput
from kgmm.files import read_json
from kgmm.scene import SceneGraph, SceneObject


@dataclass(frozen=True, slots=True)
class SoftQuestion:
    """A question about a picture that is known by the names of what was seen in it."""

    question_id: str
    image: str
    question: str
    answers: tuple[tuple[str, float], ...] = ()  #: answers with scores in (0, 1], best first; none in a test file
    detections: tuple[str, ...] = ()  #: names that detectors gave, no boxes
    kind: int | None = None  #: the data set's category of the knowledge asked for, 0–10

    def score(self, answer: str) -> float:
        """Return what an answer is worth, in [0, 1]: exact but for case and space around it.

        >>> SoftQuestion("1", "a.jpg", "?", (("surfing", 1.0), ("swimming", 0.667))).score(" Swimming")
        0.667
        """
        return max((s for said, s in self.answers if _plain(said) == _plain(answer)), default=0.0)

    def scene(self) -> SceneGraph:
        """Return the detections as a scene graph without boxes, of which more may be in the picture."""
        objects = tuple(SceneObject(f"o{i}", name) for i, name in enumerate(self.detections))
        return SceneGraph(self.question_id, objects, source="okvqa", complete=False)


def _plain(answer: str) -> str:
    return answer.strip().lower()


def load_questions(questions: str | Path, detections: str | Path | None = None) -> Iterator[SoftQuestion]:
    """Read a JSON list of questions (``question_id``, ``img_id``, ``sent``, ``label``), and what was seen by question id.

    Args:
        questions: ``label`` maps answers to scores, and is absent in test files.
        detections: a JSON object, question id → ``{"detections": [names]}``; without it nothing was seen.

    Raises:
        BadInput: if a file cannot be read or is of another layout, or a question has no detections there.

    Example:
        >>> import json, tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> row = {"question_id": 7, "img_id": "COCO_1", "sent": "What sport?", "label": {"tennis": 1}}
        >>> _ = (folder / "q.json").write_text(json.dumps([row]))
        >>> _ = (folder / "d.json").write_text(json.dumps({"7": {"detections": ["racket"]}}))
        >>> [(q.answers, q.detections) for q in load_questions(folder / "q.json", folder / "d.json")]
        [((('tennis', 1.0),), ('racket',))]
    """
    seen = None if detections is None else _seen(detections)

    def make(row: Any) -> SoftQuestion:
        id = str(row["question_id"])
        if detections is not None and seen is not None and id not in seen:
            raise BadInput(detections, f"question {id} of {questions} is not there; are both of one split?")
        scored = [(str(answer), float(score)) for answer, score in row.get("label", {}).items()]
        answers = tuple(sorted(scored, key=lambda pair: -pair[1]))
        kind = row.get("class")
        names = () if seen is None else seen[id]
        return SoftQuestion(
            id, str(row["img_id"]), str(row["sent"]), answers, names, None if kind is None else int(kind)
        )

    yield from records(questions, read_json(questions), make)


def _seen(path: str | Path) -> dict[str, tuple[str, ...]]:
    document = read_json(path)
    if not isinstance(document, dict):
        raise BadInput(path, "expected a JSON object of detections by question id")

    def make(item: tuple[str, Any]) -> tuple[str, tuple[str, ...]]:
        names = item[1]["detections"]
        if not isinstance(names, list):
            raise TypeError
        return item[0], tuple(map(str, names))

    return dict(records(path, list(document.items()), make, "detections of question"))


def split(questions: Iterable[SoftQuestion], fraction: float = 0.1) -> tuple[list[SoftQuestion], list[SoftQuestion]]:
    """Split questions into training and development by a hash of their images' ids, so that they share no image.

    *fraction* (0–1) of the images, more or less, is for development.
    """
    questions = list(questions)
    held = [held_out(q.image, fraction) for q in questions]
    pairs = list(zip(questions, held, strict=True))
    return [q for q, h in pairs if not h], [q for q, h in pairs if h]
