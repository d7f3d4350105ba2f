"""easy-vqa: pictures of one coloured shape and questions about it, from the ``easy-vqa`` package."""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from kgmm.errors import BadInput, MissingExtra, reason_of


@dataclass(frozen=True, slots=True)
class EasyQuestion:
    """One question about one picture."""

    question: str
    answer: str
    image: int


def data_folder() -> Path:
    """Return the folder of the package's data; MissingExtra if easy-vqa is not installed."""
    spec = importlib.util.find_spec("easy_vqa")
    if spec is None or spec.origin is None:
        raise MissingExtra("easy-vqa", "data")
    return Path(spec.origin).parent / "data"


def load_questions(split: str = "train", folder: str | Path | None = None) -> list[EasyQuestion]:
    """Return the questions of ``train`` or ``test``.

    Raises:
        BadInput: if the file is not a list of [question, answer, image number].

    Example:
        >>> load_questions("test")[0].image
        0
    """
    path = Path(folder or data_folder()) / split / "questions.json"
    try:
        return [EasyQuestion(str(q), str(a), int(i)) for q, a, i in json.loads(path.read_text())]
    except (ValueError, TypeError) as error:
        raise BadInput(path, reason_of(error, "not a list of [question, answer, image number]")) from error


def image_path(split: str, image: int, folder: str | Path | None = None) -> Path:
    """Return the path of a picture."""
    return Path(folder or data_folder()) / split / "images" / f"{image}.png"
