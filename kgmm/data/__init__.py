"""The data package of kgmm."""
