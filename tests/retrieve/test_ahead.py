"""Vectors computed before anyone asks: all of them, once, and no question encodes a fact afterwards."""

import json

import numpy as np
import pytest

import kgmm
from kgmm.encode import vectors
from kgmm.encode.cache import fact_keys
from kgmm.encode.text import text_encoder
from kgmm.retrieve import ahead


@pytest.fixture
def kb(tmp_path):
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([(f"thing {i}", "UsedFor", f"task {i % 7}") for i in range(40)])
        kb.add([("/s/1/a", "InstanceOf", "/c/en/cup")], graph="scene/1")
        yield kb


def test_what_is_stopped_goes_on(kb, monkeypatch):
    monkeypatch.setattr(ahead, "CHUNK", 10)

    def stop(done: int, total: int, what: str) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ahead.encode_all(kb, progress=stop)
    seen = []
    assert ahead.encode_all(kb, progress=lambda *said: seen.append(said)) == (40, 47, 67)
    assert seen[-1] == (67, 67, "terms") and ahead.encode_all(kb).new == 0


def test_the_vectors_are_those_a_question_would_make(kb):
    ahead.encode_all(kb)
    cache, ids = vectors.vector_cache(kb, text_encoder("minilm")), kb.find_ids(kb.terms.id("/c/en/thing_3"))
    found, kept = cache.get(fact_keys(ids.subject, ids.predicate, ids.object))
    said = text_encoder("minilm").encode(["thing 3 is used for task 3"])
    assert found.all() and np.allclose(kept, said, atol=2e-3)
    before = len(cache)
    kb.retrieve("thing 5", question="What is thing 5 used for?")
    assert len(cache) == before


def test_the_command(kb, shell):
    ran = shell("encode", kb.path, "--json")
    assert ran.code == 0 and json.loads(ran.out).items() >= {"facts": 40, "terms": 47, "new": 87}.items()
    assert "0 of them new" in shell("encode", kb.path).out
    assert shell("encode", kb.path, "--encoder", "oracle").code == 1
