"""Networks that summarize films as training problems: SeqDPP, SH-DPP, the query-focused memory, DSSE, the policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kgmm.nn.film_networks import film_network
from kgmm.nn.film_policy import FilmPolicy
from kgmm.stories.films import RATE
from kgmm.stories.footage.consensus import f_score, taken
from kgmm.stories.skimming.tensors import settings_for
from kgmm.train.fit import Problem
from kgmm.train.lessons import QUERIED, Lesson, Lessons

#: method → (epochs, batch, rate, weight decay) that it trains with unless told otherwise
DEFAULTS: dict[str, tuple[int, int, float, float]] = {
    "seqdpp": (30, 1, 1e-3, 1e-2),
    "shdpp": (8, 1, 2e-3, 1e-2),
    "query-memory": (8, 1, 1e-3, 1e-2),
    "dsse": (12, 1, 1e-3, 1e-2),
    "policy": (4, 1, 1e-3, 1e-2),
}
#: sizes smaller than the networks' own, so that five sets of weights ship in 3 MB
SIZES: dict[str, dict[str, int]] = {
    "query-memory": {"dim": 64},
    "dsse": {"hidden": 96, "dim": 48},
    "policy": {"hidden": 32},
}
#: method → what it finds, for its card
ABOUT = {
    "seqdpp": "Sets of segments that people would take and that differ, drawn part by part.",
    "shdpp": "Sets of segments in two steps: what a query asks for, then what else matters.",
    "query-memory": "Sets of segments for a query that looks at each segment's moments.",
    "dsse": "Frames and words in one space, so that a title or query finds its frames.",
    "policy": "What differs, stands for the film and shows what is asked for; learned from rewards alone.",
}
METRICS = {"dsse": "first", "policy": "reward", **dict.fromkeys(QUERIED, "asked_f")}  #: all others: F


class SkimProblem(Problem):
    """A network that summarizes films, for :func:`kgmm.train.fit.fit`.

    Its figures: ``f``, of the summary it makes of a film against people's (the mean over them), for a query against what
    they keep for it; ``asked_f``, the same of what was asked for alone; ``first``, the share of words whose frame comes
    first; ``reward``, what the policy is rewarded for. That of :data:`METRICS` chooses the epoch.

    Args:
        method: of :data:`kgmm.nn.film_networks.NETWORKS`.
        given: films to learn from and to judge by.
        data: how the data is called.
        sizes: settings of the network that replace its own.
    """

    def __init__(self, method: str, given: Lessons, data: str, *, seed: int = 0, **sizes: Any) -> None:
        self.given = given
        self.method = method
        self.metric = METRICS.get(method, "f")
        self.size = len(given.train)
        torch.manual_seed(seed)
        settings = settings_for(method, given.train[0].tensors, **{**SIZES.get(method, {}), **sizes})
        self.model: Any = film_network(method, settings)
        self.config: dict[str, Any] = {"name": method, "data": data, "seed": seed, "about": ABOUT[method]}
        self.config["network"] = self.model.settings
        self.vocabulary: dict[str, Any] = {"concepts": list(given.concepts)}

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of training lessons *rows*; what is drawn is drawn from torch's own generator."""
        losses = [self.model.loss(self.given.train[i].tensors) for i in rows.tolist()]
        return torch.stack(losses).mean()

    def evaluate(self) -> dict[str, float]:
        """Return the figures on the films kept out of training."""
        rows = [self._figures(lesson) for lesson in self.given.dev]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    @torch.no_grad()
    def _figures(self, lesson: Lesson) -> dict[str, float]:
        film = lesson.tensors
        made = self.model.judge(film)
        if self.method == "dsse":
            best = int(made.moments.argmax())
            place = int((made.moments > made.moments[list(film.pictured or ())].max()).sum()) + 1
            return {"first": float(best in (film.pictured or ())), "reciprocal_rank": 1 / place}
        keep = taken(made.segments.numpy(), film.starts.numpy(), RATE)
        found = {"f": float(np.mean([f_score(keep, own) for own in lesson.people]))}
        if lesson.asked is not None and self.method in QUERIED:
            found["asked_f"] = float(
                np.mean([f_score(keep & lesson.asked, own & lesson.asked) for own in lesson.people])
            )
        if isinstance(self.model, FilmPolicy):
            most = max(1, int(RATE * len(made.moments)))
            inside = torch.zeros(len(made.moments), dtype=torch.bool)
            inside[torch.argsort(made.moments, descending=True, stable=True)[:most]] = True
            found["reward"] = float(self.model.reward(film, inside))
        return found
