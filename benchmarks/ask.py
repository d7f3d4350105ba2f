"""Sixty questions about photographs: how many are answered right, and how long a warm answer takes.

python benchmarks/ask.py [--facts conceptnet100k/train.txt] [--kb FOLDER] [--perceiver default+onnx:FILE]… [--json]

Asks every question of tests/gold/questions.json with the hand-written scene and, where the photograph is bundled,
with what the default perceiver, and each that is named, sees in it; a question an abstention answers counts as right when abstained. Times
are of the second round, when models are loaded and vectors are kept.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from kgmm.language.words import normal
from kgmm.opening import open_bundled

ROOT = Path(__file__).parents[1]


def right(question: dict[str, Any], text: str | None) -> bool:
    if question["answers"] is None or text is None:
        return question["answers"] is None and text is None
    return normal(text) in {normal(a) for a in question["answers"]}


def asked(kb: Any, questions: list[dict[str, Any]], source: str, perceiver: str = "default") -> dict[str, Any]:
    times: list[float] = []
    for _ in range(2):
        times, outcomes, uncited, wrong = [], [], 0, []
        for q in questions:
            start = time.perf_counter()
            answer = kb.ask(ROOT / q[source], q["question"], choices=q.get("choices"), perceiver=perceiver)
            times.append(time.perf_counter() - start)
            outcomes.append(right(q, answer.text))
            wrong += [f"{q['id']} {answer.text}"] if answer.text is not None and not outcomes[-1] else []
            uncited += answer.text is not None and not outcomes[-1] and not answer.trace.citations
    times.sort()
    return {
        "questions": len(questions),
        "right": sum(outcomes),
        "share": round(sum(outcomes) / len(questions), 3),
        "right_ids": " ".join(q["id"] for q, good in zip(questions, outcomes, strict=True) if good),
        "wrong": wrong,
        "wrong_without_citation": uncited,
        "median_ms": round(1e3 * statistics.median(times), 1),
        "p90_ms": round(1e3 * times[int(0.9 * len(times))], 1),
        "max_ms": round(1e3 * times[-1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=Path, help="further knowledge to load beside the bundled")
    parser.add_argument("--kb", type=Path, help="keep the store here")
    parser.add_argument("--perceiver", action="append", default=[], help="a further perceiver, repeatable")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    questions = json.loads((ROOT / "tests/gold/questions.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        kb = open_bundled(options.kb or Path(scratch) / "kb")
        if options.facts is not None and "further" not in kb.graphs():
            kb.load(options.facts, graph="further")
        photos = [q for q in questions if q["image"]]
        figures = {
            "facts": len(kb),
            "hand-written scenes": asked(kb, questions, "scene"),
            "the same, of bundled photographs": asked(kb, photos, "scene"),
            "default perceiver": asked(kb, photos, "image"),
            **{name: asked(kb, photos, "image", name) for name in options.perceiver},
        }
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{figures.pop('facts'):,} facts")
    for name, row in figures.items():
        print(f"{name:34} " + "  ".join(f"{k} {v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
