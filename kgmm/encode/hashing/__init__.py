"""The encode.hashing package of kgmm."""
