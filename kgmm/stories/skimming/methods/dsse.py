"""Frames that look like what the title says (Yuan et al., IEEE TCSVT 2019; Eq. 30–32 of the survey).

The network is :class:`kgmm.nn.dsse.DSSE`. A query stands in for the title, or beside it.
"""

from kgmm.progress import Progress, silent
from kgmm.stories.skimming.learned import judged
from kgmm.stories.skimming.request import Judged, Request

USES = ("query", "title", "weights")


def judge(request: Request, progress: Progress = silent) -> list[Judged]:
    """Return for each film how near its moments are to the title, the nearest being 1."""
    if not request.query:
        request.must_have("dsse", "title")
    return judged(request, "dsse", titled=True, progress=progress)
