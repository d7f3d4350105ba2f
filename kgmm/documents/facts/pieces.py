"""What patterns are made of: names, lists of names, places, and where one may begin and must end."""

from __future__ import annotations

from kgmm.documents.facts.coded import DATE, NAME, Coded

Triple = tuple[str, str, str]

N, D = NAME, DATE
#: a name that something is stated of begins a sentence or clause
PRE = r"(?:^|(?<=[,;:] )|(?<=^Before )|(?<=^After )|(?<=^When )|(?<=^While )|(?<=^Unlike ))(?:The |the )?"
#: after a name that is an object as a whole
END = (
    r"(?= ?$|[.,;:)]| (?:and|but|in|on|at|as|by|for|from|with|who|which|that|where|until|since|during|after|before|when|while|is|was|are"
    r"|were|has|had|to|under|based|starring|made|he|she|it)\b)"
)
NAMES = rf"(?:the )?{N}(?:, (?:the )?{N})*(?:,? and (?:the )?{N})?{END}"
PLACE = rf"(?:the )?(?:(?:north|south|east|west|central|northern|southern|eastern|western|north-?eastern|north-?western|south-?eastern|south-?western) )?{N}(?:, {N}(?=[.,;:)]| and | on | in |$))*{END}"


def named(sentence: Coded, letters: str) -> list[str]:
    """Return the names that some letters of a code stand for, as they are written."""
    return [sentence.named[c] for c in letters if c in sentence.named]


def place_of(sentence: Coded, letters: str) -> str:
    """Return a place as it is written: ``southern Estonia``, ``Porto, Portugal``."""
    return "".join(sentence.named.get(c, c) for c in letters).removeprefix("the ").strip(" ,")
