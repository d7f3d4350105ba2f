"""CommonsenseQA: questions with five choices, made from ConceptNet's neighbours (Talmor et al., NAACL 2019)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgmm.data.released import held_out
from kgmm.errors import BadInput, reason_of
from kgmm.files import read_lines
from kgmm.language.words import tokens


@dataclass(frozen=True, slots=True)
class ChoiceQuestion:
    """A question with choices; ``label`` is where the right one stands among them, None in a test file."""

    question_id: str
    question: str
    concept: str  #: the ConceptNet concept that the question was written around, in words
    choices: tuple[str, ...]
    label: int | None = None

    @property
    def answer(self) -> str | None:
        """The right choice."""
        return None if self.label is None else self.choices[self.label]


def load_questions(path: str | Path) -> Iterator[ChoiceQuestion]:
    """Read ``*_rand_split.jsonl`` lazily: a JSON object a line, as released.

    Raises:
        BadInput: if the file or a line cannot be read, lacks a field, or its answerKey is none of its choices' labels.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "q.jsonl"
        >>> asked = {"stem": "Where do fish live?", "question_concept": "fish", "choices": [{"label": "A", "text": "sea"}]}
        >>> _ = path.write_text(json.dumps({"id": "1", "question": asked, "answerKey": "A"}))
        >>> [(q.question, q.answer) for q in load_questions(path)]
        [('Where do fish live?', 'sea')]
    """
    for number, line in read_lines(path):
        try:
            yield _question(json.loads(line))
        except json.JSONDecodeError as error:
            raise BadInput(path, f"not JSON: {error.msg} at column {error.colno}", line=number) from error
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise BadInput(path, reason_of(error, "not a question of CommonsenseQA"), line=number) from error


def _question(row: Any) -> ChoiceQuestion:
    asked = row["question"]
    labels = [choice["label"] for choice in asked["choices"]]
    choices, key = tuple(str(choice["text"]) for choice in asked["choices"]), row.get("answerKey") or None
    if not choices:
        raise ValueError("it has no choices")
    if key is not None and key not in labels:
        raise ValueError(f"its answerKey {key!r} is none of its choices' labels, {', '.join(map(str, labels))}")
    label = None if key is None else labels.index(key)
    return ChoiceQuestion(str(row["id"]), str(asked["stem"]), str(asked.get("question_concept", "")), choices, label)


def split(
    questions: Iterable[ChoiceQuestion], fraction: float = 0.1
) -> tuple[list[ChoiceQuestion], list[ChoiceQuestion]]:
    """Split questions into training and development by a hash of their ids: the same everywhere, whatever their order.

    Questions in the same words go together. *fraction* (0–1) of them, more or less, is for development.
    """
    questions, ids = list(questions), dict[tuple[str, ...], str]()
    for q in questions:
        words = tuple(tokens(q.question))
        ids[words] = min(q.question_id, ids.get(words, q.question_id))
    held = [held_out(ids[tuple(tokens(q.question))], fraction) for q in questions]
    pairs = list(zip(questions, held, strict=True))
    return [q for q, h in pairs if not h], [q for q, h in pairs if h]
