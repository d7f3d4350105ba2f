"""The perceiver ``vlm``: a vision-language model of Hugging Face, asked for objects, relations and words in fixed lines.

Any image-text-to-text model that transformers knows, such as LLaVA (Liu et al., NeurIPS 2023) or SmolVLM (Marafioti et al.,
arXiv 2504.05299). Its reply is read strictly: a line of another form is dropped and counted, names are words and nothing else.
"""

import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from kgmm.errors import KgmmError
from kgmm.language.words import written
from kgmm.perceivers._detections import inside
from kgmm.perceivers._models import loaded, reason
from kgmm.perceivers._relations import scene_of, spatial_relations
from kgmm.scene import Box, SceneGraph, SceneObject, SceneRelation
from kgmm.scene.images import ImageLike, Picture, read_image

PROMPT = """List what the picture shows, one thing a line, in exactly these forms and nothing else:
object: NAME | ATTRIBUTE, ATTRIBUTE | LEFT, TOP, RIGHT, BOTTOM
relation: NAME | RELATION | NAME
text: WORDS | LEFT, TOP, RIGHT, BOTTOM
Places are percent of the picture's width and height, from 0 to 100; leave out what you do not know.
object: cat | black, small | 10, 20, 55, 90
relation: cat | on | table"""
#: characters of a reply that are read, tokens and seconds it may take, pixels of the longer side that go in
LENGTH, TOKENS, SECONDS, LONGEST = 20_000, 768, 300.0, 1024
ATTRIBUTES, WORDS, NAME = 5, 4, 40  #: attributes of an object, words of a name, characters of a name or attribute
RENDERING = 5  #: seconds of processor time that a model's chat template may take
RELATIONS = 4  #: relations that are kept for each object, at most
_NAME = re.compile(r"[^\W\d_]+(?:['’ -][^\W_]+)*")
_LINE = re.compile(r"\s*(?:[-*•] |\d{1,3}[.)] )?(object|relation|text)\s*:(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """A reply as it was understood; *dropped* lines were not."""

    objects: tuple[SceneObject, ...]
    relations: tuple[SceneRelation, ...]
    dropped: int


def perceive(
    image: ImageLike, *, model: str | Path, threshold: float = 0.0, max_objects: int = 50, max_tokens: int = TOKENS
) -> SceneGraph:
    """Return what a vision-language model says of a picture.

    A score is the geometric mean of the probabilities that the model gave the words of that line; it is not calibrated. The
    scene's source says how many lines were not understood.

    Args:
        image, threshold, max_objects: see :func:`kgmm.perceivers.perceive`.
        model: a folder, or a name on the hub; weights in safetensors, no code of its own.
        max_tokens: tokens of the reply at most.

    Raises:
        MissingExtra: if transformers is not installed.
        KgmmError: if the model cannot be loaded or run.
    """
    network, processor = _model(str(model))
    picture = read_image(image, max_side=LONGEST)
    try:
        said, scores = _asked(network, processor, Image.fromarray(picture.pixels), max_tokens)
    except Exception as error:  # a model's code may raise anything on what its folder says
        raise KgmmError(f"{model} does not describe pictures: {reason(error)}") from error
    reply = understood(said, picture, scores, threshold, max_objects)
    missed = f" ({reply.dropped} lines not understood)" if reply.dropped else ""
    relations = (*spatial_relations(reply.objects), *reply.relations)
    return scene_of(picture, reply.objects, f"vlm:{model}{missed}", relations=relations)


def understood(
    said: str, picture: Picture, scores: list[float] | None = None, threshold: float = 0.0, max_objects: int = 50
) -> Reply:
    """Read a reply; *scores* are those of its lines, 1 where there are none."""
    objects: dict[str, SceneObject] = {}
    seen: set[tuple[str, str, Box | None]] = set()
    stated: list[tuple[list[str], float]] = []
    dropped = 0
    for number, line in enumerate(said[:LENGTH].split("\n")):
        found = _LINE.fullmatch(line)
        fields = [field.strip() for field in found[2].split("|")] if found else []
        score = scores[number] if scores is not None and number < len(scores) else 1.0
        if found and found[1].lower() == "relation":
            stated.append((fields, score))
            continue
        thing = _thing(found[1].lower(), fields, picture, score) if found else None
        if thing is None:
            dropped += bool(line.strip())
        elif score >= threshold and (key := (thing.name, thing.text, thing.box)) not in seen:
            seen.add(key)
            if len(objects) < max_objects:
                identity = f"o{len(objects) + 1}"
                objects[identity] = replace(thing, id=identity)
    by_name: dict[str, str] = {}
    for o in objects.values():
        by_name.setdefault(o.name, o.id)
    relations: dict[tuple[str, str, str], SceneRelation] = {}
    for fields, score in stated:
        parts = [name(field) for field in fields]
        if len(parts) != 3 or not all(parts):
            dropped += 1
            continue
        ends = by_name.get(parts[0]), by_name.get(parts[2])
        if ends[0] is None or ends[1] is None or ends[0] == ends[1] or score < threshold:
            continue  # of something that is not there: a model's slip, but a line that was understood
        predicate = parts[1].replace(" ", "_").replace("-", "_")
        if len(relations) < RELATIONS * len(objects):
            relations.setdefault((ends[0], predicate, ends[1]), SceneRelation(ends[0], predicate, ends[1], score))
    return Reply(tuple(objects.values()), tuple(relations.values()), dropped)


def _thing(kind: str, fields: list[str], picture: Picture, score: float) -> SceneObject | None:
    """Return the object of a line, without an id yet; None if it is not of the form."""
    if kind == "text":
        *rest, last = fields
        box = _box(last, picture) if rest else None
        words = written(" | ".join(rest if box else fields).strip(" \"'“”"))
        return SceneObject("", "text", box, score, (), ("writing",), words) if words else None
    if not 1 <= len(fields) <= 3 or not (called := name(fields[0])):
        return None
    box = _box(fields[-1], picture) if len(fields) > 1 else None
    about = fields[1] if len(fields) > 1 and not (len(fields) == 2 and box) else ""
    attributes = tuple(dict.fromkeys(filter(None, map(name, about.split(",")))))[:ATTRIBUTES]
    return SceneObject("", called, box, score, attributes)


def name(said: str) -> str:
    """Return a name, attribute or relation in small letters, '' if it is none: a few words of letters, no path, no address.

    >>> name(" The Traffic-Light "), name("/etc/passwd"), name("http://x.y/z"), name("/c/en/dog")
    ('traffic-light', '', '', '')
    """
    plain = re.sub(r"^(?:an?|the) ", "", written(said).lower())
    fits = len(plain) <= NAME and len(plain.split()) <= WORDS and _NAME.fullmatch(plain)
    return plain if fits else ""


def _box(said: str, picture: Picture) -> Box | None:
    """Return the box that four percentages say; None if they say none."""
    numbers = re.fullmatch(r"[\[(]?\s*" + r"\s*,\s*".join([r"(\d{1,3}(?:\.\d{1,4})?)\s*%?"] * 4) + r"\s*[\])]?", said)
    if numbers is None:
        return None
    left, top, right, bottom = map(float, numbers.groups())
    if not (left < right <= 100 and top < bottom <= 100):
        return None
    wide, high = picture.width / 100, picture.height / 100
    return inside((left * wide, top * high, right * wide, bottom * high), picture)


@lru_cache(maxsize=1)  # such a model fills much of the memory
def _model(place: str) -> tuple[Any, Any]:
    return loaded(place, "vision-language model", "AutoModelForImageTextToText")


@lru_cache(maxsize=4)
def prompt_of(template: str, variables: str) -> str:
    """Return the text that a chat template makes of variables (JSON), in a process of its own with bounded time and memory.

    Raises:
        ValueError: if the template fails or does not end.
    """
    given = json.dumps({"template": template, "variables": json.loads(variables)})
    command = [sys.executable, "-I", str(Path(__file__).with_name("_template.py")), str(RENDERING)]
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, encoding="utf-8", timeout=4 * RENDERING
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"its chat template does not end within {RENDERING} seconds") from None
    if done.returncode < 0:
        raise ValueError(f"its chat template does not end within {RENDERING} seconds, or takes too much memory")
    if done.returncode:
        raise ValueError(
            f"its chat template fails: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ''}"
        )
    return done.stdout


def _asked(network: Any, processor: Any, image: Image.Image, most: int) -> tuple[str, list[float]]:
    """Return a reply, and for each of its lines the geometric mean of its tokens' probabilities."""
    asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": PROMPT}]}]
    template = getattr(processor, "chat_template", None)
    if isinstance(template, dict):
        template = template.get("default") or next(iter(template.values()), None)
    if template:
        tokens = {k: str(v) for k, v in processor.tokenizer.special_tokens_map.items() if isinstance(v, str)}
        text = prompt_of(
            processor.chat_template, json.dumps({"messages": asked, "add_generation_prompt": True, **tokens})
        )
    else:
        text = f"{getattr(processor, 'image_token', '<image>')}\n{PROMPT}\n"
    given = processor(images=image, text=text, return_tensors="pt").to(network.dtype)
    bounds = {"max_new_tokens": most, "max_time": SECONDS, "do_sample": False, "num_beams": 1}
    with torch.inference_mode():
        made = network.generate(**given, **bounds, return_dict_in_generate=True, output_logits=True)
    tokens = made.sequences[0, given["input_ids"].shape[1] :].tolist()
    sums, counts = [0.0], [0]
    for token, logits in zip(tokens, made.logits, strict=False):
        sums[-1] += float(torch.log_softmax(logits[0].float(), -1)[token])
        counts[-1] += 1
        for _ in range(processor.tokenizer.decode([token]).count("\n")):
            sums.append(0.0)
            counts.append(0)
    scores = [round(math.exp(s / n), 4) if n and math.isfinite(s) else 0.0 for s, n in zip(sums, counts, strict=True)]
    said = processor.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return said, scores
