"""First the shots a query asks for, then what else matters (Sharghi et al., ECCV 2016; Eq. 29 of the survey).

The network is :class:`kgmm.nn.shdpp.SHDPP`; the store's facts widen the query.
"""

from kgmm.progress import Progress, silent
from kgmm.stories.skimming.learned import judged
from kgmm.stories.skimming.request import Judged, Request

USES = ("query", "weights")


def judge(request: Request, progress: Progress = silent) -> list[Judged]:
    """Return for each film how likely its segments are in a summary under the query, those that it asks for first."""
    request.must_have("shdpp", "query")
    return judged(request, "shdpp", progress=progress)
