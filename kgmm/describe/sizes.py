"""How high things usually are: what a distance is estimated from where nothing measures it."""

#: metres from bottom to top as things usually stand; round figures of our own, assumed and not measured
HEIGHTS = {
    "person": 1.7, "man": 1.75, "woman": 1.65, "child": 1.2, "pedestrian": 1.7,
    "bicycle": 1.1, "motorcycle": 1.1, "car": 1.5, "van": 2.0, "bus": 3.0, "truck": 3.2, "train": 3.8, "tram": 3.5,
    "streetcar": 3.5, "ambulance": 2.5, "taxi": 1.5, "tractor": 2.6, "scooter": 1.1, "wheelchair": 1.0,
    "traffic light": 0.9, "fire hydrant": 0.8, "stop sign": 0.75, "parking meter": 1.4, "bench": 0.85, "mailbox": 1.2,
    "dog": 0.55, "cat": 0.28, "horse": 1.6, "sheep": 0.9, "cow": 1.45, "bull": 1.5, "elephant": 2.9, "bear": 1.2, "zebra": 1.4,
    "giraffe": 4.8, "lion": 1.1, "tiger": 1.0, "wolf": 0.8,
    "chair": 0.9, "couch": 0.85, "sofa": 0.85, "table": 0.75, "desk": 0.75, "refrigerator": 1.7, "oven": 0.85,
    "stove": 0.9, "microwave": 0.3, "toilet": 0.75, "door": 2.0, "suitcase": 0.65, "backpack": 0.5, "laptop": 0.25,
    "bottle": 0.25, "wine glass": 0.2, "cup": 0.1, "mug": 0.1, "vase": 0.3, "teapot": 0.16, "clock": 0.3,
}  # fmt: skip


def height_of(*names: str) -> float | None:
    """Return how high a thing of the first known of these names usually is, in metres; None if none is known.

    >>> height_of("sports car", "car"), height_of("cloud")
    (1.5, None)
    """
    return next((HEIGHTS[name] for name in (n.lower().replace("_", " ") for n in names) if name in HEIGHTS), None)
