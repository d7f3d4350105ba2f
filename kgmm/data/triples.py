"""Files of triples as completion benchmarks release them: three columns, the relation in the middle or first."""

from __future__ import annotations

from pathlib import Path

from kgmm.errors import BadInput
from kgmm.files import read_lines

Triple = tuple[str, str, str]


def read_triples(path: str | Path, head_first: bool | None = None) -> list[Triple]:
    r"""Return (subject, relation, object) of a file's lines, three tab-separated columns and more that are not read.

    Args:
        path: of the file.
        head_first: whether lines are subject, relation, object (FB15k, UMLS …) and not relation, subject, object
            (ConceptNet-100K); by default the columns tell: ends name the same things.

    Raises:
        BadInput: if a line has fewer than three columns or an empty one, or the file has none.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "t.txt"
        >>> _ = path.write_text("IsA\tdog\tanimal\nIsA\tcat\tanimal\n")
        >>> read_triples(path)
        [('dog', 'IsA', 'animal'), ('cat', 'IsA', 'animal')]
    """
    rows: list[Triple] = []
    for number, line in read_lines(path):
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) < 3 or not all(parts[:3]):
            raise BadInput(path, f"expected three columns parted by tabs, got {line.strip()[:80]!r}", number)
        rows.append((parts[0], parts[1], parts[2]))
    if not rows:
        raise BadInput(path, "no triples are there")
    if head_first is None:
        head_first = is_head_first(rows)
    return rows if head_first else [(s, r, o) for r, s, o in rows]


def is_head_first(rows: list[Triple]) -> bool:
    """Tell whether the middle column holds the relations: the first then shares more values with the last, or has more values.

    >>> is_head_first([("rome", "capital", "italy"), ("italy", "in", "europe")])
    True
    """
    first, middle, last = ({row[at] for row in rows} for at in range(3))
    one, two = len(first & last) / len(first), len(middle & last) / len(middle)
    return one > two or (one == two and len(middle) <= len(first))
