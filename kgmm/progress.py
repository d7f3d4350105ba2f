"""How long work reports its progress: a callable that any front end can supply."""

from collections.abc import Callable

#: Called with (units done, units in all or 0 when unknown, what is being done).
Progress = Callable[[int, int, str], None]


def silent(done: int, total: int, what: str) -> None:
    """Report nothing; the default where no front end listens."""
