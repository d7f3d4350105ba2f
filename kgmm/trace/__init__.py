"""The trace package of kgmm."""
