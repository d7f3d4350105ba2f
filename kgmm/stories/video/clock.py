"""Time codes as people read them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Return seconds as h:mm:ss.

    Example:
        >>> clock(75.4), clock(3601)
        ('0:01:15', '1:00:01')
    """
    whole = int(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"
