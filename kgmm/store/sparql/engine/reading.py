"""The parts of SPARQL's grammar below patterns: terms, property paths and expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

from kgmm.store.sparql.engine.algebra import LANG_STRING, RDF, XSD, Iri, Lit, Unsupported, Var, balanced
from kgmm.store.sparql.engine.limits import TooDeep
from kgmm.store.sparql.engine.tokens import Token, tokens

DEEPEST = 200  #: how deep a query may be nested
AGGREGATES = ("COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT")
FUNCTIONS = frozenset(
    "STR LANG LANGMATCHES DATATYPE BOUND IRI URI BNODE RAND ABS CEIL FLOOR ROUND CONCAT STRLEN UCASE LCASE ENCODE_FOR_URI "
    "CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER YEAR MONTH DAY HOURS MINUTES SECONDS TIMEZONE TZ NOW UUID STRUUID MD5 "
    "SHA1 SHA256 SHA384 SHA512 COALESCE IF STRLANG STRDT SAMETERM ISIRI ISURI ISBLANK ISLITERAL ISNUMERIC REGEX SUBSTR "
    "REPLACE TRIPLE SUBJECT PREDICATE OBJECT ISTRIPLE".split()
)
_CHARACTERS = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_COMPARED = ("=", "!=", "<", ">", "<=", ">=")


class Reader:
    """A place in a query's words; *check* is called now and then, and may end the reading."""

    def __init__(self, text: str, prefixes: dict[str, str], check: Callable[[], None], base: str = "") -> None:
        self.words = tokens(text, check)
        self.check = check
        self.at = 0
        self.prefixes = dict(prefixes)
        self.base = base
        self.depth = 0
        self.fresh = 0
        #: aggregates of the query level read now, by the variable that stands for each; None where there may be none
        self.aggregates: dict[str, tuple[str, bool, Any, str]] | None = None

    # words

    @property
    def word(self) -> Token:
        """Return the word here."""
        return self.words[self.at]

    def keyword(self) -> str:
        """Return the word here in capitals if it is one, else an empty string."""
        word = self.words[self.at]
        return word.text.upper() if word.kind == "word" else ""

    def step(self) -> Token:
        """Move over a word and return it; Unsupported where the query has ended."""
        word = self.words[self.at]
        if word.kind == "end":
            raise Unsupported("the query ends too early")
        self.at += 1
        if not self.at & 255:
            self.check()
        return word

    def take(self, *texts: str) -> str:
        """Move over a mark or keyword if it is here; return it, else an empty string."""
        word = self.words[self.at]
        text = word.text.upper() if word.kind == "word" else word.text if word.kind == "mark" else ""
        if text and text in texts:
            self.at += 1
            return text
        return ""

    def need(self, *texts: str) -> str:
        """Move over a mark or keyword; Unsupported if it is not here."""
        return self.take(*texts) or self.fail(" or ".join(texts))

    def fail(self, wanted: str) -> Any:
        """Raise Unsupported: something else is wanted here."""
        raise Unsupported(f"expected {wanted}, found {self.word.text[:40]!r}")

    def new(self, kind: str) -> str:
        """Return the name of a variable that no query can write."""
        self.fresh += 1
        return f".{kind}{self.fresh}"

    def deeper(self) -> None:
        """Count a level of nesting; TooDeep where there are too many."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise TooDeep

    # terms

    def iri(self) -> Iri:
        """Return the IRI here."""
        word = self.step()
        if word.kind == "iri":
            text = _unescaped(word.text[1:-1])
            if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
                if not self.base:
                    raise Unsupported("a relative IRI without BASE")
                relative, text = text, urljoin(self.base, text)
                if relative.endswith("#") and not text.endswith("#"):
                    text += "#"  # which urljoin drops
            return Iri(text)
        if word.kind == "pname":
            prefix, _, local = word.text.partition(":")
            if prefix not in self.prefixes:
                raise Unsupported(f"the prefix {prefix}: is not declared")
            return Iri(self.prefixes[prefix] + re.sub(r"\\(.)", r"\1", local))
        self.at -= 1
        raise Unsupported(f"expected an IRI, found {word.text[:40]!r}")

    def variable(self) -> Var:
        """Return the variable here."""
        word = self.step()
        if word.kind != "var":
            self.at -= 1
            self.fail("a variable")
        return Var(word.text[1:])

    def literal(self) -> Lit | None:
        """Return the literal that is here, or None."""
        word = self.word
        if word.kind in ("string", "long"):
            self.at += 1
            size = 3 if word.kind == "long" else 1
            text = _unescaped(word.text[size:-size])
            if self.word.kind == "lang":
                return Lit(text, LANG_STRING, self.step().text[1:].lower())
            return Lit(text, self.iri().text) if self.take("^^") else Lit(text)
        if word.kind in ("integer", "decimal", "double"):
            self.at += 1
            return Lit(word.text, XSD + word.kind)
        if word.text in ("+", "-") and self.words[self.at + 1].kind in ("integer", "decimal", "double"):
            self.at += 2
            number = self.words[self.at - 1]
            return Lit(word.text + number.text, XSD + number.kind)
        if self.keyword() in ("TRUE", "FALSE"):
            return Lit(self.step().text.lower(), f"{XSD}boolean")
        return None

    # property paths

    def path(self) -> Any:
        """Return the property path here."""
        self.deeper()
        found = [self._sequence()]
        while self.take("|"):
            found.append(self._sequence())
        self.depth -= 1
        return balanced(lambda a, b: ("|", a, b), found)

    def _sequence(self) -> Any:
        found = [self._step()]
        while self.take("/"):
            found.append(self._step())
        return balanced(lambda a, b: ("/", a, b), found)

    def _step(self) -> Any:
        turned = bool(self.take("^"))
        if self.take("("):
            found = self.path()
            self.need(")")
        elif self.take("!"):
            found = self._negated()
        else:
            found = self.verb()
        if self.word.text in ("*", "+", "?") and self.word.kind == "mark":
            found = (self.step().text, found)
        return ("^", found) if turned else found

    def verb(self) -> Iri:
        """Return the predicate here, an IRI or ``a``."""
        return Iri(f"{RDF}type") if self.word.kind == "word" and self.word.text == "a" and self.step() else self.iri()

    def _negated(self) -> Any:
        ahead: list[Iri] = []
        back: list[Iri] = []
        if not self.take("("):
            (back if self.take("^") else ahead).append(self.verb())
        elif not self.take(")"):
            while True:
                (back if self.take("^") else ahead).append(self.verb())
                if self.need("|", ")") == ")":
                    break
        forward, backward = ("!", frozenset(ahead)), ("^", ("!", frozenset(back)))
        return ("|", forward, backward) if ahead and back else backward if back else forward

    # expressions

    def expression(self) -> Any:
        """Return the expression here."""
        self.deeper()
        found = [self._and()]
        while self.take("||"):
            found.append(self._and())
        self.depth -= 1
        return balanced(lambda a, b: ("or", a, b), found)

    def _and(self) -> Any:
        found = [self._compared()]
        while self.take("&&"):
            found.append(self._compared())
        return balanced(lambda a, b: ("and", a, b), found)

    def _compared(self) -> Any:
        found = self._sum()
        if operator := self.take(*_COMPARED):
            return (operator, found, self._sum())
        if self.keyword() in ("IN", "NOT"):
            negative = self.take("NOT")
            self.need("IN")
            found = ("in", found, *self.arguments())
            return ("not", found) if negative else found
        return found

    def _sum(self) -> Any:
        found = self._product()
        while self.word.text in "+-" and self.word.kind == "mark":
            found = (self.step().text, found, self._product())
        return found

    def _product(self) -> Any:
        found = self._unary()
        while operator := self.take("*", "/"):
            found = (operator, found, self._unary())
        return found

    def _unary(self) -> Any:
        if self.take("!"):
            return ("not", self._unary())
        after = self.words[self.at + 1]
        if (
            self.word.text in "+-"
            and self.word.kind == "mark"
            and (after.spaced or after.kind not in ("integer", "decimal", "double"))
        ):
            return ("negative" if self.step().text == "-" else "positive", self._unary())
        return self._primary()

    def _primary(self) -> Any:
        if self.take("("):
            found = self.expression()
            self.need(")")
            return found
        if self.word.kind == "var":
            return self.variable()
        if (literal := self.literal()) is not None:
            return literal
        if self.take("<<("):
            parts = (
                self._quotable(),
                Var(self.step().text[1:]) if self.word.kind == "var" else self.verb(),
                self._quotable(),
            )
            self.need(")>>")
            return ("TRIPLE", *parts)
        name = self.keyword()
        if name in ("EXISTS", "NOT"):
            negative = self.take("NOT")
            self.need("EXISTS")
            found = ("exists", self.group())
            return ("not", found) if negative else found
        if name in AGGREGATES:
            return self._aggregate()
        if name in FUNCTIONS:
            self.at += 1
            return (name, *self.arguments())
        iri = self.iri()
        if self.word.text == "(":
            return ("cast", iri, *self.arguments())
        return iri

    def _quotable(self) -> Any:
        """Return a part of a triple term in an expression."""
        return self._primary() if self.word.kind == "var" or self.word.text == "<<(" else self.literal() or self.iri()

    def group(self) -> Any:
        """Return the graph pattern in braces that is here."""
        raise NotImplementedError

    def arguments(self) -> list[Any]:
        """Return the expressions in brackets here."""
        self.need("(")
        found: list[Any] = []
        if self.take(")"):
            return found
        if self.keyword() == "DISTINCT":
            raise Unsupported("DISTINCT in a function's arguments")
        while True:
            found.append(self.expression())
            if self.need(",", ")") == ")":
                return found

    def _aggregate(self) -> Var:
        name = self.step().text.upper()
        if self.aggregates is None:
            raise Unsupported(f"{name} may not stand here")
        self.need("(")
        distinct = bool(self.take("DISTINCT"))
        kept, self.aggregates = self.aggregates, None  # none within another
        of = None if name == "COUNT" and self.take("*") else self.expression()
        self.aggregates = kept
        separator = " "
        if self.take(";"):
            self.need("SEPARATOR")
            self.need("=")
            literal = self.literal()
            separator = literal.text if literal is not None else self.fail("a string")
        self.need(")")
        one = (name, distinct, of, separator)
        for known, other in self.aggregates.items():
            if other == one:
                return Var(known)
        variable = self.new("agg")
        self.aggregates[variable] = one
        return Var(variable)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    if code := match[1] or match[2]:
        return chr(int(code, 16))
    if match[3] not in _CHARACTERS:
        raise Unsupported(f"{match[0]!r} is no escape")
    return _CHARACTERS[match[3]]
