"""A hundred everyday questions: how many are answered right, wrong, and with silence; `python -m benchmarks.everyday --shown`.

Asks the questions of benchmarks/everyday.json, of photographs by what a perceiver sees in them and of complete scenes. An answer
counts as right if it is one of those listed (articles, plurals and case apart), silence where the question allows it. Of the kept
half only totals are printed; ``--shown`` prints each question of the other half that was not answered right.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from kgmm.language.words import normal
from kgmm.opening import open_bundled

ROOT = Path(__file__).parents[1]


def picture(name: str) -> Any:
    """Return a scene's path, or the pixels of one of scikit-image's photographs."""
    if name.endswith(".json"):
        return ROOT / name
    import skimage.data

    return skimage.data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(skimage.data, name)()


def outcome(question: dict[str, Any], text: str | None) -> str:
    """Return whether an answer is right, wrong or silent; silence where it is the answer is right."""
    if text is None:
        return "right" if question["silent_ok"] else "silent"
    return "right" if normal(text) in {normal(a) for a in question["answers"]} else "wrong"


def main() -> None:
    """Ask, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--perceiver", default="default")
    parser.add_argument("--reasoner", default=None)
    parser.add_argument("--kb", type=Path, help="keep the store here")
    parser.add_argument("--shown", action="store_true", help="print the shown half's failures")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    questions = json.loads((ROOT / "benchmarks/everyday.json").read_text(encoding="utf-8"))["questions"]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    more = {} if options.reasoner is None else {"reasoner": options.reasoner}
    with tempfile.TemporaryDirectory() as scratch:
        kb = open_bundled(options.kb or Path(scratch) / "kb")
        for q in questions:
            scene = q["picture"].endswith(".json")
            seen = {} if scene else {"perceiver": options.perceiver}
            answer = kb.ask(picture(q["picture"]), q["question"], **seen, **more)
            came = outcome(q, answer.text)
            counts[f"{'scenes' if scene else 'photographs'}, {q['half']}"][came] += 1
            if answer.text is not None and not answer.trace.citations:
                counts[f"{'scenes' if scene else 'photographs'}, {q['half']}"]["uncited"] += 1
            if options.shown and q["half"] == "shown" and (came != "right" or answer.text is None):
                said = answer.text if answer.text is not None else f"– ({answer.trace.abstained})"
                print(
                    f"{q['id']} {came:6} {q['picture']:38} {q['question']}  → {said} {answer.trace.score or 0:.2f}  [{'; '.join(q['answers'][:3])}]"
                )
    if options.json:
        print(json.dumps(counts, indent=1))
        return
    for name, row in sorted(counts.items()):
        asked = sum(n for k, n in row.items() if k != "uncited")
        print(
            f"{name:20} {asked} asked: " + ", ".join(f"{row[k]} {k}" for k in ("right", "wrong", "silent", "uncited"))
        )


if __name__ == "__main__":
    main()
