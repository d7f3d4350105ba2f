"""What KDMN forgets of FVQA's questions of some kinds while it goes on with others: ``kgmm train kdmn … --continue --keep``.

    python benchmarks/forgetting.py FVQA --epochs 4

Questions are parted by the wording of their supporting fact. The first training learns *category* and *relatedness*, the second
*use*, *ability*, *parts* and *property*; each is judged on its own images held out, before and after.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from safetensors.torch import load_file

from kgmm.train.kdmn import FvqaProblem

FIRST = {"belongs to the category of", "is related to"}
SECOND = {"can", "is for", "you can use to", "is used for", "has", "have", "is", "are"}


def parts(source: Path, folder: Path) -> dict[str, Path]:
    """Write a folder for each kind of questions, both with all facts."""
    facts = (source / "facts.jsonl").read_text()
    surfaces = {fact["id"]: fact["surface"] for fact in map(json.loads, facts.splitlines())}
    questions = json.loads((source / "questions-train.json").read_text())
    found = {}
    for name, kinds in (("first", FIRST), ("second", SECOND)):
        place = found[name] = folder / name
        place.mkdir()
        own = [q for q in questions if wording(surfaces[q["fact"][0]]) in kinds]
        (place / "questions-train.json").write_text(json.dumps(own))
        (place / "facts.jsonl").write_text(facts)
        print(f"{name}: {len(own)} questions")
    return found


def wording(surface: str) -> str:
    """Return the words between a fact's ends."""
    return " ".join(re.sub(r"\[\[.*?\]\]", " ", surface).split()).strip(" .").lower()


def train(data: Path, out: Path, *options: str) -> None:
    """Run ``kgmm train kdmn``."""
    command = [sys.executable, "-m", "kgmm", "train", "kdmn", str(data), "--out", str(out), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def judged(data: Path, trained: Path) -> dict[str, float]:
    """Return the figures of trained weights on a folder's images held out."""
    problem = FvqaProblem(data, None)
    problem.model.load_state_dict(load_file(trained / "model.safetensors"))
    return problem.evaluate()


def run(source: Path, epochs: int) -> None:
    """Train, go on with every strategy, and print what is right of both kinds."""
    how = ("--epochs", str(epochs), "--patience", str(epochs))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data = parts(source, folder)
        for keep in ("replay", "none", "ewc", "lwf"):
            start = time.monotonic()
            kept = "ewc" if keep == "ewc" else "replay"  # the others need nothing, and the weights are the same
            before, after = folder / f"before-{kept}", folder / f"after-{keep}"
            if not before.exists():
                train(data["first"], before, *how, "--keep", kept)
            train(data["second"], after, *how, "--keep", keep, "--continue", str(before))
            for name in ("first", "second"):
                was, now = (judged(data[name], trained)["top1"] for trained in (before, after))
                print(f"{keep:8} {name:8} {was:.3f} → {now:.3f}", flush=True)
            print(f"{keep:8} {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fvqa", type=Path)
    parser.add_argument("--epochs", type=int, default=4)
    given = parser.parse_args()
    run(given.fvqa, given.epochs)
