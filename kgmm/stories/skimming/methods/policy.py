"""Moments that differ, stand for the whole film and show what a query is about (Zhou et al., AAAI 2018).

The network is :class:`kgmm.nn.film_policy.FilmPolicy`, learned from rewards without anyone's summaries.
"""

from kgmm.progress import Progress, silent
from kgmm.stories.skimming.learned import judged
from kgmm.stories.skimming.request import Judged, Request

USES = ("query", "weights")


def judge(request: Request, progress: Progress = silent) -> list[Judged]:
    """Return for each film how likely the policy keeps its moments; with a query those that show what it asks for more."""
    return judged(request, "policy", progress=progress)
