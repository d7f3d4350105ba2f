"""The encode package of kgmm."""
