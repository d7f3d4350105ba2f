"""What a question word demands of an answer: a reason, a time, a person, a way, a purpose, a means.

Facts are ranked by meaning and wording, which cannot tell that "when do flowers bloom" is not answered by a garden. Which
relations of ConceptNet state what is demanded, and which words tell a time, stands here (Speer et al. 2017, the relations'
documentation); nothing else answers, so that the engine says it does not know.
"""

import re
from dataclasses import dataclass

_TIMES = frozenset(
    "morning noon midday afternoon evening night midnight nighttime daytime day dawn dusk sunrise sunset today tomorrow yesterday"
    " spring summer autumn fall winter season monday tuesday wednesday thursday friday saturday sunday weekend week month year"
    " january february march april june july august september october november december christmas easter halloween birthday holiday"
    " breakfast lunch dinner hour minute century before after when while during dark".split()
)


@dataclass(frozen=True)
class Demand:
    """What an answer has to be.

    Attributes:
        said: the end of "no fact says …".
        forward: relations whose object answers.
        turned: relations whose subject answers.
        words: what one of the answer's words has to be; any if empty.
        kind: the kind an answer is of, in words; any if empty.
    """

    said: str
    forward: frozenset[str] = frozenset()
    turned: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    kind: str = ""


def _demand(
    said: str, forward: str = "", turned: str = "", words: frozenset[str] = frozenset(), kind: str = ""
) -> Demand:
    return Demand(said, frozenset(forward.split()), frozenset(turned.split()), words, kind)


_FOR = "UsedFor MotivatedByGoal CausesDesire"
_DEMANDS = tuple(
    (re.compile(pattern), demand)
    for pattern, demand in (
        (r"^(?:why\b|for what reason)", _demand("why", f"{_FOR} HasPrerequisite", "Causes")),
        (
            r"^(?:when\b|(?:at |in )?(?:what|which) (?:time|season|month|part of the day)\b)",
            _demand("when", "AtTime AtLocation HasPrerequisite HasProperty UsedFor RelatedTo", "", _TIMES),
        ),
        (r"^who(?:m|se)?\b", _demand("who", kind="person")),
        (
            r"^how (?:is|are|was|were|does|do|did|can|could|would|should|will|to)\b",
            _demand("how", "CreatedBy HasSubevent HasFirstSubevent HasPrerequisite"),
        ),
        (r"^what\b.*\bfor$", _demand("what for", f"{_FOR} CapableOf")),
        (
            r"^what (?:do|does|did|can|could|would|should)\b.*\b(?:with|by means of)$",
            _demand("with what", "HasA", "UsedFor"),
        ),
    )
)


def demanded(text: str) -> Demand | None:
    """Return what a cleaned question demands by its question word; None if anything may answer.

    Example:
        >>> demanded("when do flowers bloom").said, demanded("what is red")
        ('when', None)
    """
    return next((demand for pattern, demand in _DEMANDS if pattern.search(text)), None)
