"""PDF: the text of its pages, read by pypdf in a process of its own, which has bounded memory and time."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path, PurePath

from kgmm.documents.formats._text import joined
from kgmm.documents.passage import Document
from kgmm.errors import BadInput, MissingExtra

ENDINGS = (".pdf",)
SECONDS = 60  #: of processor time for a file, and one more for each of its megabytes


def read(data: bytes, source: str) -> list[Document]:
    """Return the file as one document, called by its title; passages end at pages.

    Raises:
        BadInput: if it is no PDF, damaged, encrypted, has no text (a scan), or takes more time or memory than it may.
        MissingExtra: if pypdf is not installed.
    """
    if importlib.util.find_spec("pypdf") is None:
        raise MissingExtra("pypdf", "documents")
    seconds = SECONDS + (len(data) >> 20)
    program = Path(__file__).with_name("_pdf.py")
    command = [sys.executable, "-I", str(program), str(seconds)]
    try:
        run = subprocess.run(command, input=data, capture_output=True, timeout=4 * seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise BadInput(source, f"the PDF takes more than {4 * seconds} s to read") from error
    if run.returncode:
        said = run.stderr.decode("utf-8", "replace").strip().splitlines()
        refused = said[-1] if run.returncode == 1 and said else f"it takes more than {seconds} s or too much memory"
        raise BadInput(source, f"the PDF cannot be read: {refused[:200]}")
    told = json.loads(run.stdout)
    text, pages = joined(told["pages"])
    if not text.strip():
        raise BadInput(source, f"the PDF's {len(told['pages'])} pages hold no text: it may be a scan")
    title = told["title"] or PurePath(source).stem
    return [Document(source, text, title=title, source=source, date=told["date"], breaks=pages, pages=pages)]
