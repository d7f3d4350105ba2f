"""Questions about coloured shapes to programs: easy-vqa's by their words, CLEVR-like ones by recursive descent.

Every rule of the generator's English starts with words that no other starts with, so a question has one reading,
however long it is.
"""

import re

from kgmm.errors import KgmmError
from kgmm.nn.program import Program, ProgramStep
from kgmm.reason.visual.worlds import ATTRIBUTES, COLOURS, EASY_COLOURS, EASY_SHAPES, JOINED, RELATIONS, SHAPES, SIZES

_COMPARED = {
    "are there more": ("greater", "than"),
    "are there fewer": ("less", "than"),
    "are there as many": ("equal", "as"),
}
_AMONG = "a thing among the"


def read_question(question: str) -> tuple[str, Program]:
    """Return the data set in whose English a question is, and its program.

    Raises:
        KgmmError: if it is in neither's; the message says what easy-vqa's grammar lacks.

    Example:
        >>> read_question("how many stars are there?")[0], read_question("is there a red shape?")[0]
        ('clevr', 'easy-vqa')
    """
    try:
        return "clevr", clevr_program(question)
    except KgmmError:
        return "easy-vqa", easy_program(question)


def easy_program(question: str) -> Program:
    """Parse an easy-vqa question by its grammar.

    Raises:
        KgmmError: if the question is not of that grammar.

    Example:
        >>> [(s.function, s.argument) for s in easy_program("is there not a blue shape?")]
        [('find', 'blue'), ('absent', '')]
    """
    words = re.findall(r"[a-z]+", question.lower().replace("grey", "gray").replace("colour", "color"))
    named = [w for w in words if w in EASY_COLOURS or w in EASY_SHAPES]
    find = ProgramStep("find", named[0] if named else "")
    if len(named) > 1 or not words:
        raise KgmmError(f"cannot read {question!r}: ask for one colour or one shape")
    if words[0] == "what":
        asks_colour = "color" in words or (bool(named) and named[0] in EASY_SHAPES)
        return find, ProgramStep("query", "colour" if asks_colour else "shape", (0,))
    if not named:
        raise KgmmError(f"cannot read {question!r}: it names no colour and no shape")
    negated = "not" in words or "no" in words
    return find, ProgramStep("absent" if negated else "exist", "", (0,))


def clevr_program(question: str) -> Program:
    """Return the program that a question asks for.

    Raises:
        KgmmError: if the question is not of the generator's English; the message names the place.

    Example:
        >>> [(s.function, s.argument) for s in clevr_program("how many things left of a thing among the stars are there?")]
        [('find', 'star'), ('relate', 'left_of'), ('count', '')]
    """
    reader = _Reader(question)
    for opening, (how, between) in _COMPARED.items():
        if reader.take(opening):
            a = reader.add("count", "", reader.objects())
            reader.need(between)
            b = reader.add("count", "", reader.objects())
            reader.add(how, "", a, b)
            return reader.finish()
    if reader.take("how many"):
        found = reader.objects()
        reader.need("are there")
        reader.add("count", "", found)
    elif reader.take("are there any"):
        reader.add("exist", "", reader.objects())
    elif reader.take("what is the"):
        attribute = reader.one_of(tuple(ATTRIBUTES))
        reader.need("of the")
        reader.add("query", attribute, reader.objects())
    else:
        raise reader.unreadable("a question's opening")
    return reader.finish()


class _Reader:
    """Words still to read, and the steps read so far."""

    def __init__(self, question: str) -> None:
        self.question = question
        self.words = re.findall(r"[a-z]+", question.lower().replace("color", "colour").replace("_", " "))
        self.at = 0
        self.steps: list[ProgramStep] = []

    def take(self, text: str) -> bool:
        """Read words if they come next."""
        wanted = text.split()
        if self.words[self.at : self.at + len(wanted)] != wanted:
            return False
        self.at += len(wanted)
        return True

    def need(self, text: str) -> None:
        if not self.take(text):
            raise self.unreadable(repr(text))

    def one_of(self, words: tuple[str, ...]) -> str:
        for word in words:
            if self.take(word.replace("_", " ")):
                return word
        raise self.unreadable(f"one of {', '.join(words)}")

    def add(self, function: str, argument: str, *inputs: int) -> int:
        self.steps.append(ProgramStep(function, argument, inputs))
        return len(self.steps) - 1

    def objects(self) -> int:
        """Read a set of objects; return the number of the step that gives it."""
        for how, (first, second) in JOINED.items():
            if self.take(first):
                a = self.objects()
                self.need(second)
                return self.add(how, "", a, self.objects())
        if self.take("things"):
            return self._related()
        for shape in SHAPES:
            if self.take(f"{shape}s"):
                return self.add("find", shape)
        word = self.one_of((*COLOURS, *SIZES, *SHAPES))
        if word not in SHAPES and self.take("things"):
            return self.add("find", word)
        self.need("ones among the")
        return self.add("filter", word, self.objects())

    def _related(self) -> int:
        """Read what follows "things": a relation, an attribute in common, or nothing."""
        if self.take("of the same"):
            attribute = self.one_of(tuple(ATTRIBUTES))
            self.need(f"as {_AMONG}")
            return self.add("same", attribute, self.objects())
        for relation in RELATIONS:
            if self.take(f"{relation.replace('_', ' ')} {_AMONG}"):
                return self.add("relate", relation, self.objects())
        return self.add("find", "")

    def finish(self) -> Program:
        if self.at < len(self.words):
            raise self.unreadable("the end")
        return tuple(self.steps)

    def unreadable(self, wanted: str) -> KgmmError:
        rest = " ".join(self.words[self.at : self.at + 6])
        return KgmmError(f"cannot read {self.question!r}: expected {wanted} at {rest!r}")


def tokens(text: str) -> list[str]:
    """Split a question into words, ``left_of`` staying apart."""
    return re.findall(r"[a-z0-9]+", text.lower().replace("_", " "))
