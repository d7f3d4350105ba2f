"""Ends of facts that say the same answer add up; with gradients, :func:`kgmm.nn.answers.answer_logits` does it."""

from collections.abc import Iterable


def added_up(said: Iterable[str], probability: Iterable[float]) -> dict[str, float]:
    """Return each text's total probability, in the order in which the texts are first said.

    Example:
        >>> added_up(["cat", "dog", "cat"], [0.25, 0.5, 0.25])
        {'cat': 0.5, 'dog': 0.5}
    """
    total: dict[str, float] = {}
    for text, p in zip(said, probability, strict=True):
        total[text] = total.get(text, 0.0) + float(p)
    return total
