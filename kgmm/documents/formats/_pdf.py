"""The program that reads a PDF: the file on its input, its pages' text as JSON on its output.

Run as a file by :mod:`kgmm.documents.formats.pdf`, not as part of kgmm: a PDF may loop and swell; here it has bounded time
and memory.
"""

import io
import json
import re
import resource
import sys

MEMORY = 2 << 30  #: bytes it may have
LETTERS = 200_000_000  #: of all pages at most


def said(data: bytes) -> dict[str, object]:
    """Return the pages' text, title and date; ValueError says why not."""
    from pypdf import PdfReader

    file = PdfReader(io.BytesIO(data), strict=False)
    if file.is_encrypted and not file.decrypt(""):
        raise ValueError("it is encrypted")
    pages, total = [], 0
    for page in file.pages:
        text = page.extract_text().encode("utf-8", "replace").decode("utf-8").replace("\0", "")
        text = re.sub(r"(?<=[a-z])[-\u00ad]\n(?=[a-z])", "", text)  # a word parted at the end of a line
        total += len(text)
        if total > LETTERS:
            raise ValueError(f"it has more than {LETTERS:,} letters")
        pages.append(text.strip())
    about: dict[str, object] = dict(file.metadata or {})
    title = str(about.get("/Title") or "")
    date = re.match(r"D:(\d{4})(\d\d)?(\d\d)?", str(about.get("/CreationDate") or ""))
    when = "-".join(part for part in date.groups() if part) if date else ""
    return {"pages": pages, "title": " ".join(title.encode("utf-8", "replace").decode("utf-8").split()), "date": when}


def main(seconds: int) -> int:
    """Read within seconds of processor time; return the exit code: 1 and a line why if it cannot be read."""
    import logging

    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        found = said(sys.stdin.buffer.read())
    except MemoryError:
        return 2
    except RecursionError:
        sys.stderr.write("it is nested too deep")
        return 1
    except Exception as error:
        sys.stderr.write(" ".join(str(error).split())[:200] or type(error).__name__)
        return 1
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
