"""Random walk with restart: the face in ``walk``, a solver per kind of view, certified rankings."""
