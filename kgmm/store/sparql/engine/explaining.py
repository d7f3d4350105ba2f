"""What a query took, step by step: the plan as it was carried out, estimates beside true rows, seconds.

>>> print(kb.sparql("SELECT ?a { ?a r:IsA c:tool }", explain=True))                # doctest: +SKIP
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kgmm.store.sparql.engine.algebra import (
    Blank,
    Extend,
    Filter,
    GraphOf,
    Group,
    Iri,
    LeftJoin,
    Lit,
    Node,
    OrderBy,
    Project,
    Slice,
    Values,
    Var,
)
from kgmm.store.sparql.engine.context import Context, Scope
from kgmm.store.sparql.engine.evaluating import Evaluation
from kgmm.store.sparql.engine.table import Table
from kgmm.store.sparql.results import Result

_NAMES = {"LeftJoin": "OPTIONAL", "Union": "UNION", "Minus": "MINUS", "Bgp": "patterns", "Join": "join"}
_NAMES |= {"Filter": "FILTER", "Extend": "BIND", "GraphOf": "GRAPH", "Values": "VALUES", "Group": "GROUP BY"}
_NAMES |= {"OrderBy": "ORDER BY", "Project": "project", "Distinct": "DISTINCT", "Slice": "slice"}


@dataclass
class Step:
    """A part of a plan: what it is, the rows it gave, how many were expected (None: nobody asked), its seconds with its parts'.

    Parts of a basic graph pattern stand in the order that was chosen for its joins.
    """

    step: str
    rows: int = 0
    estimate: float | None = None
    seconds: float = 0.0
    parts: list[Step] = field(default_factory=list)

    def part(self, step: str) -> Step:
        """Return the part of a name, a new one if there is none."""
        found = next((part for part in self.parts if part.step == step), None)
        if found is None:
            self.parts.append(found := Step(step))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the step as JSON takes it."""
        about = {"step": self.step, "estimate": self.estimate, "rows": self.rows, "seconds": round(self.seconds, 6)}
        return {**about, "parts": [part.to_dict() for part in self.parts]}


@dataclass
class Plan:
    """How a query was answered: the plan's root, seconds of reading and of it all, and the answer."""

    root: Step
    reading: float
    seconds: float
    result: Result

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON takes it, without the answer."""
        return {"seconds": round(self.seconds, 6), "reading": round(self.reading, 6), "plan": self.root.to_dict()}

    def __str__(self) -> str:
        lines = [f"{'estimate':>12} {'rows':>12} {'ms':>10}  step"]

        def add(step: Step, depth: int) -> None:
            estimate = "" if step.estimate is None else f"{step.estimate:,.0f}"
            lines.append(f"{estimate:>12} {step.rows:>12,} {step.seconds * 1e3:>10,.2f}  {'  ' * depth}{step.step}")
            for part in step.parts:
                add(part, depth + 1)

        add(self.root, 0)
        return "\n".join([*lines, f"read in {self.reading * 1e3:,.2f} ms, all in {self.seconds * 1e3:,.2f} ms"])


class Explained(Evaluation):
    """An evaluation that keeps what each pattern took."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.root = Step("query")
        self._here = self.root

    def plan(self) -> Step:
        """Return the plan's root, once the query is answered."""
        return self.root.parts[0] if len(self.root.parts) == 1 else self.root

    def solutions(self, node: Node, seed: Table, scope: Scope) -> Iterator[Table]:
        """Yield the join of solutions with a pattern's, and count."""
        mine = self._here.part(_label(node))
        joins: list[dict[str, Any]] = []
        found = super().solutions(node, seed, scope)
        try:
            while True:
                outer, self._here = self._here, mine
                steps, self.context.steps = self.context.steps, joins
                begun = time.perf_counter()
                try:
                    table = next(found, None)
                finally:
                    mine.seconds += time.perf_counter() - begun
                    self._here, self.context.steps = outer, steps
                if table is None:
                    return
                mine.rows += table.size
                yield table
        finally:
            for told in joins:
                step = mine.part(told["step"])
                step.estimate = (step.estimate or 0.0) + told["estimate"]
                step.rows += told["rows"]
                step.seconds += told["seconds"]


def _label(node: Node) -> str:
    name = type(node).__name__
    return " ".join([_NAMES.get(name, name), *_about(node)]).strip()


def _about(node: Node) -> Iterator[str]:
    match node:
        case Filter():
            yield shown(node.expr)
        case LeftJoin() if node.expr is not None:
            yield f"if {shown(node.expr)}"
        case Extend():
            yield f"{shown(node.expr)} AS ?{node.name}"
        case GraphOf():
            yield shown(node.name)
        case Values():
            yield " ".join(f"?{name}" for name in node.names)
        case Group():
            yield " ".join(f"?{name}" for name, _ in node.keys)
        case OrderBy():
            yield " ".join(f"DESC({shown(expr)})" if down else shown(expr) for expr, down in node.keys)
        case Project():
            yield " ".join(f"?{name}" for name in node.names)
        case Slice():
            yield f"{node.offset} to {'the end' if node.limit is None else node.offset + node.limit}"


def shown(expr: Any) -> str:
    """Return an expression as a person reads it.

    >>> shown((">", Var("w"), ("+", Lit("1"), Var("x"))))
    '(?w > ("1" + ?x))'
    """
    if isinstance(expr, Var):
        return f"?{expr.name}"
    if isinstance(expr, Iri):
        return f"<{expr.text}>"
    if isinstance(expr, Lit | Blank):
        return f'"{expr.text}"'
    if isinstance(expr, Node):
        return "{ … }"
    name, *parts = expr
    texts = [shown(part) for part in parts]
    if len(texts) == 2 and not str(name).isupper():
        return f"({texts[0]} {name} {texts[1]})"
    return f"{name}({', '.join(texts)})"
