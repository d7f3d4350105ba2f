"""The graph package of kgmm."""
