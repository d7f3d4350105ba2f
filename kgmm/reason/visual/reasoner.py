"""What the networks on coloured shapes share when asked: picture → objects → logits → outcome with its trace.

Stacked attention (Yang 2016), co-attention (Lu 2016), top-down attention (Anderson 2018), a learned graph
(Norcliffe-Brown 2018), neural modules (Andreas 2016, Hu 2017) and bilinear fusions, MUTAN (Ben-younes 2017) by default;
``conventional`` is the baseline of one vector each for picture and question.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.language.words import normal
from kgmm.nn.folders import kept_until_rewritten, load_weights, read_folder
from kgmm.reason.task import Outcome, Task, unanswered
from kgmm.reason.visual.grammar import read_question, tokens
from kgmm.reason.visual.segments import Pictures, read_pixels, segments
from kgmm.reason.visual.worlds import COLOURS, SHAPES, WORLDS, draw, make_network
from kgmm.scene import SceneGraph
from kgmm.trace import Step

WEIGHTS = Path(__file__).parents[2] / "weights"
NAMES = (
    "conventional",
    "san",
    "hiecoatt",
    "updown",
    "graph",
    "modules",
    "bilinear",
    "bilinear-full",
    "bilinear-mcb",
    "bilinear-mlb",
    "bilinear-mfb",
    "bilinear-mutan",
)
#: of drawings 0.87 and more of the pixels have one of their ten most frequent colours (at 16 levels a channel, even if
#: saved as JPEG), of our photographs 0.56 at most
FEW_COLOURS, MOST_PIXELS = 10, 0.75
#: words that English spells in two ways; a network knows the one it was trained on
_SPELLINGS = {"colour": "color", "color": "colour", "grey": "gray"}


@kept_until_rewritten
def load(folder: Path, network: str, data: str) -> tuple[torch.nn.Module, dict[str, int], str]:
    """Return a trained folder's network, its token ids and its weights' checksum.

    Args:
        folder: written by ``kgmm train``, or shipped.
        network: its name.
        data: what it must have been trained on.

    Raises:
        BadInput: if the folder is missing or damaged.
        KgmmError: if the network was trained on other data.
    """
    command = f"kgmm train {network} {data} --out DIR, and ask it by its folder"
    with read_folder(folder, "a trained model", command) as (config, vocabulary):
        if config.get("data") != data:
            raise KgmmError(f"the question is of {data}; {folder} was trained on {config.get('data')}")
        known = vocabulary["tokens"]
        model = make_network(network, WORLDS[data], len(known), int(config["dim"]))
    checksum = load_weights(model, folder)
    return model, {w: i for i, w in enumerate(known)}, checksum


def answer(task: Task, name: str, folder: Path | None = None) -> Outcome:
    """Answer a question about a picture of coloured shapes by a shipped network, or by that of a folder.

    The question's grammar says which of the network's weights answer: those of CLEVR-like worlds or of easy-vqa.

    Returns:
        The outcome; its text is None if there is no picture, or the question is not one the network was trained on.
    """
    network = "bilinear-mutan" if name == "bilinear" else name
    pixels = _pixels(task.scene)
    if pixels is None:
        return unanswered(f"the {network} reasoner reads pictures of coloured shapes; this scene has none")
    if not few_colours(pixels):
        return unanswered(f"the {network} reasoner reads pictures of coloured shapes; this one has too many colours")
    try:
        data, program = read_question(task.question)
    except KgmmError as error:
        return unanswered(str(error))
    found = segments(pixels)
    boxes, pictures = [list(s.box) for s in found], Pictures([found], float(max(pixels.shape[:2])))
    model, known, checksum = load(folder or WEIGHTS / f"{data}-{network}", network, data)
    given, steps = (pictures.features, pictures.boxes, pictures.mask), list[Step]()
    with torch.inference_mode():
        if network == "modules":
            logits, values = model([program], *given)
            done = zip([f"{s.function} {s.argument}".strip() for s in program], program, values[0], strict=True)
            steps = [Step(s.function, said, {"value": _numbers(v), "boxes": boxes}) for said, s, v in done]
        else:
            words = [_SPELLINGS.get(w, w) if w not in known else w for w in tokens(task.question)]
            unknown = [w for w in words if w not in known]
            if unknown:
                return Outcome(None, abstained=f"the network does not know {unknown[0]!r}", model=checksum)
            logits, shown = model(torch.tensor([[known[w] for w in words]]), *given)
            for what, v in shown.items():
                over = f"{len(words)} words" if what == "words" else f"{len(found)} objects"
                found_at = {what: _numbers(v[0]), "boxes": boxes, "tokens": words}
                steps.append(Step(what, f"{what} over {over}", found_at))
    return _outcome(task, data, logits[0].softmax(-1).numpy(), steps, checksum)


def _pixels(scene: SceneGraph) -> NDArray[np.float32] | None:
    """Return the scene's picture; a scene of coloured shapes that has none is drawn."""
    if scene.image and Path(scene.image).is_file():
        return read_pixels(scene.image)
    known = [o.box and o.name in SHAPES and {*o.attributes[:1]} & COLOURS.keys() for o in scene.objects]
    return np.asarray(draw(scene), np.float32) / 255.0 if known and all(known) else None


def few_colours(pixels: NDArray[np.float32]) -> bool:
    """Tell a drawing of even colours from a photograph.

    Args:
        pixels: (height, width, 3) in [0, 1].

    Example:
        >>> few_colours(np.zeros((9, 9, 3), np.float32))
        True
        >>> few_colours(np.random.default_rng(0).random((90, 90, 3), np.float32))
        False
    """
    step = max(1, max(pixels.shape[:2]) // 256)
    levels = np.minimum((pixels[::step, ::step] * 16).astype(np.int64), 15)
    _, counts = np.unique(levels @ np.array([256, 16, 1]), return_counts=True)
    return bool(np.sort(counts)[-FEW_COLOURS:].sum() >= MOST_PIXELS * counts.sum())


def _numbers(value: torch.Tensor) -> Any:
    return np.round(value.numpy(), 4).tolist()


def _outcome(task: Task, data: str, probability: Any, steps: list[Step], checksum: str) -> Outcome:
    answers = WORLDS[data].answers
    order = np.argsort(-probability, kind="stable")
    named = [(answers[i], round(float(probability[i]), 4)) for i in order]
    if task.choices is not None:
        offered = {normal(choice): choice for choice in task.choices}
        named = [(offered[normal(text)], p) for text, p in named if normal(text) in offered]
        if not named:
            return Outcome(None, steps=steps, model=checksum, abstained="no choice is an answer the network knows")
    return Outcome(named[0][0], named[0][1], named[1 : task.top], steps=steps, model=checksum)
