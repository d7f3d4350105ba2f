"""PDF, EPUB and DOCX: what a reader sees, with pages; what is damaged, oversized or no such file is one clear error."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import kgmm
from kgmm.documents.formats import READERS, _packed, html
from kgmm.documents.parting import parts
from kgmm.documents.passage import Document
from kgmm.errors import BadInput, MissingExtra
from tests.conftest import Ran

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def packed(parts: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return made.getvalue()


def docx(body: str, **more: str | bytes) -> bytes:
    return packed({"word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>", **more})


def said(text: str, style: str = "") -> str:
    kind = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{kind}<w:r><w:t>{text}</w:t></w:r></w:p>"


def epub(chapters: dict[str, str], **more: str | bytes) -> bytes:
    items = "".join(f'<item id="c{i}" href="{n}" media-type="application/xhtml+xml"/>' for i, n in enumerate(chapters))
    spine = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters)))
    title = "<dc:title>The Book</dc:title><dc:date>1999-05-01</dc:date>"
    package = f'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>{title}</metadata>'
    container = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    parts: dict[str, str | bytes] = {"META-INF/container.xml": container}
    parts["OEBPS/book.opf"] = f"{package}<manifest>{items}</manifest><spine>{spine}</spine></package>"
    return packed(parts | {f"OEBPS/{name}": text for name, text in chapters.items()} | more)


def pdf(*pages: str, info: str = "", kids: str | None = None) -> bytes:
    """A PDF written by hand: a line of text a page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    names = []
    for text in pages:
        stream = "BT /F1 12 Tf 72 720 Td " + " 0 -20 Td ".join(f"({line}) Tj" for line in text.split("\n")) + " ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        font = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /Contents {len(objects)} 0 R /Resources {font} /MediaBox [0 0 612 792] >>"
        )
        names.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{kids or ' '.join(names)}] /Count {len(pages)} >>"
    objects.append(f"<< {info} >>")
    out, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{start}\n%%EOF"
    return out.encode("latin-1")


def read(ending: str, data: bytes) -> Document:
    (document,) = READERS[ending](data, f"file{ending}")
    return document


def test_a_word_file_is_its_text_in_order_with_tables_and_without_what_was_deleted() -> None:
    cells = "".join(f"<w:tc>{said(c)}</w:tc>" for c in ("Born", "1912"))
    body = (
        said("Turing", "Title")
        + said("He was <w:br/>a mathematician.".replace("<w:br/>", ""))
        + f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"
    )
    body += "<w:p><w:del><w:r><w:delText>never</w:delText></w:r></w:del><w:r><w:t>Kept</w:t><w:tab/><w:t>here</w:t></w:r></w:p>"
    body += (
        '<w:p><w:r><w:br w:type="page"/><w:t>Second page.</w:t></w:r></w:p>' + said("Later", "Heading1") + said("Last.")
    )
    core = '<cp xmlns:dc="x" xmlns:dcterms="y"><dc:title>On  Turing</dc:title><dcterms:created>2001-02-03T00:00:00Z</dcterms:created></cp>'
    found = read(".docx", docx(body, **{"docProps/core.xml": core}))
    assert found.title == "On Turing" and found.date == "2001-02-03"
    assert found.text.split() == "Turing He was a mathematician. Born 1912 Kept here Second page. Later Last.".split()
    assert "never" not in found.text and "Born \t1912" in found.text
    assert [found.text[at:].split()[0] for at in found.pages] == ["Second"]
    assert found.text[found.breaks[-1] :].startswith("Later")


def test_a_book_is_its_chapters_in_reading_order() -> None:
    chapters = {"two%20.xhtml": "", "two.xhtml": "<h1>One</h1><p>First <b>words</b>.</p><script>no()</script>"}
    found = read(".epub", epub(chapters | {"sub/one.xhtml": "<h1>Two</h1><p>More.</p>"}))
    assert (found.title, found.date) == ("The Book", "1999-05-01")
    assert found.text.split() == "One First words. Two More.".split()
    assert [found.text[at:].split()[0] for at in found.pages] == ["Two"]


def test_a_pdf_is_its_pages(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")
    found = read(
        ".pdf",
        pdf(
            "Alan Turing was a mathe-\nmatician.",
            "He was born in London.",
            info="/Title (On Turing) /CreationDate (D:20010203)",
        ),
    )
    assert (found.title, found.date) == ("On Turing", "2001-02-03")
    assert found.text == "Alan Turing was a mathematician.\n\nHe was born in London."
    kb = kgmm.open(tmp_path / "kb")
    (tmp_path / "turing.pdf").write_bytes(pdf("Alan Turing was a mathematician.", "He was born in London."))
    kb.read(tmp_path / "turing.pdf")
    (best,) = kb.retrieve("Who was born in London?", passages=1).passages
    assert best.text == "He was born in London." and best.page == 2 and best.source.endswith("turing.pdf")


@pytest.mark.parametrize("ending", [".docx", ".epub", ".pdf"])
@pytest.mark.parametrize(
    "data", [b"", b"nothing", b"PK\x03\x04", b"PK\x05\x06" + 18 * b"\0", b"%PDF-1.4", b"%PDF-1.7\n%%EOF\n"]
)
def test_what_is_no_such_file_is_told(ending: str, data: bytes) -> None:
    if ending == ".pdf":
        pytest.importorskip("pypdf")
    with pytest.raises(BadInput, match=f"file{ending}"):
        read(ending, data)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("made", [docx(said("word " * 3000)), epub({"a.xhtml": "<p>" + "word " * 3000 + "</p>"})])
def test_a_file_cut_short_is_told(cut: float, made: bytes) -> None:
    ending = ".docx" if b"word/" in made else ".epub"
    with pytest.raises(BadInput):
        read(ending, made[: int(len(made) * cut)])


def test_what_unpacks_to_too_much_is_refused_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_packed, "UNPACKED", 1 << 20)
    large = docx(said("a" * (2 << 20)))
    assert len(large) < 10_000
    with pytest.raises(BadInput, match="unpacks to more than 1 MiB"):
        read(".docx", large)
    with pytest.raises(BadInput, match="unpacks to more than 1 MiB"):
        read(".epub", epub({f"c{i}.xhtml": "<p>" + "a" * (1 << 18) + "</p>" for i in range(8)}))
    monkeypatch.setattr(_packed, "PARTS", 10)
    with pytest.raises(BadInput, match="more than 10 parts"):
        read(".docx", packed({f"p{i}": "" for i in range(11)}))


def test_a_size_that_a_file_says_of_itself_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_packed, "UNPACKED", 1 << 20)
    large = bytearray(docx(said("a" * (2 << 20))))
    at = large.rindex(b"PK\x01\x02")
    large[at + 24 : at + 28] = (100).to_bytes(4, "little")  # the size unpacked
    with pytest.raises(BadInput):
        read(".docx", bytes(large))


def test_entities_and_broken_xml_are_refused() -> None:
    swelling = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><d>&b;</d>'
    outside = '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><d>&a;</d>'
    for text in (swelling, outside):
        with pytest.raises(BadInput, match="entities"):
            read(".docx", packed({"word/document.xml": text}))
    for text in ("<a><b></a>", '<?xml version="1.0" encoding="nobody-knows"?><a/>', "\0\0\0"):
        with pytest.raises(BadInput, match=r"word/document\.xml"):
            read(".docx", packed({"word/document.xml": text}))


def test_names_of_parts_are_no_paths(tmp_path: Path) -> None:
    (tmp_path / "secret.xhtml").write_text("secret")
    away = "../" * 12 + str(tmp_path / "secret.xhtml").lstrip("/")
    made = epub({away: "<p>inside</p>", "a.xhtml": "<p>Chapter.</p>"})
    assert "secret" not in read(".epub", made).text
    with pytest.raises(BadInput, match="no part"):
        read(".epub", packed({"META-INF/container.xml": '<c><rootfile full-path="/etc/passwd"/></c>'}))


def test_deep_nesting_and_long_lines_take_no_more_than_their_length() -> None:
    began = time.process_time()
    assert read(".html", b"<div>" * 200_000 + b"deep" + b"</div>" * 200_000).text == "deep"
    assert read(".docx", docx("<w:x>" * 50_000 + said("deep") + "</w:x>" * 50_000)).text.strip() == "deep"
    assert len(read(".txt", b"word " * 2_000_000).text) == 10_000_000
    assert time.process_time() - began < 20


def test_an_encrypted_pdf_a_scan_and_one_that_loops_are_told() -> None:
    pypdf = pytest.importorskip("pypdf")
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf("Secret text.")))
    writer.encrypt("password", algorithm="RC4-128")
    made = io.BytesIO()
    writer.write(made)
    with pytest.raises(BadInput, match="encrypted"):
        read(".pdf", made.getvalue())
    with pytest.raises(BadInput, match="hold no text: it may be a scan"):
        read(".pdf", pdf(""))
    with pytest.raises(BadInput, match=r"file\.pdf"):
        read(".pdf", pdf("a", kids="2 0 R 2 0 R"))


def test_nothing_is_kept_when_one_file_cannot_be_read(tmp_path: Path, shell: Callable[..., Ran]) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.docx").write_bytes(docx(said("All is well.")))
    (folder / "b.epub").write_bytes(b"broken")
    run = shell("read", tmp_path / "kb", folder)
    assert run.code == 1 and "b.epub: no EPUB" in run.err and len(run.err.strip().splitlines()) == 1
    assert kgmm.open(tmp_path / "kb").documents() == []
    (folder / "b.epub").unlink()
    assert shell("read", tmp_path / "kb", folder).code == 0
    assert len(kgmm.open(tmp_path / "kb").documents()) == 1


def test_without_pypdf_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"kgmm\[documents\]"):
        read(".pdf", pdf("a"))


def test_a_chapter_is_read_in_the_encoding_that_it_declares() -> None:
    pages = {
        "a.xhtml": '<?xml version="1.0" encoding="ISO-8859-1"?><html><body><p>Café “Zoë”</p></body></html>'.encode(
            "cp1252"
        ),
        "b.xhtml": '<html><head><meta charset="koi8-r"/></head><body><p>Чайка</p></body></html>'.encode("koi8-r"),
        "c.xhtml": '<?xml version="1.0" encoding="unicode_escape"?><html><body><p>caf\\u00e9 né</p></body></html>'.encode(),
        "d.xhtml": '<?xml version="1.0" encoding="ISO-8859-1"?><html><body><p>né</p></body></html>'.encode("utf-16"),
    }
    document = read(".epub", epub(dict.fromkeys(pages, ""), **{f"OEBPS/{name}": page for name, page in pages.items()}))
    assert document.text.split("\n\n") == ["Café “Zoë”", "Чайка", "caf\\u00e9 né", "né"]


def test_a_chapter_that_cannot_be_read_is_named() -> None:
    page = b"<html>\n<body><p>caf\xe9</p></body></html>"
    with pytest.raises(BadInput, match=r"^file\.epub: chapter 'OEBPS/b\.xhtml', line 2: no text in UTF-8"):
        read(".epub", epub({"a.xhtml": "<p>Well.</p>", "b.xhtml": ""}, **{"OEBPS/b.xhtml": page}))


def test_a_page_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "LARGEST", 1 << 20)
    with pytest.raises(BadInput, match=r"^file\.html: a page of more than 1 MiB; split it$"):
        read(".html", b'<p title="' + b"a" * (1 << 20) + b'">Hello.</p>')


def test_one_long_paragraph_takes_little_memory_and_one_long_word_makes_no_long_passage(tmp_path: Path) -> None:
    paragraph = "the grey tower stands beside a river " * 25_000
    documents = [Document("a", paragraph), Document("b", "x" * 500_000)]
    tracemalloc.start()
    made = [parts(document) for document in documents]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 6 * len(paragraph)
    assert [paragraph[a:b].count(" ") for a, b in made[0][:-1]] == [149] * (len(made[0]) - 1)
    assert all(b - a <= 15_000 for a, b in made[1]) and sum(b - a for a, b in made[1]) == 500_000
