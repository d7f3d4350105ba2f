"""What a request is refused for, and the HTTP status that says so."""

from kgmm.errors import KgmmError, UnknownConcept
from kgmm.serve.limits import TooLarge, TooSlow


class NotFound(KgmmError):
    """Nothing is here under that name."""


def refused(error: Exception) -> int:
    """Return the HTTP status of an error of ours."""
    if isinstance(error, PermissionError):
        return 403
    if isinstance(error, NotFound | UnknownConcept):
        return 404
    if isinstance(error, TooLarge | TooSlow):
        return 413 if isinstance(error, TooLarge) else 408
    return 400 if isinstance(error, KgmmError | ValueError) else 500
