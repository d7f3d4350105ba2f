"""A run that is killed while it learns."""

import pytest

from kgmm.train.continual.network import Learner


def killed_at_third(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have the third task that is learned from now on end in an interrupt; return a list that grows with each task."""
    learn, calls = Learner.learn, []

    def killed(self: Learner) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        learn(self)

    monkeypatch.setattr(Learner, "learn", killed)
    return calls
