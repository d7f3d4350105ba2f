"""Queries that would take hours or all memory if they were let: two hundred of them, by kind."""

from __future__ import annotations

from kgmm.store import Fact

#: a thousand facts, each of them beside every other in a product
NODES, LINKS = 100, 10


def facts() -> list[Fact]:
    """Return a dense graph, so that walks and products have no end in sight."""
    said = [Fact(f"n{i}", "p", f"n{(i * 7 + j * j + 1) % NODES}") for i in range(NODES) for j in range(LINKS)]
    return [*said, Fact("n0", "label", f'"{"a" * 4000}"')]


def products() -> list[str]:
    """Return 40 cartesian products, plain, counted, ordered, made distinct, joined by inequality or nothing."""
    made = []
    for size in (4, 5, 6, 8, 12):
        body = " . ".join(f"?a{i} ?p{i} ?b{i}" for i in range(size))
        last = f"?b{size - 1}"
        made += [
            f"SELECT (COUNT(*) AS ?n) {{ {body} }}",
            f"SELECT DISTINCT ?a0 {last} {{ {body} FILTER(?a0 != ?a0) }}",
            f"SELECT ?a0 {{ {body} }} ORDER BY {last}",
            f"SELECT (COUNT(DISTINCT {last}) AS ?n) {{ {body} FILTER(STRLEN(STR({last})) > 9999) }}",
            f"SELECT ?a0 (GROUP_CONCAT(STR({last})) AS ?n) {{ {body} }} GROUP BY ?a0",
            f"ASK {{ {body} FILTER(STR(?a0) = CONCAT(STR({last}), 'x')) }}",
            f"CONSTRUCT {{ ?a0 ?p0 {last} }} WHERE {{ {body} FILTER(?a0 = 5) }}",
            f"SELECT * {{ {body} }}",
        ]
    return made


def paths() -> list[str]:
    """Return 40 queries over deep paths and long chains of them."""
    made = []
    for size in (3, 4, 6, 8):
        chain = " . ".join(f"?v{i} r:p* ?v{i + 1}" for i in range(size))
        sequence = "/".join(["r:p"] * size * 4)
        choice = "|".join(["(r:p/r:p)", "r:p", "^r:p"] * size)
        made += [
            f"SELECT (COUNT(*) AS ?n) {{ {chain} }}",
            f"SELECT (COUNT(*) AS ?n) {{ ?a {sequence} ?b }}",
            f"SELECT (COUNT(*) AS ?n) {{ ?a ({choice}) ?b . ?b ({choice}) ?c . ?c ({choice}) ?d }}",
            f"SELECT (COUNT(*) AS ?n) {{ ?a {'(' * size}r:p{')+' * size} ?b . ?c (!r:q)* ?d . ?e r:p* ?f }}",
            f"SELECT ?a {{ ?a (r:p|^r:p)* ?b . ?c (r:p|!r:x)+ ?d . ?e r:p* ?f FILTER(STRLEN(STR(?f)) > {size}) }} ORDER BY ?d",
            f"SELECT (COUNT(*) AS ?n) {{ c:n0 {sequence} ?b . ?b {sequence} ?c }}",
            f"ASK {{ {chain} FILTER(STRLEN(STR(?v{size})) < 0) }}",
            f"SELECT DISTINCT * {{ {chain} }}",
            f"SELECT * {{ {chain} }} ORDER BY DESC(?v{size}) LIMIT 5",
            f"SELECT (COUNT(*) AS ?n) {{ ?a r:p* ?b MINUS {{ ?a r:q* ?b . {chain} . ?w r:p* ?z FILTER(?w != ?z) }} }}",
        ]
    return made


def expressions() -> list[str]:
    """Return 40 regular expressions that take exponential time by backtracking, and texts that grow."""
    made = []
    for pattern in ("(a+)+b$", "(a|a)*b$", "(a*)*c", "(a|aa)+$b", "^(a?){60}a{60}b", "(.*)(.*)(.*)(.*)(.*)(.*)x$"):
        for use in ("REGEX(?l, {})", 'REPLACE(?l, {}, "$1$1$1") = ""', 'REGEX(CONCAT(?l, ?l, ?l, ?l), {}, "i")'):
            made.append(f"SELECT (COUNT(*) AS ?n) {{ ?s r:label ?l . ?a r:p ?b FILTER({use.format(repr(pattern))}) }}")
    for size in (12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 64):
        binds, last = "", "?l"
        for i in range(size):
            binds += f" BIND(CONCAT({last}, {last}) AS ?t{i})"
            last = f"?t{i}"
        made.append(f"SELECT (STRLEN({last}) AS ?n) {{ ?s r:label ?l{binds} }}")
        made.append(f"SELECT (SHA512({last}) AS ?n) {{ ?s r:label ?l{binds} }}")
    return made


def large() -> list[str]:
    """Return 40 queries of up to a megabyte: long lists, texts, names, unions, values."""
    made = []
    for size in (1000, 4000, 10_000, 20_000):
        names = " ".join(f"c:n{i}" for i in range(size))
        made += [
            f"SELECT * {{ VALUES ?x {{ {names} }} ?x r:p ?y . ?y r:p ?z . ?z r:p ?w }}",
            f"SELECT * {{ ?x r:p ?y FILTER(?y IN ({names.replace(' ', ', ')})) }}",
            f"SELECT (COUNT(*) AS ?n) {{ VALUES ?x {{ {names} }} VALUES ?y {{ {names} }} VALUES ?z {{ {names} }} }}",
            f"SELECT * {{ {' UNION '.join(['{ ?x r:p ?y }'] * size)} }}",
            f"SELECT * {{ {' '.join(f'?x r:p ?y{i} .' for i in range(size))} }}",
            f"SELECT * {{ ?x r:p ?y FILTER({' || '.join(f'?x = {i}' for i in range(size))}) }}",
            f'ASK {{ ?x r:p "{"é" * 25 * size}" }}',
            f"SELECT ?{'x' * 25 * size} {{ ?{'x' * 25 * size} r:p ?y }}",
            f"SELECT * {{ ?x <http://e.org/{'y' * 25 * size}> ?y }}",
            f"SELECT * {{ ?x {'|'.join(['r:p'] * size)} ?y . ?y {'/'.join(['r:p'] * size)} ?z }}",
        ]
    return made


def deep() -> list[str]:
    """Return 40 queries that are nested deeply, some of them cut off in the middle."""
    made = []
    for size in (50, 500, 5000, 50_000):
        made += [
            f"SELECT * {{ {'{' * size} ?x r:p ?y {'}' * size} }}",
            f"SELECT * {{ ?x r:p ?y {'OPTIONAL { ?x r:p ?y ' * size}{'}' * size} }}",
            f"SELECT * {{ ?x r:p ?y FILTER({'(' * size}?x{')' * size} = 1) }}",
            f"SELECT * {{ ?x r:p ?y FILTER({'!' * size}?x) }}",
            f"SELECT * {{ ?x {'(' * size}r:p{')+' * size} ?y }}",
            f"SELECT * {{ {'{ SELECT * ' * size} {{ ?x r:p ?y }} {'}' * size} }}",
            f"SELECT * {{ ?x r:p ?y {'FILTER NOT EXISTS { ?x r:p ?y ' * size}{'}' * size} }}",
            f"SELECT * {{ ?x r:p ?y {'MINUS { ?x r:p ?y ' * size}{'}' * size} }}",
            f"SELECT * {{ ?x r:p {'[ r:p ' * size}?y{' ]' * size} }}",
            f"SELECT * {{ {'{' * size}",
        ]
    return made


def all_queries() -> list[str]:
    """Return the two hundred."""
    return products() + paths() + expressions() + large() + deep()
