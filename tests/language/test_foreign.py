"""Questions in other languages are told as such, English ones never."""

import json
from pathlib import Path

import pytest

from kgmm.language.foreign import other_language

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Welches Tier ist auf dem Bild?", "German"),
        ("De quelle couleur est la soucoupe ?", "French"),
        ("¿De qué color es la taza?", "Spanish"),
        ("Di che colore è il gatto?", "Italian"),
        ("Wat is de kleur van het kopje?", "Dutch"),
        ("Qual é a cor da xícara?", "Portuguese"),
        ("die", ""),
    ],
)
def test_small_words_tell_a_language(text: str, language: str) -> None:
    assert other_language(text) == language


def test_english_questions_are_english() -> None:
    everyday = json.loads((ROOT / "benchmarks/everyday.json").read_text(encoding="utf-8"))["questions"]
    asked = [q["question"] for q in everyday if q["kind"] != "other language"]
    asked += [q["question"] for q in json.loads((ROOT / "tests/gold/questions.json").read_text(encoding="utf-8"))]
    assert len(asked) > 150 and not [text for text in asked if other_language(text)]
