"""The perceive package of kgmm."""
