"""Documents come in whole or not at all, keep their text, change and go by their ids."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import kgmm
from kgmm.documents.formats import html, markdown, subtitles
from kgmm.documents.parting import parts, sentences
from kgmm.documents.passage import Document
from kgmm.documents.taking import kept


@pytest.fixture
def kb(tmp_path: Path) -> kgmm.KnowledgeStore:
    return kgmm.open(tmp_path / "kb")


def texts(kb: kgmm.KnowledgeStore) -> list[str]:
    return list(kept(kb).table()["text"].to_pylist())


def test_a_record_stays_one_passage_with_its_text_as_it_is(kb: kgmm.KnowledgeStore) -> None:
    text = "  One  \n\n two\tthree. " * 200
    kb.read([{"text": text}])
    assert texts(kb) == [text]


def test_longer_records_and_files_are_cut_between_sentences(tmp_path: Path, kb: kgmm.KnowledgeStore) -> None:
    text = "This is a sentence of seven words. " * 400
    (tmp_path / "long.txt").write_text(text)
    kb.read([tmp_path / "long.txt"])
    kb.read([{"text": text, "id": "r"}])
    rows = kept(kb).table().to_pylist()
    assert {row["document"] for row in rows} == {"r", str(tmp_path / "long.txt")}
    for row in rows:
        assert text[row["start"] :].startswith(row["text"])
        assert row["text"].endswith(".") and len(row["text"].split()) <= 150


def test_a_run_without_spaces_or_full_stops_is_cut_too() -> None:
    document = Document("a", "word " * 1000)
    assert [len(document.text[a:b].split()) for a, b in parts(document)] == [150] * 6 + [100]
    assert [b - a for a, b in parts(Document("b", "x" * 100_000))] == [15_000] * 6 + [10_000]


def test_sentences_end_where_they_do() -> None:
    text = 'Mr. Bell, e.g. A. G. Bell, said "No." Then he left! No. 5 stayed.\n\nnext'
    assert [text[a:b] for a, b in sentences(text)] == [
        'Mr. Bell, e.g. A. G. Bell, said "No."', "Then he left!", "No. 5 stayed.", "next",
    ]  # fmt: skip


def test_formats_by_ending(tmp_path: Path, kb: kgmm.KnowledgeStore) -> None:
    folder = tmp_path / "docs"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.txt").write_text("Plain.")
    (folder / "b.md").write_text("# Cats\n\nThey purr.\n\n## Dogs\n\nThey bark.\n")
    (folder / "inner" / "c.html").write_text("<title>C &amp; D</title><script>bad()</script><p>Seen <b>text</b>.</p>")
    (folder / "d.srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i> there\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"
    )
    (folder / "e.jsonl").write_text('{"id": 7, "title": "E", "text": "Line one."}\n\n{"text": "Line two."}\n')
    (folder / "f.csv").write_text('title,text\nF,"Said ""so""."\n')
    (folder / "g.png").write_bytes(b"\x89PNG")
    (folder / ".hidden.txt").write_text("secret")
    report = kb.read(folder)
    assert (report.documents, report.added, report.passages) == (7, 7, 8)
    assert [Path(name).name for name in report.skipped] == ["g.png"]
    notes = ["Plain.", "# Cats\n\nThey purr.", "## Dogs\n\nThey bark.", "Seen text.", "Hello there Bye"]
    assert sorted(texts(kb)) == sorted([*notes, "Line one.", "Line two.", 'Said "so".'])
    titles = set(kept(kb).table()["title"].to_pylist())
    assert titles == {"a", "Cats", "C & D", "d", "E", "", "F"}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.jsonl", b'{"text": "x"}\n{"text": 3}\n', "a.jsonl:2: a record needs a field 'text'"),
        ("a.jsonl", b'{"text": "x"}\n{"text"\n', "a.jsonl:2: not a line of JSON"),
        ("a.jsonl", b"\n[1]\n", "a record is a mapping"),
        (
            "a.jsonl",
            b'{"id": 1, "text": "x"}\n{"id": 1, "text": "y"}\n',
            "a.jsonl:2: two different records have the id '1'",
        ),
        ("a.jsonl", b'{"text": "\\ud800"}\n', "a.jsonl:1: a record's text holds"),
        ("a.jsonl", b'{"text": "x", "title": ["y"]}\n', "a.jsonl:1: a record's title is text"),
        ("a.csv", b"text,title\nx\n", "a.csv:2: not 2 columns"),
        ("a.csv", b'text\n"x\n', "a.csv:"),
        ("a.txt", b"one\ntwo \xff\xfe\n", "a.txt:2: no text in UTF-8"),
        ("a.txt", b"one\n\0\n", "a.txt:2: no text: it holds zero bytes"),
        ("a.json", b"[{]", "a.json:1: not JSON"),
    ],
)
def test_what_cannot_be_read_is_named_and_nothing_is_kept(
    tmp_path: Path, kb: kgmm.KnowledgeStore, name: str, data: bytes, said: str
) -> None:
    (tmp_path / "good.txt").write_text("Good.")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(kgmm.BadInput) as error:
        kb.read([tmp_path / "good.txt", tmp_path / name])
    assert said in str(error.value)
    assert kb.documents() == []


def test_deeply_nested_html_and_json(tmp_path: Path, kb: kgmm.KnowledgeStore) -> None:
    (tmp_path / "deep.html").write_text("<div>" * 100_000 + "inside" + "</div>" * 100_000)
    (tmp_path / "deep.jsonl").write_text("[" * 100_000)
    kb.read(tmp_path / "deep.html")
    assert texts(kb) == ["inside"]
    with pytest.raises(kgmm.BadInput):
        kb.read(tmp_path / "deep.jsonl")


def test_html_is_what_a_reader_sees() -> None:
    page = (
        "<html><head><title>T</title><style>p{}</style></head><body><nav>menu</nav><h1>Head</h1><p>One\n two<br>three"
    )
    page += "<h2>Next</h2><table><tr><td>a</td><td>b</td></tr></table><svg><title>no</title></svg></body></html>"
    (document,) = html.read(page.encode(), "x.html")
    assert document.title == "T"
    assert document.text == "Head\n\nOne two\nthree\n\nNext\n\na b"
    assert [document.text[b:][:4] for b in document.breaks] == ["Next"]


@pytest.mark.parametrize("begun", ["<a ", "<!--", "<!-- a ", '<a b="', "<![CDATA[", "<?", "</", "<!--a>"])
def test_markup_that_does_not_end_takes_bounded_time(begun: str) -> None:
    began = time.process_time()
    with pytest.raises(kgmm.BadInput, match=r"x\.html:1: the page has too much markup that begins and does not end"):
        html.read(("\u00a0" + begun * 100_000).encode(), "x.html")
    assert time.process_time() - began < 15


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>a</p><![x]>b", "a\n\nb"),
        ("a<![ ]>b", "ab"),
        ("a<![x", "a<![x"),
        ("a < b, <i>c</i> <b", "a < b, c <b"),
        ("a&#" + "9" * 5000 + ";b", "a\ufffdb"),
        ("&#" + "0" * 5000 + "65;&#00000066;", "AB"),
        ("a <!-- b", "a <!-- b"),
    ],
)
def test_odd_markup_is_read_and_never_python_s_own_error(page: str, text: str) -> None:
    (document,) = html.read(page.encode(), "x.html")
    assert document.text == text


def test_headings_in_code_are_none() -> None:
    (document,) = markdown.read(b"# A\n\n```\n# no\n```\n", "x.md")
    assert document.title == "A" and document.breaks == ()


def test_rolling_captions_are_kept_once() -> None:
    vtt = b"WEBVTT\n\nNOTE no\n\n00:01.000 --> 00:02.000\nHello\n\n00:02.000 --> 00:03.000\nHello\nthere\n"
    assert subtitles.read(vtt, "x.vtt")[0].text == "Hello there"


def test_documents_change_and_go_by_id(kb: kgmm.KnowledgeStore) -> None:
    kb.read([{"id": "a", "text": "old secret"}, {"id": "b", "text": "stays"}])
    report = kb.read([{"id": "a", "text": "new"}, {"id": "b", "text": "stays"}, {"id": "c", "text": "more"}])
    assert (report.added, report.changed, report.unchanged) == (1, 1, 1)
    assert kb.remove_documents(["c"]) == 1
    assert kb.documents() == ["a", "b"] and texts(kb) == ["new", "stays"]
    with pytest.raises(kgmm.StoreError, match="no document 'zzz'"):
        kb.remove_documents(["a", "zzz"])
    assert kb.documents() == ["a", "b"]
    kb.remove_documents(kb.documents())
    assert len(kept(kb)) == 0
    assert not any(b"secret" in path.read_bytes() for path in kb.path.rglob("*") if path.is_file())


def test_any_order_of_changes_comes_to_the_same(tmp_path: Path) -> None:
    records = [{"id": f"d{i}", "text": f"text {i} " * (i % 7 + 1), "title": f"T{i}"} for i in range(60)]
    fresh = kgmm.open(tmp_path / "fresh")
    fresh.read(records[:50])
    changed = kgmm.open(tmp_path / "changed")
    order = random.Random(3).sample(records, len(records))
    for start in range(0, 60, 20):
        changed.read([record | {"text": "something else"} for record in order[start : start + 20]])
    changed.read(order)
    changed.remove_documents([f"d{i}" for i in range(50, 60)])
    assert kept(changed).table().equals(kept(fresh).table())


def test_a_store_with_documents_opens_again_and_facts_are_apart(kb: kgmm.KnowledgeStore) -> None:
    kb.read({"text": "A dog barks."} for _ in range(1))
    kb.add([("dog", "CapableOf", "bark")])
    again = kgmm.open(kb.path)
    assert len(again) == 1 and len(again.documents()) == 1 and not again.check()


def test_damaged_passages_are_named(kb: kgmm.KnowledgeStore) -> None:
    kb.read([{"text": "A dog barks."}])
    (file,) = (kb.path / "documents").glob("*.parquet")
    file.write_bytes(file.read_bytes().replace(b"dog", b"cat"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(kgmm.StoreError, match=file.name):
        kb.documents()


def test_read_in_the_shell(tmp_path: Path, shell: Callable[..., object]) -> None:
    (tmp_path / "a.md").write_text("# Cats\n\nThey purr.")
    done = shell("read", tmp_path / "kb", tmp_path / "a.md", "--json")
    assert json.loads(done.out)["added"] == 1  # type: ignore[attr-defined]
    listed = shell("read", tmp_path / "kb", "--list")
    assert listed.out.strip() == str(tmp_path / "a.md")  # type: ignore[attr-defined]
    assert shell("read", tmp_path / "kb", "--remove", tmp_path / "a.md").code == 0  # type: ignore[attr-defined]
    failed = shell("read", tmp_path / "kb", tmp_path / "none.txt")
    assert failed.code == 1 and "none.txt: no such file" in failed.err  # type: ignore[attr-defined]
    assert shell("read", tmp_path / "kb").code == 2  # type: ignore[attr-defined]


def test_headings_of_markdown_take_time_in_proportion_and_keep_their_signs() -> None:
    from kgmm.documents.formats.markdown import read

    long = b"# a" + b" " * 20_000 + b"x" + b" " * 20_000 + b"y\n"
    fenced = b"```\n# no\n```\n" * 5_000
    start = time.process_time()
    (document,) = read(long + fenced + b"## C# in depth ##\n", "a.md")
    assert time.process_time() - start < 2
    assert document.title.startswith("a ") and len(document.breaks) == 1
    assert [read(b"# " + h, "a.md")[0].title for h in (b"F#", b"One ##", b"#")] == ["F#", "One", "#"]


def test_a_year_after_circa_ends_no_sentence() -> None:
    from kgmm.documents.parting import sentences

    text = "It was painted by Rubens (c. 1610) in Antwerp. It hangs there."
    assert [text[a:b] for a, b in sentences(text)] == [text[:46], text[47:]]
