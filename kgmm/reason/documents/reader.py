"""A reader without a network: hops over what the best passages state, else the one mention where a sentence answers.

Every answer quotes its sentences: a citation is the statement that a document says these words, which is looked up in what
is kept (:meth:`kgmm.KnowledgeStore.says`) and can be taken away (``trace.without``), upon which it is read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kgmm.documents import spans
from kgmm.documents.entities.keeping import also
from kgmm.documents.facts.extract import Stated, extract
from kgmm.documents.facts.keeping import GRAPH
from kgmm.documents.kept import Kept
from kgmm.documents.passage import Passage
from kgmm.documents.retrieve import passages
from kgmm.language.names import quoted, unquoted
from kgmm.language.words import content
from kgmm.reason.documents.asked import Hop, Wanted, wanted
from kgmm.reason.documents.spotting import spotted
from kgmm.reason.task import Outcome, Task, answered, unanswered
from kgmm.store import Fact
from kgmm.trace import Citation, Step

if TYPE_CHECKING:
    from kgmm.store import LocalStore

PASSAGES = 8  #: read for a name or question
_KIN = ("ChildOf", "MarriedTo")
_FEMALE = re.compile(r"\b(?:Queen|Princess|Countess|Duchess|Lady|Empress|Abbess|Baroness|Dame|Mrs|Infanta)\b")


@dataclass(frozen=True)
class Read:
    """What a passage states, with the words that state it."""

    subject: str
    predicate: str
    object: str
    shown: str  #: the object as the sentence writes it
    quote: Fact  #: that the document says the sentence
    order: int = 0  #: of the facts of its sentence


@dataclass
class Reading:
    """The passages read for one question; each name's are found once."""

    store: LocalStore
    exclude: frozenset[tuple[str, str, str]]
    known: dict[str, list[Read]] = field(default_factory=dict)
    looked: list[str] = field(default_factory=list)

    def alike(self, one: str, other: str) -> bool:
        """Tell whether two names are of one thing, or are said to be."""
        return alike(one, other) or key(other) in also(self.store).get(key(one), ())

    def about(self, name: str, hint: str = "") -> list[Read]:
        """Return what passages state that bear on a name."""
        asked = f"{name} {hint}".strip()
        if asked not in self.known:
            found = passages(self.store, asked, PASSAGES)
            self.known[asked] = [fact for passage in found for fact in self.stated(passage)]
            self.looked += [p.title or p.document for p in found[:3]]
        return self.known[asked]

    def stated(self, passage: Passage) -> Iterable[Read]:
        """Yield what a passage states, without what is taken away."""
        before: tuple[int, int] = (-1, -1)
        order = 0
        for fact in extract(passage.text, passage.title):
            words = passage.text[fact.start : fact.end]
            quote = said(passage, words)
            if (quote.subject, quote.predicate, quote.object) in self.exclude:
                continue
            order = order + 1 if (fact.start, fact.end) == before else 0
            before = fact.start, fact.end
            yield Read(fact.subject, fact.predicate, fact.object, _shown(fact, words), quote, order)


def said(passage: Passage, words: str) -> Fact:
    """Return the statement that a document says some words."""
    return Fact(
        spans.bare(passage.title) or passage.document,
        "Says",
        quoted(" ".join(words.split())),
        graph=GRAPH,
        source=passage.document,
    )


def words_of(quote: Fact) -> str:
    """Return the words that a document is quoted with."""
    return unquoted(quote.object)


def answer(task: Task) -> Outcome:
    """Answer a question from the documents, or say why not.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.read([
        ...     {"title": "Lothair II", "text": "Lothair II was a king. His mother was Ermengarde of Tours."},
        ...     {"title": "Ermengarde of Tours", "text": "Ermengarde of Tours died on 20 March 851."},
        ... ])
        >>> found = kb.ask(None, "When did Lothair II's mother die?")
        >>> found.text, len(found.trace.citations), kb.ask(None, "When did Lothair II's father die?").text
        ('20 March 851', 2, None)
    """
    read = Reading(task.store, task.exclude)
    plan = wanted(task.question)
    if plan is not None:
        outcome = _chosen(plan, read) if plan.choose else _kind(plan, read) if plan.asked else _followed(plan, read)
        if outcome is not None:
            return outcome
    found = spotted(task.question, passages(task.store, task.question, PASSAGES), task.exclude, said)
    if (
        found is not None
        and found.score >= (0.6 if task.threshold is None else task.threshold)
        and not (plan and (len(plan.hops) > 1 or plan.hops[0].predicate in _KIN))
    ):
        step = Step(
            "read", f"{found.text!r} stands in the sentence that has most of the question's words: {found.words}"
        )
        return answered(found.text, found.score, [Citation(found.quote)], step)
    why = "no passage surely says it" if plan or found else "no passage answers it in words that are read"
    looked = ", ".join(dict.fromkeys(read.looked))
    return unanswered(f"{why}{f'; looked at {looked}' if looked else ''}")


def _followed(plan: Wanted, read: Reading) -> Outcome | None:
    ends = follow(plan.names[0], plan.hops, read)
    if not ends:
        return None
    values: dict[str, tuple[str, list[Read]]] = {}
    for way in ends:
        values.setdefault(_same(way[-1], plan.hops[-1]), (_end(way[-1], plan.hops[-1]), way))
    if len(values) > 1 and plan.hops[-1].predicate in (
        "BornOn",
        "BornIn",
        "DiedOn",
        "DiedIn",
        "ReleasedOn",
        "FoundedOn",
    ):
        values = _finest(values)
        if len(values) > 1:
            return None
    (text, way), *others = values.values()
    if len(plan.hops) > 1 and len(others) > 2:
        return None
    score = 0.9 * 0.95 ** (len(plan.hops) - 1) / (1 + 0.2 * len(others))
    told = " → ".join(f"{r.subject} {r.predicate} {r.shown}" for r in way)
    step = Step("read", f"{told}: {' / '.join(words_of(r.quote) for r in way)}")
    alternatives = [(other, round(score * 0.5, 4)) for other, _ in others[:3]]
    return answered(text, round(score, 4), _cited([way]), step, alternatives=alternatives)


def _kind(plan: Wanted, read: Reading) -> Outcome | None:
    """Say yes where a passage says that something is of the kind asked about; what it does not say may still be."""
    asked, told = set(content(plan.asked)), dict[Fact, list[Read]]()
    for fact in read.about(plan.names[0]):
        if fact.predicate in ("IsA", "Nationality") and alike(fact.subject, plan.names[0]):
            told.setdefault(fact.quote, []).append(fact)
    for quote, facts in told.items():
        kinds = {word for fact in facts for word in content(f"{fact.object} {fact.shown}")}
        if asked <= kinds and any(fact.predicate == "IsA" and asked & set(content(fact.object)) for fact in facts):
            return answered("yes", 0.9, _cited([facts[:1]]), Step("read", f"{plan.names[0]}: {words_of(quote)}"))
    return None


def _chosen(plan: Wanted, read: Reading) -> Outcome | None:
    """Compare the ends of two names."""
    ways = [follow(name, plan.hops, read) for name in plan.names]
    if not all(ways):
        return None
    firsts = [way[0] for way in ways]
    values = [way[-1].object.lower() for way in firsts]
    told = "; ".join(f"{n}: {way[-1].shown}" for n, way in zip(plan.names, firsts, strict=True))
    if plan.choose == "same":
        one, other = ({_country(w[-1]) for w in way} for way in ways)
        text = "yes" if one & other else "no"
    else:
        if any(len({w[-1].object[:4] for w in way}) > 1 for way in ways) or (
            values[0][:4] == values[1][:4] and (len(values[0]) != len(values[1]) or values[0] == values[1])
        ):
            return None
        text = plan.names[values.index(min(values) if plan.choose == "first" else max(values))]
    return answered(text, 0.8, _cited(firsts), Step("compare", f"{told}: {text}"))


def _country(read: Read) -> str:
    return read.object.lower().split(", ")[-1]


def _cited(ways: list[list[Read]]) -> list[Citation]:
    return [Citation(fact) for fact in dict.fromkeys(read.quote for way in ways for read in way)]


def follow(name: str, hops: tuple[Hop, ...], read: Reading) -> list[list[Read]]:
    """Return the ways from a name along hops, each with what was read for it."""
    ways: list[tuple[str, list[Read]]] = [(name, [])]
    for hop in hops:
        ahead: list[tuple[str, list[Read]]] = []
        for at, way in ways[:3]:
            for fact in _step(at, hop, read):
                end = fact.subject if hop.back else fact.object
                ahead.append((end, [*way, fact]))
        ways = ahead
    return [way for _, way in ways]


def _step(name: str, hop: Hop, read: Reading) -> list[Read]:
    hint = {"ChildOf": "mother father son daughter", "MarriedTo": "married wife husband"}.get(hop.predicate, "")
    found: list[Read] = []
    for fact in [*read.about(name), *(read.about(name, hint) if hint else [])]:
        if fact.predicate != hop.predicate:
            continue
        if hop.predicate == "MarriedTo" and read.alike(fact.object, name):  # said from the other end
            fact = replace(fact, subject=fact.object, object=fact.subject, shown=fact.subject)
        here = read.alike(fact.object if hop.back else fact.subject, name)
        if here and fact not in found and not read.alike(fact.subject, fact.object):
            found.append(fact)
    if hop.sex:
        found = [fact for fact in found if _sex(fact, read) == hop.sex]
    return found


def _sex(parent: Read, read: Reading) -> str:
    """Return whether a parent is a father or a mother, as far as the sentence that says so tells; else an empty string."""
    words = words_of(parent.quote)
    name = re.escape(parent.object)
    if _FEMALE.search(parent.object) or re.search(
        rf"(?:mother(?: was|,|:)?|wife,?|by) (?:\w+ )?{name}|{name},? (?:was |is )?(?:the |his |her )?mother", words
    ):
        return "f"
    if re.search(rf"father(?: was|,|:)? (?:\w+ )?{name}|{name},? (?:was |is )?(?:the )?father", words):
        return "m"
    m = re.search(rf"(?:son|daughter|child) of (?P<a>.*?){name}", words)
    if m is None:
        return ""
    return "f" if re.search(r"\band\b", m["a"]) else "m"


def alike(one: str, other: str) -> bool:
    """Tell whether two names are of one thing: the same without a parenthesis at the end."""
    return bool(key(one)) and key(one) == key(other)


def key(name: str) -> str:
    """Return what names of one thing share, without a parenthesis at the end."""
    return re.sub(r"^(?:the|an?) ", "", spans.key(spans.bare(name)))


def _same(fact: Read, hop: Hop) -> str:
    return spans.key(fact.subject if hop.back else fact.object) or fact.object


def _end(fact: Read, hop: Hop) -> str:
    return fact.subject if hop.back else fact.shown


def _finest(values: dict[str, tuple[str, list[Read]]]) -> dict[str, tuple[str, list[Read]]]:
    """Leave out values that another one only says more finely: 1902 beside 3 March 1902."""
    return {k: v for k, v in values.items() if not any(k != o and o.startswith(k) for o in values)}


def _shown(fact: Stated, words: str) -> str:
    if fact.object[:4].isdigit():
        for start, end, _, iso in spans.dates(words):
            if iso == fact.object:
                return words[start:end]
    return fact.object


def others_known(store: LocalStore) -> list[str]:
    """Return the graphs of general knowledge beside what documents state."""
    return [graph for graph in store.knowledge_graphs() if graph != GRAPH]


def readable(store: LocalStore) -> bool:
    """Tell whether a store has documents."""
    return len(Kept(store.places.documents)) > 0
