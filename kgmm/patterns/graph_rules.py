"""``kb.rules()``: what the facts of a store keep to, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from kgmm.errors import KgmmError
from kgmm.patterns.horn import Atoms, bodies
from kgmm.patterns.named_ends import named_rules
from kgmm.progress import Progress, silent

if TYPE_CHECKING:
    from kgmm.store import LocalStore

SCHEMA: dict[str, Any] = {
    "rule": pl.String,
    "head": pl.String,
    "body": pl.List(pl.String),
    "support": pl.Int64,
    "body_size": pl.Int64,
    "head_coverage": pl.Float64,
    "confidence": pl.Float64,
    "pca_confidence": pl.Float64,
    "exceptions": pl.Int64,
    "exception": pl.String,
}


def graph_rules(
    store: LocalStore,
    max_atoms: int = 3,
    min_support: int = 10,
    *,
    min_confidence: float = 0.1,
    min_head_coverage: float = 0.01,
    relations: Sequence[str] | None = None,
    heads: Sequence[str] | None = None,
    graphs: Sequence[str] | None = None,
    constants: bool = False,
    progress: Progress = silent,
) -> pl.DataFrame:
    """Return the rules that a store's facts keep to, the surest first: ``IsA(x, z) ∧ UsedFor(z, y) ⇒ UsedFor(x, y)``.

    Bodies are one atom over x and y, either way; two such atoms; and paths of two atoms over z, each either way. A rule
    is counted as SPARQL would: over distinct pairs (x, y), which may be equal. With *constants* also rules whose second
    ends are named, ``IsA(x, dog) ⇒ CapableOf(x, bark)``, counted over distinct x.

    Args:
        store: whose facts.
        max_atoms: atoms of head and body together, 2 or 3.
        min_support: pairs (x, y) that body and head join at least.
        min_confidence: least share of the body's pairs that the head joins, of those whose x is a subject of the head's
            relation (PCA confidence, AMIE).
        min_head_coverage: least share of the head's facts that the rule gives (with named ends: of all facts of its relation).
        relations: that atoms may have; all by default.
        heads: relations that are to be implied; all by default.
        graphs: named graphs whose facts count; all but scenes and stories by default.
        constants: look for rules with named ends as well; their *min_head_coverage* is not asked for.
        progress: told of bodies.

    Returns:
        A table: ``rule``; ``head`` and ``body`` (a list), atoms as text; ``support``; ``body_size``, pairs that the body
        joins; ``head_coverage``; ``confidence``; ``pca_confidence``; ``exceptions``, pairs of the body whose x is a subject of
        the head's relation, but not with this y, and ``exception``, one of them ("" if there is none).

    Raises:
        KgmmError: if a number makes no sense, a relation is unknown, or paths would take too long (which names the relations
            that may be left out).

    Source: Galárraga, Teflioudi, Hose, Suchanek, *AMIE*, WWW 2013; with named ends Meilicke et al., *AnyBURL*, IJCAI 2019.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> capitals = [("rome", "CapitalOf", "italy"), ("paris", "CapitalOf", "france")]
        >>> _ = kb.add(capitals + [(c, "PartOf", s) for c, _, s in capitals] + [("pisa", "PartOf", "italy")])
        >>> kb.rules(2, 2).select("rule", "support", "pca_confidence").rows()[0]
        ('CapitalOf(x, y) ⇒ PartOf(x, y)', 2, 1.0)
    """
    _check(max_atoms, min_support, min_confidence, min_head_coverage)
    known = Atoms.of(store, graphs, relations)
    for name in (*(relations or ()), *(heads or ())):
        if name not in known.relations:
            raise KgmmError(f"no fact has the relation {name!r}, which rules were to have")
    size = np.bincount(known.relation, minlength=len(known.relations)).tolist()
    wanted = [r for r, name in enumerate(known.relations) if heads is None or name in heads]
    found: list[dict[str, Any]] = []

    def keep(counts: tuple[int, int, int], relation: int, least: float, **told: Any) -> None:
        support, pairs, known_pairs = counts
        coverage, sure = support / size[relation], support / known_pairs if known_pairs else 0.0
        if support >= min_support and sure >= min_confidence and coverage >= least:
            rule = f"{' ∧ '.join(told['body'])} ⇒ {told['head']}"
            row = {"rule": rule, "support": support, "body_size": pairs, "head_coverage": coverage}
            row |= {"confidence": support / pairs, "pca_confidence": sure, "exceptions": known_pairs - support}
            found.append(row | told)

    for body in bodies(known, max_atoms, progress):
        for head in wanted:
            atom = (head, False, "xy")
            if body.support[head] < min_support or atom in body.atoms:  # the head itself is no reason
                continue
            pair = known.terms[body.against[head]] if body.against[head, 0] >= 0 else ()
            counts = int(body.support[head]), body.pairs, int(body.known[head])
            told = {"head": known.said(atom), "body": [known.said(a) for a in body.atoms]}
            keep(counts, head, min_head_coverage, exception=", ".join(store.terms.names(pair)), **told)
    if constants:
        for rule in named_rules(store, known, max_atoms, min_support):
            if rule.relation in wanted:
                counts = rule.support, rule.body_size, rule.known
                keep(counts, rule.relation, 0.0, head=rule.head, body=rule.body, exception=rule.exception)
    frame = pl.DataFrame(found, SCHEMA) if found else pl.DataFrame(schema=SCHEMA)
    return frame.sort("pca_confidence", "support", "rule", descending=[True, True, False])


def _check(max_atoms: int, min_support: int, min_confidence: float, min_head_coverage: float) -> None:
    if max_atoms not in (2, 3):
        raise KgmmError(f"rules have two or three atoms, not {max_atoms!r}")
    if isinstance(min_support, bool) or not isinstance(min_support, int) or min_support < 1:
        raise KgmmError(f"a least support is a number of pairs from 1 up, not {min_support!r}")
    for name, value in (("confidence", min_confidence), ("head coverage", min_head_coverage)):
        if not 0 <= value <= 1:
            raise KgmmError(f"a least {name} lies between 0 and 1, not {value!r}")
