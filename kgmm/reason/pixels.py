"""What the networks on coloured shapes share when asked: picture → objects → logits → outcome with its trace."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kgmm.data.easy_vqa import Segment, read_pixels, segments
from kgmm.errors import BadInput, KgmmError
from kgmm.reason.shapes import WORLDS, Pictures, easy_program, make_network, tokens
from kgmm.reason.task import Outcome, Task
from kgmm.trace import Step

WEIGHTS = Path(__file__).parents[1] / "weights"


@cache
def load(network: str, data: str = "easy-vqa") -> tuple[torch.nn.Module, dict[str, int], str]:
    """Return a shipped network, its token ids and its weights' checksum.

    Raises:
        BadInput: if its folder is missing or damaged.
    """
    from kgmm.train import load_weights

    folder = WEIGHTS / f"{data}-{network}"
    try:
        config = json.loads((folder / "config.json").read_text())
        known = json.loads((folder / "vocabulary.json").read_text())["tokens"]
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(
            folder, f"no trained model here; make it with: kgmm train {network} {data} --out DIR"
        ) from error
    model = make_network(network, WORLDS[data], len(known), int(config["dim"]))
    load_weights(model, folder)
    checksum = hashlib.blake2b((folder / "model.safetensors").read_bytes(), digest_size=8).hexdigest()
    return model, {w: i for i, w in enumerate(known)}, checksum


def answer_with(task: Task, network: str) -> Outcome:
    """Answer a question about a picture of coloured shapes by a shipped network.

    Returns:
        The outcome; its text is None if there is no picture, or the question is not one the network was trained on.
    """
    if not task.scene.image or not Path(task.scene.image).is_file():
        return Outcome(
            None, abstained=f"the {network} reasoner reads pictures of coloured shapes; this scene has none"
        )
    pixels = read_pixels(task.scene.image)
    found = segments(pixels)
    pictures = Pictures([found], float(max(pixels.shape[:2])))
    model, known, checksum = load(network)
    given = (pictures.features, pictures.boxes, pictures.mask)
    try:
        program = easy_program(task.question)
    except KgmmError as error:
        return Outcome(None, abstained=str(error), model=checksum)
    with torch.inference_mode():
        if network == "modules":
            logits, values = model([program], *given)
            steps = [_step(s.function, s.argument, v, found) for s, v in zip(program, values[0], strict=True)]
        else:
            unknown = [w for w in tokens(task.question) if w not in known]
            if unknown:
                return Outcome(None, abstained=f"the network does not know {unknown[0]!r}", model=checksum)
            ids = torch.tensor([[known[w] for w in tokens(task.question)]])
            logits, shown = model(ids, *given)
            boxes = [list(s.box) for s in found]
            steps = [
                Step(name, f"{name} over {len(found)} objects", {name: v[0].tolist(), "boxes": boxes})
                for name, v in shown.items()
            ]
    return _outcome(task, logits[0].softmax(-1).numpy(), steps, checksum)


def _step(function: str, argument: str, value: torch.Tensor, found: list[Segment]) -> Step:
    numbers: Any = np.round(value.numpy(), 4).tolist()
    boxes = [list(s.box) for s in found]
    return Step(function, f"{function} {argument}".strip(), {"value": numbers, "boxes": boxes})


def _outcome(task: Task, probability: Any, steps: list[Step], checksum: str) -> Outcome:
    answers = WORLDS["easy-vqa"].answers
    order = np.argsort(-probability, kind="stable")
    named = [(answers[i], round(float(probability[i]), 4)) for i in order]
    if task.choices is not None:
        named = [pair for pair in named if pair[0] in task.choices]
        if not named:
            return Outcome(
                None, steps=steps, model=checksum, abstained="no choice is an answer the network knows"
            )
    return Outcome(named[0][0], named[0][1], named[1 : task.top], steps=steps, model=checksum)
