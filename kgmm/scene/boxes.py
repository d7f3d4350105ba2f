"""Boxes in pictures (x, y, width, height; y grows downwards): how much of them is shared."""

Box = tuple[float, float, float, float]


def area(box: Box) -> float:
    """Return a box's area."""
    return box[2] * box[3]


def shared_area(a: Box, b: Box) -> float:
    """Return the area that two boxes share; 0 if they are apart.

    >>> shared_area((0, 0, 10, 10), (5, 8, 10, 10))
    10
    """
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    tall = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(wide, 0) * max(tall, 0)


def overlap_of_union(a: Box, b: Box) -> float:
    """Return intersection over union of two boxes, in [0, 1]."""
    shared = shared_area(a, b)
    return shared / max(area(a) + area(b) - shared, 1e-9)


def overlap_of_smaller(a: Box, b: Box) -> float:
    """Return the part of the smaller box that lies in the other, in [0, 1]."""
    return shared_area(a, b) / max(min(area(a), area(b)), 1e-9)
