"""The serve package of kgmm."""
