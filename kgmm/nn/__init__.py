"""The nn package of kgmm."""
