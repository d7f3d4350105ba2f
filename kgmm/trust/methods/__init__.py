"""Policies of trust: one file each with ``infer(claims, **options) -> Belief``, found by its name."""
