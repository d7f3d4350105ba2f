"""Time codes as people read and write them."""

import re


def clock(seconds: float) -> str:
    """Return seconds as h:mm:ss.

    >>> clock(75.4), clock(3601)
    ('0:01:15', '1:00:01')
    """
    whole = int(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def seconds(text: str) -> float:
    """Return a time written as seconds, m:ss or h:mm:ss (with a point or comma before its fraction).

    Raises:
        ValueError: if it is none of these.

    Example:
        >>> seconds("75.5"), seconds("1:15.5"), seconds("01:00:00,250")
        (75.5, 75.5, 3600.25)
    """
    value = 0.0
    parts = text.strip().replace(",", ".").split(":")
    if len(parts) > 3 or not all(re.fullmatch(r"\d+(?:\.\d*)?", part) for part in parts):
        raise ValueError(f"time {text!r} is not seconds, m:ss or h:mm:ss")
    for part in parts:
        value = value * 60 + float(part)
    return value
