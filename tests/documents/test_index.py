"""An index brought up to date has the bits of one made anew, and nothing of what was removed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kgmm
from kgmm.documents import index as indexes
from kgmm.documents import scoring
from kgmm.documents.analysis import mixed, name_key, word_key
from kgmm.documents.kernels import mix
from kgmm.documents.taking import kept

NAMES = ["Boso the Elder", "Lothair II", "Tours", "It", "Ann Lee (singer)", "Ann Lee", "", "zyzzyva"]
TEXTS = [
    "Lothair II was the father of Ann Lee. She sang in Tours.",
    'Boso the Elder (WHO) wrote "Ann Lee" in 1900.\n\nTours fell.',
    "it rained.",
    "ann lee saw tours; zyzzyva",
    "Ångström met Lothair II, Boso the Elder's son",
]


def corpus(choice: list[tuple[int, int]]) -> list[dict[str, str]]:
    return [{"id": f"d{at}", "title": NAMES[n], "text": TEXTS[t]} for at, (n, t) in enumerate(choice)]


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def content(kb: kgmm.KnowledgeStore) -> dict[str, bytes]:
    """Return the index's files; its folder is named by those that the passages lie in, which changes tell apart."""
    (only,) = indexes.place(kb).iterdir()
    return dict(files(only))


documents = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 4)), min_size=1, max_size=6)


@settings(max_examples=12, deadline=None)
@given(documents, documents)
@example([(0, 0), (2, 1), (0, 3)], [(0, 1), (2, 0), (0, 3)])  # a name goes and comes again in one change
def test_any_change_leaves_the_files_of_a_fresh_index(
    tmp_path_factory: pytest.TempPathFactory, before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("stores")
    changed, fresh = kgmm.open(folder / "changed"), kgmm.open(folder / "fresh")
    changed.read(corpus(before))
    indexes.current(changed)
    changed.read(corpus(after))
    if len(before) > len(after):
        changed.remove_documents([f"d{at}" for at in range(len(after), len(before))])
    fresh.read(corpus(after))
    indexes.current(changed)
    indexes.current(fresh)
    assert content(changed) == content(fresh) and len(content(fresh)) > 20


def test_nothing_of_a_removed_document_remains_in_any_file(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.read([{"id": "gone", "title": "Zyzzyva", "text": "Quokkas eat."}, *corpus([(0, 0), (1, 1)])])
    assert kb.retrieve("What do quokkas eat?", passages=1).passages[0].document == "gone"
    traces = [b"yzzyva", b"uokka", word_key("quokkas").to_bytes(8, "little"), word_key("quokka").to_bytes(8, "little")]
    traces.append(name_key("zyzzyva").to_bytes(8, "little"))
    held = b"".join(data for _, data in files(kb.path))
    assert all(trace in held for trace in traces[1:])  # the test can tell
    kb.remove_documents("gone")
    assert not [name for name, data in files(kb.path) for trace in traces if trace in data]
    assert kb.retrieve("What do quokkas eat?", passages=1).passages == []


def test_a_damaged_or_older_index_is_made_anew(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.read(corpus([(0, 0), (1, 1), (2, 4)]))
    index = indexes.current(kb)
    whole = dict(files(indexes.place(kb)))
    for name in whole:
        (indexes.place(kb) / name).write_bytes(whole[name][:-1] + b"\x01")
        again = kgmm.open(tmp_path / "kb")
        assert np.array_equal(indexes.current(again).links.passage, index.links.passage), name
        assert dict(files(indexes.place(kb))) == whole, name


def test_machine_code_and_python_name_the_same() -> None:
    assert int(mix(np.uint64(5), np.uint64(1 << 63))) == mixed(5, 1 << 63)


def test_known_names_are_found_in_texts_longest_first(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.read([{"id": name, "title": name, "text": "x"} for name in ("Ann Lee", "Ann Lee Abbey", "Otto")])
    kb.read([{"id": "z", "title": "Tours", "text": "otto saw Ann Lee Abbey. They knew Otto, and Ann Lee."}])
    index = indexes.current(kb)
    low, high = index.links.edge[3:5].tolist()  # the last document's
    named = {
        index.rows["title"][int(index.links.back_passage[index.links.back[e]])].as_py()
        for e in index.links.edge_entity[low:high].tolist()
        if index.links.back_own[e]
    }
    assert named == {"Ann Lee", "Ann Lee Abbey", "Otto", "Tours"}
    assert len(kept(kb)) == 4


def test_vectors_follow_changes_bit_for_bit_and_find_what_shares_no_word(tmp_path: Path) -> None:
    texts = {"a": "Physicians treat illness in hospitals.", "b": "The tram leaves at noon.", "c": "Apples are fruit."}
    records = [{"id": name, "text": text} for name, text in texts.items()]
    changed, fresh = kgmm.open(tmp_path / "changed"), kgmm.open(tmp_path / "fresh")
    changed.read(records[:2], vectors=True)
    changed.read(records[2:])
    changed.remove_documents("b")
    fresh.read([records[0], records[2]], vectors=True)
    assert content(changed) == content(fresh) and "vectors" in content(fresh)
    assert fresh.retrieve("doctors cure disease", passages=1).passages[0].document == "a"
    again = kgmm.open(tmp_path / "fresh")
    assert (
        again.retrieve("doctors cure disease", passages=1).passages
        == fresh.retrieve("doctors cure disease", passages=1).passages
    )


def of_passage(index: indexes.Index, passage: int) -> np.ndarray:
    return index.texts.token[index.texts.start[passage] : index.texts.start[passage + 1]]


def test_the_walk_and_the_scores_are_those_of_their_definitions(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.read(corpus([(0, 0), (1, 1), (5, 3), (2, 4), (6, 2)]))
    index = indexes.current(kb)
    links = index.links
    rng = np.random.default_rng(0)
    terms = np.arange(len(links.term))
    scores = np.zeros(len(index))
    of = (links.posting, links.passage, links.often, links.length)
    known = scoring.bm25(links.forms, links.form, np.ones(len(terms)), *of, 1.2, 0.4, scores)
    for p in range(len(index)):
        held = links.term_of[of_passage(index, p)]
        held = held[held >= 0]
        total = 0.0
        for t in set(held.tolist()):
            has, n = int(known[t]), int((held == t).sum())
            assert has == sum(t in links.term_of[of_passage(index, at)] for at in range(len(index)))
            idf = np.log(1 + (len(index) - has + 0.5) / (has + 0.5))
            total += idf * n * 2.2 / (n + 1.2 * (0.6 + 0.4 * len(held) / links.length.mean()))
        assert scores[p] == pytest.approx(total)
    rows, asked = rng.integers(-127, 128, (50, 384)).astype(np.int8), rng.integers(-127, 128, 384).astype(np.int8)
    wide = rows.astype(float)
    expected = wide @ asked / np.linalg.norm(wide, axis=1) / np.linalg.norm(asked.astype(float))
    assert scoring.cosines(rows, asked) == pytest.approx(expected)
