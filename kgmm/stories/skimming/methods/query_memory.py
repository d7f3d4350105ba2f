"""A query looks at the moments of each shot, and shots are chosen by what it read there (Sharghi et al., CVPR 2017).

The network is :class:`kgmm.nn.query_memory.QueryMemory`; the store's facts widen the query.
"""

from kgmm.progress import Progress, silent
from kgmm.stories.skimming.learned import judged
from kgmm.stories.skimming.request import Judged, Request

USES = ("query", "weights")


def judge(request: Request, progress: Progress = silent) -> list[Judged]:
    """Return for each film how likely its segments are in a summary under the query."""
    request.must_have("query-memory", "query")
    return judged(request, "query-memory", progress=progress)
