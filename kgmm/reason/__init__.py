"""The reason package of kgmm."""
