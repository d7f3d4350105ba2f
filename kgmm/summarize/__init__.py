"""The summarize package of kgmm."""
