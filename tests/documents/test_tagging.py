"""A tagger's names beside the rules': asked for, remembered with the documents, the same whatever was read first."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import kgmm
from kgmm.cli import cli
from kgmm.documents import tagging
from kgmm.documents.index import current
from kgmm.documents.mentions import mentions
from kgmm.errors import BadInput, MissingExtra


def _model() -> str:
    if importlib.util.find_spec("spacy") is None:
        return ""
    import spacy

    return next((name for name in tagging.MODELS if name in spacy.util.get_installed_models()), "")


MODEL = _model()
needs_model = pytest.mark.skipif(not MODEL, reason="spaCy with a model (extra tagger) is not installed")
ROWS = [
    {"id": "a", "text": "tony blair told the bbc in london that britain would join the european union."},
    {"id": "b", "text": "a report of the european union was read in london."},
    {"id": "c", "text": "It rains."},
]


def names(kb: kgmm.KnowledgeStore) -> int:
    return len(current(kb).texts.rule_entity)


def test_a_tagger_names_what_no_rule_finds_and_nothing_twice() -> None:
    text = "Otto met tony blair."
    tagged = [(0, 4, "name", "otto"), (9, 19, "name", "tony blair")]
    assert [m.key for m in mentions(text)] == ["otto"]
    assert [m.key for m in mentions(text, tagged=tagged)] == ["otto", "tony blair"]


@needs_model
def test_without_being_asked_for_it_changes_nothing_and_it_can_be_ended(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.read(ROWS)
    assert names(kb) == 0
    kb.read([], tagger="spacy")
    assert names(kb) >= 4
    kb.read([], tagger="none")
    assert names(kb) == 0


@needs_model
def test_an_index_brought_up_to_date_is_that_of_a_fresh_store(tmp_path: Path) -> None:
    kb, fresh = kgmm.open(tmp_path / "kb"), kgmm.open(tmp_path / "fresh")
    kb.read([*ROWS[1:], {"id": "x", "text": "tony blair left."}], tagger=f"spacy:{MODEL}")
    assert names(kb)
    kb.read(ROWS[:1])
    kb.remove_documents("x")
    fresh.read(ROWS, tagger="spacy")
    ours, theirs = current(kb).texts.arrays(), current(fresh).texts.arrays()
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs) and names(kb) >= 4
    again = kgmm.open(tmp_path / "kb")
    assert current(again).tagger == current(fresh).tagger and names(again) == names(fresh)


@needs_model
def test_an_update_without_the_tagger_or_with_another_version_is_an_error_that_keeps_what_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.read(ROWS[:2], tagger="spacy")
    tagging.tagger.cache_clear()
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "spacy", None)
        with pytest.raises(MissingExtra, match=r"spacy; install it with: pip install 'kgmm\[tagger\]'"):
            kb.read(ROWS[2:])
    tagging.keep(kb.places.documents, f"spacy:{MODEL}@0.0.1+3.0.0")
    with pytest.raises(BadInput, match=f"tagged by spacy:{MODEL}@0.0.1.* --tagger spacy:{MODEL} tags all again"):
        kb.read(ROWS[2:])
    assert kb.documents() == ["a", "b"]
    kb.read(ROWS[2:], tagger="spacy")
    assert names(kb) >= 4


@pytest.mark.parametrize("asked", ["nltk", "spacy:../model", "spacy:/tmp/model", "", "spacy:no_such_model_here"])
def test_what_is_no_tagger_is_one_error(tmp_path: Path, asked: str) -> None:
    with pytest.raises((BadInput, MissingExtra)):
        kgmm.open(tmp_path / "kb").read(ROWS, tagger=asked)
    assert not kgmm.open(tmp_path / "kb").documents()


@needs_model
def test_vectors_stay_when_documents_are_tagged_again(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.read(ROWS[:2], vectors=True)
    before = current(kb).vectors
    kb.read(ROWS[2:], tagger="spacy")
    after = current(kgmm.open(tmp_path / "kb")).vectors
    assert before is not None and after is not None and np.array_equal(after[:2], before) and len(after) == 3


@needs_model
def test_the_command_tags(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(ROWS[0]["text"])
    ran = CliRunner().invoke(cli, ["read", str(tmp_path / "kb"), str(tmp_path / "a.txt"), "--tagger", "spacy"])
    assert ran.exit_code == 0 and names(kgmm.open(tmp_path / "kb"))
