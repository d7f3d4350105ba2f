"""The bundled facts as plain tuples, read once."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from kgmm.bundled import folder
from kgmm.language.names import concept

Triple = tuple[str, str, str]


def commonsense_files() -> list[Path]:
    return sorted((folder("knowledge") / "commonsense").glob("*.tsv"))


@pytest.fixture(scope="session")
def written() -> list[Triple]:
    """Our own facts as they are written in the files."""
    lines = (line for path in commonsense_files() for line in path.read_text(encoding="utf-8").splitlines())
    return [(s, p, o) for s, p, o, *_ in (line.split("\t") for line in lines)]


@pytest.fixture(scope="session")
def commonsense(written: list[Triple]) -> list[Triple]:
    """Our own facts with both ends as concept nodes."""
    return [(concept(s), p, concept(o)) for s, p, o in written]


@pytest.fixture(scope="session")
def wordnet() -> list[Triple]:
    """WordNet's facts."""
    with gzip.open(folder("knowledge") / "wordnet.tsv.gz", "rt", encoding="utf-8") as stream:
        return [(s, p, o) for s, p, o, _ in (line.rstrip("\n").split("\t") for line in stream)]


@pytest.fixture(scope="session")
def imagenet() -> list[list[str]]:
    """The rows of imagenet.tsv: index, synset, label, concept, kinds."""
    lines = (folder("knowledge") / "imagenet.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]
