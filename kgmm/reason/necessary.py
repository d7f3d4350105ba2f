"""Citations that an answer falls without: where other facts say the same, they are cited too, as few as there need be.

An answer is necessary to its citations if it changes once they are all taken away. A knowledge base says most things
several times, so that the one deciding fact is seldom enough; what would decide in its stead is looked for in turn.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from kgmm.language.phrase import phrase
from kgmm.store import Fact
from kgmm.trace import Citation, Step, cited, key

F = TypeVar("F")

MOST = 8  #: facts cited beside the deciding ones, at most


def said_too(
    deciding: Sequence[F], again: Callable[[list[F]], Sequence[F] | None], most: int = MOST
) -> tuple[list[F], bool]:
    """Return the further facts without which, and without the deciding ones, the answer falls.

    Args:
        deciding: the facts that decide.
        again: what decides for the same answer without some facts; None if the answer is another then, or none.
        most: further facts at most.

    Returns:
        The facts, best first, none of which can be left out; and whether the answer falls without them. If it does not,
        they are those found within the bound.

    Example:
        >>> says = ["cats meow", "a cat can meow", "meowing is what cats do"]
        >>> def again(gone):
        ...     return [fact for fact in says if fact not in gone][:1] or None
        >>> said_too(says[:1], again), said_too(says[:1], again, most=1)
        ((['a cat can meow', 'meowing is what cats do'], True), (['a cat can meow'], False))
    """
    found: list[F] = []
    while (more := again([*deciding, *found])) is not None:
        fresh = [fact for fact in more if fact not in deciding and fact not in found]
        if not fresh or len(found) + len(fresh) > most:
            return found, False
        found += fresh
    for fact in reversed(found[:-1]):
        rest = [other for other in found if other is not fact]
        if again([*deciding, *rest]) is None:
            found = rest
    return found, True


def also_cited(
    answer: str,
    deciding: Sequence[Fact],
    again: Callable[[list[Fact]], Sequence[Fact] | None],
    steps: list[Step],
    most: int = MOST,
) -> list[Citation]:
    """Return the citations, beside the deciding facts, that an answer falls without; where it stays, none: *steps* then says so.

    Args: as of :func:`said_too`.
    """
    further, falls = said_too(deciding, again, most)
    if falls:
        return cited(further, role="also")
    steps.append(remaining(answer, further))
    return []


def remaining(answer: str, further: Sequence[Fact]) -> Step:
    """Return the step that says which facts leave an answer as it is once its citations are taken away."""
    said = [phrase(*key(fact)) for fact in further]
    some = f"{'; '.join(said[:3])}{' …' if len(said) > 3 else ''}"
    why = f": {some}" if said else ", without any fact"
    return Step("remains", f"without what is cited, {answer!r} would stay{why}", {"facts": said})
