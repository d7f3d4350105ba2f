"""The store package of kgmm."""
