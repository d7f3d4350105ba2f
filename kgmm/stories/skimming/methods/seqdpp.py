"""A summary in which each shot is unlike the last ones, as people made them (Gong et al., NIPS 2014; Eq. 28 of the survey).

The network is :class:`kgmm.nn.seqdpp.SeqDPP`.
"""

from kgmm.progress import Progress, silent
from kgmm.stories.skimming.learned import judged
from kgmm.stories.skimming.request import Judged, Request

USES = ("weights",)


def judge(request: Request, progress: Progress = silent) -> list[Judged]:
    """Return for each film how likely its segments are in a summary, those of the likeliest summary first."""
    return judged(request, "seqdpp", progress=progress)
