"""How two facts are asked for in one question: what a step leads to is described, then asked about."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from kgmm.language.phrase import sentence
from kgmm.language.relations import RELATIONS

#: relation → how its object is described given {x}, its subject given {x}; how each is asked for. Other relations, and
#: these as well, are said as the table of relations says them.
SAID: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "UsedFor": (
        ("the purpose of {x}", "what one uses {x} for"),
        ("what one uses for {x}", "a tool for {x}"),
        ("What is {x} used for?", "What can one use {x} for?"),
        ("What is used for {x}?", "What does one use for {x}?"),
    ),
    "IsA": (
        ("the kind of thing that {x} is", "the class that {x} belongs to"),
        ("an example of {x}", "a kind of {x}"),
        ("What kind of thing is {x}?", "Which class does {x} belong to?"),
        ("What is a kind of {x}?", "What is an example of {x}?"),
    ),
    "AtLocation": (
        ("the place where {x} is usually found", "where one finds {x}"),
        ("what one finds at {x}", "what is usually found in {x}"),
        ("Where is {x} usually found?", "In which place does one find {x}?"),
        ("What is usually found in {x}?", "What does one find at {x}?"),
    ),
    "CapableOf": (
        ("what {x} is able to do", "the act that {x} is capable of"),
        ("what is able to {x}", "what is capable of {x}"),
        ("What can {x} do?", "What is {x} capable of?"),
        ("What is capable of {x}?", "What can do {x}?"),
    ),
    "HasA": (
        ("something that {x} has", "what {x} comes with"),
        ("something that comes with {x}", "the owner of {x}"),
        ("What does {x} have?", "What does {x} come with?"),
        ("What has {x}?", "What comes with {x}?"),
    ),
    "PartOf": (
        ("the whole that {x} belongs to", "the thing whose part is {x}"),
        ("a part of {x}", "a piece that {x} consists of"),
        ("What is {x} part of?", "To what whole does {x} belong?"),
        ("What is part of {x}?", "Of what part does {x} consist?"),
    ),
    "MadeOf": (
        ("the material of {x}", "the stuff that {x} consists of"),
        ("something made from {x}", "what consists of {x}"),
        ("What is {x} made of?", "From which material is {x}?"),
        ("What is made of {x}?", "What consists of {x}?"),
    ),
    "HasProperty": (
        ("a property of {x}", "the way {x} is"),
        ("something known to be {x}", "what has the property {x}"),
        ("What property does {x} have?", "How can {x} be described?"),
        ("What is known to be {x}?", "What has the property {x}?"),
    ),
    "Desires": (
        ("the wish of {x}", "what {x} likes"),
        ("who likes {x}", "who wishes for {x}"),
        ("What does {x} want?", "What does {x} like?"),
        ("Who wants {x}?", "Who likes {x}?"),
    ),
    "Causes": (
        ("the effect of {x}", "what {x} leads to"),
        ("the cause of {x}", "what leads to {x}"),
        ("What does {x} cause?", "What does {x} lead to?"),
        ("What causes {x}?", "What leads to {x}?"),
    ),
    "RelatedTo": (
        ("something associated with {x}", "what {x} makes one think of"),
        ("something that brings {x} to mind", "what has to do with {x}"),
        ("What is {x} associated with?", "What does {x} have to do with?"),
        ("What is associated with {x}?", "What has to do with {x}?"),
    ),
}


class Step(NamedTuple):
    """A way along a fact: its relation, and whether it leads from the object back to the subject."""

    relation: str
    back: bool


def describe(step: Step, x: str) -> list[str]:
    """Return the ways to describe what a step leads to from *x*.

    >>> describe(Step("MadeOf", False), "the cup")[-1], describe(Step("worksAt", True), "a bank")
    ('what the cup is made of', ['what works at a bank'])
    """
    own = SAID[step.relation][step.back] if step.relation in SAID else ()
    plain = _open("", step.relation, x) if step.back else _open(x, step.relation, "")
    return [t.format(x=x) for t in own] + ([f"what {plain}"] if plain else [])


def ask_for(step: Step, x: str) -> list[str]:
    """Return the ways to ask for what a step leads to from *x*.

    >>> ask_for(Step("MadeOf", False), "it")[0], ask_for(Step("worksAt", True), "a bank")
    ('What is it made of?', ['What works at a bank?'])
    """
    own = SAID[step.relation][2 + step.back] if step.relation in SAID else ()
    plain = _said("what", step.relation, x) if step.back else _said(x, step.relation, "what")
    return [_capital(t.format(x=x)) for t in own] + [_capital(plain) + "?"]


def _open(subject: str, relation: str, object: str) -> str:
    """Return a relation's sentence without one of its ends, "" where this end stands in its middle."""
    known = RELATIONS.get(relation)
    said = known.sentence if known is not None and known.sentence else "{s} … {o}"
    if not (said.startswith("{s}") and said.endswith("{o}")):
        return ""
    return _said(subject, relation, object)


def _said(subject: str, relation: str, object: str) -> str:
    verb = f"is {relation}" if relation.endswith("than") else relation
    return " ".join(sentence(subject, verb, object).split())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def worded(thing: str, steps: tuple[Step, Step], random: Random) -> str:
    """Return the question in one sentence or in two."""
    seen = f"the {thing} in {random.choice(('this image', 'the picture', 'this photo'))}"
    first = random.choice(describe(steps[0], seen) or [f"what {sentence(seen, steps[0].relation, 'it')}"])
    if random.random() < 0.5:
        return random.choice(ask_for(steps[1], first))
    lead = random.choice(("Think of {x}.", "Take {x}.", "Consider {x}."))
    return f"{lead.format(x=first)} {random.choice(ask_for(steps[1], random.choice(('it', 'that'))))}"
