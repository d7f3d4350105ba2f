"""Random small stores and random SPARQL queries, and how two engines' answers are compared.

A query is made so that the standard fixes its answer: where a LIMIT cuts, the rows before it are in a total order.
What Oxigraph answers otherwise than the standard is left out of the queries by name, see :data:`LEFT_OUT`, or
compared by value, see :func:`comparable`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import pyoxigraph as ox
from hypothesis import strategies as st

from kgmm.store import Fact, LocalStore
from kgmm.store.rdf.terms import PREFIXES
from kgmm.store.rdf.text import plain
from kgmm.store.sparql.oxigraph import merged
from kgmm.store.sparql.results import ntriples_of
from kgmm.store.sparql.text import bare, chooses_graphs

#: what no query holds, since Oxigraph answers it otherwise than the standard, or the standard leaves it open
LEFT_OUT = {
    "numbers not as Oxigraph spells them (01, 1.50, 2.5E0)": "Oxigraph keeps numbers by value, so that the spelling is lost",
    "the outer value of a variable under a MINUS or subquery inside EXISTS": "SPARQL 1.1 is at odds with itself there",
    "a filter of OPTIONAL nested in another group that names an outer variable": "the standard leaves it unbound",
    "GROUP BY over a pattern without matches": "Oxigraph makes no group where nothing matches",
    "SAMPLE of several values, GROUP_CONCAT without order, RAND, NOW, UUID, BNODE": "any answer is right",
    "LIMIT without a total order": "any rows are right",
    "p|q outside a path of any length": "Oxigraph counts a pair once that the standard counts once for each of the two",
    "<= and >= of any terms": "Oxigraph holds a term that has no order for as large as itself; by the standard an error",
    "FROM of two graphs": "Oxigraph counts a statement of both twice, where the standard merges them",
    "GROUP_CONCAT of empty texts": "Oxigraph writes no separator after texts that are all empty",
    "!(p|^q) outside a path of any length": "Oxigraph counts a pair once that the standard counts once each way",
    "DESCRIBE of a constant with a pattern": "Oxigraph tells nothing where the pattern has no match; that is left open",
    "paths of any length from or to a term that is nowhere in the graph": "a variable there may be any term",
}
XSD = PREFIXES["xsd"]
NODES = ["a", "b", "c", "d"]
RELATIONS = ["p", "q"]
LITERALS = [
    f'"1"^^<{XSD}integer>',
    f'"2"^^<{XSD}integer>',
    f'"-3"^^<{XSD}integer>',
    f'"1.5"^^<{XSD}decimal>',
    f'"2.5"^^<{XSD}double>',
    f'"true"^^<{XSD}boolean>',
    f'"2020-02-29"^^<{XSD}date>',
    f'"2021-06-01T10:20:30Z"^^<{XSD}dateTime>',
    '"Hund"@de',
    '"hound"@en-gb',
    '"dog"',
    '"big dog"',
    '""',
]
GRAPHS = ["facts", "g1", "scene/x"]
_said = st.tuples(
    st.sampled_from(NODES),
    st.sampled_from(RELATIONS),
    st.sets(st.sampled_from([*NODES, *NODES, *LITERALS]), min_size=1, max_size=4).map(sorted),
    st.sets(st.sampled_from(GRAPHS), min_size=1, max_size=2).map(sorted),
    st.sampled_from([(1.0, ""), (2.5, "me")]),
)
facts = st.lists(_said, min_size=1, max_size=12).map(
    lambda said: [
        Fact(s, p, o, w, g, source) for s, p, objects, graphs, (w, source) in said for o in objects for g in graphs
    ]
)


class Asked(NamedTuple):
    """A query, and whether the order of its rows is fixed."""

    text: str
    ordered: bool = False


class _Maker:
    """Makes one query; variables ?v0 … are shared by patterns, ?n0 … are each made once."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw, self.made = draw, 0

    def pick(self, of: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(of))

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) >= 100 - percent)

    def new(self) -> str:
        self.made += 1
        return f"?n{self.made}"

    def variable(self) -> str:
        return str(self.pick(["?v0", "?v1", "?v2", "?v3"]))

    def constant(self) -> str:
        return f"c:{self.pick(NODES)}"

    def literal(self) -> str:
        return str(self.pick(LITERALS))

    def path(self, depth: int = 2) -> str:
        if depth == 0 or self.chance(25):
            return f"r:{self.pick(RELATIONS)}"
        kind = self.pick(["/", "|", "^", "*", "+", "?", "!", "!^"])
        if kind in "/|":
            either = f"({self.path(depth - 1)}{kind}{self.path(depth - 1)})"
            return f"{either}+" if kind == "|" else either
        if kind == "^":
            return f"^({self.path(depth - 1)})"
        if kind == "!":
            return f"!(r:{self.pick(RELATIONS)})"
        if kind == "!^":
            return f"(!(r:{self.pick(RELATIONS)}|^r:{self.pick(RELATIONS)}))+"
        return f"({self.path(depth - 1)}){kind}"

    def triples(self, most: int = 2) -> tuple[str, set[str]]:
        """Return a star, a chain, a cycle or any statements, some with a path; and their variables."""
        shape, size = self.pick(["star", "chain", "cycle", "any"]), self.draw(st.integers(1, most))
        names = [f"?v{i}" for i in range(4)]
        lines, seen = [], set()
        for i in range(size):
            if shape == "star":
                s, o = names[0], names[i + 1]
            elif shape == "chain":
                s, o = names[i], names[i + 1]
            elif shape == "cycle":
                s, o = names[i], names[(i + 1) % size]
            else:
                s, o = self.variable(), self.variable()
            if self.chance(10):
                o = self.literal() if self.chance(30) else self.constant()
            elif self.chance(7):
                s = self.constant()
            if self.chance(20) and not o.startswith('"'):
                p = self.path()
                if "*" in p or "?" in p:
                    s, o = names[i % 4], names[(i + 1) % 4]
            else:
                p = self.variable() if self.chance(12) else f"r:{self.pick(RELATIONS)}"
            lines.append(f"{s} {p} {o} .")
            seen |= {part for part in (s, p, o) if part.startswith("?")}
        return " ".join(lines), seen

    def expression(self, names: list[str], depth: int = 2) -> str:
        """Return any value made of variables and constants."""
        v = self.pick(names) if names else self.literal()
        if depth == 0 or self.chance(20):
            return v if self.chance(70) else self.literal()
        x = self.expression(names, depth - 1)
        y = self.expression(names, depth - 1)
        return str(
            self.pick(
                [
                    f"STR({x})",
                    f"LANG({x})",
                    f"DATATYPE({x})",
                    f"STRLEN(STR({x}))",
                    f"UCASE(STR({x}))",
                    f"LCASE({x})",
                    f"SUBSTR(STR({x}), 2, 2)",
                    f"CONCAT(STR({x}), {y})",
                    f'STRBEFORE(STR({x}), "o")',
                    f'STRAFTER({x}, "o")',
                    f'REPLACE(STR({x}), "[a-g]+", "-")',
                    f"ENCODE_FOR_URI(STR({x}))",
                    f"COALESCE({x}, {y})",
                    f"IF({self.test(names, depth - 1)}, {x}, {y})",
                    f"({x} + {y})",
                    f"({x} - 1)",
                    f"({x} * 2)",
                    f"ABS({x})",
                    f"CEIL({x})",
                    f"FLOOR({x})",
                    f"ROUND({x})",
                    f"YEAR({x})",
                    f"MONTH({x})",
                    f"DAY({x})",
                    f"HOURS({x})",
                    f"SECONDS({x})",
                    f"TZ({x})",
                    f"MD5(STR({x}))",
                    f"SHA1(STR({x}))",
                    f"SHA256(STR({x}))",
                    f"xsd:integer({x})",
                    f"xsd:double({x})",
                    f"xsd:decimal({x})",
                    f"xsd:boolean({x})",
                    f"xsd:string({x})",
                    f'STRLANG(STR({x}), "fr")',
                    f"STRDT(STR({x}), xsd:token)",
                    f"IRI(CONCAT(STR(c:a), STRBEFORE(STR({x}), STR({y}))))",
                ]
            )
        )

    def test(self, names: list[str], depth: int = 2) -> str:
        """Return a condition."""
        v = self.pick(names) if names else self.literal()
        if depth > 0 and self.chance(30):
            x, y = self.test(names, depth - 1), self.test(names, depth - 1)
            return str(self.pick([f"({x} && {y})", f"({x} || {y})", f"(!{x})"]))
        x = self.expression(names, max(depth - 1, 0))
        y = self.expression(names, max(depth - 1, 0))
        listed = f"{self.literal()}, {self.constant()}, {v}"
        return str(
            self.pick(
                [
                    f"BOUND({v})" if v.startswith("?") else "true",
                    f"isIRI({x})",
                    f"isLITERAL({x})",
                    f"isNUMERIC({x})",
                    f"isBLANK({x})",
                    f"({x} = {y})",
                    f"({x} != {y})",
                    f"({x} < {y})",
                    f"({x} > {y})",
                    f"(STRLEN(STR({x})) >= 4)",
                    f"sameTerm({x}, {y})",
                    f"({x} IN ({listed}))",
                    f"({x} NOT IN ({listed}))",
                    f'REGEX(STR({x}), "^[bd].*g$|/[a-c]$", "i")',
                    f'CONTAINS(STR({x}), "o")',
                    f'STRSTARTS(STR({x}), "http")',
                    f'STRENDS(STR({x}), "d")',
                    f'LANGMATCHES(LANG({x}), "*")',
                    f'LANGMATCHES(LANG({x}), "en")',
                    x,
                ]
            )
        )

    def group(self, depth: int, graphs: bool = True) -> tuple[str, set[str]]:
        """Return a group pattern without its braces, and the variables in scope at its end."""
        text, seen = self.triples(depth + 1)
        parts, seen = [text], set(seen)
        for _ in range(self.draw(st.integers(0, 2 if depth else 0))):
            kind = self.pick(
                ["optional", "union", "minus", "filter", "exists", "bind", "values", "select", "graph", "group"]
            )
            if kind == "optional":
                inner, names = self.group(depth - 1, graphs)
                parts.append(f"OPTIONAL {{ {inner} }}")
                seen |= names
            elif kind == "union":
                (left, a), (right, b) = self.group(depth - 1, graphs), self.group(depth - 1, graphs)
                parts.append(f"{{ {left} }} UNION {{ {right} }}")
                seen |= a | b
            elif kind == "minus":
                parts.append(f"MINUS {{ {self.group(depth - 1, graphs)[0]} }}")
            elif kind == "filter":
                parts.append(f"FILTER({self.test(sorted(seen))})")
            elif kind == "exists":
                parts.append(f"FILTER {self.pick(['EXISTS', 'NOT EXISTS'])} {{ {self.inside()} }}")
            elif kind == "bind":
                name = self.new()
                parts.append(f"BIND({self.expression(sorted(seen))} AS {name})")
                seen.add(name)
            elif kind == "values":
                parts.append(self.values())
                seen |= set(re.findall(r"\?v\d", parts[-1]))
            elif kind == "select":
                inner, names = self.subquery(depth - 1, graphs)
                parts.append(f"{{ {inner} }}")
                seen |= names
            elif kind == "graph" and graphs:
                inner, names = self.group(depth - 1, False)
                name = "?g" if self.chance(70) else f"kgmm:{self.pick(['facts', 'g1'])}"
                parts.append(f"GRAPH {name} {{ {inner} }}")
                seen |= names | ({"?g"} if name == "?g" else set())
            else:
                inner, names = self.group(depth - 1, graphs)
                parts.append(f"{{ {inner} }}")
                seen |= names
        return " ".join(parts), seen

    def inside(self) -> str:
        """Return what EXISTS may hold: statements, with a condition on their own variables."""
        text, names = self.triples()
        return f"{text} FILTER({self.test(sorted(names), 1)})" if self.chance(30) else text

    def values(self) -> str:
        names = self.draw(st.lists(st.sampled_from(["?v0", "?v1"]), min_size=1, max_size=2, unique=True))
        rows = []
        for _ in range(self.draw(st.integers(1, 3))):
            cells = ["UNDEF" if self.chance(25) else self.constant() for _ in names]
            rows.append(f"({' '.join(cells)})")
        return f"VALUES ({' '.join(names)}) {{ {' '.join(rows)} }}"

    def subquery(self, depth: int, graphs: bool) -> tuple[str, set[str]]:
        body, names = self.group(max(depth, 0), graphs)
        if self.chance(40):
            key, count = self.pick(sorted(names)), self.new()
            return f"SELECT {key} ({self.aggregate(sorted(names))} AS {count}) {{ {body} }} GROUP BY {key}", {
                key,
                count,
            }
        shown = self.shown(names)
        cut = f" {total(shown)} LIMIT {self.draw(st.integers(0, 4))}" if self.chance(50) else ""
        return f"SELECT DISTINCT {' '.join(shown)} {{ {body} }}{cut}", set(shown)

    def shown(self, names: set[str]) -> list[str]:
        return sorted(self.draw(st.sets(st.sampled_from(sorted(names)), min_size=1, max_size=3)))

    def aggregate(self, names: list[str]) -> str:
        v, each = self.pick(names), "DISTINCT " if self.chance(40) else ""
        return str(
            self.pick(
                [
                    "COUNT(*)",
                    f"COUNT({each}{v})",
                    f"SUM({each}{v})",
                    f"AVG({each}{v})",
                    f"MIN(STR({v}))",
                    f"MAX(STR({v}))",
                    f"SUM({each}STRLEN(STR({v})))",
                    f"STRLEN(GROUP_CONCAT({each}CONCAT('x', STR({v})); separator=', '))",
                ]
            )
        )

    def query(self) -> Asked:
        form = self.pick(["select"] * 5 + ["aggregate"] * 2 + ["ask", "construct", "describe", "from"])
        if form == "from":
            clause = self.pick(
                [
                    "FROM kgmm:facts",
                    "FROM NAMED kgmm:g1 FROM kgmm:g1",
                    "FROM kgmm:facts FROM NAMED kgmm:g1 FROM NAMED <urn:kgmm:scene/x>",
                ]
            )
            body, names = self.group(2)
            return Asked(f"SELECT {' '.join(sorted(names))} {clause} {{ {body} }}")
        body, names = self.group(2)
        if form == "ask":
            return Asked(f"ASK {{ {body} }}")
        if form == "describe":
            where = f"{self.pick(sorted(names))} {{ {body} }}"
            return Asked(f"DESCRIBE {where if self.chance(70) else self.constant()}")
        if form == "construct":
            a, b = self.pick(sorted(names)), self.pick(sorted(names))
            return Asked(f"CONSTRUCT {{ {a} r:made {b} . {b} r:of {a} }} WHERE {{ {body} }}")
        if form == "aggregate":
            keys = self.shown(names)[:2]
            told = [self.new() for _ in range(self.draw(st.integers(1, 2)))]
            counts = " ".join(f"({self.aggregate(sorted(names))} AS {name})" for name in told)
            having = f" HAVING({self.pick(['COUNT(*) > 1', f'COUNT(DISTINCT {keys[0]}) = 1', f'BOUND({keys[0]})'])})"
            text = f"SELECT {' '.join(keys)} {counts} {{ {body} }} GROUP BY {' '.join(keys)}"
            return Asked(text + (having if self.chance(30) else ""))
        shown = self.shown(names)
        distinct = "DISTINCT " if self.chance(30) else ""
        ending, ordered = "", self.chance(35)
        if ordered:
            ending = f" {total(shown, self.pick(['', 'DESC']))}"
            if self.chance(60):
                ending += f" LIMIT {self.draw(st.integers(0, 6))} OFFSET {self.draw(st.integers(0, 3))}"
        return Asked(f"SELECT {distinct}{' '.join(shown)} {{ {body} }}{ending}", ordered)


def total(names: list[str], down: str = "") -> str:
    """Return an ORDER BY that puts any two terms that differ in the same order everywhere."""
    keys = [
        f"{down}({part})" for n in names for part in (f"STR({n})", f"LANG({n})", f"STR(DATATYPE({n}))", f"isIRI({n})")
    ]
    return f"ORDER BY {' '.join(keys)}"


@st.composite
def queries(draw: Callable[[Any], Any]) -> Asked:
    """Return any query."""
    return _Maker(draw).query()


def oxigraph(kb: LocalStore) -> Callable[[str], Any]:
    """Return what asks Oxigraph, in memory, over the same statements that its index of a store holds."""
    database, copies = ox.Store(), merged(kb)
    database.load(b"".join(plain(kb.opened, copies)), ox.RdfFormat.N_QUADS)

    def ask(text: str) -> Any:
        union = not copies and not chooses_graphs(bare(text))
        found = database.query(text, prefixes=PREFIXES, use_default_graph_as_union=union)
        if isinstance(found, ox.QueryBoolean):
            return bool(found)
        if isinstance(found, ox.QuerySolutions):
            return [tuple(ntriples_of(s[n]) for n in range(len(found.variables))) for s in found]
        return [(ntriples_of(t.subject), ntriples_of(t.predicate), ntriples_of(t.object)) for t in found]

    return ask


_NUMBER = re.compile(r'"(.*)"\^\^<http://www\.w3\.org/2001/XMLSchema#(integer|decimal|double)>')


def by_value(term: str | None) -> Any:
    """Return a number as its type and its value to 12 digits: Oxigraph spells it anew, and rounds a quotient at 18."""
    match = _NUMBER.fullmatch(term) if term is not None else None
    if match is None:
        return term
    text = match[1].replace("INF", "Infinity")
    try:
        return f"{match[2]} {Decimal(text).normalize():.12g}" if match[2] != "integer" else f"integer {int(text)}"
    except ArithmeticError:
        return term


def comparable(answer: Any, ordered: bool) -> Any:
    """Return an answer so that equal ones are equal: rows as a multiset, or as they come where the order is fixed."""
    if isinstance(answer, bool):
        return answer
    rows = [tuple(map(by_value, row)) for row in answer]
    return rows if ordered else Counter(rows)
