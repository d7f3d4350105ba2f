"""Two names for one thing: what speaks for it, accepted or undone by whoever looks at it; nothing is merged by itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.store import changes
from kgmm.store.assertion import Assertion
from kgmm.store.facts import Fact, node
from kgmm.store.handle import Handle

SAME = "http://www.w3.org/2002/07/owl#sameAs"
METHOD = "accepted"  #: how an accepted proposal was come by
MOST = 200  #: facts of a concept that are compared
OFTEN = 200  #: concepts with one spelling that are too many to be one thing


@dataclass(frozen=True)
class Same:
    """Two concepts that may be one, how sure that is (0 to 1), and what speaks for and against it, in words."""

    a: str
    b: str
    score: float
    evidence: tuple[str, ...]
    against: tuple[str, ...] = ()


def proposals(store: Handle, least: float = 0.5, limit: int = 100) -> list[Same]:
    """Propose concepts that may be the same thing, the likeliest first.

    Two concepts of one language are compared if their labels have the same letters, but for case and marks, or the same
    lemmas. The score is 0.6 for equal letters, 0.5 for equal lemmas, and up to 0.4 more for the share of facts, by relation
    and other end, that both are in. Different values of a functional relation speak against it: the score is then
    halved. Those that are accepted, or said not to be the same, are not proposed again.

    Args:
        store: where to look.
        least: the least score.
        limit: most proposals.

    Raises:
        BadInput: if *least* or *limit* cannot be.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("t-shirt", "IsA", "garment"), ("t shirt", "IsA", "garment")])
        >>> found = kb.proposals()[0]
        >>> found.a, found.b, found.score, found.evidence
        ('/c/en/t-shirt', '/c/en/t_shirt', 1.0, ('same letters', 'both IsA /c/en/garment'))
    """
    if not 0 <= least <= 1 or limit < 0:
        raise BadInput("proposals", f"least must be from 0 to 1 and limit not negative, they are {least}, {limit}")
    rows, terms = store.opened.snapshot.all(), store.terms
    used = np.union1d(rows.subject, rows.object)
    spelled: dict[tuple[str, str], list[int]] = defaultdict(list)
    lemmas: dict[tuple[str, str], list[int]] = defaultdict(list)
    for term in used.tolist():
        name = terms.name(term)
        parts = name.split("/")
        if not name.startswith("/c/") or len(parts) != 4:
            continue  # senses of a word are told apart on purpose
        label = names.label(name)
        spelled[parts[2], "".join(filter(str.isalnum, label.casefold()))].append(term)
        if parts[2] == "en":
            lemmas[parts[2], _lemmas(label)].append(term)
    decided = _decided(store)
    found: dict[tuple[int, int], Same] = {}
    for groups, start, why in ((spelled, 0.6, "same letters"), (lemmas, 0.5, "same lemmas")):
        for (_, key), group in groups.items():
            if not key or not 1 < len(group) <= OFTEN:
                continue
            for at, a in enumerate(group):
                for b in group[at + 1 :]:
                    pair = (terms.name(a), terms.name(b))
                    if (a, b) not in found and pair not in decided and pair[::-1] not in decided:
                        found[a, b] = _compared(store, a, b, start, why)
    likely = [same for same in found.values() if same.score >= least]
    return sorted(likely, key=lambda same: (-same.score, same.a, same.b))[:limit]


def _lemmas(label: str) -> str:
    from kgmm.language.words import lemma

    return " ".join(lemma(word) for word in label.casefold().replace("-", " ").split())


def _decided(store: Handle) -> set[tuple[str, str]]:
    """Return the pairs about which it is said that they are the same, or that they are not."""
    from kgmm.store.assertions.looking import everything

    number = store.terms.id(SAME)
    if number is None:
        return set()
    if not store.opened.state.said:
        rows = store.opened.find_ids(None, number, None, None)
        pairs = zip(store.terms.names(rows.subject), store.terms.names(rows.object), strict=True)
        return set(pairs)
    said = everything(store)
    live = said.filter((said["predicate"] == SAME) & (said["role"].fill_null("") != "withdrawn"))
    return set(live.select("subject", "object").iter_rows())


def _around(store: Handle, term: int) -> set[tuple[bool, int, int]]:
    """Return a concept's facts as it is in them: whether as subject, the relation, the other end."""
    subjects, objects = (store.opened.find_ids(*ends) for ends in ((term, None, None, None), (None, None, term, None)))
    found = {(True, p, o) for p, o in zip(subjects.predicate[:MOST].tolist(), subjects.object.tolist(), strict=False)}
    return found | {
        (False, p, s) for p, s in zip(objects.predicate[:MOST].tolist(), objects.subject.tolist(), strict=False)
    }


def _compared(store: Handle, a: int, b: int, start: float, why: str) -> Same:
    from kgmm.store.index.sight import functional

    terms = store.terms
    ours, theirs = _around(store, a), _around(store, b)
    shared = sorted(ours & theirs)
    score = start + 0.4 * len(shared) / max(len(ours | theirs), 1)
    evidence, against = [why], []
    for forth, p, other in shared[:3]:
        said = (terms.name(p), terms.name(other))
        evidence.append(f"both {said[0]} {said[1]}" if forth else f"{said[1]} {said[0]} both")
    for p in functional(store.opened):
        values = [{other for forth, q, other in facts if forth and q == p} for facts in (ours, theirs)]
        if values[0] and values[1] and not values[0] & values[1]:
            one, two = (terms.name(min(found)) for found in values)
            against.append(f"{terms.name(p)} {one}, not {two}")
    score = round(score / 2 if against else score, 4)
    return Same(terms.name(a), terms.name(b), score, tuple(evidence), tuple(against))


def accept(store: Handle, a: str | Same, b: str | None = None, *, contributor: str = "", same: bool = True) -> int:
    """Say that two concepts are the same thing, or with ``same=False`` that they are not; return 1 if that is new.

    It is an assertion like any other, of the method ``accepted``: ``kb.remove(a, SAME, b)`` or withdrawing its
    contributor undoes exactly that. The facts of both stay as they are.

    Raises:
        BadInput: if one is no concept, or both are one.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("t-shirt", "IsA", "garment"), ("t shirt", "IsA", "garment")])
        >>> kb.accept(kb.proposals()[0]), kb.proposals()
        (1, [])
    """
    first, second = (a.a, a.b) if isinstance(a, Same) else (a, b)
    if not isinstance(first, str) or not isinstance(second, str):
        raise BadInput("accept", "say which two concepts, or give a proposal")
    try:
        one, two = node(first), node(second)
    except ValueError as error:
        raise BadInput("accept", str(error)) from None
    if one == two:
        raise BadInput("accept", f"{first!r} and {second!r} are one concept already")
    said = Assertion(Fact(one, SAME, two, graph="schema"), contributor, 1 if same else -1, method=METHOD)
    return changes.add(store, said)
