"""The store.formats package of kgmm."""
